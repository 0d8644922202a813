//! Linear layers on ciphertexts: many sums of the same ciphertexts times weights.

use std::time::Duration;

use benches::{Keys, backends, chosen_backend, pool};
use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use rayon::prelude::*;
use tfhe_core::ciphertext::Ciphertext;
use tfhe_core::evaluator::Evaluator;
use tfhe_core::parameters::{FUNCTIONAL_1024, Parameters};
use tfhe_core::torus::Torus32;

/// Sums of as many ciphertexts with weights from -127 to 127, for each filter.
fn filters(count: usize, taps: usize) -> Vec<Vec<i32>> {
    let weight = |filter: usize, tap: usize| ((filter * 31 + tap * 7) % 255) as i32 - 127;
    (0..count).map(|filter| (0..taps).map(|tap| weight(filter, tap)).collect()).collect()
}

fn rows(filters: &[Vec<i32>]) -> Vec<(Torus32, &[i32])> {
    filters.iter().map(|weights| (Torus32::default(), &weights[..])).collect()
}

fn words(parameters: &Parameters) -> u64 {
    parameters.wire_dimension() as u64 + 1
}

/// All sums of so few ciphertexts that the second-level cache holds them and the sums, on one thread.
fn in_cache(criterion: &mut Criterion) {
    const FILTERS: usize = 64;
    const TAPS: usize = 256;
    let mut group = criterion.benchmark_group("linear layer in cache");
    group.sample_size(20).warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_secs(1));
    group.throughput(Throughput::Elements((FILTERS * TAPS) as u64 * words(&FUNCTIONAL_1024)));
    let keys = Keys::new(&FUNCTIONAL_1024);
    let inputs = keys.bits(TAPS);
    let inputs: Vec<&Ciphertext> = inputs.iter().collect();
    let filters = filters(FILTERS, TAPS);
    for backend in backends() {
        let (evaluator, rows) = (keys.evaluator(backend), rows(&filters));
        group.bench_function(backend.to_string(), |bencher| {
            let run = || evaluator.linear_combinations(&rows, &inputs);
            bencher.iter(|| run().expect("invariant: own key, a weight an input"));
        });
    }
}

/// A layer of 128 filters of 3 x 3 values of 128 channels, at 8 x 8 places: each sum by itself, and all sums of a place together.
fn layer(criterion: &mut Criterion) {
    const FILTERS: usize = 128;
    const CHANNELS: usize = 128;
    const SIDE: usize = 8;
    const WINDOW: usize = 3;
    const WIDTH: usize = SIDE + WINDOW - 1;
    let mut group = criterion.benchmark_group("linear layer");
    group.sample_size(10).sampling_mode(SamplingMode::Flat);
    group.warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_secs(2));
    let filters = filters(FILTERS, CHANNELS * WINDOW * WINDOW);
    let sums = (FILTERS * CHANNELS * WINDOW * WINDOW * SIDE * SIDE) as u64;
    group.throughput(Throughput::Elements(sums * words(&FUNCTIONAL_1024)));
    let keys = Keys::new(&FUNCTIONAL_1024);
    let values = keys.bits(CHANNELS * WIDTH * WIDTH);
    let windows = (0..SIDE * SIDE).map(|place| {
        let taps = (0..CHANNELS * WINDOW * WINDOW).map(|tap| {
            let (channel, i, j) = (tap / (WINDOW * WINDOW), tap / WINDOW % WINDOW, tap % WINDOW);
            &values[(channel * WIDTH + place / SIDE + i) * WIDTH + place % SIDE + j]
        });
        taps.collect()
    });
    let windows: Vec<Vec<&Ciphertext>> = windows.collect();
    let evaluator = keys.evaluator(chosen_backend());
    for threads in [1, 2] {
        let pool = pool(threads);
        let ways: [(&str, Way); 2] = [("one by one", one_by_one), ("together", together)];
        for (name, way) in ways {
            group.bench_function(BenchmarkId::new(name, threads), |bencher| {
                let run = || windows.par_iter().for_each(|window| way(&evaluator, &filters, window));
                bencher.iter(|| pool.install(run));
            });
        }
    }
}

/// How the sums of filters over a window are computed.
type Way = fn(&Evaluator, &[Vec<i32>], &[&Ciphertext]);

fn one_by_one(_: &Evaluator, filters: &[Vec<i32>], window: &[&Ciphertext]) {
    for weights in filters {
        let terms = weights.iter().copied().zip(window.iter().copied());
        let sum = Ciphertext::linear(Torus32::default(), terms);
        std::hint::black_box(sum.expect("invariant: all are of one key"));
    }
}

fn together(evaluator: &Evaluator, filters: &[Vec<i32>], window: &[&Ciphertext]) {
    let sums = evaluator.linear_combinations(&rows(filters), window);
    std::hint::black_box(sums.expect("invariant: own key, a weight an input"));
}

criterion_group!(linear, in_cache, layer);
criterion_main!(linear);
