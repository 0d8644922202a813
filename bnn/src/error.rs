//! Everything that can go wrong in this crate, as one enum.
//!
//! A message is one line: the file (or the picture's origin), the cause, and what was expected. Text that comes
//! from a file is quoted or stripped of control characters, so that a hostile file cannot draw on the terminal.

use std::{fmt::Display, io, ops::RangeInclusive, path::PathBuf};

use safetensors::{Dtype, SafeTensorError};

/// What an operation of this crate gives back.
pub type Result<T> = std::result::Result<T, Error>;

/// Why an operation of this crate failed.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file could not be opened or read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system, or the decompressor, said.
        source: io::Error,
    },

    /// The file holds, or its header declares, more than this crate is willing to read.
    #[error("{}: the content is larger than {limit} bytes, the most that is read", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The largest content that is read, in bytes.
        limit: u64,
    },

    /// The file does not start with the expected IDX magic number.
    #[error("{}: the IDX magic number is {found:#010x}, expected {expected:#010x}", path.display())]
    IdxMagic {
        /// The file.
        path: PathBuf,
        /// The number that was read.
        found: u32,
        /// The number of the wanted kind of IDX file.
        expected: u32,
    },

    /// An IDX file ends within its header or before the content that the header declares.
    #[error("{}: the IDX file is cut short", path.display())]
    IdxTruncated {
        /// The file.
        path: PathBuf,
    },

    /// An IDX file goes on after the content that its header declares.
    #[error("{}: the IDX file goes on after the {declared} bytes of content its header declares", path.display())]
    IdxTrailing {
        /// The file.
        path: PathBuf,
        /// The length of the content by the header, in bytes.
        declared: u64,
    },

    /// An IDX file declares images without pixels.
    #[error("{}: the IDX images are {rows} rows by {columns} columns, neither may be 0", path.display())]
    IdxDimensions {
        /// The file.
        path: PathBuf,
        /// Rows of each image.
        rows: u32,
        /// Columns of each image.
        columns: u32,
    },

    /// An IDX file has no image with this index.
    #[error("{}: there is no image {index}, the file holds {count} and the first is image 0", path.display())]
    ImageIndex {
        /// The file.
        path: PathBuf,
        /// The index asked for.
        index: usize,
        /// The number of images in the file.
        count: usize,
    },

    /// An IDX file was given without saying which of its images is meant.
    #[error("{}: the file holds {count} images, name one by its index (the first is image 0)", path.display())]
    IndexMissing {
        /// The file.
        path: PathBuf,
        /// The number of images in the file.
        count: usize,
    },

    /// A file of one picture was given together with an index.
    #[error("{}: the file is a single picture, leave out the index (only IDX files take one)", path.display())]
    IndexUnexpected {
        /// The file.
        path: PathBuf,
    },

    /// The content of the file is of no known picture format.
    #[error("{}: neither a PNG, a BMP nor an IDX file", path.display())]
    ImageFormat {
        /// The file.
        path: PathBuf,
    },

    /// A PNG or BMP file could not be decoded.
    #[error("{}: {}", path.display(), single_line(source))]
    ImageDecode {
        /// The file.
        path: PathBuf,
        /// What the decoder said.
        source: Box<image::ImageError>,
    },

    /// A picture was given more or fewer pixels than its size has.
    #[error("{origin}: {found} pixels for an image of {width} x {height}")]
    PixelCount {
        /// Where the picture came from.
        origin: String,
        /// The number of pixels given.
        found: usize,
        /// Width, in pixels.
        width: usize,
        /// Height, in pixels.
        height: usize,
    },

    /// The picture has not the size that the model reads.
    #[error("{origin}: the image is {} x {}, this model reads {} x {}", found.0, found.1, expected.0, expected.1)]
    ImageSize {
        /// Where the picture came from.
        origin: String,
        /// Width and height of the picture, in pixels.
        found: (usize, usize),
        /// Width and height that the model reads, in pixels.
        expected: (usize, usize),
    },

    /// The picture has more set pixels than the model accepts.
    #[error(
        "{origin}: {active} of {pixels} pixels are set, this model accepts at most {limit} \
         (digits are white on black: is the image inverted?)"
    )]
    TooManyActive {
        /// Where the picture came from.
        origin: String,
        /// The number of set pixels.
        active: usize,
        /// The number of all pixels.
        pixels: usize,
        /// The most set pixels that the model accepts.
        limit: usize,
    },

    /// An encoded picture was given to a model with another number of inputs.
    #[error("the encoded image has {found} values, this model reads {expected}")]
    InputLength {
        /// The number of values in the encoded picture.
        found: usize,
        /// The number of inputs of the model's first layer.
        expected: usize,
    },

    /// The labels of a data set are not as many as its images.
    #[error("{}: {labels} labels for {images} images", path.display())]
    LabelCount {
        /// The file of labels.
        path: PathBuf,
        /// The number of labels.
        labels: usize,
        /// The number of images.
        images: usize,
    },

    /// The manifest is no TOML, or has an unknown, missing or ill-typed entry.
    #[error("{}: {place}: {}", path.display(), single_line(source.message()))]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// The line, or the layer by its name.
        place: String,
        /// What the parser said.
        source: Box<toml::de::Error>,
    },

    /// The manifest is of another version of the model format.
    #[error("{}: model format {found}, this program reads format {supported}", path.display())]
    ModelFormat {
        /// The manifest.
        path: PathBuf,
        /// The version the manifest declares.
        found: u32,
        /// The version this program reads.
        supported: u32,
    },

    /// A text of the manifest that people are shown is empty or has control characters.
    #[error("{}: {place}: `{field}` must be one line of text", path.display())]
    ManifestText {
        /// The manifest.
        path: PathBuf,
        /// The table, or the layer by its name.
        place: String,
        /// The key.
        field: &'static str,
    },

    /// A number of the manifest is out of range.
    #[error(
        "{}: {place}: `{field}` is {found}, expected {} to {}", path.display(), expected.start(), expected.end()
    )]
    ManifestRange {
        /// The manifest.
        path: PathBuf,
        /// The table, or the layer by its name.
        place: String,
        /// The key.
        field: &'static str,
        /// The value in the manifest.
        found: usize,
        /// The values that are accepted.
        expected: RangeInclusive<usize>,
    },

    /// The layers are not hidden binary-dense ones followed by one dense layer.
    #[error("{}: the layers must be one or more `binary-dense`, then one `dense`", path.display())]
    LayerOrder {
        /// The manifest.
        path: PathBuf,
    },

    /// A layer does not take as many values as the one before it, or the input, gives.
    #[error("{}: {place}: {inputs} inputs, but {given} values come from before it", path.display())]
    LayerInputs {
        /// The manifest.
        path: PathBuf,
        /// The layer by its name.
        place: String,
        /// The layer's inputs.
        inputs: usize,
        /// The outputs of the layer before, or the pixels of the input.
        given: usize,
    },

    /// The weights are no safetensors file.
    #[error("{}: {}", path.display(), single_line(source))]
    SafeTensors {
        /// The file of weights.
        path: PathBuf,
        /// What the parser said.
        source: Box<SafeTensorError>,
    },

    /// The manifest names a tensor that is not in the file, or names one twice.
    #[error("{}: tensor {tensor:?} is missing, or the manifest names it twice", path.display())]
    TensorMissing {
        /// The file of weights.
        path: PathBuf,
        /// The tensor.
        tensor: String,
    },

    /// The file has a tensor that the manifest does not name.
    #[error("{}: tensor {tensor:?} is not named in the manifest", path.display())]
    TensorUnused {
        /// The file of weights.
        path: PathBuf,
        /// The tensor.
        tensor: String,
    },

    /// A tensor's numbers are of the wrong type.
    #[error("{}: tensor {tensor:?} is {found}, expected {expected}", path.display())]
    TensorType {
        /// The file of weights.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// The type in the file.
        found: Dtype,
        /// The type of this tensor in a model.
        expected: Dtype,
    },

    /// A tensor has not the shape that the manifest gives.
    #[error("{}: tensor {tensor:?} has shape {found:?}, the manifest gives {expected:?}", path.display())]
    TensorShape {
        /// The file of weights.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// The shape in the file.
        found: Vec<usize>,
        /// The shape by the manifest.
        expected: Vec<usize>,
    },

    /// A weight of a binary layer is neither -1 nor 1.
    #[error("{}: tensor {tensor:?} is {value} at [{row}, {column}], a binary weight is -1 or 1", path.display())]
    BinaryWeight {
        /// The file of weights.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// The row, that is the neuron.
        row: usize,
        /// The column, that is the input.
        column: usize,
        /// The weight.
        value: i8,
    },

    /// The picture has more values than one packed ciphertext holds.
    #[error("the model reads {inputs} values, more than the {most} that one encrypted image holds")]
    TooManyInputs {
        /// The number of inputs of the model.
        inputs: usize,
        /// The most that are packed.
        most: usize,
    },

    /// A layer's sums are so large that, scaled onto the torus, they would be lost in noise.
    #[error(
        "layer {layer:?}: sums of up to {sum_bound} units do not stand out from a noise of 2^{:.1} of the torus",
        deviation.log2()
    )]
    SumsTooLarge {
        /// The layer by its name.
        layer: String,
        /// The largest sum.
        sum_bound: i64,
        /// Standard deviation of the noise, in torus units.
        deviation: f64,
    },

    /// A key, evaluator or ciphertext of another parameter set.
    #[error("made with the parameter set {found}, where {expected} is needed")]
    OtherParameters {
        /// The set it was made with.
        found: &'static str,
        /// The set in use.
        expected: &'static str,
    },

    /// An encrypted image or encrypted scores of another model.
    #[error("{what} for the model {}.., where {name} is {}..", short_digest(found), short_digest(expected))]
    OtherModel {
        /// What is for another model.
        what: &'static str,
        /// Digest of the model it is for.
        found: [u8; 32],
        /// The name of the model in use.
        name: String,
        /// Digest of the model in use.
        expected: [u8; 32],
    },

    /// Encrypted scores of another number than the model's classes.
    #[error("{found} encrypted scores, where the model has {expected}")]
    ScoreCount {
        /// The number of scores.
        found: usize,
        /// The number of classes.
        expected: usize,
    },

    /// The scheme refused something.
    #[error(transparent)]
    Crypto(#[from] tfhe_core::Error),
}

/// Another library's message on one line, without control characters.
fn single_line(message: impl Display) -> String {
    message.to_string().replace(char::is_control, " ")
}

/// The first four bytes of a digest, enough to tell models apart.
fn short_digest(digest: &[u8; 32]) -> String {
    digest[..4].iter().map(|byte| format!("{byte:02x}")).collect()
}
