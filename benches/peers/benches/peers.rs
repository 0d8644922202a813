//! Gate bootstrapping and functional bootstrapping of other libraries and of ours, interleaved in one process on one
//! thread.
//!
//! ```text
//! cd benches/peers && cargo bench
//! ```
//!
//! A round times one bootstrap of every peer, one of ours, and batches of ours, one after another; a machine that changes
//! speed changes it for all of them. What is printed is the median over the rounds of the *ratio* within a round, with the
//! quartiles beside it. All sides start from fresh encryptions and decrypt the result to check it: NAND of two bits, and a
//! table of sixteen values. `cargo bench -- 30` runs 30 rounds instead of 40.

use std::hint::black_box;
use std::rc::Rc;
use std::time::Instant;

use tfhe::boolean::prelude::{
    BinaryBooleanGates, BooleanParameters, ClientKey as BooleanClientKey, DEFAULT_PARAMETERS,
    DEFAULT_PARAMETERS_KS_PBS, PARAMETERS_ERROR_PROB_2_POW_MINUS_165,
    PARAMETERS_ERROR_PROB_2_POW_MINUS_165_KS_PBS, ServerKey as BooleanServerKey,
};
use tfhe::shortint::parameters::{
    ClassicPBSParameters, PARAM_MESSAGE_2_CARRY_2_KS_PBS_GAUSSIAN_2M128,
    PARAM_MESSAGE_2_CARRY_2_KS_PBS_TUNIFORM_2M128,
};
use tfhe::shortint::{ClientKey, ServerKey};
use tfhe_core::backend::Backend;
use tfhe_core::bootstrap::LookupTable;
use tfhe_core::evaluator::Evaluator;
use tfhe_core::gate::{BinaryGate, Gate};
use tfhe_core::internals::worst_log2_failure;
use tfhe_core::keys::{CloudKey, SecretKey};
use tfhe_core::noise;
use tfhe_core::parameters::{FUNCTIONAL_1024, FUNCTIONAL_2048, GATES_DEFAULT, Parameters};
use tfhe_core::random::SecretSeed;
use tfhe_core::torus::Torus32;

/// Batch sizes of ours.
const BATCHES: [usize; 3] = [1, 8, 64];
/// Tables of a peer's in a row, which has no batches.
const IN_A_ROW: usize = 16;
/// Values of a table: two bits of message and two of carry, as the peer calls them.
const VALUES: u64 = 16;

/// One library with one parameter set and, if ours, one backend and batch size.
struct Contender {
    name: String,
    /// Bits of security, and log2 of the failure probability: a peer's as its documentation states them.
    claims: (u32, f64),
    /// Milliseconds of one bootstrap.
    time: Box<dyn Fn() -> f64>,
}

/// What `run` gives, and the milliseconds it takes.
fn timed<T>(run: impl FnOnce() -> T) -> (T, f64) {
    let start = Instant::now();
    let result = black_box(run());
    (result, start.elapsed().as_secs_f64() * 1e3)
}

/// A peer's gate: one at a time is all its interface has.
fn peer_gate(name: &str, log2_failure: f64, parameters: &BooleanParameters) -> Contender {
    let client = BooleanClientKey::new(parameters);
    let server = BooleanServerKey::new(&client);
    let inputs = [client.encrypt(true), client.encrypt(false)];
    let name = format!("tfhe 1.8.2 {name}");
    let label = name.clone();
    let time = move || {
        let (result, time) = timed(|| server.nand(&inputs[0], &inputs[1]));
        assert!(client.decrypt(&result), "{label}: NAND(1, 0) is 1");
        time
    };
    Contender { name, claims: (128, log2_failure), time: Box::new(time) }
}

