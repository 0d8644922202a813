//! A grey picture, and its files: PNG, BMP, or one image of an IDX file.
//!
//! Grey values go from 0, black, to 255, white, and a model expects its digits as MNIST has them: white on black.
//! Nothing is inverted, scaled or cropped on the way.

use std::{
    fs::File,
    io::{BufRead, BufReader, Seek},
    path::Path,
};

use image::{ImageFormat, ImageReader, Limits};

use super::idx::{GZIP_MAGIC, IdxImages};
use crate::{Error, Result};

/// The most pixels along one side of a PNG or BMP that is decoded: far more than networks read, and few enough
/// that a hostile header cannot make the decoder ask for much memory.
const SIDE_LIMIT: u32 = 2048;

/// The most memory the PNG or BMP decoder may use, in bytes: the largest image at 4 channels of 16 bits.
const DECODER_LIMIT: u64 = SIDE_LIMIT as u64 * SIDE_LIMIT as u64 * 8;

/// A grey picture.
#[derive(Debug, Clone)]
pub struct GreyImage {
    origin: String,
    width: usize,
    height: usize,
    /// `width * height` grey values, row-major.
    pixels: Vec<u8>,
}

impl GreyImage {
    /// A picture of `width * height` grey values, row-major; `origin` says in messages where it came from.
    ///
    /// # Errors
    /// [`Error::PixelCount`] where `pixels` are not `width * height`.
    pub fn new(origin: String, width: usize, height: usize, pixels: Vec<u8>) -> Result<Self> {
        if width.checked_mul(height) != Some(pixels.len()) {
            return Err(Error::PixelCount { origin, found: pixels.len(), width, height });
        }
        Ok(Self { origin, width, height, pixels })
    }

    /// Loads a picture from a PNG or BMP file (`index` is `None`), or image `index` of an IDX file.
    ///
    /// The format is recognised by the content. Colours become their luma (Rec. 709) and transparency is ignored.
    ///
    /// # Errors
    /// The file cannot be read or decoded, is in no known format, is larger than 2048 pixels a side, or
    /// `index` is missing, superfluous or out of range.
    pub fn load(path: &Path, index: Option<usize>) -> Result<Self> {
        let failed = |source| Error::Read { path: path.into(), source };
        let mut file = BufReader::new(File::open(path).map_err(failed)?);
        let start = file.fill_buf().map_err(failed)?;

        let format = if start.starts_with(b"\x89PNG\r\n\x1a\n") {
            ImageFormat::Png
        } else if start.starts_with(b"BM") {
            ImageFormat::Bmp
        } else if start.starts_with(&GZIP_MAGIC) || start.starts_with(&[0, 0]) {
            let images = IdxImages::open(path)?;
            let index =
                index.ok_or_else(|| Error::IndexMissing { path: path.into(), count: images.len() })?;
            return images.image(index);
        } else {
            return Err(Error::ImageFormat { path: path.into() });
        };
        if index.is_some() {
            return Err(Error::IndexUnexpected { path: path.into() });
        }
        Self::decode(path, file, format)
    }

    /// Decodes the PNG or BMP file at `path`, already open.
    fn decode(path: &Path, file: impl BufRead + Seek, format: ImageFormat) -> Result<Self> {
        let mut limits = Limits::default();
        limits.max_image_width = Some(SIDE_LIMIT);
        limits.max_image_height = Some(SIDE_LIMIT);
        limits.max_alloc = Some(DECODER_LIMIT);
        let mut reader = ImageReader::with_format(file, format);
        reader.limits(limits);

        let image = reader
            .decode()
            .map_err(|source| Error::ImageDecode { path: path.into(), source: source.into() })?
            .into_luma8();
        let (width, height) = image.dimensions();
        Self::new(path.display().to_string(), width as usize, height as usize, image.into_raw())
    }

    /// Where the picture came from, for messages: its file and, of an IDX file, its index.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Width, in pixels.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Height, in pixels.
    pub fn height(&self) -> usize {
        self.height
    }

