//! The input encoding: a pixel is 1 where its grey value is at least a threshold, else 0.

use rayon::prelude::*;

use crate::mnist::{Digits, PIXELS};

/// A binary image, `[28, 28]`, each pixel 0 or 1.
pub(crate) type BinaryImage = [u8; PIXELS];

/// The binary image of `[28, 28]` grey values.
pub(crate) fn binarize(grey: &[u8], threshold: u8) -> BinaryImage {
    std::array::from_fn(|pixel| u8::from(grey[pixel] >= threshold))
}

/// Labelled binary images.
#[derive(Clone, Debug)]
pub(crate) struct BinaryDigits {
    digits: Vec<(BinaryImage, u8)>,
}

impl BinaryDigits {
    /// The binary images of `digits`.
    pub(crate) fn new(digits: &Digits, threshold: u8) -> Self {
        Self { digits: digits.iter().map(|(grey, label)| (binarize(grey, threshold), label)).collect() }
    }

    /// The mean image, `[28, 28]`.
    pub(crate) fn mean(&self) -> Vec<f32> {
        let mut counts = [0_u32; PIXELS];
        for (image, _) in &self.digits {
            counts.iter_mut().zip(image).for_each(|(count, &pixel)| *count += u32::from(pixel));
        }
        counts.iter().map(|&count| count as f32 / self.digits.len() as f32).collect()
    }

    /// The largest number of set pixels in an image.
    pub(crate) fn most_active(&self) -> u32 {
        let active = |image: &BinaryImage| image.iter().map(|&pixel| u32::from(pixel)).sum();
        self.digits.iter().map(|(image, _)| active(image)).max().unwrap_or_default()
    }

    /// The fraction of images, given with index and label, for which `holds` does.
    pub(crate) fn fraction(&self, holds: impl Fn(usize, &BinaryImage, u8) -> bool + Sync) -> f64 {
        let digits = self.digits.par_iter().enumerate();
        let count = digits.filter(|(index, (image, label))| holds(*index, image, *label)).count();
        count as f64 / self.digits.len() as f64
    }
}
