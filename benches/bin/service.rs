//! The service under load over loopback, beside the same images evaluated in one process without it.
//!
//! ```text
//! cargo run --release -p benches --bin service
//! ```
//!
//! Each client has a key of its own and sends its images to `sign-cnn` one after the other, while it waits. A round of the service is paired with
//! a round of [`Server::infer`] on the same images, so that other work of the machine disturbs both; the medians of the ratios are what counts.

use std::error::Error;
use std::net::TcpListener;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use benches::{Keys, chosen_backend, model, seed, seven};
use bnn::circuit::Style;
use bnn::client::{Client, EncryptedImage};
use bnn::engine::{Server, client_specification};
use rayon::prelude::*;
use server::{Config, Service, Tokens};
use tfhe_core::control::Control;
use tfhe_core::parameters::FUNCTIONAL_1024;
use tfhe_core::serial::{NO_CONTEXT, to_bytes};
use ureq::Agent;

const MODEL: &str = "sign-cnn";
const CLIENTS: [usize; 3] = [1, 4, 16];
/// Images of all clients together in a round.
const IMAGES: usize = 16;
const ROUNDS: usize = 3;
/// Pairs of single requests.
const SINGLES: usize = 9;

/// A client with its key, and encrypted images.
struct Party {
    server: Server,
    images: Vec<EncryptedImage>,
    bodies: Vec<Vec<u8>>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let model = model(MODEL);
    let specification = Arc::new(client_specification(&model)?);
    let folder = tempfile::tempdir()?;
    let config = Config {
        database: folder.path().join("service.redb"),
        models: vec![(MODEL.into(), Arc::clone(&model))],
        tokens: Tokens::default(),
        tls: None,
        allowed_origins: Vec::new(),
        backend: chosen_backend(),
        memory_bytes: 8_000_000_000,
        queued_bootstraps: 100_000_000,
    };
    let service = Service::open(config)?;
    let stop = service.stop();
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}", listener.local_addr()?);
    let serving = thread::spawn(move || service.serve(listener));

    let most = CLIENTS.into_iter().max().unwrap_or(1);
    let mut parties = Vec::new();
    for number in 0..most {
        let keys = Keys::numbered(&FUNCTIONAL_1024, number as u64);
        let client = Client::new(Arc::clone(&specification), Arc::clone(&keys.secret))?;
        let encoded = client.encode(&seven())?;
        let images: Vec<EncryptedImage> = (0..IMAGES)
            .map(|image| client.encrypt(&encoded, seed(100 + image as u64)))
            .collect::<Result<_, _>>()?;
        let bodies = images.iter().map(EncryptedImage::to_bytes).collect::<Result<_, _>>()?;
        let server = Server::new(Arc::clone(&model), keys.evaluator(chosen_backend()), Style::Optimized)?;
        let key = to_bytes(&keys.cloud, NO_CONTEXT)?;
        Agent::new_with_defaults().put(format!("{url}/v2/keys/{}", keys.secret.id())).send(&key[..])?;
        parties.push(Party { server, images, bodies });
    }

    println!("{MODEL}, {} threads, backend {}", rayon::current_num_threads(), chosen_backend());
    overhead(&url, &parties[0])?;
    println!("clients  images/min  p50      p99      of one process");
    for clients in CLIENTS {
        throughput(&url, &parties[..clients]);
    }
    stop.stop();
    serving.join().expect("invariant: a service does not panic")?;
    Ok(())
}

/// A request by itself, beside a call of the engine.
fn overhead(url: &str, party: &Party) -> Result<(), Box<dyn Error>> {
    let agent = Agent::new_with_defaults();
    let mut ratios = Vec::new();
    // The first brings the key into memory.
    post(&agent, url, &party.bodies[0])?;
    for pair in 0..SINGLES {
        let at = pair % IMAGES;
        let start = Instant::now();
        party.server.infer(&party.images[at], &Control::default())?.to_bytes()?;
        let alone = start.elapsed();
        let start = Instant::now();
        post(&agent, url, &party.bodies[at])?;
        ratios.push(start.elapsed().as_secs_f64() / alone.as_secs_f64());
    }
    println!(
        "a single request takes {:.3} of a call of the engine (median of {SINGLES} pairs)",
        quantile(&mut ratios, 0.5)
    );
    Ok(())
}

fn throughput(url: &str, parties: &[Party]) {
    let each = IMAGES / parties.len();
    let (mut ratios, mut rates, mut latencies) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let work: Vec<(&Server, &EncryptedImage)> = parties
            .iter()
            .flat_map(|party| party.images[..each].iter().map(|image| (&party.server, image)))
            .collect();
        work.par_iter().for_each(|(server, image)| {
            server.infer(image, &Control::default()).expect("invariant: own image and key");
        });
        let alone = start.elapsed();
        let (together, times) = round(url, parties, each);
        ratios.push(alone.as_secs_f64() / together.as_secs_f64());
        rates.push(60.0 * work.len() as f64 / together.as_secs_f64());
        latencies.extend(times.iter().map(Duration::as_secs_f64));
    }
    println!(
        "{:<7}  {:<10.1}  {:<5.2} s  {:<5.2} s  {:.1} % (from {:.1} to {:.1})",
        parties.len(),
        quantile(&mut rates, 0.5),
        quantile(&mut latencies.clone(), 0.5),
        quantile(&mut latencies, 0.99),
        100.0 * quantile(&mut ratios, 0.5),
        100.0 * quantile(&mut ratios, 0.0),
        100.0 * quantile(&mut ratios, 1.0),
    );
}

/// All clients send their images; what that took, and what each image took.
fn round(url: &str, parties: &[Party], each: usize) -> (Duration, Vec<Duration>) {
    let barrier = Barrier::new(parties.len() + 1);
    thread::scope(|scope| {
        let clients: Vec<_> = parties
            .iter()
            .map(|party| {
                let barrier = &barrier;
                scope.spawn(move || {
                    let agent = Agent::new_with_defaults();
                    barrier.wait();
                    let sent = party.bodies[..each].iter().map(|body| {
                        let start = Instant::now();
                        post(&agent, url, body).expect("the service refused an image");
                        start.elapsed()
                    });
                    sent.collect::<Vec<Duration>>()
                })
            })
            .collect();
        barrier.wait();
        let start = Instant::now();
        let times = clients.into_iter().flat_map(|client| client.join().expect("a client failed")).collect();
        (start.elapsed(), times)
    })
}

fn post(agent: &Agent, url: &str, body: &[u8]) -> Result<Vec<u8>, ureq::Error> {
    agent.post(format!("{url}/v2/models/{MODEL}/infer")).send(body)?.body_mut().read_to_vec()
}

/// The value below which a share of the values is.
fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let last = values.len() - 1;
    values[(share * last as f64).round() as usize]
}
