//! Gate bootstrapping of other libraries and of ours, interleaved in one process on one thread.
//!
//! ```text
//! cd benches/peers && cargo bench
//! ```
//!
//! A round times one gate of every peer, one gate of ours, and batches of ours, one after another; a machine that
//! changes speed changes it for all of them. What is printed is the median over the rounds of the *ratio* within a round,
//! with the quartiles beside it. Both sides evaluate NAND on fresh encryptions and decrypt the result to check it.
//! `cargo bench -- 30` runs 30 rounds instead of 40.

use std::hint::black_box;
use std::time::Instant;

use tfhe::boolean::prelude::{
    BinaryBooleanGates, BooleanParameters, Ciphertext as PeerCiphertext, ClientKey, DEFAULT_PARAMETERS,
    DEFAULT_PARAMETERS_KS_PBS, PARAMETERS_ERROR_PROB_2_POW_MINUS_165,
    PARAMETERS_ERROR_PROB_2_POW_MINUS_165_KS_PBS, ServerKey,
};
use tfhe_core::backend::Backend;
use tfhe_core::ciphertext::Ciphertext;
use tfhe_core::evaluator::Evaluator;
use tfhe_core::gate::{BinaryGate, Gate, worst_log2_failure};
use tfhe_core::keys::{CloudKey, SecretKey};
use tfhe_core::parameters::GATES_DEFAULT;
use tfhe_core::random::SecretSeed;

/// Batch sizes of ours beside the single gate.
const BATCHES: [usize; 3] = [1, 8, 64];

/// A library's parameter set: one gate at a time is all its interface has.
struct Peer {
    name: &'static str,
    /// As its documentation states them: bits of security, log2 of the failure probability.
    claims: (u32, i32),
    client: ClientKey,
    server: ServerKey,
    inputs: [PeerCiphertext; 2],
}

impl Peer {
    fn new(name: &'static str, claims: (u32, i32), parameters: &BooleanParameters) -> Self {
        let client = ClientKey::new(parameters);
        let server = ServerKey::new(&client);
        let inputs = [client.encrypt(true), client.encrypt(false)];
        Self { name, claims, client, server, inputs }
    }

    /// Milliseconds of one gate.
    fn time(&self) -> f64 {
        let start = Instant::now();
        let result = black_box(self.server.nand(&self.inputs[0], &self.inputs[1]));
        let elapsed = start.elapsed();
        assert!(self.client.decrypt(&result), "{}: NAND(1, 0) is 1", self.name);
        elapsed.as_secs_f64() * 1e3
    }
}

/// Our engine on one backend.
struct Ours {
    backend: Backend,
    evaluator: Evaluator,
}

impl Ours {
    /// Milliseconds a gate, in a batch of `count`.
    fn time(&self, secret: &SecretKey, inputs: &[Ciphertext], count: usize) -> f64 {
        let gates = vec![Gate::Binary(BinaryGate::Nand, 0, 1); count];
        let start = Instant::now();
        let results =
            black_box(self.evaluator.evaluate(&gates, inputs)).expect("two fresh inputs of the key");
        let elapsed = start.elapsed();
        assert!(results.iter().all(|c| secret.decrypt(c).expect("of this key")), "NAND(1, 0) is 1");
        elapsed.as_secs_f64() * 1e3 / count as f64
    }
}

/// First quartile, median and third quartile.
fn quartiles(mut values: Vec<f64>) -> [f64; 3] {
    values.sort_by(f64::total_cmp);
    [1, 2, 3].map(|q| values[(values.len() - 1) * q / 4])
}

fn main() {
    // Cargo adds an argument of its own.
    let argument = std::env::args().skip(1).find(|argument| argument != "--bench");
    let rounds = match argument.map(|text| text.parse()) {
        None => 40,
        Some(Ok(rounds)) if rounds > 0 => rounds,
        Some(_) => {
            eprintln!("the argument is a number of rounds, at least 1");
            std::process::exit(2);
        }
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("the system gives a thread");
    pool.install(|| compare(rounds));
}

fn compare(rounds: usize) {
    let peers = [
        Peer::new("tfhe 1.8.2 DEFAULT_PARAMETERS", (128, -64), &DEFAULT_PARAMETERS),
        Peer::new("tfhe 1.8.2 DEFAULT_PARAMETERS_KS_PBS", (128, -64), &DEFAULT_PARAMETERS_KS_PBS),
        Peer::new(
            "tfhe 1.8.2 PARAMETERS_ERROR_PROB_2_POW_MINUS_165",
            (128, -165),
            &PARAMETERS_ERROR_PROB_2_POW_MINUS_165,
        ),
        Peer::new(
            "tfhe 1.8.2 PARAMETERS_ERROR_PROB_2_POW_MINUS_165_KS_PBS",
            (128, -166),
            &PARAMETERS_ERROR_PROB_2_POW_MINUS_165_KS_PBS,
        ),
    ];
    let seed = || SecretSeed::from_os().expect("the system gives randomness");
    let secret = SecretKey::generate(&GATES_DEFAULT, seed());
    let cloud = CloudKey::generate(&secret, seed());
    let inputs = secret.encrypt(&[true, false], seed()).expand();
    let ours: Vec<Ours> = [Backend::Avx512, Backend::Avx2]
        .into_iter()
        .filter_map(|backend| Some(Ours { backend, evaluator: Evaluator::new(&cloud, backend).ok()? }))
        .collect();

    let settings = ours.iter().flat_map(|engine| BATCHES.map(|count| (engine, count)));
    let settings: Vec<(&Ours, usize)> = settings.collect();
    let mut peer_times = vec![Vec::new(); peers.len()];
    let mut our_times = vec![Vec::new(); settings.len()];
    for round in 0..rounds {
        eprint!("\rround {} of {rounds}", round + 1);
        for (peer, times) in peers.iter().zip(&mut peer_times) {
            times.push(peer.time());
        }
        for ((engine, count), times) in settings.iter().zip(&mut our_times) {
            times.push(engine.time(&secret, &inputs, *count));
        }
    }
    eprintln!();

    println!("One gate (NAND), one thread, {rounds} interleaved rounds: median [quartiles]\n");
    println!("| | security, bits | failure | ms a gate |\n|---|---|---|---|");
    for (peer, times) in peers.iter().zip(&peer_times) {
        let [low, median, high] = quartiles(times.clone());
        let (security, failure) = peer.claims;
        println!("| {} | {security} | 2^{failure} | {median:.2} [{low:.2}, {high:.2}] |", peer.name);
    }
    for ((engine, count), times) in settings.iter().zip(&our_times) {
        let [low, median, high] = quartiles(times.clone());
        println!(
            "| ours, {}, batch {count} | {} | 2^{:.0} | {median:.2} [{low:.2}, {high:.2}] |",
            engine.backend,
            GATES_DEFAULT.security_bits,
            worst_log2_failure(&GATES_DEFAULT)
        );
    }
    println!("\nTimes faster than the peer, paired within each round\n");
    print!("| ours |");
    peers.iter().for_each(|peer| print!(" {} |", peer.name));
    println!("\n|---|{}", "---|".repeat(peers.len()));
    for ((engine, count), times) in settings.iter().zip(&our_times) {
        print!("| {}, batch {count} |", engine.backend);
        for peer in &peer_times {
            let [low, median, high] = quartiles(peer.iter().zip(times).map(|(a, b)| a / b).collect());
            print!(" {median:.1}x [{low:.1}, {high:.1}] |");
        }
        println!();
    }
}
