//! What a client does: keys, encryption, decryption; and the demo, which plays both sides.

use std::path::PathBuf;

use clap::Args;

use crate::arguments::shared::{
    ClientChoice, Comparison, EncryptionInputs, EngineChoice, ModelChoice, Outputs, Overwriting, Preparing,
    SecretKeyFile,
};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  bnn demo
  bnn demo --image models/digits/3.png --model sign-cnn")]
pub(crate) struct Demo {
    /// Picture of a digit, white on black: PNG, BMP, or IDX with --index; `-` reads standard input [default: the sample digit]
    #[arg(long, value_name = "FILE", conflicts_with = "digit")]
    pub(crate) image: Option<PathBuf>,

    /// Which picture of an IDX file; the first is 0
    #[arg(long, value_name = "I", requires = "image")]
    pub(crate) index: Option<usize>,

    #[command(flatten)]
    pub(crate) preparing: Preparing,

    /// Which sample digit, 0 to 9
    #[arg(long, value_name = "D", default_value_t = 7, value_parser = clap::value_parser!(u8).range(0..=9))]
    pub(crate) digit: u8,

    #[command(flatten)]
    pub(crate) model: ModelChoice,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  bnn keygen
  bnn keygen --engine gates --out gate-keys")]
pub(crate) struct Keygen {
    /// Engine that the keys are for
    #[arg(long, value_name = "E", default_value_t = EngineChoice::Functional, value_enum)]
    pub(crate) engine: EngineChoice,

    /// Model that the keys are for, where it needs other parameters than most: a folder, or a name that `bnn models` lists
    #[arg(long, value_name = "M")]
    pub(crate) model: Option<PathBuf>,

    /// Client specification of the model, in the model's place; `-` reads standard input
    #[arg(long, value_name = "FILE", conflicts_with = "model")]
    pub(crate) client: Option<PathBuf>,

    /// Folder for secret.key and cloud.key
    #[arg(long, value_name = "DIR", default_value = "keys")]
    pub(crate) out: PathBuf,

    #[command(flatten)]
    pub(crate) overwriting: Overwriting,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  bnn encrypt models/digits/7.png
  bnn encrypt scan.png --invert --fit
  bnn encrypt models/digits/3.png models/digits/7.png --out-dir inbox
  bnn encrypt models/digits/7.png --client binarized-cnn.client.json
  age -d secret.key.age | bnn encrypt models/digits/7.png --key -
  convert digit.jpg png:- | bnn encrypt - --out digit.enc")]
pub(crate) struct Encrypt {
    /// Pictures, white on black: PNG, BMP, or IDX (plain or gzip) with --index; `-` reads standard input. Encrypted ones get
    /// the ending .enc, after the index if there is one
    #[arg(id = "image", required = true, value_name = "PICTURE")]
    pub(crate) pictures: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) reads: EncryptionInputs,

    #[command(flatten)]
    pub(crate) outputs: Outputs,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  bnn decrypt 7.scores
  bnn decrypt 3.scores 7.scores
  bnn decrypt 7.scores --compare models/digits/7.png")]
pub(crate) struct Decrypt {
    /// Encrypted scores; `-` reads standard input
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) comparison: Comparison,

    #[command(flatten)]
    pub(crate) key: SecretKeyFile,

    #[command(flatten)]
    pub(crate) client: ClientChoice,
}
