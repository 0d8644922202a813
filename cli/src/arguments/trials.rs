//! Measurements, circuits and checks.

use std::{num::NonZeroUsize, path::PathBuf};

use clap::{Args, Subcommand};
use tfhe_core::parameters::Parameters;

use crate::arguments::{
    computing::{no_bootstraps, nothing},
    shared::{CircuitStyle, ModelChoice, Overwriting, Preparing, duration},
};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  bnn evaluate --images t10k-images-idx3-ubyte.gz --labels t10k-labels-idx1-ubyte.gz
  bnn evaluate --images t10k-images-idx3-ubyte.gz --labels t10k-labels-idx1-ubyte.gz --encrypted --limit 100")]
pub(crate) struct Evaluate {
    /// IDX file of images, plain or gzip; `-` reads standard input
    #[arg(id = "image", long = "images", value_name = "IDX")]
    pub(crate) images: PathBuf,

    /// IDX file of their labels; `-` reads standard input
    #[arg(long, value_name = "IDX")]
    pub(crate) labels: PathBuf,

    #[command(flatten)]
    pub(crate) preparing: Preparing,

    #[command(flatten)]
    pub(crate) model: ModelChoice,

    /// Encrypt, infer and decrypt each image, with a fresh key
    #[arg(long)]
    pub(crate) encrypted: bool,

    /// The first image
    #[arg(long, value_name = "I", default_value_t = 0)]
    pub(crate) start: usize,

    /// The most images [default: all]
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<NonZeroUsize>,

    /// Append each finished image to FILE, one JSON object on each line; when started again, skip the images in it
    #[arg(long, value_name = "FILE.jsonl", requires = "encrypted")]
    pub(crate) record: Option<PathBuf>,
}

/// What to do with a circuit.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  bnn circuit info adder64.txt
  bnn circuit run adder64.txt --input 2 --input 3")]
pub(crate) enum Circuit {
    /// Tells what a circuit is and what it costs
    #[command(args = nothing())]
    Info(CircuitInfo),
    /// Runs a circuit on values, in the clear or encrypted
    Run(CircuitRun),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  bnn circuit info adder64.txt --style as-published")]
pub(crate) struct CircuitInfo {
    /// Circuit in Bristol Fashion or the old Bristol Format; `-` reads standard input
    pub(crate) file: PathBuf,

    /// How the circuit is built
    #[arg(long, value_name = "STYLE", default_value_t = CircuitStyle::Optimized, value_enum)]
    pub(crate) style: CircuitStyle,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  bnn circuit run adder64.txt --input 2 --input 0x0f --encrypted")]
pub(crate) struct CircuitRun {
    /// Circuit in Bristol Fashion or the old Bristol Format; `-` reads standard input
    pub(crate) file: PathBuf,

    /// Value of an input, in the order of the inputs: a decimal number below 2^128, or 0x and hexadecimal digits; -1 sets all
    /// bits
    #[arg(long = "input", value_name = "V", allow_hyphen_values = true)]
    pub(crate) inputs: Vec<String>,

    /// Encrypt, run on ciphertexts and decrypt, with a fresh key; fail unless the bits are the same
    #[arg(long)]
    pub(crate) encrypted: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  bnn soak --minutes 60 --record soak.json")]
pub(crate) struct Soak {
    /// How long to run, in minutes. A round has some 9000 bootstraps and is always finished
    #[arg(long, value_name = "M", default_value_t = 10.0, value_parser = duration)]
    pub(crate) minutes: f64,

    /// File that keeps count after each round; a test that is recorded there already goes on
    #[arg(long, value_name = "FILE", default_value = "soak.json")]
    pub(crate) record: PathBuf,

    /// Parameter set of a new test [default: GATES_DEFAULT]
    #[arg(long, value_name = "SET", value_parser = parameters)]
    pub(crate) parameters: Option<&'static Parameters>,

    /// Seed of the keys and circuits of a new test [default: the time]
    #[arg(long, value_name = "S")]
    pub(crate) seed: Option<u64>,
}

/// A parameter set by its name.
fn parameters(name: &str) -> Result<&'static Parameters, String> {
    let names = || Parameters::ALL.iter().map(|set| set.name()).collect::<Vec<_>>().join(", ");
    Parameters::named(name).ok_or_else(|| format!("the parameter sets are {}", names()))
}

/// What to do with known-answer vectors.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  bnn vectors check
  bnn vectors generate --out new-vectors")]
pub(crate) enum Vectors {
    /// Computes everything that the files hold again, and compares
    Check(VectorsCheck),
    /// Makes the files, with transforms computed by schoolbook arithmetic
    #[command(args = no_bootstraps())]
    Generate(VectorsGenerate),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  bnn vectors check --backend portable")]
pub(crate) struct VectorsCheck {
    /// Folder of vectors [default: ./vectors, else those inside this program]
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  bnn vectors generate --out new-vectors")]
pub(crate) struct VectorsGenerate {
    /// Folder for the files
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,

    #[command(flatten)]
    pub(crate) overwriting: Overwriting,
}
