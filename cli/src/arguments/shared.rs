//! Choices that several commands have.

use std::{
    fmt,
    path::{Path, PathBuf},
    slice,
};

use bnn::{
    circuit::Style,
    client::{Change, Preparation},
    engine::Engine,
};
use clap::{Args, ValueEnum};

use crate::files::{lookup, whole::Existing};

/// The model where none is named: the paper's network, retrained.
pub(crate) const DEFAULT_MODEL: &str = "binarized-cnn";
/// The share of labels that noise may change where nothing else is asked for.
pub(crate) const ACCEPTED_CHANGES: f64 = 0.05;

/// The network to use.
#[derive(Debug, Args)]
pub(crate) struct ModelChoice {
    /// Model: a folder, or a name that `bnn models` lists
    #[arg(long = "model", value_name = "M", default_value = DEFAULT_MODEL)]
    pub(crate) name: PathBuf,
}

/// What a client knows of the network.
#[derive(Debug, Args)]
pub(crate) struct ClientChoice {
    #[command(flatten)]
    pub(crate) model: ModelChoice,

    /// Client specification of the model, in the model's place; `-` reads standard input. `bnn models --client` makes one
    #[arg(long = "client", value_name = "FILE", conflicts_with = "name")]
    pub(crate) specification: Option<PathBuf>,
}

impl ClientChoice {
    /// The file of the specification, if one is named.
    pub(crate) fn file(&self) -> Option<&Path> {
        self.specification.as_deref()
    }
}

/// Whether outputs may replace existing files.
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

/// Where the outputs of inputs go, one for each.
#[derive(Debug, Args)]
pub(crate) struct Outputs {
    /// Output, for one input; `-` writes standard output [default: the input's name with another ending, in the folder of
    /// outputs]
    #[arg(long, value_name = "FILE", conflicts_with = "out_dir")]
    pub(crate) out: Option<PathBuf>,

    /// Folder of outputs, which is made if it is not there [default: the current one]
    #[arg(long, value_name = "DIR")]
    pub(crate) out_dir: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) overwriting: Overwriting,
}

/// The client's secret key.
#[derive(Debug, Args)]
pub(crate) struct SecretKeyFile {
    /// Secret key; `-` reads standard input
    #[arg(long = "key", value_name = "FILE", default_value = "keys/secret.key")]
    pub(crate) path: PathBuf,
}

/// What is done with pictures before they are encoded.
#[derive(Debug, Clone, Args)]
#[group(requires = "image")]
pub(crate) struct Preparing {
    /// Turn dark ink on white paper into white ink on black
    #[arg(long)]
    invert: bool,

    /// Stretch the grey values of a dim picture to black and white
    #[arg(long)]
    stretch: bool,

    /// Crop the picture to its ink, scale and centre it, as MNIST's makers did: for a picture of any size; of colours, cut out the middle
    #[arg(long)]
    fit: bool,

    /// Exchange rows and columns, which EMNIST's files need
    #[arg(long)]
    transpose: bool,

    /// Take the picture as it is, also if it looks blank, inverted or dim
    #[arg(long, conflicts_with_all = ["invert", "stretch", "fit", "transpose"])]
    as_is: bool,
}

impl Preparing {
    pub(crate) fn preparation(&self) -> Preparation {
        if self.as_is {
            return Preparation::AsIs;
        }
        let asked = [
            (self.invert, Change::Invert),
            (self.stretch, Change::Stretch),
            (self.fit, Change::Fit),
            (self.transpose, Change::Transpose),
        ];
        Preparation::checked(asked.into_iter().filter(|&(asked, _)| asked).map(|(_, change)| change))
    }
}

/// The options as they are typed, each after a blank.
impl fmt::Display for Preparing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.as_is {
            return f.write_str(" --as-is");
        }
        self.preparation().changes().try_for_each(|change| {
            f.write_str(match change {
                Change::Transpose => " --transpose",
                Change::Invert => " --invert",
                Change::Fit => " --fit",
                Change::Stretch => " --stretch",
            })
        })
    }
}

/// How pictures are read and encrypted, wherever what is known of the model comes from.
#[derive(Debug, Args)]
pub(crate) struct Encrypting {
    /// Which picture of an IDX file; the first is 0
    #[arg(long, value_name = "I")]
    pub(crate) index: Option<usize>,

