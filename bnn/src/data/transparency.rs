//! What transparent pixels are.
//!
//! A picture shows its colours through its opacity, and on which background is left to whoever looks. Three kinds of pictures
//! have one reading whatever the background is:
//!
//! * an opaque one is its colours;
//! * where everything that is visible has one colour, the opacity alone is the drawing, as on a canvas of a browser: opaque is
//!   ink, 255, and transparent is paper, 0, whether the ink is black or white;
//! * where nothing is visible, there is no drawing.
//!
//! Anything else would be read differently on black and on white, and is refused.
//!
//! That is for grey. Where colours are asked for, only an opaque picture has one reading.

use image::DynamicImage;

use super::fault::PictureFault;

/// By how much, as it is seen, a grey value may differ from another of the same colour. Programs that keep colours multiplied
/// by their opacity, as browsers do, round them to less than this.
const SAME: i32 = 2;

/// The grey values of a decoded picture.
///
/// # Errors
/// [`PictureFault::Invisible`] and [`PictureFault::Translucent`].
pub(super) fn grey(image: DynamicImage) -> Result<Vec<u8>, PictureFault> {
    if !image.color().has_alpha() {
        return Ok(image.into_luma8().into_raw());
    }
    let image = image.into_luma_alpha8();
    let pixels = || image.pixels().map(|pixel| pixel.0);
    if pixels().all(|[_, opacity]| opacity == 255) {
        return Ok(pixels().map(|[grey, _]| grey).collect());
    }
    let [ink, _] = pixels()
        .max_by_key(|&[_, opacity]| opacity)
        .filter(|&[_, opacity]| opacity > 0)
        .ok_or(PictureFault::Invisible)?;
    let is_ink = |[grey, opacity]: [u8; 2]| {
        (i32::from(grey) - i32::from(ink)).abs() * i32::from(opacity) <= SAME * 255
    };
    if !pixels().all(is_ink) {
        return Err(PictureFault::Translucent);
    }
    Ok(pixels().map(|[_, opacity]| opacity).collect())
}

