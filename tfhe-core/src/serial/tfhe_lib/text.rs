//! Sections of text: a title, and numbers by name.
//!
//! ```text
//! -----BEGIN TGSWPARAMS-----
//! Bgbit:          7
//! l:          3
//! -----END TGSWPARAMS-----
//! ```
//!
//! The library writes names in the order of their bytes and reals with 8 decimals. Versions differ in their
//! [`Integers`]. Any order and padding is read.

use std::fmt::Write;
use std::io::Read;

use super::source::{Source, field_fault};
use crate::error::Result;

/// How integers are written, by which the library's versions can be told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Integers {
    /// As they are: versions 1.0 and 1.0.1.
    Plain,
    /// To the right of 10 columns: version 1.1.
    Padded,
}

/// A number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Number {
    Integer(u64),
    Real(f64),
}

/// Reads the section `title`, which has exactly the numbers `names`, and returns them in that order: their values
/// as text, with the bytes where they begin.
pub(super) fn read_section<R: Read, const N: usize>(
    source: &mut Source<R>,
    title: &'static str,
    names: [&'static str; N],
) -> Result<[Value; N]> {
    let at = source.at();
    let begin = format!("-----BEGIN {title}-----");
    let line = source.line()?;
    if line != begin {
        return Err(field_fault(at, "a line", format_args!("'{line}'"), format_args!("'{begin}'")));
    }
    let end = format!("-----END {title}-----");
    let mut values: [Option<Value>; N] = [const { None }; N];
    loop {
        let at = source.at();
        let line = source.line()?;
        if line == end {
            break;
        }
        let known = line.split_once(": ").and_then(|(name, text)| {
            let index = names.iter().position(|known| *known == name)?;
            values[index].is_none().then_some((index, text))
        });
        let Some((index, text)) = known else {
            let expected = format!("one of {}, once each, or '{end}'", names.join(", "));
            return Err(field_fault(at, "a line", format_args!("'{line}'"), expected));
        };
        values[index] = Some(Value { at, name: names[index], text: text.to_owned() });
    }
    if let Some(index) = values.iter().position(Option::is_none) {
        return Err(field_fault(
            at,
            "the section",
            format_args!("without {}", names[index]),
            "all its numbers",
        ));
    }
    Ok(values.map(|value| value.expect("invariant: none is missing")))
}

/// A number in a section as it was read.
pub(super) struct Value {
    at: u64,
    name: &'static str,
    text: String,
}

impl Value {
    /// How an integer is written.
    pub(super) fn integers(&self) -> Integers {
        if self.text.starts_with(' ') { Integers::Padded } else { Integers::Plain }
    }

    /// An integer of a range.
    pub(super) fn integer(&self, range: std::ops::RangeInclusive<usize>) -> Result<usize> {
        let text = self.text.trim();
        // Digits only: no sign.
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        match text.parse() {
            Ok(integer) if digits && range.contains(&integer) => Ok(integer),
            _ => {
                let expected = format!("an integer from {} to {}", range.start(), range.end());
                Err(field_fault(self.at, self.name, format_args!("'{text}'"), expected))
            }
        }
    }

    /// A standard deviation of noise, in torus units.
    pub(super) fn deviation(&self) -> Result<f64> {
        let text = self.text.trim();
        let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        match text.parse() {
            Ok(real) if plain && (0.0..1.0).contains(&real) => Ok(real),
            _ => Err(field_fault(self.at, self.name, format_args!("'{text}'"), "a number from 0 to 1")),
        }
    }
}

/// Writes a section as the library does.
pub(super) fn write_section(text: &mut String, title: &str, integers: Integers, numbers: &[(&str, Number)]) {
    let line = |text: &mut String, line: std::fmt::Arguments<'_>| {
        text.write_fmt(line).expect("invariant: a string takes all that is written");
    };
    line(text, format_args!("-----BEGIN {title}-----\n"));
    for (name, number) in numbers {
        match number {
            Number::Integer(integer) => match integers {
                Integers::Plain => line(text, format_args!("{name}: {integer}\n")),
                Integers::Padded => line(text, format_args!("{name}: {integer:10}\n")),
            },
            Number::Real(real) => line(text, format_args!("{name}: {real:.8}\n")),
        }
    }
    line(text, format_args!("-----END {title}-----\n"));
}