    #[command(flatten)]
    pub(crate) preparing: Preparing,

    #[command(flatten)]
    pub(crate) key: SecretKeyFile,
}

/// What encryption reads beside the pictures, for either protocol.
#[derive(Debug, Args)]
pub(crate) struct EncryptionInputs {
    #[command(flatten)]
    pub(crate) encrypting: Encrypting,

    #[command(flatten)]
    pub(crate) client: ClientChoice,
}

impl EncryptionInputs {
    /// The files that are read with these pictures, of which none may be an output.
    pub(crate) fn files(&self, pictures: &[PathBuf]) -> Vec<PathBuf> {
        let client = match &self.client.specification {
            Some(file) => vec![file.clone()],
            None => lookup::files(&self.client.model.name),
        };
        [pictures, slice::from_ref(&self.encrypting.key.path), &client].concat()
    }
}

/// The server's cloud key.
#[derive(Debug, Args)]
pub(crate) struct CloudKeyFile {
    /// Cloud key; `-` reads standard input
    #[arg(id = "cloud_key", long = "cloud-key", value_name = "FILE", default_value = "keys/cloud.key")]
    pub(crate) path: PathBuf,
}

/// A picture that decrypted scores are compared with.
#[derive(Debug, Args)]
pub(crate) struct Comparison {
    /// The picture, `-` for standard input: run the network on it in the clear, and fail if the label differs, or on the gate
    /// engine a score in any bit
    #[arg(long = "compare", value_name = "FILE", conflicts_with = "specification")]
    pub(crate) image: Option<PathBuf>,

    /// Which picture of an IDX file to compare with; the first is 0
    #[arg(long, value_name = "I", requires = "image")]
    pub(crate) index: Option<usize>,

    #[command(flatten)]
    pub(crate) preparing: Preparing,
}

/// How a run is saved and continued, and how circuits are built.
#[derive(Debug, Args)]
pub(crate) struct Running {
    /// Continue a run that was stopped
    #[arg(long)]
    pub(crate) resume: bool,

    /// Where a run is saved as it goes [default: the output's name and .state; not saved where the output is no file, or
    /// where the functional engine runs and none of these options is given]
    #[arg(long, value_name = "FILE")]
    pub(crate) state: Option<PathBuf>,

    /// Save the run after so many seconds, and after each layer [default: 30]
    #[arg(long, value_name = "S", value_parser = duration)]
    pub(crate) save_every: Option<f64>,

    /// How circuits of gates are built [default: optimized]
    #[arg(long, value_name = "STYLE", value_enum)]
    pub(crate) style: Option<CircuitStyle>,
}

impl Running {
    /// Whether one of the options says that the run is saved or continued.
    pub(crate) fn is_saved(&self) -> bool {
        self.resume || self.state.is_some() || self.save_every.is_some()
    }
}

/// How a network is evaluated on ciphertexts.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum EngineChoice {
    /// One bootstrap for each neuron: fast, and approximate
    Functional,
    /// A circuit of gates: exact, and slow
    Gates,
}

impl From<EngineChoice> for Engine {
    fn from(choice: EngineChoice) -> Self {
        match choice {
            EngineChoice::Functional => Self::Functional,
            EngineChoice::Gates => Self::Gates,
        }
    }
}

impl fmt::Display for EngineChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Engine::from(*self).fmt(f)
    }
}

/// How a circuit is built.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub(crate) enum CircuitStyle {
    /// One bootstrap for each gate
    AsPublished,
    /// Equal gates once, and sums without a bootstrap
    #[default]
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

impl From<Style> for CircuitStyle {
    fn from(style: Style) -> Self {
        match style {
            Style::AsPublished => Self::AsPublished,
            Style::Optimized => Self::Optimized,
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

/// A duration in the argument's unit, short enough to be counted.
pub(crate) fn duration(text: &str) -> Result<f64, String> {
    let duration = text.parse::<f64>().map_err(|error| error.to_string())?;
    if (0.0..=1e9).contains(&duration) { Ok(duration) } else { Err("expected a number from 0 to 1e9".into()) }
}

/// A share of all.
pub(crate) fn share(text: &str) -> Result<f64, String> {
    let share = text.parse::<f64>().map_err(|error| error.to_string())?;
    if (0.0..=1.0).contains(&share) { Ok(share) } else { Err("expected a number from 0 to 1".into()) }
}
