//! Numbers that must be within a range.

use std::ops::RangeInclusive;

/// A number that is out of its range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct OutOfRange(Box<Numbers>);

/// Boxed, as errors are to be small.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` is {found}, expected {} to {}", expected.start(), expected.end())]
struct Numbers {
    field: &'static str,
    found: i128,
    expected: RangeInclusive<i128>,
}

/// Refuses a number that is out of its range.
///
/// # Errors
/// [`OutOfRange`].
pub(crate) fn check_range<N: Into<i128> + Copy>(
    field: &'static str,
    found: impl TryInto<i128>,
    expected: RangeInclusive<N>,
) -> Result<(), OutOfRange> {
    let expected = (*expected.start()).into()..=(*expected.end()).into();
    let found = found.try_into().unwrap_or(i128::MAX);
    if expected.contains(&found) {
        return Ok(());
    }
    Err(OutOfRange(Box::new(Numbers { field, found, expected })))
}