/// A peer's table of sixteen values, once or several times in a row: its key stays in the caches as far as it fits.
fn peer_table(name: &str, parameters: ClassicPBSParameters, count: usize) -> Contender {
    let client = ClientKey::new(parameters);
    let server = ServerKey::new(&client);
    let input = client.unchecked_encrypt(5);
    let table = server.generate_lookup_table(|x| (3 * x + 1) % VALUES);
    let name = format!("tfhe 1.8.2 {name}, {count} in a row");
    let label = name.clone();
    let time = move || {
        let (results, time) = timed(|| {
            let results = (0..count).map(|_| server.apply_lookup_table(&input, &table));
            results.collect::<Vec<_>>()
        });
        for result in results {
            assert_eq!(client.decrypt_message_and_carry(&result), 0, "{label}: 3 * 5 + 1 mod 16 is 0");
        }
        time / count as f64
    };
    Contender { name, claims: (128, parameters.log2_p_fail), time: Box::new(time) }
}

/// Our keys under a set, and engines on the backends of this machine.
fn ours(parameters: &Parameters) -> (SecretKey, Vec<(Backend, Evaluator)>) {
    let seed = || SecretSeed::from_os().expect("the system gives randomness");
    let secret = SecretKey::generate(parameters, seed());
    let cloud = CloudKey::generate(&secret, seed()).expect("there is memory for a cloud key");
    let engines = [Backend::Avx512, Backend::Avx2]
        .into_iter()
        .filter_map(|backend| Some((backend, Evaluator::new(&cloud, backend).ok()?)));
    (secret, engines.collect())
}

/// Our gates, in batches.
fn our_gates() -> Vec<Contender> {
    let (secret, engines) = ours(&GATES_DEFAULT);
    let secret = Rc::new(secret);
    let seed = SecretSeed::from_os().expect("the system gives randomness");
    let inputs = secret.encrypt(&[true, false], seed).expand();
    let mut contenders = Vec::new();
    for (backend, evaluator) in engines {
        let evaluator = Rc::new(evaluator);
        for count in BATCHES {
            let (secret, evaluator, inputs) = (secret.clone(), evaluator.clone(), inputs.clone());
            let gates = vec![Gate::Binary(BinaryGate::Nand, 0, 1); count];
            let time = move || {
                let (results, time) = timed(|| evaluator.evaluate(&gates, &inputs));
                let results = results.expect("two fresh inputs of the key");
                assert!(results.iter().all(|c| secret.decrypt(c).expect("of this key")), "NAND(1, 0) is 1");
                time / count as f64
            };
            contenders.push(Contender {
                name: format!("ours, {backend}, batch {count}"),
                claims: (GATES_DEFAULT.security_bits(), worst_log2_failure(&GATES_DEFAULT)),
                time: Box::new(time),
            });
        }
    }
    contenders
}

