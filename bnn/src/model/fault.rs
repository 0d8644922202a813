//! What is wrong with a model's two files.

use crate::{client::encoding::fault::InputFault, range::OutOfRange};

/// One of the two files of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModelFile {
    /// What the network is.
    Manifest,
    /// Its numbers.
    Weights,
}

impl ModelFile {
    /// The file's name in a model folder.
    pub fn name(self) -> &'static str {
        match self {
            Self::Manifest => "manifest.toml",
            Self::Weights => "weights.safetensors",
        }
    }

    /// The largest file that is read, in bytes.
    pub fn most_bytes(self) -> usize {
        match self {
            Self::Manifest => 1 << 20,
            Self::Weights => 256 << 20,
        }
    }
}

/// Why a model is refused. A *place* is a line, a table, or a layer by its name.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModelFault {
    /// The file is larger than this crate is willing to read.
    #[error("the content is larger than {limit} bytes, the most that is read")]
    TooLarge {
        /// The largest content that is read, in bytes.
        limit: usize,
    },

    /// The manifest is no TOML, or has an unknown, missing or ill-typed entry.
    #[error("{place}: {reason}")]
    Toml {
        /// The line, or the layer by its name.
        place: String,
        /// What the parser said.
        reason: String,
    },

    /// The manifest is of another version of the model format.
    #[error("model format {found}, this program reads formats up to {supported}")]
    Format {
        /// The version the manifest declares.
        found: u32,
        /// The last version this program reads.
        supported: u32,
    },

    /// A text of the manifest that people are shown is empty or has control characters.
    #[error("{place}: `{field}` must be one line of text")]
    Text {
        /// The table, or the layer by its name.
        place: String,
        /// The key.
        field: &'static str,
    },

    /// Two layers have one name.
    #[error("two layers are named {name:?}")]
    RepeatedName {
        /// Their name.
        name: String,
    },

    /// A number of the manifest is out of range.
    #[error("{place}: {range}")]
    Range {
        /// The table, or the layer by its name.
        place: String,
        /// The number.
        range: OutOfRange,
    },

    /// Pictures are not encoded so.
    #[error("{place}: {fault}")]
    Input {
        /// The table.
        place: &'static str,
        /// What does not fit.
        fault: InputFault,
    },

    /// The last layer gives no scores.
    #[error("the last layer must be `dense`, with nothing but `relu` after it")]
    LayerOrder,

    /// A layer cannot read what comes from before it.
    #[error("{place}: {reason}")]
    LayerFit {
        /// The layer by its name.
        place: String,
        /// What does not fit.
        reason: String,
    },

    /// A layer's values may outgrow their word.
    #[error("layer {layer:?}: values of up to {largest}, where {limit} is too large")]
    LayerRange {
        /// The layer by its name.
        layer: String,
        /// How large they may become.
        largest: i128,
        /// The least that is too large.
        limit: i128,
    },

    /// A layer does not take as many values as the one before it, or the input, gives.
    #[error("{place}: {inputs} inputs, but {given} values come from before it")]
    LayerInputs {
        /// The layer by its name.
        place: String,
        /// The layer's inputs.
        inputs: usize,
        /// The outputs of the layer before, or the pixels of the input.
        given: usize,
    },

    /// The weights are no safetensors file.
    #[error("{reason}")]
    SafeTensors {
        /// What the parser said.
        reason: String,
    },

    /// The weights are something else that is known.
    #[error("no safetensors file, but {found}")]
    Foreign {
        /// What they are.
        found: &'static str,
    },

    /// The manifest names a tensor that is not in the file, or names one twice.
    #[error("tensor {tensor:?} is missing, or the manifest names it twice")]
    TensorMissing {
        /// The tensor.
        tensor: String,
    },

    /// The file has a tensor that the manifest does not name.
    #[error("tensor {tensor:?} is not named in the manifest")]
    TensorUnused {
        /// The tensor.
        tensor: String,
    },

    /// A tensor's numbers are of the wrong type.
    #[error("tensor {tensor:?} is {found}, expected {expected}")]
    TensorType {
        /// The tensor.
        tensor: String,
        /// The type in the file.
        found: String,
        /// The types of this tensor that are read.
        expected: String,
    },

    /// A tensor has not the shape that the manifest gives.
    #[error("tensor {tensor:?} has shape {found:?}, the manifest gives {expected:?}")]
    TensorShape {
        /// The tensor.
        tensor: String,
        /// The shape in the file.
        found: Vec<usize>,
        /// The shape by the manifest.
        expected: Vec<usize>,
    },

    /// A weight of a binary layer is neither -1 nor 1.
    #[error("tensor {tensor:?} is {value} at [{row}, {column}], a binary weight is -1 or 1")]
    BinaryWeight {
        /// The tensor.
        tensor: String,
        /// The row, that is the neuron.
        row: usize,
        /// The column, that is the input.
        column: usize,
        /// The weight.
        value: i32,
    },

    /// The entries of a table fall somewhere.
    #[error("tensor {tensor:?} falls at [{index}], the entries of a table do not")]
    FallingEntries {
        /// The tensor.
        tensor: String,
        /// The first entry that is less than the one before it.
        index: usize,
    },

    /// A scale is negative.
    #[error("tensor {tensor:?} is {value} at [{index}], a scale is not negative")]
    NegativeScale {
        /// The tensor.
        tensor: String,
        /// The filter.
        index: usize,
        /// The scale.
        value: i32,
    },
}
