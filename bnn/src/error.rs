//! Everything that can go wrong in this crate, as one enum.
//!
//! A message is one line: the file (or the picture's origin), the cause, and what was expected. Text that comes
//! from a file is quoted or stripped of control characters, so that a hostile file cannot draw on the terminal.

use std::{fmt::Display, io, ops::RangeInclusive, path::PathBuf};

use safetensors::{Dtype, SafeTensorError};

use crate::circuit::bristol::Fault;

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

    /// The picture's windows have a larger mean magnitude than the model accepts.
    #[error(
        "{origin}: a window's mean magnitude is {found:.2} standard deviations, this model accepts at most {limit:.2}"
    )]
    TooMuchContrast {
        /// Where the picture came from.
        origin: String,
        /// The window's mean magnitude.
        found: f64,
        /// The largest that the model accepts.
        limit: f64,
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

    /// A file or folder could not be written.
    #[error("{}: {source}", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },

    /// A word of the authors' files is no number in its range.
    #[error("{}: line {line}: {found:?}, expected an integer from {} to {}", path.display(), range.start(), range.end())]
    PaperNumber {
        /// The file.
        path: PathBuf,
        /// The line, the first being 1.
        line: usize,
        /// The beginning of the word.
        found: String,
        /// What it may be.
        range: RangeInclusive<i32>,
    },

    /// A file of the authors has more or fewer numbers than their network.
    #[error("{}: {found} numbers, expected {expected}", path.display())]
    PaperCount {
        /// The file.
        path: PathBuf,
        /// The numbers there are.
        found: usize,
        /// The numbers of the network.
        expected: usize,
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

    /// The last layer gives no scores.
    #[error("{}: the last layer must be `dense`, with nothing but `relu` after it", path.display())]
    LayerOrder {
        /// The manifest.
        path: PathBuf,
    },

    /// A layer cannot read what comes from before it.
    #[error("{}: {place}: {reason}", path.display())]
    LayerFit {
        /// The manifest.
        path: PathBuf,
        /// The layer by its name.
        place: String,
        /// What does not fit.
        reason: String,
    },

    /// A layer's values may outgrow their word.
    #[error("{}: layer {layer:?}: values of up to {largest}, where {limit} is too large", path.display())]
    LayerRange {
        /// The manifest.
        path: PathBuf,
        /// The layer by its name.
        layer: String,
        /// How large they may become.
        largest: i128,
        /// The least that is too large.
        limit: i128,
    },

    /// An engine has no such layer.
    #[error("layer {layer:?}: the {engine} engine does not run {kind} here")]
    UnsupportedLayer {
        /// The layer by its name.
        layer: String,
        /// Its kind.
        kind: &'static str,
        /// The engine.
        engine: &'static str,
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
        value: i32,
    },

    /// A scale is negative.
    #[error("{}: tensor {tensor:?} is {value} at [{index}], a scale is not negative", path.display())]
    NegativeScale {
        /// The file of weights.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// The filter.
        index: usize,
        /// The scale.
        value: i32,
    },

    /// A picture for the functional engine was given to the gate engine.
    #[error(
        "the image is packed, for the functional engine; this key's engine reads images encrypted bit by bit"
    )]
    NotBitwise,

    /// A model that does not read what the paper's client sends.
    #[error(
        "the model {name} reads {encoding}, where the paper's client sends signs, and magnitudes in 20 bits"
    )]
    NotThePapers {
        /// The model.
        name: String,
        /// How it reads pixels.
        encoding: &'static str,
    },

    /// An answer of the paper's protocol, whose bits are none under the key.
    #[error(
        "{}: no answer under this key: it was made with another cloud key, or is damaged; encrypt and infer again with keys of one pair",
        path.display()
    )]
    Undecipherable {
        /// The file.
        path: PathBuf,
    },

    /// A file of more or fewer ciphertexts than it is to have.
    #[error("{}: {found} ciphertexts, where the model needs {expected}", path.display())]
    CiphertextCount {
        /// The file.
        path: PathBuf,
        /// Ciphertexts in it.
        found: usize,
        /// Ciphertexts needed.
        expected: usize,
    },

    /// A ciphertext that circuits, which take their inputs for bootstrapped, cannot start with.
    #[error(
        "a bit of the image has noise of variance {found:e}, where a bootstrapped bit has {most:e} at most"
    )]
    NoisyInput {
        /// Its variance.
        found: f64,
        /// That of a bootstrapped bit.
        most: f64,
    },

    /// The result of a run that has not come to its end.
    #[error("the inference has not come to its end")]
    Unfinished,

    /// A saved state cannot be gone on with.
    #[error("{}: {reason}", path.display())]
    State {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },

    /// A parameter set is too noisy for gates: one of bootstrapped bits would break its failure bound.
    #[error("the parameter set is too noisy for gates of three inputs")]
    GateTooNoisy,

    /// The windows of a picture are more than one packed row holds.
    #[error(
        "the model reads {inputs} windows, more than the {most} that one row of an encrypted image holds"
    )]
    TooManyInputs {
        /// The windows of a picture.
        inputs: usize,
        /// The most in a row.
        most: usize,
    },

    /// A layer's sums, scaled onto the torus, would be lost in noise.
    #[error(
        "layer {layer:?}: noise of {noise:.3} (standard deviation) on sums of +-{half_range:.0}, a {:.0}th, where a 64th is \
         the most (parameter set {parameters})",
        half_range / noise
    )]
    TooNoisy {
        /// The layer by its name.
        layer: String,
        /// Half the range of its sums, in the integers of the model.
        half_range: f64,
        /// Standard deviation of the noise, in the same units.
        noise: f64,
        /// The parameter set.
        parameters: &'static str,
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

    /// A line of a circuit file is malformed.
    #[error("{}: line {line}: {fault}", path.display())]
    Bristol {
        /// The file.
        path: PathBuf,
        /// The line, the first being 1.
        line: usize,
        /// What is wrong with it.
        fault: Fault,
    },

    /// A text is no value of a circuit's input, or does not fit into its bits.
    #[error(
        "{found:?} is no value of {bits} bits: decimal numbers from -2^{} to 2^{bits} - 1 are, and 0x with hexadecimal \
         digits (decimal numbers end at 2^128)",
        bits.saturating_sub(1)
    )]
    CircuitValue {
        /// The text.
        found: String,
        /// Bits of the input.
        bits: usize,
    },

    /// A circuit was given more or fewer input values than it takes.
    #[error("{}: {found} input values, the circuit takes {expected}", path.display())]
    CircuitInputCount {
        /// The file of the circuit.
        path: PathBuf,
        /// The number of values given.
        found: usize,
        /// The number of values, and their sizes.
        expected: String,
    },

    /// A circuit gave other bits on ciphertexts than by Boolean logic.
    #[error("{}: {wrong} of {bits} output bits differ between the encrypted run and plain logic", path.display())]
    CircuitMismatch {
        /// The file of the circuit.
        path: PathBuf,
        /// Bits that differ.
        wrong: usize,
        /// Bits of all outputs.
        bits: usize,
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
