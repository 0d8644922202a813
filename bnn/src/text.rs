//! Text that comes from a file or another library, made fit for a message of one line.

use std::fmt::Display;

/// The most characters of a message that repeats what a file says.
const MOST_CHARACTERS: usize = 400;

/// A message on one line, without characters that steer a terminal, and not as long as a hostile file would have it.
pub(crate) fn one_line(message: impl Display) -> String {
    message.to_string().chars().take(MOST_CHARACTERS).map(|c| if steers(c) { ' ' } else { c }).collect()
}

/// Bytes in hexadecimal, in lower case.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether a text is one line that people can be shown: not empty, and without characters that steer a terminal.
pub(crate) fn is_one_line(text: &str) -> bool {
    !text.is_empty() && !text.contains(steers)
}

/// Control characters, and those that break lines or turn the direction of writing.
fn steers(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
