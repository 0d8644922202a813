//! Gates: what each one costs, what batches, backends and threads make of it, and how the parameter sets compare.
//!
//! A gate's time is that of its bootstraps: one, or two for MUX. So the gates are compared in one setting, and the
//! settings with one gate.

use std::time::Duration;

use benches::{Keys, backends, chosen_backend, pool};
use criterion::measurement::WallTime;
use criterion::{
    BenchmarkGroup, BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main,
};
use rayon::ThreadPool;
use tfhe_core::ciphertext::Ciphertext;
use tfhe_core::evaluator::Evaluator;
use tfhe_core::gate::{BinaryGate, Gate};
use tfhe_core::parameters::{GATES_DEFAULT, Parameters};

const NAND: Gate = Gate::Binary(BinaryGate::Nand, 0, 1);

fn group<'a>(criterion: &'a mut Criterion, name: &str) -> BenchmarkGroup<'a, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group.sample_size(10).sampling_mode(SamplingMode::Flat);
    group.warm_up_time(Duration::from_millis(100)).measurement_time(Duration::from_millis(500));
    group
}

/// Times `batch` times `gate` in one call.
fn bench(
    group: &mut BenchmarkGroup<'_, WallTime>,
    id: BenchmarkId,
    pool: &ThreadPool,
    evaluator: &Evaluator,
    inputs: &[Ciphertext],
    (gate, batch): (Gate, usize),
) {
    let gates = vec![gate; batch];
    group.throughput(Throughput::Elements(batch as u64));
    group.bench_function(id, |bencher| {
        let run = || evaluator.evaluate(&gates, inputs);
        bencher.iter(|| pool.install(run).expect("invariant: three fresh inputs of the evaluator's key"));
    });
}

/// Every gate, eight at a time on one thread, with the fastest backend.
fn every_gate(criterion: &mut Criterion) {
    let mut group = group(criterion, "every gate");
    let keys = Keys::new(&GATES_DEFAULT);
    let inputs = keys.bits(3);
    let backend = chosen_backend();
    let (pool, evaluator) = (pool(1), keys.evaluator(backend));
    let binary = BinaryGate::ALL.map(|gate| (format!("{gate:?}"), Gate::Binary(gate, 0, 1)));
    let others = [
        ("Maj", Gate::Maj(0, 1, 2)),
        ("Xor3", Gate::Xor3(0, 1, 2)),
        ("Mux", Gate::Mux { select: 0, then: 1, otherwise: 2 }),
        ("Not", Gate::Not(0)),
    ];
    let others = others.map(|(name, gate)| (name.to_owned(), gate));
    for (name, gate) in binary.into_iter().chain(others) {
        bench(&mut group, BenchmarkId::from_parameter(name), &pool, &evaluator, &inputs, (gate, 8));
    }
}

/// NAND in batches, on every backend, on one thread and on two.
fn batches(criterion: &mut Criterion) {
    let mut group = group(criterion, "nand");
    let keys = Keys::new(&GATES_DEFAULT);
    let inputs = keys.bits(3);
    for backend in backends() {
        let evaluator = keys.evaluator(backend);
        for threads in [1, 2] {
            let pool = pool(threads);
            for batch in [1, 8, 64] {
                let id = BenchmarkId::new(format!("{backend}/threads={threads}"), batch);
                bench(&mut group, id, &pool, &evaluator, &inputs, (NAND, batch));
            }
        }
    }
}

/// Eight NANDs with every parameter set, on one thread, with the fastest backend.
fn parameter_sets(criterion: &mut Criterion) {
    let mut group = group(criterion, "parameter sets");
    let backend = chosen_backend();
    let pool = pool(1);
    for parameters in Parameters::ALL {
        let keys = Keys::new(parameters);
        let (evaluator, inputs) = (keys.evaluator(backend), keys.bits(3));
        let id = BenchmarkId::from_parameter(parameters.name());
        bench(&mut group, id, &pool, &evaluator, &inputs, (NAND, 8));
    }
}

criterion_group!(gates, every_gate, batches, parameter_sets);
criterion_main!(gates);
