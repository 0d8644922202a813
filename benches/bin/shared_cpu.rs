//! Lone gates on a machine whose CPUs are busy: one thread against two.
//!
//! ```text
//! cargo run --release -p benches --bin shared_cpu
//! cargo run --release -p benches --bin shared_cpu -- 15 40
//! ```
//!
//! The arguments are the number of rounds and of gates in a chain. Beside the gates run 0 to 4 threads that do nothing but
//! count. A round times one chain of gates, each of which waits for the one before it, on a pool of one thread and on a pool of
//! two, in turns. Printed are the medians of a gate's time, the lower and upper quartiles, and the median of the ratios within
//! a round.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use benches::{Keys, pool};
use rayon::ThreadPool;
use tfhe_core::backend::Backend;
use tfhe_core::ciphertext::Ciphertext;
use tfhe_core::evaluator::Evaluator;
use tfhe_core::gate::BinaryGate;
use tfhe_core::parameters::GATES_DEFAULT;

/// Busy threads beside the gates.
const LOADS: [usize; 5] = [0, 1, 2, 3, 4];

/// Milliseconds a gate of a chain of `gates`.
fn chain(pool: &ThreadPool, evaluator: &Evaluator, inputs: &[Ciphertext], gates: usize) -> f64 {
    let run = || {
        let start = Instant::now();
        let mut last = inputs[0].clone();
        for _ in 0..gates {
            last = evaluator
                .binary(BinaryGate::Nand, &last, &inputs[1])
                .expect("invariant: fresh or bootstrapped inputs of the evaluator's key");
        }
        start.elapsed().as_secs_f64() * 1e3 / gates as f64
    };
    pool.install(run)
}

/// The lower quartile, the median and the upper quartile.
fn quartiles(mut values: Vec<f64>) -> [f64; 3] {
    values.sort_by(f64::total_cmp);
    [1, 2, 3].map(|quarter| values[(values.len() - 1) * quarter / 4])
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let rounds = arguments.next().map_or(Ok(11), |text| text.parse::<usize>())?.max(1);
    let gates = arguments.next().map_or(Ok(20), |text| text.parse::<usize>())?.max(1);
    let keys = Keys::new(&GATES_DEFAULT);
    let (evaluator, inputs) = (keys.evaluator(Backend::fastest()), keys.bits(2));
    let pools = [pool(1), pool(2)];

    println!("| busy threads | 1 thread, ms a gate | 2 threads, ms a gate | ratio |");
    println!("|---|---|---|---|");
    for load in LOADS {
        let stop = AtomicBool::new(false);
        let mut times = [Vec::new(), Vec::new()];
        std::thread::scope(|scope| {
            for _ in 0..load {
                scope.spawn(|| {
                    while !stop.load(Ordering::Relaxed) {
                        spin_loop();
                    }
                });
            }
            for _ in 0..rounds {
                for (pool, times) in pools.iter().zip(&mut times) {
                    times.push(chain(pool, &evaluator, &inputs, gates));
                }
            }
            stop.store(true, Ordering::Relaxed);
        });
        let ratios = times[0].iter().zip(&times[1]).map(|(alone, shared)| shared / alone).collect();
        let cell = |[low, median, high]: [f64; 3]| format!("{median:.2} [{low:.2}, {high:.2}]");
        let [alone, shared] = times.map(|times| cell(quartiles(times)));
        println!("| {load} | {alone} | {shared} | {} |", cell(quartiles(ratios)));
    }
    Ok(())
}
