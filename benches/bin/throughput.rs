//! Gates a second against the size of a batch, for every backend on one thread: measured, and drawn.
//!
//! ```text
//! cargo run --release -p benches --bin throughput -- measure "MACHINE, DATE" throughput.csv
//! cargo run --release -p benches --bin throughput -- draw docs/throughput.csv docs/throughput.svg
//! ```
//!
//! A round times every setting once; the medians over the rounds are shown, as a table and in the CSV file. Its first line
//! says where and when they were measured, and stands above the plot.

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use benches::{Keys, backends, pool};
use plotters::prelude::*;
use tfhe_core::gate::{BinaryGate, Gate};
use tfhe_core::parameters::GATES_DEFAULT;

const BATCHES: [usize; 7] = [1, 2, 4, 8, 16, 32, 64];
const ROUNDS: usize = 7;

/// A color for each backend, from the slowest on: all are read on white.
const COLORS: [RGBColor; 3] = [RGBColor(110, 110, 110), RGBColor(30, 90, 180), RGBColor(200, 60, 20)];

/// Gates a second for each of [`BATCHES`].
struct Curve {
    backend: String,
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
        backend: backend.to_string(),
        throughput: times.iter_mut().map(median).collect(),
    });
    curves.collect()
}

/// The rows of a table, whose cells are between separators.
fn rows(curves: &[Curve], separator: &str) -> String {
    let row = |curve: &Curve| {
        let cells: Vec<String> = curve.throughput.iter().map(|x| format!("{x:.0}")).collect();
        format!("{}{separator}{}", curve.backend, cells.join(separator))
    };
    curves.iter().map(row).collect::<Vec<_>>().join("\n")
}

/// The CSV file of what was measured at a place and time.
fn write(place: &str, curves: &[Curve]) -> String {
    let batches = BATCHES.map(|batch| batch.to_string()).join(",");
    format!("\"{place}\"\nbackend,{batches}\n{}\n", rows(curves, ","))
}

/// Reads such a file.
fn read(text: &str) -> Option<(&str, Vec<Curve>)> {
    let mut lines = text.lines();
    let place = lines.next()?.strip_prefix('"')?.strip_suffix('"')?;
    let curve = |line: &str| {
        let (backend, numbers) = line.split_once(',')?;
        let throughput: Vec<f64> =
            numbers.split(',').map(|number| number.parse().ok()).collect::<Option<_>>()?;
        (throughput.len() == BATCHES.len()).then(|| Curve { backend: backend.into(), throughput })
    };
    Some((place, lines.skip(1).map(curve).collect::<Option<_>>()?))
}

fn draw(place: &str, curves: &[Curve], path: &Path) -> Result<(), Box<dyn Error>> {
    let top = curves.iter().flat_map(|curve| &curve.throughput).fold(0.0, |top: f64, &x| top.max(x));
    let root = SVGBackend::new(path, (720, 460)).into_drawing_area();
    root.fill(&WHITE)?;
    let below = root
        .titled("NAND gates a second, one thread", ("sans-serif", 20))?
        .titled(place, ("sans-serif", 13))?;
    let mut chart = ChartBuilder::on(&below)
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
    for (curve, color) in curves.iter().zip(COLORS.into_iter().cycle()) {
        let style = color.stroke_width(2);
        let points = || BATCHES.iter().map(|&batch| batch as f64).zip(curve.throughput.iter().copied());
        chart
            .draw_series(LineSeries::new(points(), style).point_size(3))?
            .label(curve.backend.clone())
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style));
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
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["measure", place, to] => {
            let curves = pool(1).install(measure);
            println!("| gates a second | {} |", BATCHES.map(|batch| format!("batch {batch}")).join(" | "));
            println!("|{}\n{}", "---|".repeat(BATCHES.len() + 1), rows(&curves, " | "));
            std::fs::write(to, write(place, &curves))?;
        }
        ["draw", from, to] => {
            let text = std::fs::read_to_string(from)?;
            let (place, curves) = read(&text).ok_or_else(|| format!("{from}: not what `measure` writes"))?;
            draw(place, &curves, Path::new(to))?;
        }
        _ => return Err("the arguments are `measure \"MACHINE, DATE\" CSV` or `draw CSV SVG`".into()),
    }
    Ok(())
}
