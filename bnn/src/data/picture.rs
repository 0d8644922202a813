//! Pictures in files: PNG, BMP, or one image of an IDX file.
//!
//! Nothing is inverted, scaled or cropped on the way. For a model of one channel, colours become their luma (Rec. 709), and
//! [transparency](super::transparency) is read as ink where it alone draws the picture. For a model of three channels, red, green
//! and blue are the channels, and a picture with transparency is refused.

use std::{
    borrow::Cow,
    error::Error,
    io::{Cursor, ErrorKind},
};

use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, ImageResult, Limits};

use super::{fault::PictureFault, idx::IdxImages, image::Image, transparency};
use crate::{content, error::Result, text::one_line};

/// The most pixels of a PNG or BMP that is decoded: what a camera of 16 megapixels gives, and few enough that a hostile
/// header cannot make the decoder ask for much memory.
const MOST_PIXELS: usize = 1 << 24;

/// The most memory the PNG or BMP decoder may use, in bytes: the largest picture at 4 channels of 16 bits.
const DECODER_LIMIT: u64 = MOST_PIXELS as u64 * 8;

/// A picture in a file, of which the header was read.
#[derive(Debug)]
pub struct Picture<'a> {
    width: usize,
    height: usize,
    content: Content<'a>,
}

#[derive(Debug)]
enum Content<'a> {
    /// The bytes of the file.
    Coded(ImageFormat, Cow<'a, [u8]>),
    Decoded(Image),
}

impl<'a> Picture<'a> {
    /// Reads the header of a PNG or BMP file (`index` is `None`), or image `index` of an IDX file. The format is recognised
    /// by the content.
    ///
    /// # Errors
    /// [`PictureFault`] for bytes in no known format or without a header, and where `index` is missing or superfluous;
    /// [`IdxFault`](super::IdxFault) for an IDX file that is malformed or has no such image.
    pub fn open(bytes: impl Into<Cow<'a, [u8]>>, index: Option<usize>) -> Result<Self> {
        let bytes = bytes.into();
        let format = if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
            ImageFormat::Png
        } else if bytes.starts_with(b"BM") {
            ImageFormat::Bmp
        } else if IdxImages::recognise(&bytes) {
            let images = IdxImages::from_bytes(&bytes)?;
            let index = index.ok_or(PictureFault::IndexMissing { count: images.len() })?;
            return Ok(images.image(index)?.into());
        } else {
            let foreign = content::recognise(&bytes).map(|found| PictureFault::Foreign { found });
            return Err(foreign.unwrap_or(PictureFault::Format).into());
        };
        if index.is_some() {
            return Err(PictureFault::IndexUnexpected.into());
        }
        let (width, height) = match declared_sides(&bytes).filter(|&sides| !is_decoded(sides)) {
            Some(sides) => sides,
            None => {
                let decoder = decoder(format, &bytes).map_err(|error| fault_of(error, bytes.len()))?;
                let (width, height) = decoder.dimensions();
                (width as usize, height as usize)
            }
        };
        Ok(Self { width, height, content: Content::Coded(format, bytes) })
    }

    /// Width, in pixels.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// Height, in pixels.
    pub(crate) fn height(&self) -> usize {
        self.height
    }

    /// Refuses a picture of more pixels than are decoded.
    pub(crate) fn check_pixels(&self) -> Result<()> {
        let (width, height) = (self.width, self.height);
        if is_decoded((width, height)) {
            return Ok(());
        }
        Err(PictureFault::TooLarge { width, height, limit: MOST_PIXELS }.into())
    }

    /// Decodes the pixels of a PNG or BMP file as so many channels: 1, grey, or 3, red, green and blue. A picture of an IDX file
    /// has the channels that it has.
    ///
    /// # Errors
    /// [`PictureFault`] for a file that cannot be decoded, has more than 2^24 pixels, is drawn by colours and by transparency
    /// both, or for another number of channels.
    pub fn decode(&self, channels: usize) -> Result<Image> {
        let (width, height) = (self.width, self.height);
        let (format, bytes) = match &self.content {
            Content::Coded(format, bytes) => (*format, bytes),
            Content::Decoded(image) => return Ok(image.clone()),
        };
        let pixels = match channels {
            1 => transparency::grey,
            3 => transparency::colours,
            _ => return Err(PictureFault::OtherChannels { expected: channels }.into()),
        };
        self.check_pixels()?;
        let image = decoder(format, bytes)
            .and_then(DynamicImage::from_decoder)
            .map_err(|error| fault_of(error, bytes.len()))?;
        Image::new(channels, width, height, pixels(image)?)
    }
}

impl Image {
    /// Decodes a PNG or BMP file (`index` is `None`) as grey, or image `index` of an IDX file with the channels that it has.
    /// [`Picture::decode`] also gives colours.
    ///
    /// # Errors
    /// As [`Picture::open`] and [`Picture::decode`].
    pub fn decode(bytes: &[u8], index: Option<usize>) -> Result<Self> {
        Picture::open(bytes, index)?.decode(1)
    }
}

