//! Text as one line, whatever it holds: a file's name may end a line and begin another, or steer a terminal.

use std::fmt::Display;

/// A text with a blank for each character that ends a line, steers a terminal, or turns the direction of writing.
pub(crate) fn one_line(text: impl Display) -> String {
    text.to_string().replace(steers, " ")
}

fn steers(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_add_a_line_or_turn_one() {
        assert_eq!(one_line("a\nb\r\u{1b}[2Jc\u{202e}d\u{2028}"), "a b  [2Jc d ");
        assert_eq!(one_line("7 é 数.png"), "7 é 数.png");
    }
}
