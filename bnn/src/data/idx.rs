//! IDX, the format of the MNIST files (LeCun, Cortes, Burges: <http://yann.lecun.com/exdb/mnist/>).
//!
//! ```text
//! images: 0x00000803 | count | rows | columns | count * rows * columns bytes, row-major, 0 black to 255 white
//! images: 0x00000804 | count | channels | rows | columns | count * channels * rows * columns bytes, channel by channel
//! labels: 0x00000801 | count | count bytes
//! QMNIST: 0x00000c02 | count | 8 | count * 8 words, of which the first of each row is the label
//! ```
//!
//! Words are big-endian and of 32 bits. A file may be compressed with gzip, which its first two bytes show.

use std::{
    cmp::Ordering,
    io::{self, Read},
};

use super::{
    fault::IdxFault,
    gzip::{self, Unpacked},
    image::Image,
};
use crate::{
    client::shape::{MOST_CHANNELS, Shape},
    content,
    error::Result,
    text::one_line,
};

const IMAGES_MAGIC: u32 = 0x0000_0803;
/// Images of several channels.
const CHANNELS_MAGIC: u32 = 0x0000_0804;
const LABELS_MAGIC: u32 = 0x0000_0801;
/// Labels as QMNIST has them (Yadav, Bottou: <https://github.com/facebookresearch/qmnist>).
const QMNIST_MAGIC: u32 = 0x0000_0c02;
/// The words that QMNIST has for each image.
const QMNIST_COLUMNS: u32 = 8;

/// The type of numbers that are bytes.
const BYTES: u8 = 0x08;

const IMAGES: &str = "images";
const LABELS: &str = "labels";

/// The largest content that is read, in bytes. MNIST's training images are 47 MB; and gzip makes a thousand bytes of one,
/// so that 256 KB can fill this.
const CONTENT_LIMIT: u64 = 1 << 28;

/// The images of an IDX file, all of one shape.
#[derive(Debug)]
pub struct IdxImages {
    shape: Shape,
    /// The values of `len()` images.
    pixels: Vec<u8>,
    padding: usize,
}

impl IdxImages {
    /// Reads the images of an IDX file, plain or in gzip.
    ///
    /// # Errors
    /// [`IdxFault`] for bytes that are no IDX file of images, declare more than 256 MiB of pixels, none an image or more than 16
    /// channels, or hold less or more than they declare. Gzip data may have padding after it, see [`padding`](Self::padding).
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        Ok(Self::read(&mut Unpacked::new(bytes))?)
    }

    /// Whether bytes begin as an IDX file does, plain or in gzip.
    pub fn recognise(bytes: &[u8]) -> bool {
        bytes.starts_with(&gzip::MAGIC) || bytes.starts_with(&[0, 0])
    }

    fn read(input: &mut Unpacked<'_>) -> Result<Self, IdxFault> {
        let [count, channels, rows, columns] = match read_magic(input, IMAGES)? {
            IMAGES_MAGIC => {
                let [count, rows, columns] = read_words(input)?;
                [count, 1, rows, columns]
            }
            CHANNELS_MAGIC => read_words(input)?,
            magic => return Err(misfit(magic, IMAGES)),
        };
        let pixels = read_content(input, &[count, channels, rows, columns])?;
        // Also keeps the number of images below the number of bytes that were there to read.
        if rows == 0 || columns == 0 {
            return Err(IdxFault::Dimensions { rows, columns });
        }
        if !(1..=MOST_CHANNELS as u32).contains(&channels) {
            return Err(IdxFault::Channels { found: channels });
        }
        let [channels, height, width] = [channels, rows, columns].map(|side| side as usize);
        let shape = Shape { channels, height, width };
        debug_assert_eq!(pixels.len() as u64, u64::from(count) * shape.values() as u64);
        Ok(Self { shape, pixels, padding: input.rest().len() })
    }

    /// The bytes after gzip data that are no part of it and mean nothing: zeros, or the end of a line. They were passed over.
    pub fn padding(&self) -> usize {
        self.padding
    }

    /// The number of images.
    pub fn len(&self) -> usize {
        self.pixels.len() / self.shape.values()
    }

    /// Whether the file holds no image.
    pub fn is_empty(&self) -> bool {
        self.pixels.is_empty()
    }

    /// The image with this index, the first being 0.
    ///
    /// # Errors
    /// [`IdxFault::Index`] where `index` is not below [`len`](Self::len).
    pub fn image(&self, index: usize) -> Result<Image> {
        let pixels = self
            .pixels
            .chunks_exact(self.shape.values())
            .nth(index)
            .ok_or_else(|| IdxFault::Index { index, count: self.len() })?;
        let Shape { channels, height, width } = self.shape;
        Image::new(channels, width, height, pixels.into())
    }
}

