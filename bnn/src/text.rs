//! Text that comes from a file or another library, made fit for a message of one line.

use std::fmt::Display;

/// A message on one line, without control characters.
pub(crate) fn one_line(message: impl Display) -> String {
    message.to_string().replace(char::is_control, " ")
}

/// Whether a text is one line that people can be shown: not empty, and without control characters.
pub(crate) fn is_one_line(text: &str) -> bool {
    !text.is_empty() && !text.contains(char::is_control)
}
