//! The command line.

use std::{fmt, num::NonZeroUsize, path::PathBuf};

use bnn::circuit::netlist::Style;
use clap::{Args, Parser, Subcommand, ValueEnum};
use tfhe_core::{backend::Backend, parameters::Parameters, serial::Existing};

use crate::{
    commands::Session,
    engine::Engine,
    error::{Error, Result},
    report::Output,
};

const AFTER_HELP: &str = "\
Exit codes:
  0    done
  1    failed: a file, key, image or model is missing, damaged or does not fit
  2    wrong usage
  130  interrupted (Ctrl-C); no half-written file is left

Models and sample digits are looked up in ./models, then in $BNN_MODELS, then in the source tree that this program \
was built from. KB and MB are 1000 and 1000000 bytes.

First steps:
  bnn demo                              the whole path in one go
  bnn keygen                            client: makes keys/secret.key and keys/cloud.key
  bnn encrypt models/digits/7.png       client: makes 7.enc
  bnn infer 7.enc                       server: makes 7.scores, with the cloud key only (or of many: bnn infer *.enc)
  bnn decrypt 7.scores                  client: prints the scores and the label

The engine is chosen with the keys: `bnn keygen --engine gates` makes keys for exact circuits.";

/// The model where none is named: the paper's.
pub(crate) const DEFAULT_MODEL: &str = "binarized-cnn";

/// Inference of binarized neural networks over encrypted data.
#[derive(Debug, Parser)]
#[command(name = "bnn", version, after_help = AFTER_HELP, max_term_width = 110)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// Threads to compute with [default: one a core]
    #[arg(long, global = true, value_name = "N")]
    threads: Option<NonZeroUsize>,

    /// Instruction set to compute with: portable, avx2 or avx512 [default: $TFHE_BACKEND, else the fastest here]
    #[arg(long, global = true, value_name = "NAME")]
    backend: Option<Backend>,

    /// Print one JSON object on stdout, and errors as {"error": ".."} on stderr, in its last line where work says how far it is
    #[arg(long, global = true)]
    json: bool,
}

impl Arguments {
    pub(crate) fn output(&self) -> Output {
        if self.json { Output::Json } else { Output::Text }
    }

    pub(crate) fn session(&self) -> Session {
        Session { output: self.output(), backend: self.backend }
    }

    /// Starts the threads that everything computes on.
    pub(crate) fn start_threads(&self) -> Result<()> {
        // 0 is rayon's word for one a core.
        let count = self.threads.map_or(0, NonZeroUsize::get);
        rayon::ThreadPoolBuilder::new().num_threads(count).build_global().map_err(Error::Threads)
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Shows the whole path on one digit, playing client and server
    Demo(Demo),
    /// Client: makes a secret key and its cloud key
    Keygen(Keygen),
    /// Client: encrypts a picture
    Encrypt(Encrypt),
    /// Server: evaluates a network on an encrypted picture, with the cloud key only
    Infer(Infer),
    /// Client: decrypts scores, and prints them with the label
    Decrypt(Decrypt),
    /// Rewrites keys and ciphertexts in the form of the TFHE library's files, or from it
    Convert(Convert),
    /// Says what a file or a model folder is
    Inspect(Inspect),
    /// Lists the models that are found
    Models,
    /// Says what an inference would cost on this machine, which is measured on the spot
    Estimate(Estimate),
    /// Makes a model folder of parameters that others released
    #[command(subcommand)]
    Import(Import),
    /// Measures accuracy on a labelled data set, in the clear or encrypted
    Evaluate(Evaluate),
    /// Reads a Boolean circuit in Bristol Fashion: tells its cost, or runs it
    #[command(subcommand)]
    Circuit(Circuit),
    /// Runs random circuits on ciphertexts and counts the bits that come out wrong
    Soak(Soak),
    /// Checks this machine and program against known answers of every step, or makes the files of them
    #[command(subcommand)]
    Vectors(Vectors),
}

/// The network to use.
#[derive(Debug, Args)]
pub(crate) struct ModelChoice {
    /// Model: a folder, or the name of one that `bnn models` lists
    #[arg(long = "model", value_name = "M", default_value = DEFAULT_MODEL)]
    pub(crate) name: String,
}

/// Whether outputs may replace what is there.
#[derive(Debug, Args)]
pub(crate) struct Overwriting {
    /// Replace outputs that exist
    #[arg(long)]
    force: bool,
}

impl Overwriting {
    pub(crate) fn existing(&self) -> Existing {
        if self.force { Existing::Replace } else { Existing::Refuse }
    }
}

/// In whose files client and server exchange pictures and scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Protocol {
    /// The paper's, in the TFHE library's: secret_cloud.data and K_cloud.data, and answer.data
    Paper,
}

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Picture of a digit, white on black: PNG, BMP, or IDX with --index [default: the sample digit]
    #[arg(long, value_name = "FILE", conflicts_with = "digit")]
    pub(crate) image: Option<PathBuf>,

    /// Which picture of an IDX file, the first being 0
    #[arg(long, value_name = "I", requires = "image")]
    pub(crate) index: Option<usize>,

    /// Which sample digit, 0 to 9
    #[arg(long, value_name = "D", default_value_t = 7, value_parser = clap::value_parser!(u8).range(0..=9))]
    pub(crate) digit: u8,

    #[command(flatten)]
    pub(crate) model: ModelChoice,
}

