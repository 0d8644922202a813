//! Networks of one's own.

use std::{num::NonZeroUsize, path::PathBuf};

use clap::{Args, Subcommand};

use crate::arguments::{computing::no_bootstraps, shared};

/// The format that a network comes in.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Example:
  bnn import onnx lenet5.onnx --calibrate train-images-idx3-ubyte.gz --out lenet5")]
pub(crate) enum Import {
    /// An ONNX file, as PyTorch, Keras and others export
    #[command(args = no_bootstraps())]
    Onnx(ImportOnnx),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  bnn import onnx lenet5.onnx --calibrate train-images-idx3-ubyte.gz --out lenet5
  bnn import onnx cnn.onnx --black=-0.4242 --white 2.8215 --calibrate train-images-idx3-ubyte.gz --out cnn")]
pub(crate) struct ImportOnnx {
    /// ONNX file; `-` reads standard input
    pub(crate) file: PathBuf,

    /// IDX file of pictures like those that the network is for, plain or gzip: they set the ranges of its values
    #[arg(long, value_name = "IDX")]
    pub(crate) calibrate: PathBuf,

    /// IDX file of their labels: tells the accuracy too
    #[arg(long, value_name = "IDX")]
    pub(crate) labels: Option<PathBuf>,

    /// What the network was trained to read for black
    #[arg(long, value_name = "X", default_value_t = 0.0, allow_negative_numbers = true, value_parser = grey)]
    pub(crate) black: f64,

    /// What the network was trained to read for white
    #[arg(long, value_name = "X", default_value_t = 1.0, allow_negative_numbers = true, value_parser = grey)]
    pub(crate) white: f64,

    /// Bits of a weight but where pixels are read, which have 8; or a list of those of the other layers [default: as many as are
    /// expected to change the fewest labels]
    #[arg(long, value_name = "N[,N...]", value_delimiter = ',', value_parser = clap::value_parser!(u32).range(2..=8))]
    pub(crate) weight_bits: Vec<u32>,

    /// The most pictures: the first of the file
    #[arg(long, value_name = "N", default_value = "2000")]
    pub(crate) limit: NonZeroUsize,

    /// Write the model although noise is expected to change up to this share of its labels
    #[arg(long, value_name = "SHARE", default_value_t = shared::ACCEPTED_CHANGES, value_parser = shared::share)]
    pub(crate) accept_label_changes: f64,

    /// Name of the model [default: that of the folder]
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,

    /// Folder of the model, which is made
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
}

/// A grey value.
fn grey(text: &str) -> Result<f64, String> {
    let grey = text.parse::<f64>().map_err(|error| error.to_string())?;
    if grey.abs() <= 1e6 { Ok(grey) } else { Err("expected a number from -1e6 to 1e6".into()) }
}