/// The labels of an IDX file: the class of each image, in the images' order.
#[derive(Debug)]
pub struct IdxLabels {
    labels: Vec<u8>,
    padding: usize,
}

impl IdxLabels {
    /// Reads the labels of an IDX file, plain or in gzip; or those of QMNIST, of which the class is taken.
    ///
    /// # Errors
    /// [`IdxFault`] for bytes that are no IDX file of labels, declare more than 256 MiB of them, or hold less or more
    /// than they declare. Gzip data may have padding after it, see [`padding`](Self::padding).
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        Ok(Self::read(&mut Unpacked::new(bytes))?)
    }

    fn read(input: &mut Unpacked<'_>) -> Result<Self, IdxFault> {
        let labels = match read_magic(input, LABELS)? {
            LABELS_MAGIC => {
                let [count] = read_words(input)?;
                read_content(input, &[count])?
            }
            QMNIST_MAGIC => read_qmnist(input)?,
            magic => return Err(misfit(magic, LABELS)),
        };
        Ok(Self { labels, padding: input.rest().len() })
    }

    /// The labels, one an image.
    pub fn as_slice(&self) -> &[u8] {
        &self.labels
    }

    /// The bytes after gzip data that are no part of it and mean nothing: zeros, or the end of a line. They were passed over.
    pub fn padding(&self) -> usize {
        self.padding
    }

    /// Checks that these are the labels of `images` images, and each is one of so many classes, which are counted from 0.
    ///
    /// # Errors
    /// [`IdxFault::LabelCount`]; [`IdxFault::Label`] at the first label that is no class.
    pub fn check(&self, images: usize, classes: usize) -> Result<()> {
        let labels = self.labels.len();
        if labels != images {
            return Err(IdxFault::LabelCount { labels, images }.into());
        }
        match self.labels.iter().position(|&label| usize::from(label) >= classes) {
            None => Ok(()),
            Some(index) => Err(IdxFault::Label { label: self.labels[index], index, classes }.into()),
        }
    }
}

/// The classes of QMNIST's rows, the other words of which say where the digit comes from.
fn read_qmnist(input: &mut Unpacked<'_>) -> Result<Vec<u8>, IdxFault> {
    let [count, columns] = read_words(input)?;
    if columns != QMNIST_COLUMNS {
        return Err(misfit(QMNIST_MAGIC, LABELS));
    }
    let content = read_content(input, &[count, columns, 4])?;
    let label = |(index, row): (usize, &[u8; 4 * QMNIST_COLUMNS as usize])| {
        let label = i32::from_be_bytes([row[0], row[1], row[2], row[3]]);
        u8::try_from(label).map_err(|_| IdxFault::WideLabel { label, index })
    };
    content.as_chunks().0.iter().enumerate().map(label).collect()
}

/// What the numbers of an IDX file are, by the third byte of its magic number.
fn numbers(kind: u8) -> Option<&'static str> {
    Some(match kind {
        BYTES => "bytes",
        0x09 => "signed bytes (type 0x09)",
        0x0b => "16-bit integers (type 0x0b)",
        0x0c => "32-bit integers (type 0x0c)",
        0x0d => "32-bit floats (type 0x0d)",
        0x0e => "64-bit floats (type 0x0e)",
        _ => return None,
    })
}

/// The magic number of the file in which something is.
fn magic_of(needed: &'static str) -> u32 {
    if needed == IMAGES { IMAGES_MAGIC } else { LABELS_MAGIC }
}