impl From<Image> for Picture<'_> {
    fn from(image: Image) -> Self {
        let (width, height) = (image.width(), image.height());
        Self { width, height, content: Content::Decoded(image) }
    }
}

/// Whether a picture of this width and height is decoded.
fn is_decoded((width, height): (usize, usize)) -> bool {
    width.checked_mul(height).is_some_and(|pixels| pixels <= MOST_PIXELS)
}

/// The sides that the header of a PNG declares, where its place is: of the greatest, the decoder says no more than that it has no
/// memory for a line.
fn declared_sides(bytes: &[u8]) -> Option<(usize, usize)> {
    let header = bytes.get(12..24).filter(|header| header.starts_with(b"IHDR"))?;
    let side = |at: usize| header[at..].first_chunk().map(|&side| u32::from_be_bytes(side) as usize);
    Some((side(4)?, side(8)?))
}

/// A decoder that has read the header of a file.
fn decoder(format: ImageFormat, bytes: &[u8]) -> ImageResult<impl ImageDecoder> {
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(DECODER_LIMIT);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    reader.into_decoder()
}

/// Why the decoder refused a file of `length` bytes.
fn fault_of(error: ImageError, length: usize) -> PictureFault {
    match error {
        ImageError::IoError(error) if error.kind() == ErrorKind::UnexpectedEof => {
            PictureFault::Truncated { length }
        }
        ImageError::Unsupported(error) => PictureFault::Unsupported { reason: one_line(error) },
        // What is underneath says it without a "Format error decoding".
        ImageError::Decoding(error) => {
            let reason = error.source().map_or_else(|| one_line(&error), one_line);
            // Where it was, the PNG decoder tells in the notation of its own source.
            let reason = reason.split_once(" while decoding ").map_or(&*reason, |(cause, _)| cause).into();
            PictureFault::Decode { reason }
        }
        error => PictureFault::Decode { reason: one_line(error) },
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use image::{DynamicImage, GrayImage, RgbImage};

    use super::{super::fault::IdxFault, *};
    use crate::error::Error;

    const FORMATS: [ImageFormat; 2] = [ImageFormat::Png, ImageFormat::Bmp];

    fn encoded(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        image.into().write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    /// A 3 x 2 picture counting up by 40.
    fn file(format: ImageFormat) -> Vec<u8> {
        encoded(GrayImage::from_raw(3, 2, vec![0, 40, 80, 120, 160, 200]).unwrap(), format)
    }

    fn fault(result: Result<Image>) -> PictureFault {
        match result.unwrap_err() {
            Error::Picture(fault) => fault,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn png_and_bmp_round_trip() {
        for format in FORMATS {
            let image = Image::decode(&file(format), None).unwrap();
            assert_eq!((image.width(), image.height()), (3, 2));
            assert_eq!(image.pixels(), [0, 40, 80, 120, 160, 200]);
            assert_eq!(fault(Image::decode(&file(format), Some(0))), PictureFault::IndexUnexpected);
        }
    }

    #[test]
    fn a_wrong_checksum_is_told_in_words() {
        let mut png = file(ImageFormat::Png);
        png[29] ^= 1;
        let error = Image::decode(&png, None).unwrap_err().to_string();
        assert!(error.contains("CRC error") && !error.contains("ChunkType"), "{error}");
    }

    #[test]
    fn colour_becomes_luma() {
        let colour = RgbImage::from_raw(2, 1, vec![255, 255, 255, 0, 255, 0]).unwrap();
        let image = Image::decode(&encoded(colour, ImageFormat::Png), None).unwrap();
        assert_eq!(image.pixels()[0], 255);
        assert!((180..=184).contains(&image.pixels()[1]), "0.7152 of 255, not {}", image.pixels()[1]);
    }

    /// Channel by channel. A grey picture has three equal ones.
    #[test]
    fn colour_becomes_three_channels() {
        let colour = RgbImage::from_raw(2, 1, vec![1, 2, 3, 4, 5, 6]).unwrap();
        for format in FORMATS {
            let file = encoded(colour.clone(), format);
            let image = Picture::open(&file, None).unwrap().decode(3).unwrap();
            assert_eq!((image.channels(), image.width(), image.height()), (3, 2, 1));
            assert_eq!(image.pixels(), [1, 4, 2, 5, 3, 6], "{format:?}");
        }
        let grey = file(ImageFormat::Png);
        let image = Picture::open(&grey, None).unwrap().decode(3).unwrap();
        assert_eq!(image.pixels(), [0, 40, 80, 120, 160, 200].repeat(3));
    }

    #[test]
    fn other_channels_come_from_idx_alone() {
        for channels in [2, 4, 16] {
            let png = file(ImageFormat::Png);
            let refused = Picture::open(&png, None).unwrap().decode(channels);
            assert_eq!(fault(refused), PictureFault::OtherChannels { expected: channels });
        }
        let idx = [0, 0, 8, 4, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2, 3, 4];
        let image = Picture::open(&idx, Some(0)).unwrap().decode(2).unwrap();
        assert_eq!((image.channels(), image.pixels()), (2, &[1, 2, 3, 4][..]));
    }

    #[test]
    fn idx_takes_an_index() {
        let file = [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2, 3, 4];
        assert_eq!(Image::decode(&file, Some(1)).unwrap().pixels(), [3, 4]);
        let beyond = Image::decode(&file, Some(2));
        assert!(matches!(beyond, Err(Error::Idx(IdxFault::Index { index: 2, count: 2 }))));
        assert_eq!(fault(Image::decode(&file, None)), PictureFault::IndexMissing { count: 2 });
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        assert_eq!(fault(Image::decode(&[1, 2], None)), PictureFault::Format);
        for (content, found) in [(&b""[..], "an empty file"), (b"GIF89a", "a GIF picture"), (b"B", "a text")]
        {
            assert_eq!(fault(Image::decode(content, None)), PictureFault::Foreign { found });
        }
    }

    #[test]
    fn every_truncation_is_an_error() {
        for format in FORMATS {
            let content = file(format);
            // The last chunk of a PNG, IEND, carries nothing: a decoder may do without it.
            let needed = if format == ImageFormat::Png { content.len() - 12 } else { content.len() };
            for length in 0..needed {
                let error = Image::decode(&content[..length], None).unwrap_err().to_string();
                // Below, what its format is does not show.
                assert!(
                    length < 8 || error.starts_with("the picture is cut short at byte"),
                    "{format:?}: {error}"
                );
            }
        }
    }

    /// In a PNG, checksums find a flipped bit wherever it is needed; in a BMP, it is an error or some picture.
    #[test]
    fn every_bit_flip_is_an_error_or_a_picture_within_the_limits() {
        for format in FORMATS {
            let content = file(format);
            for bit in 0..content.len() * 8 {
                let mut content = content.clone();
                content[bit / 8] ^= 1 << (bit % 8);
                match Image::decode(&content, None) {
                    Ok(image) if format == ImageFormat::Png => {
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

    /// A PNG of another size than its content has, with the right checksum.
    fn resized(width: u32, height: u32) -> Vec<u8> {
        let mut content = file(ImageFormat::Png);
        content[16..24].copy_from_slice([width, height].map(u32::to_be_bytes).as_flattened());
        let checksum = crc32(&content[12..29]);
        content[29..33].copy_from_slice(&checksum.to_be_bytes());
        content
    }

    #[test]
    fn the_size_of_a_png_is_bounded_before_anything_is_unpacked() {
        for side in [4097, 65535, 0x7fff_ffff_usize] {
            let content = resized(side as u32, side as u32);
            let picture = Picture::open(&content, None).unwrap();
            assert_eq!((picture.width(), picture.height()), (side, side));
            assert_eq!(
                fault(picture.decode(1)),
                PictureFault::TooLarge { width: side, height: side, limit: MOST_PIXELS }
            );
        }
        // A size that may be, of which nothing is there.
        assert!(matches!(fault(Image::decode(&resized(4096, 4096), None)), PictureFault::Decode { .. }));
    }

    /// The checksum of PNG's chunks (ISO 15948, annex D).
    fn crc32(bytes: &[u8]) -> u32 {
        let shift = |crc: u32| if crc & 1 == 1 { 0xedb8_8320 ^ crc >> 1 } else { crc >> 1 };
        !bytes.iter().fold(u32::MAX, |crc, &byte| (0..8).fold(crc ^ u32::from(byte), |crc, _| shift(crc)))
    }

    #[test]
    fn a_hostile_header_is_refused() {
        let mut content = file(ImageFormat::Bmp);
        // Width and height of the BITMAPINFOHEADER.
        content[18..22].copy_from_slice(&0x7fff_ffff_i32.to_le_bytes());
        content[22..26].copy_from_slice(&0x7fff_ffff_i32.to_le_bytes());
        let fault = fault(Image::decode(&content, None));
        assert!(matches!(fault, PictureFault::Decode { .. } | PictureFault::TooLarge { .. }));
        assert!(!fault.to_string().contains('\n'));
    }

    #[test]
    fn the_largest_picture_is_read_and_no_larger() {
        // As a telephone makes them.
        let largest = encoded(DynamicImage::new_rgb8(4032, 3024), ImageFormat::Png);
        assert_eq!(Image::decode(&largest, None).unwrap().pixels().len(), 4032 * 3024);
        let mut larger = file(ImageFormat::Bmp);
        larger[18..22].copy_from_slice(&4097_i32.to_le_bytes());
        larger[22..26].copy_from_slice(&4096_i32.to_le_bytes());
        assert!(matches!(fault(Image::decode(&larger, None)), PictureFault::TooLarge { width: 4097, .. }));
    }

    #[test]
    fn what_the_decoder_refuses_is_named() {
        let mut damaged = file(ImageFormat::Png);
        damaged[23] ^= 1; // the height
        let message = fault(Image::decode(&damaged, None)).to_string();
        assert!(message.starts_with("the picture is damaged (CRC error"), "{message}");
        let mut unknown = file(ImageFormat::Bmp);
        // The compression of the BITMAPINFOHEADER: JPEG.
        unknown[30] = 4;
        let message = fault(Image::decode(&unknown, None)).to_string();
        assert!(message.starts_with("a picture of a kind that is not read ("), "{message}");
    }
}
