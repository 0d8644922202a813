//! Values of circuits as people write them: decimal, or hexadecimal of any length.

use crate::error::{Error, Result};

/// The bits of an input or output value, least significant first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CircuitValue(Vec<bool>);

impl CircuitValue {
    /// The value of so many bits that a text says: a decimal number below 2^128, of which a negative one is in two's
    /// complement; or `0x` and hexadecimal digits, as many as one likes.
    ///
    /// # Errors
    /// [`Error::CircuitValue`] for another text, and where the value does not fit.
    pub(crate) fn parse(text: &str, bits: usize) -> Result<Self> {
        let value = match (text.strip_prefix("0x"), text.strip_prefix('-')) {
            (Some(digits), _) => hexadecimal(digits, bits),
            (_, Some(magnitude)) => decimal(magnitude).and_then(|magnitude| negative(magnitude, bits)),
            _ => decimal(text).and_then(|number| positive(number, bits)),
        };
        value.map(Self).ok_or_else(|| Error::CircuitValue { found: text.into(), bits })
    }

    /// The bits, least significant first.
    pub(crate) fn bits(&self) -> &[bool] {
        &self.0
    }

    /// The number without a sign, where there are at most 128 bits.
    pub(crate) fn number(&self) -> Option<u128> {
        let bits = self.0.iter().enumerate();
        (self.0.len() <= 128).then(|| bits.map(|(index, &bit)| u128::from(bit) << index).sum())
    }

    /// `0x` and a hexadecimal digit for each four bits.
    pub(crate) fn hex(&self) -> String {
        let digit = |bits: &[bool]| {
            let digit = bits.iter().enumerate().map(|(index, &bit)| u32::from(bit) << index).sum();
            char::from_digit(digit, 16).expect("invariant: four bits are a digit")
        };
        "0x".chars().chain(self.0.chunks(4).rev().map(digit)).collect()
    }
}

impl From<Vec<bool>> for CircuitValue {
    fn from(bits: Vec<bool>) -> Self {
        Self(bits)
    }
}

fn decimal(text: &str) -> Option<u128> {
    text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A bit of a number, however far up.
fn bit(number: u128, index: usize) -> bool {
    u32::try_from(index).ok().and_then(|index| number.checked_shr(index)).is_some_and(|rest| rest & 1 == 1)
}

/// Whether a number has no bit from `bits` on.
fn fits(number: u128, bits: usize) -> bool {
    bits >= 128 - number.leading_zeros() as usize
}

fn positive(number: u128, bits: usize) -> Option<Vec<bool>> {
    fits(number, bits).then(|| (0..bits).map(|index| bit(number, index)).collect())
}

/// -magnitude in two's complement, which is the complement of magnitude - 1.
fn negative(magnitude: u128, bits: usize) -> Option<Vec<bool>> {
    let Some(complement) = magnitude.checked_sub(1) else {
        return positive(0, bits);
    };
    let fits = bits > 0 && fits(complement, bits - 1);
    fits.then(|| (0..bits).map(|index| !bit(complement, index)).collect())
}

fn hexadecimal(digits: &str, bits: usize) -> Option<Vec<bool>> {
    if digits.is_empty() {
        return None;
    }
    let mut value = Vec::new();
    for digit in digits.chars().rev() {
        let digit = digit.to_digit(16)?;
        value.extend((0..4).map(|index| digit >> index & 1 == 1));
    }
    let beyond = value.get(bits..).is_some_and(|beyond| beyond.contains(&true));
    value.resize(bits, false);
    (!beyond).then_some(value)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::CircuitValue as Value;

    #[test]
    fn texts_are_read_and_shown() {
        assert_eq!(Value::parse("-3", 4).unwrap(), Value::parse("0xd", 4).unwrap());
        assert_eq!(Value::parse("13", 4).unwrap().bits(), [true, false, true, true]);
        for (text, bits, number, hex) in [
            ("0", 1, 0, "0x0"),
            ("-1", 1, 1, "0x1"),
            ("255", 8, 255, "0xff"),
            ("-128", 8, 128, "0x80"),
            ("-0", 8, 0, "0x00"),
            ("0x00000000000000000000000000000000000000000000012C", 9, 300, "0x12c"),
            ("340282366920938463463374607431768211455", 128, u128::MAX, "0xffffffffffffffffffffffffffffffff"),
            ("-170141183460469231731687303715884105728", 128, 1 << 127, "0x80000000000000000000000000000000"),
        ] {
            let value = Value::parse(text, bits).unwrap();
            assert_eq!((value.bits().len(), value.number(), value.hex().as_str()), (bits, Some(number), hex));
            assert_eq!(Value::parse(hex, bits).unwrap(), value);
        }
        let wide = Value::parse("-2", 130).unwrap();
        assert_eq!((wide.number(), wide.hex()), (None, format!("0x3{}e", "f".repeat(31))));
        assert_eq!(Value::parse("5", 200).unwrap().hex(), format!("0x{}5", "0".repeat(49)));
    }

    #[test]
    fn what_is_no_value_or_does_not_fit_is_refused() {
        for (text, bits) in [
            ("", 8),
            ("-", 8),
            ("+1", 8),
            ("--1", 8),
            ("0x", 8),
            ("0x-1", 8),
            ("-0x1", 8),
            ("1e2", 8),
            ("é", 8),
            ("256", 8),
            ("-129", 8),
            ("0x100", 8),
            ("2", 1),
            ("-2", 1),
            ("340282366920938463463374607431768211456", 200),
        ] {
            let error = Value::parse(text, bits).unwrap_err().to_string();
            assert!(
                error.contains(&format!("{text:?}")) && error.contains(&format!("{bits} bits")),
                "{error}"
            );
        }
    }
}
