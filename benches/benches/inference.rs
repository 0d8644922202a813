//! One image through the networks that ship, on the functional engine, from the encrypted image to the encrypted scores.
//!
//! ```text
//! cargo bench -p benches --bench inference
//! ```

use std::sync::Arc;
use std::time::Duration;

use benches::{Keys, backends, model, pool, seed, seven};
use bnn::circuit::Style;
use bnn::client::Client;
use bnn::engine::{Engine, Server, client_specification};
use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use tfhe_core::backend::Backend;
use tfhe_core::control::Control;

/// Images at once, where all threads work on all of them.
const MANY: usize = 8;

fn networks(criterion: &mut Criterion) {
    for name in ["binarized-perceptron", "sign-cnn", "binarized-cnn"] {
        network(criterion, name);
    }
}

fn network(criterion: &mut Criterion, name: &str) {
    let model = model(name);
    let specification = Arc::new(client_specification(&model).expect("invariant: a model that ships"));
    let set = specification.parameter_sets(Engine::Functional);
    let keys = Keys::new(set.first().expect("invariant: the engine runs the model"));
    let client = Client::new(specification, Arc::clone(&keys.secret)).expect("invariant: a set of the model");
    let encoded = client.encode(&seven()).expect("invariant: the digit fits the model");
    let image = client.encrypt(&encoded, seed(4)).expect("invariant: an encoding of the model");

    let mut group = criterion.benchmark_group(model.name());
    group.sample_size(10).sampling_mode(SamplingMode::Flat).warm_up_time(Duration::from_millis(100));
    for backend in backends().filter(|&backend| backend != Backend::Portable) {
        let server = Server::new(Arc::clone(&model), keys.evaluator(backend), Style::Optimized);
        let server = server.expect("invariant: a set of the model");
        let control = Control::default();
        let infer = || server.infer(&image, &control).expect("invariant: own image and key");
        // A small network is timed in more ways: it takes less time, and does not keep every thread busy by itself.
        let small = server.bootstraps().expect("invariant: nothing is counted") < 1000;
        for threads in if small { &[1, 2][..] } else { &[2] } {
            let pool = pool(*threads);
            let id = BenchmarkId::new(backend.to_string(), format!("{threads} threads"));
            group.bench_function(id, |bencher| bencher.iter(|| pool.install(infer)));
        }
        if small {
            let pool = pool(2);
            let id = BenchmarkId::new(backend.to_string(), format!("2 threads, {MANY} images"));
            group.throughput(Throughput::Elements(MANY as u64));
            group.bench_function(id, |bencher| {
                bencher.iter(|| {
                    pool.scope(|scope| (0..MANY).for_each(|_| scope.spawn(|_| drop(infer()))));
                });
            });
        }
    }
}

criterion_group!(inference, networks);
criterion_main!(inference);