#[derive(Debug, Args)]
pub(crate) struct Keygen {
    /// Engine that the keys are for
    #[arg(long, value_name = "E", default_value_t = Engine::Functional, value_enum)]
    pub(crate) engine: Engine,

    /// Model that the keys are for, where it needs other parameters than most: a folder, or the name of one that `bnn
    /// models` lists
    #[arg(long, value_name = "M")]
    pub(crate) model: Option<String>,

    /// Make the keys of the paper's system instead, in the TFHE library's form (a legacy set, of 94 bits of security)
    #[arg(long, value_name = "P", value_enum, conflicts_with_all = ["engine", "model"])]
    pub(crate) protocol: Option<Protocol>,

    /// Folder for secret.key and cloud.key
    #[arg(long, value_name = "DIR", default_value = "keys")]
    pub(crate) out: PathBuf,

    #[command(flatten)]
    pub(crate) overwriting: Overwriting,
}

#[derive(Debug, Args)]
pub(crate) struct Encrypt {
    /// Picture, white on black: PNG, BMP, or IDX (plain or gzip) with --index
    pub(crate) image: PathBuf,

    /// Which picture of an IDX file, the first being 0
    #[arg(long, value_name = "I")]
    pub(crate) index: Option<usize>,

    /// Secret key
    #[arg(long, value_name = "FILE", default_value = "keys/secret.key")]
    pub(crate) key: PathBuf,

    #[command(flatten)]
    pub(crate) model: ModelChoice,

    /// Write the files of the paper's client: secret_cloud.data and K_cloud.data
    #[arg(long, value_name = "P", value_enum)]
    pub(crate) protocol: Option<Protocol>,

    /// Output [default: the picture's name, with its index if any, and .enc, in the current folder]; with --protocol, the
    /// folder of its two [default: the current one]
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) overwriting: Overwriting,
}

#[derive(Debug, Args)]
pub(crate) struct Infer {
    /// Encrypted pictures; with --protocol, the two files of one: secret_cloud.data K_cloud.data
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,

    /// Cloud key
    #[arg(long, value_name = "FILE", default_value = "keys/cloud.key")]
    pub(crate) cloud_key: PathBuf,

    #[command(flatten)]
    pub(crate) model: ModelChoice,

    /// Read the files of the paper's client, and write answer.data
    #[arg(long, value_name = "P", value_enum)]
    pub(crate) protocol: Option<Protocol>,

    /// Output, of one picture [default: the input's name and .scores, in the folder of outputs]
    #[arg(long, value_name = "FILE", conflicts_with = "out_dir")]
    pub(crate) out: Option<PathBuf>,

