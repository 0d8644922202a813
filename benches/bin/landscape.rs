//! The plot of accuracy against seconds: published systems and ours, from `docs/landscape.csv`, whose rows say where each
//! figure is from.
//!
//! ```text
//! cargo run --release -p benches --bin landscape -- docs/landscape.csv docs/landscape.svg
//! ```

use std::error::Error;
use std::path::PathBuf;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// Where and when this project's times were measured (docs/networks.md).
const OUR_MACHINE: &str = "This project: Intel Xeon with AVX-512, 2-core shared virtual machine, two threads, 2026-11-23. \
                           Others: their own machines";

/// Where the white around a letter is drawn.
const AROUND: [(i32, i32); 8] = [(-2, 0), (2, 0), (0, -2), (0, 2), (-1, -1), (1, -1), (-1, 1), (1, 1)];

/// A system: a row of the file.
struct System {
    name: String,
    seconds: f64,
    /// In percent.
    accuracy: f64,
    /// Whether it is of this project, and by which engine.
    whose: String,
    /// The side of its point on which there is room for its name.
    label: String,
}

/// Parses a line: fields between commas, of which the first and the last are in quotation marks.
fn parse(line: &str) -> Option<System> {
    let (name, rest) = line.strip_prefix('"')?.split_once("\",")?;
    let mut fields = rest.split(',');
    let mut number = || fields.next()?.parse().ok();
    let (seconds, accuracy) = (number()?, number()?);
    let mut text = || fields.next().map(String::from);
    Some(System { name: name.into(), seconds, accuracy, whose: text()?, label: text()? })
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut paths = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(from), Some(to)) = (paths.next(), paths.next()) else {
        return Err("the arguments are a CSV file and the SVG file to make of it".into());
    };
    let mut systems = Vec::new();
    for (number, line) in std::fs::read_to_string(&from)?.lines().enumerate().skip(1) {
        let system =
            parse(line).ok_or_else(|| format!("{}: line {}: no system", from.display(), number + 1))?;
        systems.push(system);
    }

    let root = SVGBackend::new(&to, (860, 540)).into_drawing_area();
    root.fill(&WHITE)?;
    let below = root
        .titled("Encrypted inference on MNIST: accuracy and time of one image", ("sans-serif", 20))?
        .titled(OUR_MACHINE, ("sans-serif", 13))?;
    let mut chart = ChartBuilder::on(&below)
        .margin(14)
        .x_label_area_size(44)
        .y_label_area_size(56)
        .build_cartesian_2d((0.2..600_000.0f64).log_scale(), 95.5..99.6f64)?;
    chart
        .configure_mesh()
        .x_desc("seconds (logarithmic)")
        .y_desc("accuracy, %")
        .x_label_formatter(&|x| format!("{x}"))
        .y_label_formatter(&|y| format!("{y:.1}"))
        .draw()?;
    for (whose, label, color) in [
        ("published", "published systems", RGBColor(110, 110, 110)),
        ("gates", "this project, gate by gate (exact)", RGBColor(30, 90, 180)),
        ("functional", "this project, functional engine (approximate)", RGBColor(200, 60, 20)),
    ] {
        let of_kind = || systems.iter().filter(|system| system.whose == whose);
        chart
            .draw_series(of_kind().map(|s| Circle::new((s.seconds, s.accuracy), 5, color.filled())))?
            .label(label)
            .legend(move |(x, y)| Circle::new((x + 9, y), 5, color.filled()));
        let style = ("sans-serif", 13).into_font().color(&color);
        // White around the letters, so that the grid does not strike them through; then the letters.
        let white = ("sans-serif", 13).into_font().color(&WHITE);
        let around = AROUND.map(|shift| (shift, &white));
        for ((right, down), style) in around.into_iter().chain([((0, 0), &style)]) {
            chart.draw_series(of_kind().map(|s| {
                let (shift, anchor) = if s.label == "left" { (-8, HPos::Right) } else { (8, HPos::Left) };
                let style = style.clone().pos(Pos::new(anchor, VPos::Center));
                EmptyElement::at((s.seconds, s.accuracy))
                    + Text::new(s.name.clone(), (shift + right, down), style)
            }))?;
        }
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerRight)
        .background_style(WHITE)
        .border_style(BLACK.mix(0.3))
        .draw()?;
    root.present()?;
    println!("plot: {}", to.display());
    Ok(())
}