/// Our tables of sixteen values, one in each sixteenth of the half torus, in batches.
fn our_tables(parameters: &'static Parameters) -> Vec<Contender> {
    let (secret, engines) = ours(parameters);
    let secret = Rc::new(secret);
    // Values 0 to 15 are at the middles of the sixteenths of [-1/4, 1/4).
    let place = |value: u64| (value as f64 + 0.5) / (2 * VALUES) as f64 - 0.25;
    let value = |phase: f64| ((phase + 0.25) * (2 * VALUES) as f64).floor() as u64 % VALUES;
    let table =
        LookupTable::from_function(parameters.polynomial_size(), move |x| place((3 * value(x) + 1) % VALUES));
    let seed = SecretSeed::from_os().expect("the system gives randomness");
    let messages = vec![Torus32::from_real(place(5)); 64];
    let inputs = secret.encrypt_packed(&messages, 64, seed).expect("at most N messages").unpack();
    // A bootstrapped value may be summed with others before its next table, up to five in squares of factors.
    let variance = noise::decision(parameters, 5.0 * noise::bootstrapped(parameters));
    let failure = noise::log2_failure(0.25 / VALUES as f64, variance);
    let mut contenders = Vec::new();
    for (backend, evaluator) in engines {
        let evaluator = Rc::new(evaluator);
        for count in BATCHES {
            let (secret, evaluator, table) = (secret.clone(), evaluator.clone(), table.clone());
            let inputs = inputs[..count].to_vec();
            let time = move || {
                let (results, time) = timed(|| evaluator.bootstrap(&inputs, &vec![&table; count]));
                let results = results.expect("inputs of the key, a table for each");
                let decrypted = |c| value(secret.phase(c).expect("of this key").to_real());
                assert!(results.iter().map(decrypted).all(|found| found == 0), "3 * 5 + 1 mod 16 is 0");
                time / count as f64
            };
            contenders.push(Contender {
                name: format!("ours, {}, {backend}, batch {count}", parameters.name()),
                claims: (parameters.security_bits(), failure),
                time: Box::new(time),
            });
        }
    }
    contenders
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
    pool.install(|| {
        let gates = [
            peer_gate("DEFAULT_PARAMETERS", -64.0, &DEFAULT_PARAMETERS),
            peer_gate("DEFAULT_PARAMETERS_KS_PBS", -64.0, &DEFAULT_PARAMETERS_KS_PBS),
            peer_gate(
                "PARAMETERS_ERROR_PROB_2_POW_MINUS_165",
                -165.0,
                &PARAMETERS_ERROR_PROB_2_POW_MINUS_165,
            ),
            peer_gate(
                "PARAMETERS_ERROR_PROB_2_POW_MINUS_165_KS_PBS",
                -166.0,
                &PARAMETERS_ERROR_PROB_2_POW_MINUS_165_KS_PBS,
            ),
        ];
        compare("One gate (NAND)", &gates, &our_gates(), rounds);
    });
    pool.install(|| {
        let tables = [
            peer_table("2_2 GAUSSIAN_2M128", PARAM_MESSAGE_2_CARRY_2_KS_PBS_GAUSSIAN_2M128, IN_A_ROW),
            peer_table("2_2 TUNIFORM_2M128", PARAM_MESSAGE_2_CARRY_2_KS_PBS_TUNIFORM_2M128, IN_A_ROW),
            peer_table("2_2 TUNIFORM_2M128", PARAM_MESSAGE_2_CARRY_2_KS_PBS_TUNIFORM_2M128, 1),
        ];
        let ours: Vec<Contender> =
            [&FUNCTIONAL_2048, &FUNCTIONAL_1024].into_iter().flat_map(our_tables).collect();
        compare("One table of sixteen values", &tables, &ours, rounds);
    });
}

/// Times all contenders in turn, and prints milliseconds and paired ratios.
fn compare(title: &str, peers: &[Contender], ours: &[Contender], rounds: usize) {
    let all = || peers.iter().chain(ours);
    let mut times = vec![Vec::new(); peers.len() + ours.len()];
    for round in 0..rounds {
        eprint!("\rround {} of {rounds}", round + 1);
        for (contender, times) in all().zip(&mut times) {
            times.push((contender.time)());
        }
    }
    eprintln!();

    println!("\n{title}, one thread, {rounds} interleaved rounds: median [quartiles]\n");
    println!("| | security, bits | failure | ms |\n|---|---|---|---|");
    for (contender, times) in all().zip(&times) {
        let [low, median, high] = quartiles(times.clone());
        let (security, failure) = contender.claims;
        println!("| {} | {security} | 2^{failure:.0} | {median:.2} [{low:.2}, {high:.2}] |", contender.name);
    }
    println!("\nTimes faster than the peer, paired within each round\n");
    print!("| ours |");
    peers.iter().for_each(|peer| print!(" {} |", peer.name));
    println!("\n|---|{}", "---|".repeat(peers.len()));
    let (peer_times, our_times) = times.split_at(peers.len());
    for (contender, times) in ours.iter().zip(our_times) {
        print!("| {} |", contender.name);
        for peer in peer_times {
            let [low, median, high] = quartiles(peer.iter().zip(times).map(|(a, b)| a / b).collect());
            print!(" {median:.1}x [{low:.1}, {high:.1}] |");
        }
        println!();
    }
}