/// Why an IDX file with this magic number is none of what is needed.
fn misfit(magic: u32, needed: &'static str) -> IdxFault {
    let [_, _, kind, found] = magic.to_be_bytes();
    let expected = if needed == IMAGES { "3, or 4 with channels" } else { "1" };
    match (magic, numbers(kind)) {
        (IMAGES_MAGIC | CHANNELS_MAGIC, _) => IdxFault::OtherContent { found: IMAGES, needed },
        (LABELS_MAGIC, _) => IdxFault::OtherContent { found: LABELS, needed },
        (QMNIST_MAGIC, _) if needed == IMAGES => {
            IdxFault::OtherContent { found: "32-bit integers in rows, such as QMNIST's labels", needed }
        }
        (_, Some(found)) if kind != BYTES => IdxFault::NumberType { found, needed },
        _ => IdxFault::DimensionCount { found, needed, expected },
    }
}

/// Bytes in memory can be read: what fails is the decompressor.
fn failed(source: io::Error) -> IdxFault {
    match source.kind() {
        io::ErrorKind::UnexpectedEof => IdxFault::Truncated,
        _ => IdxFault::Gzip { reason: one_line(source) },
    }
}

/// The number that an IDX file begins with; what begins otherwise is refused by its name.
fn read_magic(input: &mut Unpacked<'_>, needed: &'static str) -> Result<u32, IdxFault> {
    let mut start = Vec::new();
    input.by_ref().take(4).read_to_end(&mut start).map_err(failed)?;
    if let &[0, 0, kind, dimensions] = &start[..]
        && numbers(kind).is_some()
    {
        return Ok(u32::from_be_bytes([0, 0, kind, dimensions]));
    }
    input.by_ref().take(content::LOOKED_AT as u64).read_to_end(&mut start).map_err(failed)?;
    if matches!(input, Unpacked::Gzip(_)) && start.starts_with(&gzip::MAGIC) {
        return Err(IdxFault::GzipTwice);
    }
    if let Some(found) = content::recognise(&start) {
        return Err(IdxFault::Foreign { found });
    }
    let found = u32::from_be_bytes(*start.first_chunk().ok_or(IdxFault::Truncated)?);
    Err(IdxFault::Magic { found, needed, expected: magic_of(needed) })
}

/// The dimensions of a header.
fn read_words<const D: usize>(input: &mut Unpacked<'_>) -> Result<[u32; D], IdxFault> {
    let mut words = [[0; 4]; D];
    input.read_exact(words.as_flattened_mut()).map_err(failed)?;
    Ok(words.map(u32::from_be_bytes))
}

