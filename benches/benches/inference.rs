//! One image through the network that ships, from the encrypted image to the encrypted scores.
//!
//! ```text
//! cargo bench -p benches --bench inference
//! ```

use std::path::Path;
use std::time::Duration;

use benches::{Keys, backends, pool, seed};
use bnn::data::GreyImage;
use bnn::engine::functional::Plan;
use bnn::model::Model;
use criterion::{BenchmarkId, Criterion, SamplingMode, criterion_group, criterion_main};
use tfhe_core::backend::Backend;
use tfhe_core::parameters::FUNCTIONAL_2048;

fn perceptron(criterion: &mut Criterion) {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models");
    let model = Model::open(&models.join("binarized-perceptron")).expect("invariant: the model ships");
    let plan = Plan::new(&model, &FUNCTIONAL_2048).expect("invariant: the model fits the set");
    let digit = GreyImage::load(&models.join("digits/7.png"), None).expect("invariant: the digit ships");
    let encoded = model.input().encode(&digit).expect("invariant: the digit fits the model");
    let keys = Keys::new(&FUNCTIONAL_2048);
    let image =
        plan.encrypt(&keys.secret, &encoded, seed(4)).expect("invariant: the key is of the plan's set");

    let mut group = criterion.benchmark_group(model.name());
    group.sample_size(10).sampling_mode(SamplingMode::Flat).warm_up_time(Duration::from_millis(100));
    for backend in backends().filter(|&backend| backend != Backend::Portable) {
        let evaluator = keys.evaluator(backend);
        for threads in [1, 2] {
            let pool = pool(threads);
            let id = BenchmarkId::new(backend.to_string(), format!("{threads} threads"));
            group.bench_function(id, |bencher| {
                let infer = || plan.infer(&evaluator, &image, |_| ()).expect("invariant: own image and key");
                bencher.iter(|| pool.install(infer));
            });
        }
    }
}

criterion_group!(inference, perceptron);
criterion_main!(inference);
