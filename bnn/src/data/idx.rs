//! IDX, the format of the MNIST files (LeCun, Cortes, Burges: <http://yann.lecun.com/exdb/mnist/>).
//!
//! ```text
//! images: 0x00000803 | count | rows | columns | count * rows * columns bytes, row-major, 0 black to 255 white
//! labels: 0x00000801 | count | count bytes
//! ```
//!
//! Header words are big-endian `u32`. A file may be compressed with gzip, which its first two bytes show.

use std::io::{self, BufRead, Read};

use flate2::bufread::MultiGzDecoder;

use super::{fault::IdxFault, grey_image::GreyImage};
use crate::{error::Result, text::one_line};

const IMAGES_MAGIC: u32 = 0x0000_0803;
const LABELS_MAGIC: u32 = 0x0000_0801;

/// How files in gzip start (RFC 1952).
pub(super) const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// The largest content that is read, in bytes. MNIST's training images are 47 MB; and gzip makes a thousand bytes of one,
/// so that 256 KB can fill this.
const CONTENT_LIMIT: u64 = 1 << 28;

/// The images of an IDX file, all of one size.
#[derive(Debug)]
pub struct IdxImages {
    rows: usize,
    columns: usize,
    /// `len() * rows * columns` grey values.
    pixels: Vec<u8>,
}

impl IdxImages {
    /// Reads the images of an IDX file, plain or in gzip.
    ///
    /// # Errors
    /// [`IdxFault`] for bytes that are no IDX file of images, declare more than 256 MiB of pixels or none an image,
    /// or hold less or more than they declare.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        Ok(Self::read(bytes)?)
    }

    fn read(input: impl BufRead) -> Result<Self, IdxFault> {
        let ([count, rows, columns], pixels) = read_idx(input, IMAGES_MAGIC)?;
        // Also keeps the number of images below the number of bytes that were there to read.
        if rows == 0 || columns == 0 {
            return Err(IdxFault::Dimensions { rows, columns });
        }
        debug_assert_eq!(pixels.len() as u64, [count, rows, columns].map(u64::from).iter().product::<u64>());
        Ok(Self { rows: rows as usize, columns: columns as usize, pixels })
    }

    /// The number of images.
    pub fn len(&self) -> usize {
        self.pixels.len() / (self.rows * self.columns)
    }

    /// Whether the file holds no image.
    pub fn is_empty(&self) -> bool {
        self.pixels.is_empty()
    }

    /// The image with this index, the first being 0.
    ///
    /// # Errors
    /// [`IdxFault::Index`] where `index` is not below [`len`](Self::len).
    pub fn image(&self, index: usize) -> Result<GreyImage> {
        let pixels = self
            .pixels
            .chunks_exact(self.rows * self.columns)
            .nth(index)
            .ok_or_else(|| IdxFault::Index { index, count: self.len() })?;
        GreyImage::new(self.columns, self.rows, pixels.into())
    }
}

/// The labels of an IDX file: the class of each image, in the images' order.
#[derive(Debug)]
pub struct IdxLabels {
    labels: Vec<u8>,
}

impl IdxLabels {
    /// Reads the labels of an IDX file, plain or in gzip.
    ///
    /// # Errors
    /// [`IdxFault`] for bytes that are no IDX file of labels, declare more than 256 MiB of them, or hold less or more
    /// than they declare.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        Ok(Self::read(bytes)?)
    }

    fn read(input: impl BufRead) -> Result<Self, IdxFault> {
        let ([_count], labels) = read_idx(input, LABELS_MAGIC)?;
        Ok(Self { labels })
    }

    /// The labels, one an image.
    pub fn as_slice(&self) -> &[u8] {
        &self.labels
    }
}

