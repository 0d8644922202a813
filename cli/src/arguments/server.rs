//! What a server does: inference, and what one would cost.

use std::path::PathBuf;

use clap::Args;

use crate::arguments::shared::{
    ACCEPTED_CHANGES, CircuitStyle, CloudKeyFile, EngineChoice, ModelChoice, Outputs, Preparing, Running,
    share,
};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  bnn infer 7.enc
  bnn infer 3.enc 7.enc --out-dir scores
  ssh client cat 7.enc | bnn infer - --out - | ssh client bnn decrypt -")]
pub(crate) struct Infer {
    /// Encrypted pictures, whose scores get the ending .scores; `-` reads standard input
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) cloud_key: CloudKeyFile,

    #[command(flatten)]
    pub(crate) model: ModelChoice,

    #[command(flatten)]
    pub(crate) outputs: Outputs,

    #[command(flatten)]
    pub(crate) running: Running,

    /// Run a network although noise is expected to change up to this share of its labels, as `bnn calibrate` or `bnn import` found
    #[arg(long, value_name = "SHARE", default_value_t = ACCEPTED_CHANGES, value_parser = share)]
    pub(crate) accept_label_changes: f64,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  bnn estimate sign-cnn
  bnn estimate binarized-cnn --engine gates")]
pub(crate) struct Estimate {
    /// Model: a folder, or a name that `bnn models` lists
    #[arg(value_name = "M")]
    pub(crate) model: PathBuf,

    /// Engine [default: functional for a network that it runs, else gates]
    #[arg(long, value_name = "E", value_enum)]
    pub(crate) engine: Option<EngineChoice>,

    /// How circuits of gates are built, for the gate engine [default: optimized]
    #[arg(long, value_name = "STYLE", value_enum)]
    pub(crate) style: Option<CircuitStyle>,

    /// IDX file of images on which to predict how often noise changes a label, for the functional engine; `-` reads standard
    /// input [default: the sample digits]
    #[arg(id = "image", long = "images", value_name = "IDX")]
    pub(crate) images: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) preparing: Preparing,
}
