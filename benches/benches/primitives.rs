//! The transform, and one bootstrap and sixteen, each on one thread: what every gate and every neuron is made of.
//!
//! A bootstrap is key switch and blind rotation together: the latter is n external products, nearly all of the time.

use std::time::Duration;

use benches::{Keys, backends, pool};
use criterion::{
    BatchSize, BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main,
};
use tfhe_core::backend::Backend;
use tfhe_core::bootstrap::LookupTable;
use tfhe_core::fft::Fft;
use tfhe_core::parameters::{FUNCTIONAL_2048, GATES_DEFAULT};

/// Transforms of N real coefficients. Those inside a bootstrap are the same code without the scaling of the inverse.
fn transforms(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("fft");
    group
        .sample_size(10)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(500));
    for size in [512, 1024, 2048] {
        let coefficients: Vec<f64> = (0..size).map(|j| f64::from((j * 7919) % 1024 - 512)).collect();
        for backend in backends() {
            let fft = Fft::new(size as usize, backend).expect("invariant: the size and the backend exist");
            let mut points = coefficients.clone();
            fft.forward(&mut points);
            // From the same data each time: transformed over and over, numbers would grow out of range.
            group.bench_function(BenchmarkId::new(format!("forward/{backend}"), size), |bencher| {
                let copy = || coefficients.clone();
                bencher.iter_batched_ref(copy, |data| fft.forward(data), BatchSize::SmallInput);
            });
            group.bench_function(BenchmarkId::new(format!("inverse/{backend}"), size), |bencher| {
                let copy = || points.clone();
                bencher.iter_batched_ref(copy, |data| fft.inverse(data), BatchSize::SmallInput);
            });
        }
    }
}

fn bootstraps(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("bootstrap");
    group.sample_size(10).sampling_mode(SamplingMode::Flat);
    group.warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_secs(1));
    let pool = pool(1);
    for parameters in [&GATES_DEFAULT, &FUNCTIONAL_2048] {
        let keys = Keys::new(parameters);
        let inputs = keys.bits(16);
        let table = LookupTable::from_function(parameters.polynomial_size, |x| x.max(0.0));
        let tables = [&table; 16];
        for backend in backends() {
            let evaluator = keys.evaluator(backend);
            // The portable backend gains little by batches, and sixteen take it seconds.
            let batches: &[usize] = if backend == Backend::Portable { &[1] } else { &[1, 16] };
            for &batch in batches {
                group.throughput(Throughput::Elements(batch as u64));
                let id = BenchmarkId::new(format!("{}/{backend}", parameters.name), batch);
                group.bench_function(id, |bencher| {
                    let run = || evaluator.bootstrap(&inputs[..batch], &tables[..batch]);
                    bencher.iter(|| pool.install(run).expect("invariant: own key, one table each"));
                });
            }
        }
    }
}

criterion_group!(primitives, transforms, bootstraps);
criterion_main!(primitives);