/// The red values of a decoded picture, then the green ones, then the blue ones.
///
/// # Errors
/// [`PictureFault::Transparent`].
pub(super) fn colours(image: DynamicImage) -> Result<Vec<u8>, PictureFault> {
    let rgb = if image.color().has_alpha() {
        let image = image.into_rgba8();
        if image.pixels().any(|pixel| pixel.0[3] != 255) {
            return Err(PictureFault::Transparent);
        }
        DynamicImage::from(image).into_rgb8()
    } else {
        image.into_rgb8()
    };
    let mut values = Vec::with_capacity(rgb.as_raw().len());
    for channel in 0..3 {
        values.extend(rgb.pixels().map(|pixel| pixel.0[channel]));
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::io::Cursor;

    use image::{
        DynamicImage, ExtendedColorType, GrayAlphaImage, ImageBuffer, ImageEncoder, ImageFormat, LumaA, Rgba,
        RgbaImage,
        codecs::{bmp::BmpEncoder, png::PngEncoder},
    };

    use super::*;
    use crate::{
        data::{image::Image, picture::Picture},
        error::{Error, Result},
    };

    /// What a pen leaves on four pixels: nothing, two edges, ink.
    const OPACITY: [u8; 4] = [0, 51, 204, 255];

    fn decode(image: impl Into<DynamicImage>) -> Result<Vec<u8>> {
        let mut file = Cursor::new(Vec::new());
        image.into().write_to(&mut file, ImageFormat::Png).unwrap();
        Ok(Image::decode(file.get_ref(), None)?.pixels().to_vec())
    }

    fn fault(result: Result<Vec<u8>>) -> PictureFault {
        match result.unwrap_err() {
            Error::Picture(fault) => fault,
            other => panic!("{other}"),
        }
    }

    /// Ink of one colour on a transparent canvas.
    fn canvas(ink: [u8; 3]) -> RgbaImage {
        let [r, g, b] = ink;
        RgbaImage::from_raw(4, 1, OPACITY.iter().flat_map(|&opacity| [r, g, b, opacity]).collect()).unwrap()
    }

    #[test]
    fn ink_of_any_colour_on_a_transparent_canvas_is_ink() {
        for ink in [[0; 3], [255; 3], [128; 3], [200, 30, 90]] {
            assert_eq!(decode(canvas(ink)).unwrap(), OPACITY, "{ink:?}");
        }
        // What is under transparent pixels is not seen.
        let mut hidden = canvas([0; 3]);
        hidden.get_pixel_mut(0, 0).0 = [255, 255, 255, 0];
        assert_eq!(decode(hidden).unwrap(), OPACITY);
        // A browser keeps colours multiplied by their opacity, and rounds.
        let rounded: Vec<u8> = (0..=255_u8)
            .flat_map(|opacity| {
                let kept = (100 * u32::from(opacity) + 127) / 255;
                let grey = if opacity == 0 { 0 } else { (kept * 255 / u32::from(opacity)).min(255) as u8 };
                [grey, opacity]
            })
            .collect();
        let drawn = decode(GrayAlphaImage::from_raw(16, 16, rounded).unwrap()).unwrap();
        assert_eq!(drawn, (0..=255).collect::<Vec<u8>>());
    }

    #[test]
    fn an_opaque_picture_is_its_colours() {
        let grey = GrayAlphaImage::from_fn(4, 1, |x, _| LumaA([40 * x as u8, 255]));
        assert_eq!(decode(grey.clone()).unwrap(), [0, 40, 80, 120]);
        assert_eq!(decode(DynamicImage::from(grey).to_rgba8()).unwrap(), [0, 40, 80, 120]);
    }

    #[test]
    fn colours_are_those_of_an_opaque_picture() {
        let decode = |image: RgbaImage| {
            let mut file = Cursor::new(Vec::new());
            image.write_to(&mut file, ImageFormat::Png).unwrap();
            Ok(Picture::open(file.get_ref(), None)?.decode(3)?.pixels().to_vec())
        };
        let mut opaque = RgbaImage::from_raw(2, 1, vec![1, 2, 3, 255, 4, 5, 6, 255]).unwrap();
        assert_eq!(decode(opaque.clone()).unwrap(), [1, 4, 2, 5, 3, 6]);
        opaque.get_pixel_mut(1, 0).0[3] = 254;
        assert_eq!(fault(decode(opaque)), PictureFault::Transparent);
        assert_eq!(fault(decode(canvas([0; 3]))), PictureFault::Transparent);
    }

    #[test]
    fn sixteen_bits_are_read_as_eight_are() {
        let wide = |opacity: u8| u16::from(opacity) * 257;
        let black = ImageBuffer::from_fn(4, 1, |x, _| Rgba([0, 0, 0, wide(OPACITY[x as usize])]));
        assert_eq!(decode(black).unwrap(), OPACITY);
        let grey = ImageBuffer::from_fn(4, 1, |x, _| LumaA([40_000, wide(OPACITY[x as usize])]));
        assert_eq!(decode(grey).unwrap(), OPACITY);
        let opaque = ImageBuffer::from_fn(4, 1, |x, _| LumaA([wide(40 * x as u8), u16::MAX]));
        assert_eq!(decode(opaque).unwrap(), [0, 40, 80, 120]);
    }

    /// Of two colours, each could be ink. On black, the first of these is all black and the second half so.
    #[test]
    fn colours_and_transparency_that_both_draw_are_refused() {
        let shades = GrayAlphaImage::from_fn(4, 1, |x, _| LumaA([60 * x as u8, OPACITY[x as usize]]));
        assert_eq!(fault(decode(shades)), PictureFault::Translucent);
        let corner = GrayAlphaImage::from_fn(4, 1, |x, _| {
            LumaA([[255, 255, 0, 255][x as usize], [0, 255, 255, 255][x as usize]])
        });
        assert_eq!(fault(decode(corner)), PictureFault::Translucent);
        let nothing = GrayAlphaImage::from_fn(4, 1, |x, _| LumaA([60 * x as u8, 0]));
        assert_eq!(fault(decode(nothing)), PictureFault::Invisible);
    }

    /// A palette of two colours, of which `tRNS` makes the first transparent, and grey with one transparent value.
    #[test]
    fn transparency_by_a_chunk_of_its_own_is_read() {
        let palette = png(3, &[(b"PLTE", &[255, 255, 255, 0, 0, 0]), (b"tRNS", &[0])], [0, 1, 1, 0]);
        assert_eq!(Image::decode(&palette, None).unwrap().pixels(), [0, 255, 255, 0]);
        let grey = png(0, &[(b"tRNS", &[0, 200])], [200, 30, 30, 200]);
        assert_eq!(Image::decode(&grey, None).unwrap().pixels(), [0, 255, 255, 0]);
        let opaque = png(3, &[(b"PLTE", &[255, 255, 255, 0, 0, 0])], [0, 1, 1, 0]);
        assert_eq!(Image::decode(&opaque, None).unwrap().pixels(), [255, 0, 0, 255]);
    }

    /// A PNG of 4 x 1 pixels of a byte, with these chunks before its pixels.
    fn png(colour_type: u8, chunks: &[(&[u8; 4], &[u8])], pixels: [u8; 4]) -> Vec<u8> {
        let mut file = Vec::new();
        PngEncoder::new(&mut file).write_image(&pixels, 4, 1, ExtendedColorType::L8).unwrap();
        file[25] = colour_type;
        let header = chunk(b"IHDR", &file[16..29]);
        let before: Vec<u8> = chunks.iter().flat_map(|(name, content)| chunk(name, content)).collect();
        [&file[..8], &header, &before, &file[33..]].concat()
    }

    fn chunk(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
        let mut checksum = flate2::Crc::new();
        checksum.update(name);
        checksum.update(content);
        let length = (content.len() as u32).to_be_bytes();
        [&length, &name[..], content, &checksum.sum().to_be_bytes()].concat()
    }

    #[test]
    fn a_transparent_bmp_is_read_alike() {
        let mut file = Vec::new();
        let ink = canvas([0; 3]);
        BmpEncoder::new(&mut file).write_image(&ink, 4, 1, ExtendedColorType::Rgba8).unwrap();
        assert_eq!(Image::decode(&file, None).unwrap().pixels(), OPACITY);
    }
}