    /// Folder of outputs
    #[arg(long, value_name = "DIR", default_value = ".", hide_default_value = true)]
    pub(crate) out_dir: PathBuf,

    #[command(flatten)]
    pub(crate) overwriting: Overwriting,

    /// Go on with a run of gates that was stopped
    #[arg(long)]
    pub(crate) resume: bool,

    /// Where a run of gates is saved as it goes [default: the output's name and .state]
    #[arg(long, value_name = "FILE")]
    pub(crate) state: Option<PathBuf>,

    /// Seconds after which a run of gates is saved; also after each layer
    #[arg(long, value_name = "S", default_value_t = 30.0, value_parser = duration)]
    pub(crate) save_every: f64,

    /// How circuits of gates are built
    #[arg(long, value_name = "STYLE", default_value_t = CircuitStyle::Optimized, value_enum)]
    pub(crate) style: CircuitStyle,
}

#[derive(Debug, Args)]
pub(crate) struct Estimate {
    /// Model: a folder, or the name of one that `bnn models` lists
    #[arg(value_name = "M")]
    pub(crate) model: String,

    /// Engine [default: functional for a network that it runs, else gates]
    #[arg(long, value_name = "E", value_enum)]
    pub(crate) engine: Option<Engine>,

    /// How circuits of gates are built
    #[arg(long, value_name = "STYLE", default_value_t = CircuitStyle::Optimized, value_enum)]
    pub(crate) style: CircuitStyle,

    /// IDX file of images on which to predict how often noise changes a label [default: the sample digits]
    #[arg(long, value_name = "IDX")]
    pub(crate) images: Option<PathBuf>,
}

/// Whose parameters to read.
#[derive(Debug, Subcommand)]
pub(crate) enum Import {
    /// The Binarized CNN of the paper: convolution_new.txt and full_connection_new.txt
    Paper(ImportPaper),
}

#[derive(Debug, Args)]
pub(crate) struct ImportPaper {
    /// Folder with the authors' files
    pub(crate) folder: PathBuf,

    /// Model folder to make
    #[arg(long, value_name = "DIR", default_value = "models/paper-cnn")]
    pub(crate) out: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Decrypt {
    /// Encrypted scores
    pub(crate) file: PathBuf,

    /// Read the answer of the paper's server
    #[arg(long, value_name = "P", value_enum)]
    pub(crate) protocol: Option<Protocol>,

    /// The picture: compare with the network in the clear, and fail if a bit of a score differs
    #[arg(long, value_name = "FILE")]
    pub(crate) compare: Option<PathBuf>,

    /// Which picture of an IDX file to compare with, the first being 0
    #[arg(long, value_name = "I", requires = "compare")]
    pub(crate) index: Option<usize>,

    /// Secret key
    #[arg(long, value_name = "FILE", default_value = "keys/secret.key")]
    pub(crate) key: PathBuf,

    #[command(flatten)]
    pub(crate) model: ModelChoice,
}

#[derive(Debug, Args)]
pub(crate) struct Convert {
    /// Key or ciphertexts, of either form
    pub(crate) file: PathBuf,

    /// The form to write
    #[arg(long, value_name = "FORM", value_enum)]
    pub(crate) to: FileForm,

    /// Output
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,

    /// Secret key that the library's ciphertexts are of
    #[arg(long, value_name = "FILE", conflicts_with = "cloud_key")]
    pub(crate) key: Option<PathBuf>,

    /// Cloud key that the library's ciphertexts are of; or that the library keeps with a secret key
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

impl fmt::Display for FileForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TfheLib => "the TFHE library",
            Self::Native => "this program",
        })
    }
}

