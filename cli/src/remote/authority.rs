//! A private authority, whose certificates stand in the place of the public ones.

use std::path::Path;

use ureq::tls::{Certificate, PemItem, RootCerts, parse_pem};

use crate::{
    error::{Error, Result},
    files::input::Input,
};

/// More than a file of certificates has.
const MOST_BYTES: u64 = 4 << 20;

/// The certificates of a file, which alone are trusted.
///
/// # Errors
/// [`Error::NoCertificate`] where there is none.
pub(crate) fn certificates(path: &Path) -> Result<RootCerts> {
    let input = Input::open(path)?;
    let name = input.name().to_owned();
    let bytes = input.bytes(MOST_BYTES)?;
    let mut certificates: Vec<Certificate<'static>> = Vec::new();
    for item in parse_pem(&bytes) {
        match item {
            Ok(PemItem::Certificate(certificate)) => certificates.push(certificate),
            // A private key beside them is none of ours.
            Ok(_) => {}
            Err(_) => return Err(Error::NoCertificate { path: name }),
        }
    }
    if certificates.is_empty() {
        return Err(Error::NoCertificate { path: name });
    }
    Ok(RootCerts::new_with_certs(&certificates))
}