    /// The `width * height` grey values, row-major.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// The picture as text for a terminal, a character for two pixels one above the other; grey from 128 up is
    /// drawn. Each line ends with a line feed.
    pub fn to_half_blocks(&self) -> String {
        let drawn = |x: usize, y: usize| y < self.height && self.pixels[y * self.width + x] >= 128;
        let mut text = String::new();
        for y in (0..self.height).step_by(2) {
            text.extend((0..self.width).map(|x| match (drawn(x, y), drawn(x, y + 1)) {
                (false, false) => ' ',
                (true, false) => '▀',
                (false, true) => '▄',
                (true, true) => '█',
            }));
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::{fs, path::PathBuf};

    use image::{GrayImage, RgbImage};
    use tempfile::TempDir;

    use super::*;

    /// A 3 x 2 picture counting up by 40, written to `name` in a new folder in the format of its extension.
    fn saved(name: &str) -> (TempDir, PathBuf) {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join(name);
        GrayImage::from_raw(3, 2, vec![0, 40, 80, 120, 160, 200]).unwrap().save(&path).unwrap();
        (folder, path)
    }

    #[test]
    fn png_and_bmp_round_trip_whatever_they_are_called() {
        for name in ["digit.png", "digit.bmp"] {
            let (folder, path) = saved(name);
            let renamed = folder.path().join("digit");
            fs::rename(&path, &renamed).unwrap();
            let image = GreyImage::load(&renamed, None).unwrap();
            assert_eq!((image.width(), image.height()), (3, 2));
            assert_eq!(image.pixels(), [0, 40, 80, 120, 160, 200]);
            assert_eq!(image.origin(), renamed.display().to_string());
            assert!(matches!(GreyImage::load(&renamed, Some(0)), Err(Error::IndexUnexpected { .. })));
        }
    }

    #[test]
    fn colour_becomes_luma() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("colour.png");
        RgbImage::from_raw(2, 1, vec![255, 255, 255, 0, 255, 0]).unwrap().save(&path).unwrap();
        let image = GreyImage::load(&path, None).unwrap();
        assert_eq!(image.pixels()[0], 255);
        assert!((180..=184).contains(&image.pixels()[1]), "0.7152 of 255, not {}", image.pixels()[1]);
    }

    #[test]
    fn idx_takes_an_index() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("images");
        fs::write(&path, [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2, 3, 4]).unwrap();
        assert_eq!(GreyImage::load(&path, Some(1)).unwrap().pixels(), [3, 4]);
        assert!(matches!(GreyImage::load(&path, Some(2)), Err(Error::ImageIndex { index: 2, count: 2, .. })));
        assert!(matches!(GreyImage::load(&path, None), Err(Error::IndexMissing { count: 2, .. })));
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("digit.png");
        assert!(matches!(GreyImage::load(&path, None), Err(Error::Read { .. })));
        for content in [&b""[..], b"GIF89a", b"B"] {
            fs::write(&path, content).unwrap();
            assert!(matches!(GreyImage::load(&path, None), Err(Error::ImageFormat { .. })));
        }
    }

    #[test]
    fn every_truncation_is_an_error() {
        for name in ["digit.png", "digit.bmp"] {
            let (_folder, path) = saved(name);
            let content = fs::read(&path).unwrap();
            // The last chunk of a PNG, IEND, carries nothing: a decoder may do without it.
            let needed = if name == "digit.png" { content.len() - 12 } else { content.len() };
            for length in 0..needed {
                fs::write(&path, &content[..length]).unwrap();
                assert!(GreyImage::load(&path, None).is_err(), "{name} of {length} bytes");
            }
        }
    }

