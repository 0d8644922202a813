//! What is wrong with a picture, or with a data set.

/// Why a picture is refused.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PictureFault {
    /// The content is of no known picture format.
    #[error("neither a PNG, a BMP nor an IDX file")]
    Format,

    /// A PNG or BMP file could not be decoded.
    #[error("{reason}")]
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
    #[error("{found} pixels for an image of {width} x {height}")]
    PixelCount {
        /// The number of pixels given.
        found: usize,
        /// Width, in pixels.
        width: usize,
        /// Height, in pixels.
        height: usize,
    },
}

/// Why an IDX file, or an image of one, is refused.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdxFault {
    /// The file does not start with the expected magic number.
    #[error("the IDX magic number is {found:#010x}, expected {expected:#010x}")]
    Magic {
        /// The number that was read.
        found: u32,
        /// The number of the wanted kind of IDX file.
        expected: u32,
    },

    /// The file ends within its header or before the content that the header declares.
    #[error("the IDX file is cut short")]
    Truncated,

    /// The file goes on after the content that its header declares.
    #[error("the IDX file goes on after the {declared} bytes of content its header declares")]
    Trailing {
        /// The length of the content by the header, in bytes.
        declared: u64,
    },

    /// The header declares more content than is read.
    #[error("the content is larger than {limit} bytes, the most that is read")]
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

    /// The file is in gzip, and cannot be unpacked.
    #[error("{reason}")]
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
}