/// Reads an IDX file of bytes with `D` dimensions: its dimensions and exactly as many bytes as their product.
fn read_idx<const D: usize>(mut input: impl BufRead, magic: u32) -> Result<([u32; D], Vec<u8>), IdxFault> {
    // Bytes in memory can be read: what fails is the decompressor.
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::UnexpectedEof => IdxFault::Truncated,
        _ => IdxFault::Gzip { reason: one_line(source) },
    };

    let mut input: Box<dyn Read + '_> = if input.fill_buf().map_err(failed)?.starts_with(&GZIP_MAGIC) {
        Box::new(MultiGzDecoder::new(input))
    } else {
        Box::new(input)
    };

    let mut word = || -> Result<u32, IdxFault> {
        let mut bytes = [0; 4];
        input.read_exact(&mut bytes).map_err(failed)?;
        Ok(u32::from_be_bytes(bytes))
    };
    let found = word()?;
    if found != magic {
        return Err(IdxFault::Magic { found, expected: magic });
    }
    let mut dimensions = [0; D];
    for dimension in &mut dimensions {
        *dimension = word()?;
    }

    let declared = dimensions.iter().fold(1_u64, |product, &d| product.saturating_mul(d.into()));
    if declared > CONTENT_LIMIT {
        return Err(IdxFault::TooLarge { limit: CONTENT_LIMIT });
    }
    // The buffer grows with what is there, not with what is declared. The one byte more shows trailing content, and
    // makes the gzip decoder reach its checksum.
    let mut content = Vec::new();
    input.take(declared + 1).read_to_end(&mut content).map_err(failed)?;
    match (content.len() as u64).cmp(&declared) {
        std::cmp::Ordering::Less => Err(IdxFault::Truncated),
        std::cmp::Ordering::Equal => Ok((dimensions, content)),
        std::cmp::Ordering::Greater => Err(IdxFault::Trailing { declared }),
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
        IdxImages::read(content)
    }

    fn labels(content: &[u8]) -> Result<IdxLabels, IdxFault> {
        IdxLabels::read(content)
    }

    #[test]
    fn reads_images_and_labels_plain_and_in_gzip() {
        for file in [images_file(), gzip(&images_file())] {
            let images = images(&file).unwrap();
            assert_eq!((images.len(), images.rows, images.columns), (3, 2, 3));
            let second = images.image(1).unwrap();
            assert_eq!((second.width(), second.height()), (3, 2));
            assert_eq!(second.pixels(), [6, 7, 8, 9, 10, 11]);
            assert_eq!(
                images.image(3).unwrap_err().to_string(),
                "there is no image 3, the file holds 3 and the first is image 0"
            );
        }
        for file in [labels_file(), gzip(&labels_file())] {
            assert_eq!(labels(&file).unwrap().as_slice(), [7, 2, 1, 0]);
        }
    }

    #[test]
    fn every_truncation_is_an_error() {
        for file in [images_file(), gzip(&images_file())] {
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
        for bit in 0..16 * 8 {
            let mut file = images_file();
            file[bit / 8] ^= 1 << (bit % 8);
            assert!(images(&file).is_err(), "bit {bit}");
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
        let mut rest = &file[..];
        let error = IdxLabels::read(&mut rest).unwrap_err();
        assert!(matches!(error, IdxFault::Trailing { declared: 10, .. }), "{error}");
        assert!(rest.len() > file.len() / 2, "all but {} bytes were unpacked", rest.len());

        let file = bomb(u32::MAX);
        let mut rest = &file[..];
        let error = IdxLabels::read(&mut rest).unwrap_err();
        assert!(matches!(error, IdxFault::TooLarge { limit: CONTENT_LIMIT, .. }), "{error}");
        assert!(rest.len() > file.len() / 2, "all but {} bytes were unpacked", rest.len());
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

    #[test]
    fn labels_are_not_images() {
        assert_eq!(
            images(&labels_file()).unwrap_err().to_string(),
            "the IDX magic number is 0x00000801, expected 0x00000803"
        );
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
        // Within the limit, but nothing there: refused for what is missing, without room being made for it.
        assert!(matches!(images(&header(1 << 28, 1, 1)), Err(IdxFault::Truncated)));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = images(&bytes);
            let _ = labels(&bytes);
            let _ = images(&[&images_file()[..4], &bytes].concat());
            let _ = images(&[&GZIP_MAGIC[..], &bytes].concat());
        }
    }
}