    /// In a PNG, checksums find a flipped bit wherever it is needed; in a BMP, it is an error or some picture.
    #[test]
    fn every_bit_flip_is_an_error_or_a_picture_within_the_limits() {
        for name in ["digit.png", "digit.bmp"] {
            let (_folder, path) = saved(name);
            let content = fs::read(&path).unwrap();
            for bit in 0..content.len() * 8 {
                let mut content = content.clone();
                content[bit / 8] ^= 1 << (bit % 8);
                fs::write(&path, &content).unwrap();
                match GreyImage::load(&path, None) {
                    Ok(image) if name == "digit.png" => {
                        assert!(
                            bit / 8 >= content.len() - 12,
                            "bit {bit}: only IEND may be without its checksum"
                        );
                        assert_eq!(image.pixels(), [0, 40, 80, 120, 160, 200]);
                    }
                    Ok(image) => assert_eq!(image.pixels().len(), image.width() * image.height()),
                    Err(error) => {
                        assert!(!error.to_string().contains(char::is_control), "bit {bit}: {error}")
                    }
                }
            }
        }
    }

    /// 2^31 - 1 by 2^31 - 1 pixels with the right checksum, and the largest picture there is from some kilobytes.
    #[test]
    fn the_size_of_a_png_is_bounded_before_anything_is_unpacked() {
        let (_folder, path) = saved("digit.png");
        let mut content = fs::read(&path).unwrap();
        content[16..24].copy_from_slice(&[0x7f, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff]);
        let checksum = crc32(&content[12..29]);
        content[29..33].copy_from_slice(&checksum.to_be_bytes());
        fs::write(&path, &content).unwrap();
        let error = GreyImage::load(&path, None).unwrap_err();
        assert!(error.to_string().contains("size exceeds limit"), "{error}");

        image::DynamicImage::new_rgba16(SIDE_LIMIT, SIDE_LIMIT).save(&path).unwrap();
        assert!(path.metadata().unwrap().len() < 200_000);
        assert_eq!(GreyImage::load(&path, None).unwrap().pixels().len(), 2048 * 2048);
    }

    /// The checksum of PNG's chunks (ISO 15948, annex D).
    fn crc32(bytes: &[u8]) -> u32 {
        let shift = |crc: u32| if crc & 1 == 1 { 0xedb8_8320 ^ crc >> 1 } else { crc >> 1 };
        !bytes.iter().fold(u32::MAX, |crc, &byte| (0..8).fold(crc ^ u32::from(byte), |crc, _| shift(crc)))
    }

    #[test]
    fn a_hostile_header_is_refused() {
        let (_folder, path) = saved("digit.bmp");
        let mut content = fs::read(&path).unwrap();
        // Width and height of the BITMAPINFOHEADER.
        content[18..22].copy_from_slice(&0x7fff_ffff_i32.to_le_bytes());
        content[22..26].copy_from_slice(&0x7fff_ffff_i32.to_le_bytes());
        fs::write(&path, &content).unwrap();
        let error = GreyImage::load(&path, None).unwrap_err();
        assert!(matches!(error, Error::ImageDecode { .. }));
        assert!(!error.to_string().contains('\n'));
    }

    #[test]
    fn the_largest_side_is_read_and_no_larger() {
        let folder = TempDir::new().unwrap();
        for (name, (width, height), read) in [
            ("widest.png", (SIDE_LIMIT, 1), true),
            ("wide.png", (SIDE_LIMIT + 1, 1), false),
            ("high.bmp", (1, SIDE_LIMIT + 1), false),
        ] {
            let path = folder.path().join(name);
            GrayImage::new(width, height).save(&path).unwrap();
            assert_eq!(GreyImage::load(&path, None).is_ok(), read, "{name}");
        }
    }

    #[test]
    fn pixels_must_fill_the_size() {
        let error = GreyImage::new("mine".into(), 3, 2, vec![0; 5]).unwrap_err();
        assert_eq!(error.to_string(), "mine: 5 pixels for an image of 3 x 2");
        assert!(GreyImage::new("mine".into(), usize::MAX, 2, vec![]).is_err());
    }

    #[test]
    fn half_blocks_show_two_rows_a_line() {
        let image = GreyImage::new("mine".into(), 2, 3, vec![0, 255, 128, 255, 127, 128]).unwrap();
        assert_eq!(image.to_half_blocks(), "▄█\n ▀\n");
    }
}
