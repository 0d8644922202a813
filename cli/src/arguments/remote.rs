//! What a client asks of a service on this or another machine.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use tfhe_core::keys::KeyId;

use crate::{
    arguments::{
        computing::nothing,
        shared::{CloudKeyFile, DEFAULT_MODEL, Encrypting},
    },
    environment,
    error::{Error, Result},
    remote::{
        address::{Address, Privacy},
        authority,
        service::Service,
        token::Token,
    },
};

/// Environment variable that holds the address of a service.
const VARIABLE: &str = "BNN_SERVER";

/// The service, and how it is asked.
#[derive(Debug, Args)]
pub(crate) struct ServiceChoice {
    /// Address of the service, such as https://example.org or http://127.0.0.1:8000 [default: $BNN_SERVER]
    #[arg(long, value_name = "URL", value_parser = str::parse::<Address>)]
    server: Option<Address>,

    /// File of the token for the service; `-` reads standard input [default: the token in $BNN_TOKEN, if there is one]
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,

    /// Certificates of the authority that vouches for the service, in PEM, in the place of the public ones
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
}

impl ServiceChoice {
    /// The files that are read.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        [&self.token_file, &self.ca].into_iter().flatten().cloned().collect()
    }

    /// The service, which is not asked anything yet.
    ///
    /// # Errors
    /// [`Error::NoServer`]; where token or certificates cannot be read, or the token may not be sent.
    pub(crate) fn service(&self) -> Result<Service> {
        let address = match &self.server {
            Some(address) => address.clone(),
            None => of_environment()?,
        };
        if self.ca.is_some() && address.privacy() != Privacy::Encrypted {
            return Err(Error::NoEffect {
                option: "--ca",
                place: "on an address that does not begin with https://",
            });
        }
        let token = match &self.token_file {
            Some(file) => Some(Token::read(file)?),
            None => Token::of_environment()?,
        };
        let roots = self.ca.as_deref().map(authority::certificates).transpose()?;
        Service::new(address, token, roots)
    }
}

/// The address in the environment.
fn of_environment() -> Result<Address> {
    let text = environment::variable(VARIABLE).ok_or(Error::NoServer)?;
    text.to_string_lossy().parse().map_err(|fault| Error::Address { fault })
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  bnn classify models/digits/7.png --server http://127.0.0.1:8000
  bnn classify scan.png --invert --fit --server https://example.org --token-file token
  bnn classify models/digits/3.png models/digits/7.png --model sign-cnn")]
pub(crate) struct Classify {
    /// Pictures, white on black: PNG, BMP, or IDX (plain or gzip) with --index; `-` reads standard input
    #[arg(id = "image", required = true, value_name = "PICTURE")]
    pub(crate) pictures: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) encrypting: Encrypting,

    #[command(flatten)]
    pub(crate) cloud_key: CloudKeyFile,

    /// Model, by its name at the service, which `bnn remote models` lists
    #[arg(long, value_name = "NAME", default_value = DEFAULT_MODEL)]
    pub(crate) model: String,

    #[command(flatten)]
    pub(crate) service: ServiceChoice,
}

#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  bnn remote models --server http://127.0.0.1:8000
  bnn remote upload --server https://example.org --token-file token")]
pub(crate) enum Remote {
    /// Lists the models of a service
    #[command(args = nothing(), after_help = "\
Example:
  bnn remote models --server http://127.0.0.1:8000")]
    Models(ServiceChoice),
    /// Lists your cloud keys at a service
    #[command(args = nothing(), after_help = "\
Example:
  bnn remote keys --server http://127.0.0.1:8000")]
    Keys(ServiceChoice),
    /// Sends a cloud key to a service, or what the service has not received of it
    Upload(Upload),
    /// Has a cloud key forgotten, with its jobs
    Forget(Forget),
    /// Lists your jobs at a service
    #[command(args = nothing(), after_help = "\
Example:
  bnn remote jobs --server http://127.0.0.1:8000")]
    Jobs(ServiceChoice),
}

#[derive(Debug, Args)]
#[command(args = nothing(), after_help = "\
Example:
  bnn remote upload --cloud-key keys/cloud.key --server http://127.0.0.1:8000")]
pub(crate) struct Upload {
    #[command(flatten)]
    pub(crate) cloud_key: CloudKeyFile,

    #[command(flatten)]
    pub(crate) service: ServiceChoice,
}

#[derive(Debug, Args)]
#[command(args = nothing(), after_help = "\
Example:
  bnn remote forget 00112233445566778899aabbccddeeff --server http://127.0.0.1:8000")]
pub(crate) struct Forget {
    /// Identity of the key, 32 hexadecimal digits, which `bnn remote keys` and `bnn inspect` tell
    #[arg(value_name = "ID", value_parser = key_id)]
    pub(crate) id: KeyId,

    #[command(flatten)]
    pub(crate) service: ServiceChoice,
}

/// The identity of a key on the command line.
fn key_id(text: &str) -> std::result::Result<KeyId, String> {
    let is_id = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    match u128::from_str_radix(text, 16) {
        Ok(number) if is_id => Ok(KeyId(number.to_be_bytes())),
        _ => Err("expected 32 hexadecimal digits".into()),
    }
}
