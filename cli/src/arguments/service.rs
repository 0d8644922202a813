//! The service, and the tokens of its clients.

use std::{collections::BTreeSet, net::SocketAddr, path::PathBuf};

use clap::{Args, Subcommand};
use server::{Owner, Scope};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  bnn serve
  bnn serve --model sign-cnn --model ./lenet5 --data /var/lib/bnn
  bnn serve --listen 0.0.0.0:8443 --tls-certificate chain.pem --tls-key key.pem

On this machine everyone may ask. To listen on others, make a token first: `bnn token add NAME`.")]
pub(crate) struct Serve {
    /// Address and port to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8000")]
    pub(crate) listen: SocketAddr,

    #[command(flatten)]
    pub(crate) data: Data,

    /// Model to serve, a folder or a name that `bnn models` lists; may be given again [default: all that are listed]
    #[arg(long = "model", value_name = "M")]
    pub(crate) models: Vec<PathBuf>,

    /// Certificate of the service and those above it, in PEM
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_certificate: Option<PathBuf>,

    /// Private key of the certificate, in PEM
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    pub(crate) tls_key: Option<PathBuf>,

    /// Site whose pages may ask, such as https://example.org; may be given again
    #[arg(long = "allow-origin", value_name = "SITE")]
    pub(crate) allowed_origins: Vec<String>,

    /// Most memory for expanded keys and ciphertexts, such as 800MB or 4GB [default: half of the machine's]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub(crate) memory: Option<u64>,

    /// Most bootstraps that may be queued: who asks beyond is told to come later
    #[arg(long, value_name = "N", default_value_t = 20_000_000)]
    pub(crate) queue: u64,
}

/// Where the service keeps what it has.
#[derive(Debug, Args)]
pub(crate) struct Data {
    /// Folder of keys, jobs, results and tokens [default: bnn/service in the folder of the user's data]
    #[arg(long = "data", value_name = "DIR")]
    pub(crate) folder: Option<PathBuf>,
}

/// The tokens of a service, which notices within a second when they change
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Example:
  bnn token add alice --bootstraps-a-day 1000000")]
pub(crate) enum Token {
    /// Makes a token, and prints it this once
    Add(AddToken),
    /// Lists the tokens, without what is secret
    List(ListTokens),
    /// Removes a token; its keys and jobs stay, for a token of the same name
    Remove(RemoveToken),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  bnn token add alice > alice.token
  bnn token add prometheus --scope admin")]
pub(crate) struct AddToken {
    /// Name: to it belong the keys and jobs
    #[arg(value_parser = owner)]
    pub(crate) name: Owner,

    /// What it allows: upload, infer or admin; may be given again [default: upload and infer]
    #[arg(long = "scope", value_name = "SCOPE", value_parser = scope)]
    pub(crate) scopes: Vec<Scope>,

    /// Most cloud keys at a time
    #[arg(long, value_name = "N", default_value_t = 16)]
    pub(crate) keys: u64,

    /// Most bytes of keys, images and results at a time
    #[arg(long, value_name = "SIZE", default_value = "2GB", value_parser = size)]
    pub(crate) bytes: u64,

    /// Most bootstraps a day, in UTC [default: no bound]
    #[arg(long, value_name = "N")]
    pub(crate) bootstraps_a_day: Option<u64>,

    #[command(flatten)]
    pub(crate) data: Data,
}

impl AddToken {
    /// What the token allows.
    pub(crate) fn scopes(&self) -> BTreeSet<Scope> {
        if self.scopes.is_empty() {
            return BTreeSet::from([Scope::Upload, Scope::Infer]);
        }
        self.scopes.iter().copied().collect()
    }
}

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  bnn token list")]
pub(crate) struct ListTokens {
    #[command(flatten)]
    pub(crate) data: Data,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  bnn token remove alice")]
pub(crate) struct RemoveToken {
    /// Name
    #[arg(value_parser = owner)]
    pub(crate) name: Owner,

    #[command(flatten)]
    pub(crate) data: Data,
}

fn owner(text: &str) -> Result<Owner, String> {
    Owner::new(text).ok_or_else(|| "expected up to 64 letters, digits, and the characters - _ .".into())
}

fn scope(text: &str) -> Result<Scope, String> {
    let names = Scope::ALL.map(Scope::name).join(", ");
    Scope::ALL
        .into_iter()
        .find(|scope| scope.name() == text)
        .ok_or_else(|| format!("expected one of {names}"))
}

/// A number of bytes: digits, and KB, MB or GB, which are powers of 1000.
fn size(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match text[digits.len()..].to_ascii_uppercase().as_str() {
        "" | "B" => Some(1),
        "KB" => Some(1_000),
        "MB" => Some(1_000_000),
        "GB" => Some(1_000_000_000),
        _ => None,
    };
    let bytes = digits.parse().ok().zip(unit).and_then(|(count, unit): (u64, u64)| count.checked_mul(unit));
    bytes.filter(|&bytes| bytes > 0).ok_or_else(|| "expected a number of bytes, such as 800MB or 4GB".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_numbers_with_units() {
        assert_eq!(size("800MB"), Ok(800_000_000));
        assert_eq!(size("4gb"), Ok(4_000_000_000));
        assert_eq!(size("17"), Ok(17));
        for text in [
            "",
            "0",
            "MB",
            "-1MB",
            "1.5GB",
            "4TB",
            "4 GB",
            "99999999999999999999",
            "18446744073709551615KB",
            "4é",
        ] {
            assert!(size(text).is_err(), "{text}");
        }
    }
}
