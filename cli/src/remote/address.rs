//! Where a service is.

use std::{fmt, net::IpAddr, str::FromStr};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use ureq::http::{Uri, uri::Scheme};

/// Characters that do not stand for themselves in every part of a path.
const SPECIAL: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The address of a service, below which all its paths are.
#[derive(Debug, Clone)]
pub(crate) struct Address {
    /// Without a slash at its end.
    text: String,
    host: String,
    privacy: Privacy,
}

/// Who can read what is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Privacy {
    /// Nobody but the service: TLS.
    Encrypted,
    /// Nobody else, because nothing leaves this machine.
    Local,
    /// Everybody on the way.
    Open,
}

impl Address {
    /// The host, as messages call it.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// Who can read what is sent.
    pub(crate) fn privacy(&self) -> Privacy {
        self.privacy
    }

    /// Whether the service is on this machine, where no proxy is between.
    pub(crate) fn is_local(&self) -> bool {
        is_loopback(&self.host)
    }

    /// The address of a path, each part of which may hold any character.
    pub(super) fn path(&self, parts: &[&str]) -> String {
        parts
            .iter()
            .fold(self.text.clone(), |path, part| format!("{path}/{}", utf8_percent_encode(part, SPECIAL)))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const EXAMPLES: &str = "expected one such as https://example.org or http://127.0.0.1:8000";
        let uri: Uri = text.parse().map_err(|error| format!("{error}; {EXAMPLES}"))?;
        let (Some(scheme), Some(authority)) = (uri.scheme(), uri.authority()) else {
            return Err(EXAMPLES.into());
        };
        if authority.as_str().contains('@') {
            return Err(
                "a password has no place in an address; a token goes in --token-file or $BNN_TOKEN".into()
            );
        }
        if uri.query().is_some() || text.contains('#') {
            return Err("an address ends before ? and #".into());
        }
        let host = authority.host().to_owned();
        let privacy = match scheme {
            scheme if *scheme == Scheme::HTTPS => Privacy::Encrypted,
            scheme if *scheme == Scheme::HTTP && is_loopback(&host) => Privacy::Local,
            scheme if *scheme == Scheme::HTTP => Privacy::Open,
            _ => return Err(EXAMPLES.into()),
        };
        Ok(Self { text: text.trim_end_matches('/').into(), host, privacy })
    }
}

fn is_loopback(host: &str) -> bool {
    let number = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost") || number.is_ok_and(|number| number.is_loopback())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn an_address_says_who_can_read_along() {
        for (text, privacy) in [
            ("https://example.org", Privacy::Encrypted),
            ("https://127.0.0.1:8000/", Privacy::Encrypted),
            ("http://127.0.0.1:8000", Privacy::Local),
            ("http://127.8.8.8", Privacy::Local),
            ("http://[::1]:8000", Privacy::Local),
            ("http://LocalHost", Privacy::Local),
            ("http://192.168.1.4:8000", Privacy::Open),
            ("http://localhost.example.org", Privacy::Open),
            ("http://127.0.0.1.example.org", Privacy::Open),
        ] {
            assert_eq!(text.parse::<Address>().unwrap().privacy(), privacy, "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "",
            "example.org",
            "127.0.0.1:8000",
            "ftp://example.org",
            "http://",
            "http://me:secret@example.org",
            "http://127.0.0.1@example.org",
            "http://example.org/?a=b",
            "http://example.org/#a",
            "http://example.org/a b",
            "http://example.org\r\nX: y",
        ] {
            let error = text.parse::<Address>().unwrap_err();
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn paths_are_below_the_address() {
        let address: Address = "https://example.org/bnn/".parse().unwrap();
        assert_eq!(
            address.path(&["v2", "models", "a/b c?"]),
            "https://example.org/bnn/v2/models/a%2Fb%20c%3F"
        );
    }
}
