//! The transform, the external product, key switch and blind rotation by themselves, and whole bootstraps, each on one
//! thread: what every gate and every neuron is made of.

use std::time::Duration;

use benches::{Keys, backends, pool};
use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use tfhe_core::backend::Backend;
use tfhe_core::bootstrap::LookupTable;
use tfhe_core::internals::Part;
use tfhe_core::parameters::{FUNCTIONAL_2048, GATES_DEFAULT};

/// A transform of N real coefficients, and back: half of it is what a transform inside a bootstrap takes, but for the
/// scaling here and the conversions there.
fn transforms(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("fft");
    group
        .sample_size(20)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(500));
    for size in [512, 1024, 2048] {
        for backend in backends() {
            let mut part = Part::transform(size, backend).expect("invariant: the size and the backend exist");
            group.bench_function(BenchmarkId::new(format!("round trip/{backend}"), size), |bencher| {
                bencher.iter(|| part.run());
            });
        }
    }
}

/// One external product, as it stands by itself; inside a blind rotation it is fused and batched.
fn external_products(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("external product");
    group
        .sample_size(10)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(500));
    for parameters in [&GATES_DEFAULT, &FUNCTIONAL_2048] {
        for backend in backends() {
            let part = Part::external_product(parameters, backend);
            let mut part = part.expect("invariant: the backend exists");
            group.bench_function(format!("{}/{backend}", parameters.name()), |bencher| {
                bencher.iter(|| part.run());
            });
        }
    }
}

/// The two parts of a bootstrap, in batches of 16. Their time does not depend on what the samples hold.
fn parts(criterion: &mut Criterion) {
    const BATCH: usize = 16;
    let mut group = criterion.benchmark_group("parts of a bootstrap");
    group.sample_size(10).sampling_mode(SamplingMode::Flat);
    group.warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_secs(1));
    group.throughput(Throughput::Elements(BATCH as u64));
    for parameters in [&GATES_DEFAULT, &FUNCTIONAL_2048] {
        let cloud = Keys::new(parameters).cloud;
        for backend in backends().filter(|&backend| backend != Backend::Portable) {
            let switch = Part::key_switch(&cloud, backend, BATCH);
            let rotation = Part::blind_rotation(&cloud, backend, Some(BATCH));
            for (name, part) in [("key switch", switch), ("blind rotation", rotation)] {
                let mut part = part.expect("invariant: the backend exists");
                group.bench_function(format!("{name}/{}/{backend}", parameters.name()), |bencher| {
                    bencher.iter(|| part.run());
                });
            }
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
        let table = LookupTable::from_function(parameters.polynomial_size(), |x| x.max(0.0));
        let tables = [&table; 16];
        for backend in backends() {
            let evaluator = keys.evaluator(backend);
            // The portable backend gains little by batches, and sixteen take it seconds.
            let batches: &[usize] = if backend == Backend::Portable { &[1] } else { &[1, 16] };
            for &batch in batches {
                group.throughput(Throughput::Elements(batch as u64));
                let id = BenchmarkId::new(format!("{}/{backend}", parameters.name()), batch);
                group.bench_function(id, |bencher| {
                    let run = || evaluator.bootstrap(&inputs[..batch], &tables[..batch]);
                    bencher.iter(|| pool.install(run).expect("invariant: own key, one table each"));
                });
            }
        }
    }
}

criterion_group!(primitives, transforms, external_products, parts, bootstraps);
criterion_main!(primitives);
