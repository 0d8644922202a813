//! The sign-and-scale encoding: signs of the standardised picture, and the mean magnitude of each window.

use crate::data::image::Image;

/// Added to the variance, so that a picture of one colour has a standard form.
const EPSILON: f64 = 1e-5;

/// The signs, 0 or 1 a pixel; and for each window of side `window` the mean of |z|, in units of 2^-`fraction_bits`,
/// truncated. Both row-major.
pub(super) fn encode(image: &Image, window: usize, fraction_bits: u32) -> (Vec<i64>, Vec<i64>) {
    let (width, height) = (image.width(), image.height());
    let x: Vec<f64> = image.pixels().iter().copied().map(f64::from).collect();
    let mean = x.iter().sum::<f64>() / x.len() as f64;
    let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / x.len() as f64;
    let z: Vec<f64> = x.iter().map(|x| (x - mean) / (variance + EPSILON).sqrt()).collect();

    let signs = z.iter().map(|&z| (z >= 0.0).into()).collect();
    let unit = f64::from(fraction_bits).exp2() / (window * window) as f64;
    let mut means = Vec::new();
    for row in 0..=height - window {
        for column in 0..=width - window {
            let rows = (row..row + window).map(|row| &z[row * width + column..][..window]);
            let sum: f64 = rows.flatten().map(|z| z.abs()).sum();
            means.push((unit * sum) as i64);
        }
    }
    (signs, means)
}
