//! Gates a second against the size of a batch, for every backend on one thread: a table, and a plot.
//!
//! ```text
//! cargo run --release -p benches --bin throughput -- docs/throughput.svg
//! ```
//!
//! Without an argument there is no plot. A round times every setting once; the medians over the rounds are shown.

use std::error::Error;
use std::path::PathBuf;
use std::time::Instant;

use benches::{Keys, backends, pool};
use plotters::prelude::*;
use tfhe_core::backend::Backend;
use tfhe_core::gate::{BinaryGate, Gate};
use tfhe_core::parameters::GATES_DEFAULT;

const BATCHES: [usize; 7] = [1, 2, 4, 8, 16, 32, 64];
const ROUNDS: usize = 7;

/// Gates a second for each of [`BATCHES`].
struct Curve {
    backend: Backend,
    throughput: Vec<f64>,
}

fn measure() -> Vec<Curve> {
    let keys = Keys::new(&GATES_DEFAULT);
    let inputs = keys.bits(2);
    let evaluators: Vec<_> = backends().map(|backend| (backend, keys.evaluator(backend))).collect();
    let mut times = vec![vec![Vec::new(); BATCHES.len()]; evaluators.len()];
    for _ in 0..ROUNDS {
        for ((_, evaluator), times) in evaluators.iter().zip(&mut times) {
            for (batch, times) in BATCHES.into_iter().zip(times) {
                let gates = vec![Gate::Binary(BinaryGate::Nand, 0, 1); batch];
                let start = Instant::now();
                evaluator.evaluate(&gates, &inputs).expect("invariant: two fresh inputs of the key");
                times.push(start.elapsed().as_secs_f64() / batch as f64);
            }
        }
    }
    let median = |times: &mut Vec<f64>| {
        times.sort_by(f64::total_cmp);
        1.0 / times[times.len() / 2]
    };
    let curves = evaluators.iter().zip(&mut times).map(|((backend, _), times)| Curve {
        backend: *backend,
        throughput: times.iter_mut().map(median).collect(),
    });
    curves.collect()
}

fn plot(curves: &[Curve], path: &PathBuf) -> Result<(), Box<dyn Error>> {
    let top = curves.iter().flat_map(|curve| &curve.throughput).fold(0.0, |top: f64, &x| top.max(x));
    let root = SVGBackend::new(path, (720, 440)).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .caption("NAND gates a second, one thread", ("sans-serif", 20))
        .margin(12)
        .x_label_area_size(44)
        .y_label_area_size(56)
        .build_cartesian_2d((1.0..64.0f64).log_scale().base(2.0), 0.0..top * 1.1)?;
    chart
        .configure_mesh()
        .x_desc("gates in a batch")
        .y_desc("gates a second")
        .x_label_formatter(&|x| format!("{x:.0}"))
        .y_label_formatter(&|y| format!("{y:.0}"))
        .draw()?;
    for (number, curve) in curves.iter().enumerate() {
        let color = Palette99::pick(number).stroke_width(2);
        let points = || BATCHES.iter().map(|&batch| batch as f64).zip(curve.throughput.iter().copied());
        chart
            .draw_series(LineSeries::new(points(), color).point_size(3))?
            .label(curve.backend.to_string())
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], color));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE)
        .border_style(BLACK.mix(0.3))
        .draw()?;
    root.present()?;
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os().nth(1).map(PathBuf::from);
    let curves = pool(1).install(measure);
    println!("| gates a second | {} |", BATCHES.map(|batch| format!("batch {batch}")).join(" | "));
    println!("|{}", "---|".repeat(BATCHES.len() + 1));
    for curve in &curves {
        let cells: Vec<String> = curve.throughput.iter().map(|x| format!("{x:.0}")).collect();
        println!("| {} | {} |", curve.backend, cells.join(" | "));
    }
    if let Some(path) = path {
        plot(&curves, &path)?;
        println!("\nplot: {}", path.display());
    }
    Ok(())
}
