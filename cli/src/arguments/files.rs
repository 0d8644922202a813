//! Files and models: what they are, and in another form.

use std::{fmt, num::NonZeroUsize, path::PathBuf};

use clap::{Args, ValueEnum};

use crate::arguments::shared::{Overwriting, Preparing};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  bnn convert paper/secret.key --to native --out secret.key
  bnn convert cloud.key --to tfhe-lib --out library-cloud.key
  bnn convert answer.data --to native --key secret.key --out answer.enc")]
pub(crate) struct Convert {
    /// Key or ciphertexts, of either form; `-` reads standard input
    pub(crate) file: PathBuf,

    /// The form to write
    #[arg(long, value_name = "FORM", value_enum)]
    pub(crate) to: FileForm,

    /// Output; `-` writes standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,

    /// Secret key of the TFHE library's ciphertexts
    #[arg(long, value_name = "FILE", conflicts_with = "cloud_key")]
    pub(crate) key: Option<PathBuf>,

    /// Cloud key of the TFHE library's ciphertexts; or the cloud key that the library keeps with a secret key
    #[arg(long, value_name = "FILE")]
    pub(crate) cloud_key: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) overwriting: Overwriting,
}

/// Whose form a file has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FileForm {
    /// The TFHE library's
    TfheLib,
    /// This program's
    Native,
}

impl FileForm {
    /// Whose it is.
    pub(crate) fn owner(self) -> &'static str {
        match self {
            Self::TfheLib => "the TFHE library",
            Self::Native => "this program",
        }
    }
}

impl fmt::Display for FileForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.owner())
    }
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  bnn inspect keys/cloud.key
  bnn inspect sign-cnn")]
pub(crate) struct Inspect {
    /// Key, encrypted picture or scores, saved run, client specification, `-` for standard input; or a model: its folder or its name
    pub(crate) file: PathBuf,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  bnn calibrate perceptron --images train-images-idx3-ubyte.gz --out calibrated")]
pub(crate) struct Calibrate {
    /// Model: a folder, or a name that `bnn models` lists
    #[arg(value_name = "M")]
    pub(crate) model: PathBuf,

    /// IDX file of pictures like those that the model is for, plain or gzip; `-` reads standard input
    #[arg(id = "image", long = "images", value_name = "IDX")]
    pub(crate) images: PathBuf,

    #[command(flatten)]
    pub(crate) preparing: Preparing,

    /// The most pictures: the first of the file
    #[arg(long, value_name = "N", default_value = "2000")]
    pub(crate) limit: NonZeroUsize,

    /// Folder of the new model, which is made
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  bnn models
  bnn models --client binarized-cnn --out binarized-cnn.client.json")]
pub(crate) struct Models {
    /// Writes the client specification of a model, which is all that a client needs of it: a folder, or a name of the list
    #[arg(long, value_name = "M")]
    pub(crate) client: Option<PathBuf>,

    /// Output of --client; `-` writes standard output [default: the model's name and .client.json, in the current folder]
    #[arg(long, value_name = "FILE", requires = "client")]
    pub(crate) out: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) overwriting: Overwriting,
}
