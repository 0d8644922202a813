//! The input encodings: what a client makes of grey values before it encrypts them.

use rayon::prelude::*;

use crate::convolution::{Image, WINDOWS, window_sums};
use crate::mnist::{Digits, PIXELS};

/// A binary image, `[28, 28]`, each pixel 0 or 1.
pub(crate) type BinaryImage = [u8; PIXELS];

/// Encoding "threshold": a pixel is 1 where its grey value is at least `threshold`, else 0.
pub(crate) fn binarize(grey: &[u8], threshold: u8) -> BinaryImage {
    std::array::from_fn(|pixel| u8::from(grey[pixel] >= threshold))
}

/// The mean binary image, `[28, 28]`.
pub(crate) fn mean(digits: &Digits, threshold: u8) -> Vec<f32> {
    let mut counts = [0_u32; PIXELS];
    for (grey, _) in digits.iter() {
        let image = binarize(grey, threshold);
        counts.iter_mut().zip(image).for_each(|(count, pixel)| *count += u32::from(pixel));
    }
    counts.iter().map(|&count| count as f32 / digits.len() as f32).collect()
}

/// The largest number of set pixels in a binary image.
pub(crate) fn most_active(digits: &Digits, threshold: u8) -> u32 {
    let active = |grey| binarize(grey, threshold).iter().map(|&pixel| u32::from(pixel)).sum();
    digits.iter().map(|(grey, _)| active(grey)).max().unwrap_or_default()
}

/// 15 % more than the most set pixels seen, rounded up.
pub(crate) const fn with_head_room(most_active: u32) -> u32 {
    (most_active * 115).div_ceil(100)
}

/// Encoding "grey": the upper `bits` of every grey value.
pub(crate) fn grey(grey: &[u8], bits: u32) -> [u8; PIXELS] {
    std::array::from_fn(|pixel| grey[pixel] >> (8 - bits))
}

/// Encoding "grey", as an image to convolve.
pub(crate) fn upper_bits(grey: &[u8], bits: u32) -> Image {
    Image { pixels: self::grey(grey, bits).map(i16::from), gains: [1; WINDOWS] }
}

/// Fraction bits of the encoding "sign-and-scale".
pub(crate) const SCALE_BITS: u32 = 15;
/// Largest scale a client accepts, in units of 2^-15; 5.6 as a real number.
pub(crate) const LARGEST_SCALE: i32 = 183_500;

/// Encoding "sign-and-scale": the sign of every standardised pixel `z`, +1 where `z >= 0`, else -1, and the mean of
/// `|z|` over every window, in units of 2^-15 and cut towards zero.
///
/// `z = (x - mean) / sqrt(variance + 1e-5)` over the image, `x` the grey value.
pub(crate) fn sign_and_scale(grey: &[u8]) -> Image {
    let x: [f64; PIXELS] = std::array::from_fn(|pixel| f64::from(grey[pixel]));
    let mean = x.iter().sum::<f64>() / PIXELS as f64;
    let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / PIXELS as f64;
    let deviation = (variance + 1e-5).sqrt();
    let z = x.map(|x| (x - mean) / deviation);
    let scale = f64::from(1_u32 << SCALE_BITS);
    Image {
        pixels: z.map(|z| if z >= 0.0 { 1 } else { -1 }),
        gains: window_sums(&z.map(f64::abs)).map(|sum| (scale / 25.0 * sum) as i32),
    }
}

/// The largest scale in any image, in units of 2^-15.
pub(crate) fn largest_scale(digits: &Digits) -> i32 {
    let largest = |index| sign_and_scale(digits.image(index)).gains.into_iter().max().unwrap_or_default();
    (0..digits.len()).into_par_iter().map(largest).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mnist::SIDE;

    #[test]
    fn head_room_rounds_up() {
        assert_eq!(with_head_room(100), 115);
        assert_eq!(with_head_room(101), 117);
    }

    #[test]
    fn upper_bits_are_the_upper_ones() {
        let grey: Vec<u8> = (0..PIXELS).map(|pixel| (pixel % 256) as u8).collect();
        let image = upper_bits(&grey, 3);
        assert_eq!([0, 31, 32, 128, 255].map(|pixel| image.pixels[pixel]), [0, 0, 1, 4, 7]);
    }

    #[test]
    fn signs_and_scales_of_two_greys() {
        // Half black, half white: mean 1/2, deviation 1/2, |z| a little below 1 everywhere.
        let grey: Vec<u8> = (0..PIXELS).map(|pixel| if pixel % SIDE < SIDE / 2 { 0 } else { 255 }).collect();
        let image = sign_and_scale(&grey);
        assert_eq!(image.pixels[13..15], [-1, 1]);
        let expected = 32_768.0 * 127.5 / (127.5_f64.powi(2) + 1e-5).sqrt();
        assert!(image.gains.iter().all(|&gain| f64::from(gain) == expected.floor()), "{:?}", image.gains);
    }

    #[test]
    fn a_blank_image_has_scale_zero() {
        let image = sign_and_scale(&[7; PIXELS]);
        assert!(image.pixels.iter().all(|&sign| sign == 1 || sign == -1));
        assert!(image.gains.iter().all(|&gain| gain == 0));
    }
}