#[derive(Debug, Args)]
pub(crate) struct Inspect {
    /// Key, encrypted picture or scores; or a model: its folder or name
    pub(crate) file: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Evaluate {
    /// IDX file of images, plain or gzip
    #[arg(long, value_name = "IDX")]
    pub(crate) images: PathBuf,

    /// IDX file of their labels
    #[arg(long, value_name = "IDX")]
    pub(crate) labels: PathBuf,

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

    /// Append each finished image to FILE, one JSON object a line; started again, skip the images in it
    #[arg(long, value_name = "FILE.jsonl", requires = "encrypted")]
    pub(crate) record: Option<PathBuf>,
}

/// A duration in the argument's unit, not so long that it could not be counted.
fn duration(text: &str) -> std::result::Result<f64, String> {
    let duration = text.parse::<f64>().map_err(|error| error.to_string())?;
    if (0.0..=1e9).contains(&duration) { Ok(duration) } else { Err("expected a number from 0 to 1e9".into()) }
}

/// What to do with a circuit.
#[derive(Debug, Subcommand)]
pub(crate) enum Circuit {
    /// Says what a circuit is and what it costs
    Info(CircuitInfo),
    /// Runs a circuit on values, in the clear or encrypted
    Run(CircuitRun),
}

#[derive(Debug, Args)]
pub(crate) struct CircuitInfo {
    /// Circuit in Bristol Fashion
    pub(crate) file: PathBuf,

    /// How the circuit is built
    #[arg(long, value_name = "STYLE", default_value_t = CircuitStyle::Optimized, value_enum)]
    pub(crate) style: CircuitStyle,
}

#[derive(Debug, Args)]
pub(crate) struct CircuitRun {
    /// Circuit in Bristol Fashion
    pub(crate) file: PathBuf,

    /// Value of an input, in their order: decimal below 2^128, or 0x and hexadecimal digits; -1 is all ones
    #[arg(long = "input", value_name = "V", allow_hyphen_values = true)]
    pub(crate) inputs: Vec<String>,

    /// Encrypt, run on ciphertexts and decrypt, with a fresh key; fail unless the bits are the same
    #[arg(long)]
    pub(crate) encrypted: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Soak {
    /// How long to run, in minutes; a round of some 9000 bootstraps that is begun is finished
    #[arg(long, value_name = "M", default_value_t = 10.0, value_parser = duration)]
    pub(crate) minutes: f64,

    /// File that keeps count after each round; a test that is there already goes on
    #[arg(long, value_name = "FILE", default_value = "soak.json")]
    pub(crate) record: PathBuf,

    /// Parameter set of a new test [default: GATES_DEFAULT]
    #[arg(long, value_name = "SET", value_parser = parameters)]
    pub(crate) parameters: Option<&'static Parameters>,

    /// What keys and circuits of a new test are drawn from [default: the time]
    #[arg(long, value_name = "S")]
    pub(crate) seed: Option<u64>,
}

/// A parameter set by its name.
fn parameters(name: &str) -> std::result::Result<&'static Parameters, String> {
    let names = || Parameters::ALL.map(|set| set.name).join(", ");
    Parameters::named(name).ok_or_else(|| format!("the parameter sets are {}", names()))
}

/// How a circuit is built.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum CircuitStyle {
    /// A bootstrap for every gate
    AsPublished,
    /// Equal gates once, and sums without a bootstrap
    Optimized,
}

impl From<CircuitStyle> for Style {
    fn from(style: CircuitStyle) -> Self {
        match style {
            CircuitStyle::AsPublished => Self::AsPublished,
            CircuitStyle::Optimized => Self::Optimized,
        }
    }
}

impl fmt::Display for CircuitStyle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AsPublished => "as-published",
            Self::Optimized => "optimized",
        })
    }
}

/// What to do with known-answer vectors.
#[derive(Debug, Subcommand)]
pub(crate) enum Vectors {
    /// Computes everything that the files hold again, and compares
    Check(VectorsCheck),
    /// Makes the files, the results of transforms by schoolbook arithmetic
    Generate(VectorsGenerate),
}

#[derive(Debug, Args)]
pub(crate) struct VectorsCheck {
    /// Folder of vectors [default: ./vectors, else the source tree's]
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct VectorsGenerate {
    /// Folder for the files
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,

    #[command(flatten)]
    pub(crate) overwriting: Overwriting,
}
