//! What is wrong with a picture, or with a data set.

use crate::client::shape::MOST_CHANNELS;

/// Why a picture is refused.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PictureFault {
    /// The content is of no known format.
    #[error("neither a PNG, a BMP nor an IDX file")]
    Format,

    /// The content is of another known format.
    #[error("neither a PNG, a BMP nor an IDX file, but {found}")]
    Foreign {
        /// What it is.
        found: &'static str,
    },

    /// A PNG or BMP file ends before its picture does.
    #[error("the picture is cut short at byte {length}: copy or download it again")]
    Truncated {
        /// The length of the file, in bytes.
        length: usize,
    },

    /// A PNG or BMP file is of a kind that is not read.
    #[error("a picture of a kind that is not read ({reason}): save it as a PNG of 8 bits a channel")]
    Unsupported {
        /// What the decoder said.
        reason: String,
    },

    /// A PNG or BMP file could not be decoded.
    #[error("the picture is damaged ({reason}): copy or save it again")]
    Decode {
        /// What the decoder said.
        reason: String,
    },

    /// A PNG or BMP file has more pixels than are decoded.
    #[error("the picture is {width} x {height}, more than the {limit} pixels that are decoded")]
    TooLarge {
        /// Width, in pixels.
        width: usize,
        /// Height, in pixels.
        height: usize,
        /// The most pixels that are decoded.
        limit: usize,
    },

    /// No pixel of the picture can be seen.
    #[error("every pixel of the picture is transparent")]
    Invisible,

    /// Some of the picture is transparent, where a model reads colours.
    #[error(
        "the picture has transparent pixels, whose colours depend on the background: save it without transparency"
    )]
    Transparent,

    /// The picture is drawn both by its colours and by its transparency.
    #[error(
        "the picture is partly transparent, and what is visible has several colours: which is ink cannot be told"
    )]
    Translucent,

    /// An IDX file was given without saying which of its images is meant.
    #[error("the file holds {count} images, name one by its index (the first is image 0)")]
    IndexMissing {
        /// The number of images in the file.
        count: usize,
    },

    /// A file of one picture was given together with an index.
    #[error("the file is a single picture, leave out the index (only IDX files take one)")]
    IndexUnexpected,

    /// A picture was given more or fewer pixels than its size has.
    #[error("{found} pixels for an image of {}{width} x {height}", several(*channels))]
    PixelCount {
        /// The number of pixels given, of all channels.
        found: usize,
        /// Channels.
        channels: usize,
        /// Width, in pixels.
        width: usize,
        /// Height, in pixels.
        height: usize,
    },

    /// A picture has no channel, or more than are read.
    #[error("a picture of {found} channels, where one has 1 to {MOST_CHANNELS}")]
    ChannelCount {
        /// The number of channels.
        found: usize,
    },

    /// PNG and BMP have no such channels.
    #[error("this model reads {expected} channels, and a PNG or BMP picture has 1 or 3: give an IDX file")]
    OtherChannels {
        /// The channels that are needed.
        expected: usize,
    },
}

/// The channels of a picture in front of its size, where it has several.
fn several(channels: usize) -> String {
    if channels == 1 { String::new() } else { format!("{channels} channels of ") }
}

/// Why an IDX file, or an image of one, is refused.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdxFault {
    /// The file is none, and begins as nothing known does.
    #[error("no IDX file: it begins with {found:#010x}, and an IDX file of {needed} with {expected:#010x}")]
    Magic {
        /// The number that the file begins with.
        found: u32,
        /// What was needed.
        needed: &'static str,
        /// The number of such files.
        expected: u32,
    },

    /// The file is none, but something else that is known.
    #[error("no IDX file, but {found}")]
    Foreign {
        /// What it is.
        found: &'static str,
    },

    /// The file was compressed with gzip, and then again.
    #[error("gzip data within gzip data: unpack it once")]
    GzipTwice,

    /// The file has labels where images are needed, or images where labels are.
    #[error("an IDX file of {found}, where one of {needed} is needed")]
    OtherContent {
        /// What it has.
        found: &'static str,
        /// What is needed.
        needed: &'static str,
    },

    /// The file has another number of dimensions.
    #[error("an IDX file of {found} dimensions, where one of {needed} has {expected}")]
    DimensionCount {
        /// Its dimensions.
        found: u8,
        /// What is needed.
        needed: &'static str,
        /// The dimensions of that.
        expected: &'static str,
    },

    /// The numbers of the file are of another type.
    #[error("an IDX file of {found}, where {needed} are bytes (type 0x08)")]
    NumberType {
        /// What its numbers are.
        found: &'static str,
        /// What is needed.
        needed: &'static str,
    },

    /// The file ends within its header or before the content that the header declares.
    #[error("the IDX file is cut short: download or copy it again")]
    Truncated,

    /// Something follows the compressed content that is no part of it.
    #[error("{count} trailing bytes follow the gzip data: download or copy the file again")]
    GzipTrailing {
        /// How many bytes.
        count: usize,
    },

    /// The file goes on after the content that its header declares.
    #[error("trailing bytes: the IDX file goes on after the {declared} bytes of content its header declares")]
    Trailing {
        /// The length of the content by the header, in bytes.
        declared: u64,
    },

    /// The header declares more content than is read.
    #[error("the header declares more than {limit} bytes of content, the most that is read")]
    TooLarge {
        /// The largest content that is read, in bytes.
        limit: u64,
    },

    /// The file declares images without pixels.
    #[error("the IDX images are {rows} rows by {columns} columns, neither may be 0")]
    Dimensions {
        /// Rows of each image.
        rows: u32,
        /// Columns of each image.
        columns: u32,
    },

    /// The file declares images of no channel, or of more than are read.
    #[error("the IDX images have {found} channels, expected 1 to {MOST_CHANNELS}")]
    Channels {
        /// Channels of each image.
        found: u32,
    },

    /// The file is in gzip, and cannot be unpacked.
    #[error("damaged gzip data ({reason}): download or copy the file again")]
    Gzip {
        /// What the decompressor said.
        reason: String,
    },

    /// The file has no image with this index.
    #[error("there is no image {index}, the file holds {count} and the first is image 0")]
    Index {
        /// The index asked for.
        index: usize,
        /// The number of images in the file.
        count: usize,
    },

    /// The labels of a data set are not as many as its images.
    #[error("{labels} labels for {images} images")]
    LabelCount {
        /// The number of labels.
        labels: usize,
        /// The number of images.
        images: usize,
    },

    /// A label of a data set is none of a model's classes.
    #[error("label {label} of image {index}, where the model has {classes} classes and the first is class 0")]
    Label {
        /// The label.
        label: u8,
        /// The first image that has such a label.
        index: usize,
        /// The classes of the model.
        classes: usize,
    },

    /// A label is no byte.
    #[error("label {label} of image {index}, where labels are numbers from 0 to 255")]
    WideLabel {
        /// The label.
        label: i32,
        /// The first image that has such a label.
        index: usize,
    },
}
