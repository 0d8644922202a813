//! The paper's protocol: the same steps with the files of its system, in the TFHE library's form.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::arguments::{
    computing::{no_bootstraps, nothing},
    shared::{
        ClientChoice, CloudKeyFile, Comparison, EncryptionInputs, ModelChoice, Overwriting, Running,
        SecretKeyFile,
    },
};

/// What to do with the files of the paper's system.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Example, the whole path:
  bnn paper keygen --out paper
  bnn paper encrypt models/digits/7.png --key paper/secret.key
  bnn paper infer secret_cloud.data K_cloud.data --cloud-key paper/cloud.key
  bnn paper decrypt answer.data --key paper/secret.key")]
pub(crate) enum Paper {
    /// Client: makes the keys of the paper's system, of a legacy parameter set with 94 bits of security
    #[command(args = no_bootstraps())]
    Keygen(PaperKeygen),
    /// Client: encrypts a picture into secret_cloud.data and K_cloud.data
    #[command(args = no_bootstraps())]
    Encrypt(PaperEncrypt),
    /// Server: evaluates a network on the client's two files, and writes answer.data
    Infer(PaperInfer),
    /// Client: decrypts answer.data, and prints the scores and the label
    #[command(args = nothing())]
    Decrypt(PaperDecrypt),
    /// Makes a model folder of the parameters that the authors released
    #[command(args = nothing())]
    Import(PaperImport),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  bnn paper keygen --out paper")]
pub(crate) struct PaperKeygen {
    /// Folder for secret.key and cloud.key
    #[arg(long, value_name = "DIR", default_value = "keys")]
    pub(crate) out: PathBuf,

    #[command(flatten)]
    pub(crate) overwriting: Overwriting,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  bnn paper encrypt models/digits/7.png --key paper/secret.key --out inbox")]
pub(crate) struct PaperEncrypt {
    /// Picture, white on black: PNG, BMP, or IDX (plain or gzip) with --index; `-` reads standard input
    #[arg(id = "image", value_name = "PICTURE")]
    pub(crate) picture: PathBuf,

    #[command(flatten)]
    pub(crate) reads: EncryptionInputs,

    /// Folder for secret_cloud.data and K_cloud.data [default: the current one]
    #[arg(long, value_name = "DIR", default_value = ".", hide_default_value = true)]
    pub(crate) out: PathBuf,

    #[command(flatten)]
    pub(crate) overwriting: Overwriting,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  bnn paper infer secret_cloud.data K_cloud.data --cloud-key paper/cloud.key")]
pub(crate) struct PaperInfer {
    /// The two files of one picture: secret_cloud.data K_cloud.data
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) cloud_key: CloudKeyFile,

    #[command(flatten)]
    pub(crate) model: ModelChoice,

    /// Output; `-` writes standard output
    #[arg(long, value_name = "FILE", default_value = "answer.data")]
    pub(crate) out: PathBuf,

    #[command(flatten)]
    pub(crate) overwriting: Overwriting,

    #[command(flatten)]
    pub(crate) running: Running,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  bnn paper decrypt answer.data --key paper/secret.key --compare models/digits/7.png")]
pub(crate) struct PaperDecrypt {
    /// Answer of the server; `-` reads standard input
    pub(crate) file: PathBuf,

    #[command(flatten)]
    pub(crate) comparison: Comparison,

    #[command(flatten)]
    pub(crate) key: SecretKeyFile,

    #[command(flatten)]
    pub(crate) client: ClientChoice,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  bnn paper import released --out models/paper-cnn")]
pub(crate) struct PaperImport {
    /// Folder with the authors' files: convolution_new.txt and full_connection_new.txt
    pub(crate) folder: PathBuf,

    /// Model folder to make
    #[arg(long, value_name = "DIR", default_value = "models/paper-cnn")]
    pub(crate) out: PathBuf,
}
