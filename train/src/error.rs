//! What can go wrong between the data folder and the model folder.

use std::path::PathBuf;

/// A training run's failure, one line each when printed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// One of MNIST's four files is not in the data folder.
    #[error("no {} in {}: give the folder of MNIST's gzipped IDX files with --data", file, folder.display())]
    MissingData {
        /// The file looked for.
        file: &'static str,
        /// The folder it was looked for in.
        folder: PathBuf,
    },
    /// A data file is there but is not the IDX file it should be.
    #[error("{}: {reason}", file.display())]
    BadData {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A setting that no training can work with.
    #[error("{0}")]
    BadSetting(&'static str),
    /// Reading or writing failed.
    #[error("{}: {source}", file.display())]
    Io {
        /// The file or folder.
        file: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The tensor library refused an operation: a bug in this crate.
    #[error("tensor: {0}")]
    Tensor(#[from] candle_core::Error),
    /// The weights could not be serialised: a bug in this crate.
    #[error("safetensors: {0}")]
    Safetensors(#[from] safetensors::SafeTensorError),
}

/// This crate's results.
pub(crate) type Result<T> = std::result::Result<T, Error>;
