//! What is printed: sentences or JSON, sizes, durations, and the table of scores.

use std::{
    fmt::Display,
    io::{self, ErrorKind, Write},
    time::{Duration, Instant},
};

use bnn::{
    engine::Scores,
    layer::{Layer, Shape as LayerShape},
    model::Model,
};
use serde_json::{Value, json};

use crate::error::{Error, Result};

/// Characters of the longest bar in a table of scores.
const BAR_WIDTH: f64 = 40.0;
/// Decimals of a score that people read: an eighth is exact.
const MOST_DECIMALS: u32 = 3;

/// For whom the output is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Output {
    /// For people: sentences.
    Text,
    /// For programs: one JSON object.
    Json,
}

impl Output {
    /// Tells people something, on stdout.
    pub(crate) fn say(self, text: impl Display) -> Result<()> {
        match self {
            // The name of a file may hold what steers a terminal.
            Self::Text => print_line(text.to_string().replace(|c: char| c.is_control() && c != '\n', " ")),
            Self::Json => Ok(()),
        }
    }

    /// Gives programs the result, on stdout.
    pub(crate) fn give(self, result: &Value) -> Result<()> {
        match self {
            Self::Text => Ok(()),
            Self::Json => print_line(result),
        }
    }

    /// Says why there is no result, on stderr.
    pub(crate) fn fail(self, message: &str) {
        // Nothing more can be done where stderr is gone.
        let _ = match self {
            Self::Text => writeln!(io::stderr(), "bnn: {message}"),
            Self::Json => writeln!(io::stderr(), "{}", json!({ "error": message })),
        };
    }
}

/// Prints a line on stdout. A reader that has gone, such as `head`, is no failure: files are still to be written.
fn print_line(line: impl Display) -> Result<()> {
    match writeln!(io::stdout(), "{line}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Error::Stdout(error)),
        _ => Ok(()),
    }
}

/// The result of `work`, and how long it took.
pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let result = work();
    (result, start.elapsed())
}

/// A size in decimal units: KB are 1000 bytes.
pub(crate) fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{:.1} KB", bytes as f64 / 1e3),
        1_000_000..10_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

/// A size, and all its digits where the decimal unit rounds them away.
pub(crate) fn exact_size(bytes: u64) -> String {
    if bytes < 1_000 { size(bytes) } else { format!("{} ({bytes} bytes)", size(bytes)) }
}

/// A duration as people read it.
pub(crate) fn duration(duration: Duration) -> String {
    match duration.as_secs_f64() {
        seconds if seconds < 0.001 => "less than 1 ms".into(),
        seconds if seconds < 1.0 => format!("{:.0} ms", seconds * 1e3),
        seconds => format!("{seconds:.2} s"),
    }
}

/// A duration of seconds to hours.
pub(crate) fn long_duration(duration: Duration) -> String {
    let seconds = duration.as_secs_f64().round() as u64;
    match seconds {
        0..10 => self::duration(duration),
        10..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3_600, seconds / 60 % 60),
    }
}

/// A share of a count, such as `97 of 100, 97.00 %`.
pub(crate) fn share(part: usize, whole: usize) -> String {
    format!("{part} of {whole}, {:.2} %", 100.0 * part as f64 / whole as f64)
}

/// The digits of a digest.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The layers of a network by the values between them, such as `784 -> 512 -> 10`.
pub(crate) fn architecture(model: &Model) -> String {
    let mut sizes = vec![model.input().value_count().to_string()];
    sizes.extend(
        shapes(model).into_iter().filter(|shape| shape.kind != "relu").map(|shape| shape.outputs.to_string()),
    );
    sizes.join(" -> ")
}

/// What a layer is, in one line of a table.
#[derive(Debug)]
pub(crate) struct Shape {
    pub(crate) name: String,
    pub(crate) kind: &'static str,
    /// Values it reads, and gives.
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
}

/// The kinds and the sizes of a network's layers.
pub(crate) fn shapes(model: &Model) -> Vec<Shape> {
    let mut inputs = model.input().value_count();
    let shape = |(layer, shape): &(Layer, LayerShape)| {
        let outputs = layer.output(*shape).values();
        let read = std::mem::replace(&mut inputs, outputs);
        Shape { name: layer.name().into(), kind: layer.kind(), inputs: read, outputs }
    };
    model.layers_and_shapes().iter().map(shape).collect()
}

/// The scores of the classes as a table with bars from the lowest to the highest; the highest is marked.
pub(crate) fn score_table(scores: &Scores) -> String {
    let reals = scores.reals();
    let lowest = reals.iter().copied().fold(f64::INFINITY, f64::min);
    let highest = reals.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    // Equal scores have no bars, rather than bars of 0/0.
    let scale = if highest > lowest { BAR_WIDTH / (highest - lowest) } else { 0.0 };
    let decimals = scores.fraction_bits().min(MOST_DECIMALS) as usize;
    let row = |(class, score): (usize, &f64)| {
        let mark = if class == scores.label() { '>' } else { ' ' };
        let bar = "█".repeat(((score - lowest) * scale).round() as usize);
        format!("{mark} {class}  {score:>9.decimals$}  {bar}").trim_end().to_owned()
    };
    reals.iter().enumerate().map(row).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_decimal() {
        assert_eq!(size(999), "999 bytes");
        assert_eq!(size(3_304), "3.3 KB");
        assert_eq!(size(26_973_412), "27.0 MB");
        assert_eq!(exact_size(491), "491 bytes");
        assert_eq!(exact_size(3_304), "3.3 KB (3304 bytes)");
    }

    #[test]
    fn durations_have_a_fitting_unit() {
        assert_eq!(duration(Duration::from_micros(10)), "less than 1 ms");
        assert_eq!(duration(Duration::from_millis(12)), "12 ms");
        assert_eq!(duration(Duration::from_millis(3_214)), "3.21 s");
        assert_eq!(long_duration(Duration::from_secs(664)), "11 min 04 s");
        assert_eq!(long_duration(Duration::from_secs(9_000)), "2 h 30 min");
    }

    #[test]
    fn shares_have_a_percentage() {
        assert_eq!(share(97, 100), "97 of 100, 97.00 %");
    }
}