/// Exactly as many bytes as the product of the dimensions, after which nothing may come but padding.
fn read_content(input: &mut Unpacked<'_>, dimensions: &[u32]) -> Result<Vec<u8>, IdxFault> {
    let declared = dimensions.iter().fold(1_u64, |product, &d| product.saturating_mul(d.into()));
    if declared > CONTENT_LIMIT {
        return Err(IdxFault::TooLarge { limit: CONTENT_LIMIT });
    }
    // The buffer grows with what is there, not with what is declared. The one byte more shows trailing content, and
    // makes the gzip decoder reach its checksum.
    let mut content = Vec::new();
    input.by_ref().take(declared + 1).read_to_end(&mut content).map_err(failed)?;
    match (content.len() as u64).cmp(&declared) {
        Ordering::Less => Err(IdxFault::Truncated),
        Ordering::Greater => Err(IdxFault::Trailing { declared }),
        Ordering::Equal if gzip::is_padding(input.rest()) => Ok(content),
        Ordering::Equal => Err(IdxFault::GzipTrailing { count: input.rest().len() }),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};
    use proptest::prelude::*;

    use super::*;

    /// Three images of 2 rows and 3 columns whose pixels count up from 0.
    fn images_file() -> Vec<u8> {
        let mut file: Vec<u8> = [IMAGES_MAGIC, 3, 2, 3].iter().flat_map(|word| word.to_be_bytes()).collect();
        file.extend(0..18);
        file
    }

    /// Two images of 3 channels, 2 rows and 2 columns whose values count up from 0.
    fn channels_file() -> Vec<u8> {
        let mut file: Vec<u8> =
            [CHANNELS_MAGIC, 2, 3, 2, 2].iter().flat_map(|word| word.to_be_bytes()).collect();
        file.extend(0..24);
        file
    }

    fn labels_file() -> Vec<u8> {
        let mut file: Vec<u8> = [LABELS_MAGIC, 4].iter().flat_map(|word| word.to_be_bytes()).collect();
        file.extend([7, 2, 1, 0]);
        file
    }

    fn gzip(content: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    fn images(content: &[u8]) -> Result<IdxImages, IdxFault> {
        IdxImages::read(&mut Unpacked::new(content))
    }

    fn labels(content: &[u8]) -> Result<IdxLabels, IdxFault> {
        IdxLabels::read(&mut Unpacked::new(content))
    }

    #[test]
    fn reads_images_and_labels_plain_and_in_gzip() {
        for file in [images_file(), gzip(&images_file())] {
            let images = images(&file).unwrap();
            assert_eq!((images.len(), images.shape), (3, Shape { channels: 1, height: 2, width: 3 }));
            let second = images.image(1).unwrap();
            assert_eq!((second.width(), second.height()), (3, 2));
            assert_eq!(second.pixels(), [6, 7, 8, 9, 10, 11]);
            assert_eq!(
                images.image(3).unwrap_err().to_string(),
                "there is no image 3, the file holds 3 and the first is image 0"
            );
        }
        for file in [channels_file(), gzip(&channels_file())] {
            let images = images(&file).unwrap();
            let second = images.image(1).unwrap();
            assert_eq!((images.len(), second.channels(), second.width(), second.height()), (2, 3, 2, 2));
            assert_eq!(second.pixels(), (12..24).collect::<Vec<u8>>());
        }
        for file in [labels_file(), gzip(&labels_file())] {
            assert_eq!(labels(&file).unwrap().as_slice(), [7, 2, 1, 0]);
        }
    }

    #[test]
    fn every_truncation_is_an_error() {
        for file in [images_file(), channels_file()].into_iter().flat_map(|file| [gzip(&file), file]) {
            for length in 0..file.len() {
                assert!(images(&file[..length]).is_err(), "images of {length} bytes of {}", file.len());
            }
        }
        for file in [labels_file(), gzip(&labels_file())] {
            for length in 0..file.len() {
                assert!(labels(&file[..length]).is_err(), "labels of {length} bytes of {}", file.len());
            }
        }
    }

    #[test]
    fn every_bit_flip_in_the_header_is_an_error() {
        for (whole, words) in [(images_file(), 4), (channels_file(), 5)] {
            for bit in 0..words * 32 {
                let mut file = whole.clone();
                file[bit / 8] ^= 1 << (bit % 8);
                assert!(images(&file).is_err(), "bit {bit}");
            }
        }
        for bit in 0..8 * 8 {
            let mut file = labels_file();
            file[bit / 8] ^= 1 << (bit % 8);
            assert!(labels(&file).is_err(), "bit {bit}");
        }
    }

    /// What gzip's header says of time, system and level is nobody's, and so is the padding; all else is found.
    #[test]
    fn every_bit_flip_in_gzip_is_an_error_or_changes_nothing() {
        let file = gzip(&images_file());
        let mut harmless = Vec::new();
        for bit in 0..file.len() * 8 {
            let mut file = file.clone();
            file[bit / 8] ^= 1 << (bit % 8);
            if let Ok(images) = images(&file) {
                assert_eq!(images.pixels, (0..18).collect::<Vec<u8>>(), "bit {bit}");
                harmless.push(bit / 8);
            }
        }
        let padding = file.len() - 9; // the bits after the last one of the compressed content
        assert!(harmless.iter().all(|byte| (3..10).contains(byte) || *byte == padding), "{harmless:?}");
    }

    /// A million zeros in a thousand bytes: what goes beyond the declared size is not unpacked.
    #[test]
    fn a_decompression_bomb_fills_no_more_than_it_declares() {
        let bomb = |declared: u32| {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
            let header = [LABELS_MAGIC, declared].map(u32::to_be_bytes);
            encoder.write_all(header.as_flattened()).unwrap();
            (0..64).for_each(|_| encoder.write_all(&[0; 1 << 20]).unwrap());
            encoder.finish().unwrap()
        };
        let file = bomb(10);
        assert!(file.len() < 70_000, "{} bytes", file.len());
        let mut input = Unpacked::new(&file);
        let error = IdxLabels::read(&mut input).unwrap_err();
        assert!(matches!(error, IdxFault::Trailing { declared: 10, .. }), "{error}");
        assert!(input.rest().len() > file.len() / 2, "all but {} bytes were unpacked", input.rest().len());

        let file = bomb(u32::MAX);
        let mut input = Unpacked::new(&file);
        let error = IdxLabels::read(&mut input).unwrap_err();
        assert!(matches!(error, IdxFault::TooLarge { limit: CONTENT_LIMIT, .. }), "{error}");
        assert!(input.rest().len() > file.len() / 2, "all but {} bytes were unpacked", input.rest().len());
    }

    #[test]
    fn trailing_bytes_are_an_error() {
        let mut plain = images_file();
        plain.push(0);
        assert!(matches!(images(&plain), Err(IdxFault::Trailing { declared: 18, .. })));
        assert!(matches!(images(&gzip(&plain)), Err(IdxFault::Trailing { declared: 18, .. })));

        // A second gzip member continues the first, so it is trailing content too.
        let two_members = [gzip(&images_file()), gzip(&[0])].concat();
        assert!(matches!(images(&two_members), Err(IdxFault::Trailing { .. })));
    }

    #[test]
    fn a_wrong_gzip_checksum_is_an_error() {
        let mut file = gzip(&images_file());
        let checksum = file.len() - 8;
        file[checksum] ^= 1;
        assert!(matches!(images(&file), Err(IdxFault::Gzip { .. })));
    }

    /// A header of this magic number and these dimensions, and that many zeros.
    fn idx(magic: u32, dimensions: &[u32], bytes: usize) -> Vec<u8> {
        let header = [&[magic], dimensions].concat();
        [header.into_iter().flat_map(u32::to_be_bytes).collect(), vec![0; bytes]].concat()
    }

    #[test]
    fn what_is_none_is_refused_by_name() {
        let refused = |images_needed: bool, file: &[u8], message: &str| {
            let error = if images_needed { images(file).unwrap_err() } else { labels(file).unwrap_err() };
            assert!(error.to_string().contains(message), "{error}, not {message}");
        };
        for needed in [true, false] {
            refused(needed, b"PK\x03\x04 and more", "no IDX file, but a ZIP archive");
            refused(needed, b"<!DOCTYPE html><html>", "an HTML page");
            refused(needed, b"5,0,0,12\n7,0,1,1\n", "a CSV file");
            refused(needed, b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer");
            refused(needed, b"", "an empty file");
            refused(needed, &gzip(b"<html>"), "an HTML page");
            refused(needed, &gzip(&gzip(&images_file())), "unpack it once");
            refused(needed, &idx(0x0c03, &[1, 1, 1], 4), "32-bit integers (type 0x0c), where");
            refused(needed, &idx(0x0d03, &[1, 1, 1], 4), "32-bit floats (type 0x0d), where");
            refused(needed, &idx(0x0805, &[1, 1, 1, 1, 1], 1), "an IDX file of 5 dimensions, where");
            refused(needed, b"\x01\x02\x03\x04", "it begins with 0x01020304");
        }
        refused(true, &labels_file(), "an IDX file of labels, where one of images is needed");
        refused(false, &images_file(), "an IDX file of images, where one of labels is needed");
        refused(false, &channels_file(), "an IDX file of images, where one of labels is needed");
        refused(true, &idx(0x0802, &[1, 1], 1), "where one of images has 3, or 4 with channels");
        refused(true, &idx(0x0c02, &[1, 8], 32), "QMNIST's labels, where one of images is needed");
        refused(false, &idx(0x0c02, &[1, 4], 16), "32-bit integers (type 0x0c), where labels are bytes");
    }

    #[test]
    fn qmnist_has_the_class_first() {
        let mut file = idx(QMNIST_MAGIC, &[2, 8], 64);
        (file[12 + 3], file[12 + 32 + 3], file[12 + 7]) = (9, 4, 77);
        assert_eq!(labels(&gzip(&file)).unwrap().as_slice(), [9, 4]);
        assert!(matches!(labels(&file[..75]), Err(IdxFault::Truncated)));
        file[12 + 32 + 2] = 1;
        assert_eq!(
            labels(&file).unwrap_err().to_string(),
            "label 260 of image 1, where labels are numbers from 0 to 255"
        );
    }

    #[test]
    fn labels_are_as_many_as_images_and_each_a_class() {
        let labels = IdxLabels::from_bytes(&labels_file()).unwrap();
        labels.check(4, 8).unwrap();
        assert_eq!(labels.check(3, 8).unwrap_err().to_string(), "4 labels for 3 images");
        assert_eq!(
            labels.check(4, 7).unwrap_err().to_string(),
            "label 7 of image 0, where the model has 7 classes and the first is class 0"
        );
    }

    #[test]
    fn padding_after_gzip_is_passed_over_and_counted() {
        let file = gzip(&images_file());
        for padding in [&[0; 1][..], &[0; 1000], b"\n", b"\r\n"] {
            let images = images(&[&file, padding].concat()).unwrap();
            assert_eq!((images.len(), images.padding()), (3, padding.len()));
            let labels = labels(&[&gzip(&labels_file()), padding].concat()).unwrap();
            assert_eq!((labels.as_slice().len(), labels.padding()), (4, padding.len()));
        }
        assert_eq!(images(&file).unwrap().padding(), 0);
        for other in [&b"\n\n"[..], b"x", &[0, 0, 1], b"\0\n"] {
            let error = images(&[&file, other].concat()).unwrap_err().to_string();
            assert!(error.starts_with(&format!("{} trailing bytes", other.len())), "{error}");
        }
    }

    #[test]
    fn hostile_dimensions_are_refused() {
        let header = |count: u32, rows: u32, columns: u32| -> Vec<u8> {
            [IMAGES_MAGIC, count, rows, columns].iter().flat_map(|word| word.to_be_bytes()).collect()
        };
        let limit = CONTENT_LIMIT;
        for (count, rows, columns) in
            [(u32::MAX, u32::MAX, u32::MAX), (1 << 20, 1 << 10, 2), (1 << 28 | 1, 1, 1)]
        {
            let result = images(&header(count, rows, columns));
            assert!(matches!(result, Err(IdxFault::TooLarge { limit: l, .. }) if l == limit));
        }
        assert!(matches!(images(&header(u32::MAX, 0, 28)), Err(IdxFault::Dimensions { rows: 0, .. })));
        let channels = |dimensions: [u32; 4], bytes| images(&idx(CHANNELS_MAGIC, &dimensions, bytes));
        assert!(matches!(channels([u32::MAX; 4], 0), Err(IdxFault::TooLarge { .. })));
        assert!(matches!(channels([1 << 20, 16, 1 << 10, 2], 0), Err(IdxFault::TooLarge { .. })));
        assert!(matches!(channels([9, 3, 0, 28], 0), Err(IdxFault::Dimensions { rows: 0, .. })));
        assert!(matches!(channels([u32::MAX, 0, 1, 1], 0), Err(IdxFault::Channels { found: 0 })));
        let error = channels([1, 17, 1, 1], 17).unwrap_err().to_string();
        assert_eq!(error, "the IDX images have 17 channels, expected 1 to 16");
        // Within the limit, but nothing there: refused for what is missing, without room being made for it.
        assert!(matches!(images(&header(1 << 28, 1, 1)), Err(IdxFault::Truncated)));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = images(&bytes);
            let _ = labels(&bytes);
            let _ = images(&[&images_file()[..4], &bytes].concat());
            let _ = images(&[&channels_file()[..4], &bytes].concat());
            let _ = images(&[&gzip::MAGIC[..], &bytes].concat());
        }
    }
}
