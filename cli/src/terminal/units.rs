//! Sizes, durations, shares and digests in words.

use std::time::{Duration, Instant};

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
