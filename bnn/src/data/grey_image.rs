//! A grey picture.
//!
//! Grey values go from 0, black, to 255, white, and a model expects its digits as MNIST has them: white on black.

use zeroize::Zeroizing;

use super::fault::PictureFault;
use crate::error::Result;

/// A grey picture. Wiped on drop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GreyImage {
    width: usize,
    height: usize,
    /// `width * height` grey values, row-major.
    pixels: Zeroizing<Vec<u8>>,
}

impl GreyImage {
    /// A picture of `width * height` grey values, row-major.
    ///
    /// # Errors
    /// [`PictureFault::PixelCount`] where `pixels` are not `width * height`.
    pub fn new(width: usize, height: usize, pixels: Vec<u8>) -> Result<Self> {
        let pixels = Zeroizing::new(pixels);
        if width.checked_mul(height) != Some(pixels.len()) {
            return Err(PictureFault::PixelCount { found: pixels.len(), width, height }.into());
        }
        Ok(Self { width, height, pixels })
    }

    /// The picture whose pixel in column `x` and row `y` is `grey(x, y)`.
    pub(crate) fn from_fn(width: usize, height: usize, grey: impl Fn(usize, usize) -> u8) -> Self {
        let grey = &grey;
        let pixels = (0..height).flat_map(|y| (0..width).map(move |x| grey(x, y))).collect();
        Self { width, height, pixels: Zeroizing::new(pixels) }
    }

    /// The picture with every grey value changed.
    pub(crate) fn map(&self, change: impl Fn(u8) -> u8) -> Self {
        let pixels = self.pixels.iter().map(|&grey| change(grey)).collect();
        Self { pixels: Zeroizing::new(pixels), ..*self }
    }

    /// The least grey value and the greatest, both 0 where there is no pixel.
    pub(crate) fn range(&self) -> (u8, u8) {
        let least = self.pixels.iter().min().copied().unwrap_or(0);
        (least, self.pixels.iter().max().copied().unwrap_or(0))
    }

    /// The grey value in the middle of those of the picture. Where there is ink, all above it is ink.
    pub(crate) fn middle(&self) -> u8 {
        let (least, greatest) = self.range();
        least.midpoint(greatest)
    }

    /// The grey values along the border, each once.
    pub(crate) fn border(&self) -> Zeroizing<Vec<u8>> {
        let (right, bottom) = (self.width.saturating_sub(1), self.height.saturating_sub(1));
        let is_border = |place: usize| {
            let (x, y) = (place % self.width, place / self.width);
            x == 0 || x == right || y == 0 || y == bottom
        };
        let pixels = self.pixels.iter().enumerate();
        Zeroizing::new(pixels.filter(|&(place, _)| is_border(place)).map(|(_, &grey)| grey).collect())
    }

    /// The grey value of the paper: the middle one of those along the border.
    pub(crate) fn paper(&self) -> u8 {
        let mut border = self.border();
        border.sort_unstable();
        border.get(border.len() / 2).copied().unwrap_or(0)
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
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn pixels_must_fill_the_size() {
        let error = GreyImage::new(3, 2, vec![0; 5]).unwrap_err();
        assert_eq!(error.to_string(), "5 pixels for an image of 3 x 2");
        assert!(GreyImage::new(usize::MAX, 2, vec![]).is_err());
    }
}
