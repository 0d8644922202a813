//! Pictures in files: PNG, BMP, or one image of an IDX file.
//!
//! Nothing is inverted, scaled or cropped on the way.

use std::io::Cursor;

use image::{ImageFormat, ImageReader, Limits};

use super::{
    fault::PictureFault,
    grey_image::GreyImage,
    idx::{GZIP_MAGIC, IdxImages},
};
use crate::{error::Result, text::one_line};

/// The most pixels along one side of a PNG or BMP that is decoded: far more than networks read, and few enough
/// that a hostile header cannot make the decoder ask for much memory.
const SIDE_LIMIT: u32 = 2048;

/// The most memory the PNG or BMP decoder may use, in bytes: the largest image at 4 channels of 16 bits.
const DECODER_LIMIT: u64 = SIDE_LIMIT as u64 * SIDE_LIMIT as u64 * 8;

impl GreyImage {
    /// Decodes a PNG or BMP file (`index` is `None`), or image `index` of an IDX file.
    ///
    /// The format is recognised by the content. Colours become their luma (Rec. 709) and transparency is ignored.
    ///
    /// # Errors
    /// [`PictureFault`] for bytes that cannot be decoded, are in no known format, or of a picture larger than 2048 pixels a
    /// side, and where `index` is missing or superfluous; [`IdxFault`](super::IdxFault) for an IDX file that is malformed or has no such image.
    pub fn decode(bytes: &[u8], index: Option<usize>) -> Result<Self> {
        let format = if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
            ImageFormat::Png
        } else if bytes.starts_with(b"BM") {
            ImageFormat::Bmp
        } else if bytes.starts_with(&GZIP_MAGIC) || bytes.starts_with(&[0, 0]) {
            let images = IdxImages::from_bytes(bytes)?;
            let index = index.ok_or(PictureFault::IndexMissing { count: images.len() })?;
            return images.image(index);
        } else {
            return Err(PictureFault::Format.into());
        };
        if index.is_some() {
            return Err(PictureFault::IndexUnexpected.into());
        }
        let mut limits = Limits::default();
        limits.max_image_width = Some(SIDE_LIMIT);
        limits.max_image_height = Some(SIDE_LIMIT);
        limits.max_alloc = Some(DECODER_LIMIT);
        let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
        reader.limits(limits);
        let image =
            reader.decode().map_err(|fault| PictureFault::Decode { reason: one_line(fault) })?.into_luma8();
        let (width, height) = image.dimensions();
        Self::new(width as usize, height as usize, image.into_raw())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::io::Cursor;

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

    fn fault(result: Result<GreyImage>) -> PictureFault {
        match result.unwrap_err() {
            Error::Picture(fault) => fault,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn png_and_bmp_round_trip() {
        for format in FORMATS {
            let image = GreyImage::decode(&file(format), None).unwrap();
            assert_eq!((image.width(), image.height()), (3, 2));
            assert_eq!(image.pixels(), [0, 40, 80, 120, 160, 200]);
            assert_eq!(fault(GreyImage::decode(&file(format), Some(0))), PictureFault::IndexUnexpected);
        }
    }

    #[test]
    fn colour_becomes_luma() {
        let colour = RgbImage::from_raw(2, 1, vec![255, 255, 255, 0, 255, 0]).unwrap();
        let image = GreyImage::decode(&encoded(colour, ImageFormat::Png), None).unwrap();
        assert_eq!(image.pixels()[0], 255);
        assert!((180..=184).contains(&image.pixels()[1]), "0.7152 of 255, not {}", image.pixels()[1]);
    }

    #[test]
    fn idx_takes_an_index() {
        let file = [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2, 3, 4];
        assert_eq!(GreyImage::decode(&file, Some(1)).unwrap().pixels(), [3, 4]);
        let beyond = GreyImage::decode(&file, Some(2));
        assert!(matches!(beyond, Err(Error::Idx(IdxFault::Index { index: 2, count: 2 }))));
        assert_eq!(fault(GreyImage::decode(&file, None)), PictureFault::IndexMissing { count: 2 });
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        for content in [&b""[..], b"GIF89a", b"B"] {
            assert_eq!(fault(GreyImage::decode(content, None)), PictureFault::Format);
        }
    }

    #[test]
    fn every_truncation_is_an_error() {
        for format in FORMATS {
            let content = file(format);
            // The last chunk of a PNG, IEND, carries nothing: a decoder may do without it.
            let needed = if format == ImageFormat::Png { content.len() - 12 } else { content.len() };
            for length in 0..needed {
                assert!(GreyImage::decode(&content[..length], None).is_err(), "{format:?} of {length} bytes");
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
                match GreyImage::decode(&content, None) {
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

    /// 2^31 - 1 by 2^31 - 1 pixels with the right checksum, and the largest picture there is from some kilobytes.
    #[test]
    fn the_size_of_a_png_is_bounded_before_anything_is_unpacked() {
        let mut content = file(ImageFormat::Png);
        content[16..24].copy_from_slice(&[0x7f, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff]);
        let checksum = crc32(&content[12..29]);
        content[29..33].copy_from_slice(&checksum.to_be_bytes());
        let error = GreyImage::decode(&content, None).unwrap_err();
        assert!(error.to_string().contains("size exceeds limit"), "{error}");

        let largest = encoded(DynamicImage::new_rgba16(SIDE_LIMIT, SIDE_LIMIT), ImageFormat::Png);
        assert!(largest.len() < 200_000);
        assert_eq!(GreyImage::decode(&largest, None).unwrap().pixels().len(), 2048 * 2048);
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
        let fault = fault(GreyImage::decode(&content, None));
        assert!(matches!(fault, PictureFault::Decode { .. }));
        assert!(!fault.to_string().contains('\n'));
    }

    #[test]
    fn the_largest_side_is_read_and_no_larger() {
        for (format, (width, height), read) in [
            (ImageFormat::Png, (SIDE_LIMIT, 1), true),
            (ImageFormat::Png, (SIDE_LIMIT + 1, 1), false),
            (ImageFormat::Bmp, (1, SIDE_LIMIT + 1), false),
        ] {
            let content = encoded(GrayImage::new(width, height), format);
            assert_eq!(GreyImage::decode(&content, None).is_ok(), read, "{width} x {height}");
        }
    }
}
