//! The token of a service: who has it may use the service. It is wiped when it is dropped, and never shown.

use std::{fmt, io::Read, path::Path};

use ureq::http::HeaderValue;
use zeroize::Zeroizing;

use crate::{
    environment,
    error::{Error, Result},
    files::input::Input,
};

/// Environment variable that holds a token.
const VARIABLE: &str = "BNN_TOKEN";
/// More than a token has.
const MOST_BYTES: usize = 4096;

/// A token.
pub(crate) struct Token(Zeroizing<String>);

impl Token {
    /// The token in a file, which may end in a new line.
    ///
    /// # Errors
    /// [`Error::MalformedToken`] where it holds something else; [`Error::Io`] where it cannot be read.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let input = Input::open(path)?;
        let name = input.name().to_owned();
        // Room for all at once: a vector that grows would leave copies behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(MOST_BYTES + 1));
        let read = input.take(MOST_BYTES as u64).read_to_end(&mut bytes);
        read.map_err(|source| Error::Io { path: name.clone(), source })?;
        Self::parse(&bytes, &name)
    }

    /// The token in the environment, if there is one.
    ///
    /// # Errors
    /// [`Error::MalformedToken`].
    pub(crate) fn of_environment() -> Result<Option<Self>> {
        let Some(text) = environment::variable(VARIABLE) else { return Ok(None) };
        let bytes = Zeroizing::new(text.into_encoded_bytes());
        Self::parse(&bytes, format!("${VARIABLE}").as_ref()).map(Some)
    }

    fn parse(bytes: &[u8], name: &Path) -> Result<Self> {
        let bytes = bytes.trim_ascii();
        let is_token =
            !bytes.is_empty() && bytes.len() < MOST_BYTES && bytes.iter().all(u8::is_ascii_graphic);
        match str::from_utf8(bytes) {
            Ok(text) if is_token => Ok(Self(Zeroizing::new(text.into()))),
            _ => Err(Error::MalformedToken { path: name.into() }),
        }
    }

    /// What a request says of who sends it. It is not shown either.
    pub(super) fn header(&self) -> HeaderValue {
        let text = Zeroizing::new(format!("Bearer {}", self.0.as_str()));
        let mut header = HeaderValue::from_str(&text).expect("invariant: a token is visible ASCII");
        header.set_sensitive(true);
        header
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_token_is_a_line_of_visible_characters() {
        let parse = |text: &str| Token::parse(text.as_bytes(), "t".as_ref());
        assert_eq!(parse("abc-1/+=\r\n").unwrap().header(), "Bearer abc-1/+=");
        for text in ["", "\n", "two words", "two\nlines", "é", &"x".repeat(MOST_BYTES)] {
            assert!(matches!(parse(text), Err(Error::MalformedToken { .. })), "{text}");
        }
    }

    #[test]
    fn a_token_is_not_shown() {
        let token = Token::parse(b"hidden", "t".as_ref()).unwrap();
        assert!(!format!("{token:?} {:?}", token.header()).contains("hidden"));
    }
}
