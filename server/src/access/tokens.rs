//! Bearer tokens: 32 random bytes in hexadecimal digits, of which the service knows the SHA-256 only.
//!
//! A token of 256 random bits cannot be guessed, so that a plain hash serves, without the slowness that passwords need. Each request is
//! compared with every token, in constant time.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::owner::Owner;

const TOKEN_BYTES: usize = 32;

/// What a token allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// To send, list and delete cloud keys.
    Upload,
    /// To have images evaluated.
    Infer,
    /// To read the metrics.
    Admin,
}

impl Scope {
    /// All scopes.
    pub const ALL: [Self; 3] = [Self::Upload, Self::Infer, Self::Admin];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Upload => "upload",
            Self::Infer => "infer",
            Self::Admin => "admin",
        }
    }
}

/// What a token may use, at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quota {
    /// Cloud keys at a time.
    pub keys: u64,
    /// Bytes of keys, images and results at a time.
    pub bytes: u64,
    /// Bootstraps a day, in UTC; none is no bound.
    pub bootstraps_a_day: Option<u64>,
}

impl Default for Quota {
    /// 16 keys, 2 GB, and no bound on bootstraps.
    fn default() -> Self {
        Self { keys: 16, bytes: 2_000_000_000, bootstraps_a_day: None }
    }
}

/// What is known of a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    name: String,
    /// SHA-256 of its text, in hexadecimal digits.
    sha256: String,
    scopes: BTreeSet<Scope>,
    quota: Quota,
}

impl Token {
    /// Draws a token. Its text is given this once, and kept nowhere.
    ///
    /// # Errors
    /// Where the system has no randomness.
    pub fn draw(
        name: &Owner,
        scopes: BTreeSet<Scope>,
        quota: Quota,
    ) -> Result<(Self, Zeroizing<String>), getrandom::Error> {
        let mut bytes = Zeroizing::new([0; TOKEN_BYTES]);
        getrandom::fill(&mut bytes[..])?;
        let text = Zeroizing::new(hex(&bytes[..]));
        let sha256 = hex(&Sha256::digest(text.as_bytes()));
        Ok((Self { name: name.as_str().into(), sha256, scopes, quota }, text))
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it allows.
    pub fn scopes(&self) -> &BTreeSet<Scope> {
        &self.scopes
    }

    /// What it may use.
    pub fn quota(&self) -> Quota {
        self.quota
    }
}

/// Why a list of tokens is none.
#[derive(Debug, thiserror::Error)]
pub enum TokensFault {
    /// It is not the JSON that is written.
    #[error("this is no list of tokens: {0}")]
    Json(serde_json::Error),
    /// A name that is none.
    #[error("{name:?} is no name of a token: up to 64 letters, digits, and the characters - _ .")]
    Name {
        /// The name.
        name: String,
    },
    /// Two tokens of a name.
    #[error("there is a token {name:?} already")]
    Twice {
        /// The name.
        name: String,
    },
}

/// The tokens that were given out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tokens(Vec<Token>);

/// The document in which tokens are kept.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    tokens: Vec<Token>,
}

impl Tokens {
    /// Reads the list from its bytes.
    ///
    /// # Errors
    /// [`TokensFault`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, TokensFault> {
        let document: Document = serde_json::from_slice(bytes).map_err(TokensFault::Json)?;
        let mut tokens = Self::default();
        for token in document.tokens {
            if Owner::new(&token.name).is_none() {
                return Err(TokensFault::Name { name: token.name });
            }
            tokens.add(token)?;
        }
        Ok(tokens)
    }

    /// The bytes of the list.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(&Document { tokens: self.0.clone() })
            .expect("invariant: tokens have names, numbers and lists only");
        bytes.push(b'\n');
        bytes
    }

    /// Adds a token.
    ///
    /// # Errors
    /// [`TokensFault::Twice`].
    pub fn add(&mut self, token: Token) -> Result<(), TokensFault> {
        if self.0.iter().any(|other| other.name == token.name) {
            return Err(TokensFault::Twice { name: token.name });
        }
        self.0.push(token);
        Ok(())
    }

    /// Removes a token; false where there is none of the name.
    pub fn remove(&mut self, name: &str) -> bool {
        let before = self.0.len();
        self.0.retain(|token| token.name != name);
        self.0.len() < before
    }

    /// All of them, in the order in which they were made.
    pub fn iter(&self) -> impl Iterator<Item = &Token> {
        self.0.iter()
    }

    /// Whether none was given out.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The token with this text. Every token is looked at, whichever it is.
    pub(crate) fn find(&self, text: &str) -> Option<&Token> {
        let sha256 = hex(&Sha256::digest(text.as_bytes()));
        let mut found = None;
        for token in &self.0 {
            if bool::from(token.sha256.as_bytes().ct_eq(sha256.as_bytes())) {
                found = Some(token);
            }
        }
        found
    }
}

/// Bytes in hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn drawn(name: &str) -> (Token, Zeroizing<String>) {
        let scopes = BTreeSet::from([Scope::Infer]);
        Token::draw(&Owner::new(name).unwrap(), scopes, Quota::default()).unwrap()
    }

    #[test]
    fn a_token_is_found_by_its_text_and_its_text_is_not_kept() {
        let ((first, text), (second, _)) = (drawn("first"), drawn("second"));
        let mut tokens = Tokens::default();
        tokens.add(second).unwrap();
        tokens.add(first).unwrap();
        assert_eq!(tokens.find(&text).unwrap().name(), "first");
        assert!(tokens.find("").is_none());
        assert!(tokens.find(&text[1..]).is_none());
        let bytes = tokens.to_bytes();
        assert!(!String::from_utf8(bytes.clone()).unwrap().contains(&text[..8]));
        assert_eq!(Tokens::from_bytes(&bytes).unwrap(), tokens);
        assert!(tokens.remove("first") && !tokens.remove("first"));
        assert!(tokens.find(&text).is_none());
    }

    #[test]
    fn names_are_plain_and_unique() {
        for name in ["", "a/b", "a b", "é", "x\n", &"x".repeat(65)] {
            assert_eq!(Owner::new(name), None, "{name:?}");
        }
        let mut tokens = Tokens::default();
        tokens.add(drawn("one").0).unwrap();
        assert!(matches!(tokens.add(drawn("one").0), Err(TokensFault::Twice { .. })));
        let text = String::from_utf8(tokens.to_bytes()).unwrap();
        let hostile = text.replace("\"one\"", "\"../one\"");
        assert!(matches!(Tokens::from_bytes(hostile.as_bytes()), Err(TokensFault::Name { .. })));
    }
}
