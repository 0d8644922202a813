//! A picture of one or several channels.
//!
//! The values of a channel go from 0, black, to 255, white. A model of one channel expects its digits as MNIST has them: white on
//! black. The channels of a colour picture are red, green and blue.

use zeroize::Zeroizing;

use super::fault::PictureFault;
use crate::{
    client::shape::{MOST_CHANNELS, Shape},
    error::Result,
};

/// A picture of one or several channels. Wiped on drop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    shape: Shape,
    /// A value a place of the shape, channel by channel and each row-major.
    pixels: Zeroizing<Vec<u8>>,
}

impl Image {
    /// A picture of `channels` times `width * height` values, channel by channel and each row-major.
    ///
    /// # Errors
    /// [`PictureFault::ChannelCount`] where `channels` are not 1 to 16; [`PictureFault::PixelCount`] where `pixels` are not
    /// `channels * width * height`.
    pub fn new(channels: usize, width: usize, height: usize, pixels: Vec<u8>) -> Result<Self> {
        let pixels = Zeroizing::new(pixels);
        if !(1..=MOST_CHANNELS).contains(&channels) {
            return Err(PictureFault::ChannelCount { found: channels }.into());
        }
        let values = width.checked_mul(height).and_then(|pixels| pixels.checked_mul(channels));
        if values != Some(pixels.len()) {
            return Err(PictureFault::PixelCount { found: pixels.len(), channels, width, height }.into());
        }
        Ok(Self { shape: Shape { channels, height, width }, pixels })
    }

    /// A picture of one channel, of `width * height` grey values, row-major.
    ///
    /// # Errors
    /// [`PictureFault::PixelCount`] where `pixels` are not `width * height`.
    pub fn grey(width: usize, height: usize, pixels: Vec<u8>) -> Result<Self> {
        Self::new(1, width, height, pixels)
    }

    /// The picture whose value in a channel, column and row is `value(channel, x, y)`.
    pub(crate) fn from_fn(shape: Shape, value: impl Fn(usize, usize, usize) -> u8) -> Self {
        let value = &value;
        let channel = |c| (0..shape.height).flat_map(move |y| (0..shape.width).map(move |x| value(c, x, y)));
        Self { shape, pixels: Zeroizing::new((0..shape.channels).flat_map(channel).collect()) }
    }

    /// The picture of one channel whose pixel in column `x` and row `y` is `grey(x, y)`.
    pub(crate) fn grey_from_fn(width: usize, height: usize, grey: impl Fn(usize, usize) -> u8) -> Self {
        Self::from_fn(Shape { channels: 1, height, width }, |_, x, y| grey(x, y))
    }

    /// The picture with every value changed.
    pub(crate) fn map(&self, change: impl Fn(u8) -> u8) -> Self {
        let pixels = self.pixels.iter().map(|&value| change(value)).collect();
        Self { pixels: Zeroizing::new(pixels), ..*self }
    }

    /// The value in a channel, column and row.
    pub(crate) fn value(&self, channel: usize, x: usize, y: usize) -> u8 {
        self.pixels[self.shape.place(channel, y, x)]
    }

    /// Channels, rows and columns.
    pub(crate) fn shape(&self) -> Shape {
        self.shape
    }

    /// The least value and the greatest, both 0 where there is no pixel.
    pub(crate) fn range(&self) -> (u8, u8) {
        let least = self.pixels.iter().min().copied().unwrap_or(0);
        (least, self.pixels.iter().max().copied().unwrap_or(0))
    }

    /// The grey value in the middle of those of the picture. Where there is ink, all above it is ink.
    pub(crate) fn middle(&self) -> u8 {
        let (least, greatest) = self.range();
        least.midpoint(greatest)
    }

    /// The grey values along the border of a picture of one channel, each once.
    pub(crate) fn border(&self) -> Zeroizing<Vec<u8>> {
        let (width, height) = (self.width(), self.height());
        let (right, bottom) = (width.saturating_sub(1), height.saturating_sub(1));
        let is_border = |place: usize| {
            let (x, y) = (place % width, place / width);
            x == 0 || x == right || y == 0 || y == bottom
        };
        let pixels = self.pixels.iter().enumerate();
        Zeroizing::new(pixels.filter(|&(place, _)| is_border(place)).map(|(_, &grey)| grey).collect())
    }

    /// The grey value of the paper of a picture of one channel: the middle one of those along the border.
    pub(crate) fn paper(&self) -> u8 {
        let mut border = self.border();
        border.sort_unstable();
        border.get(border.len() / 2).copied().unwrap_or(0)
    }

    /// Channels.
    pub fn channels(&self) -> usize {
        self.shape.channels
    }

    /// Width, in pixels.
    pub fn width(&self) -> usize {
        self.shape.width
    }

    /// Height, in pixels.
    pub fn height(&self) -> usize {
        self.shape.height
    }

    /// The `channels * width * height` values, channel by channel and each row-major.
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
        let error = Image::grey(3, 2, vec![0; 5]).unwrap_err();
        assert_eq!(error.to_string(), "5 pixels for an image of 3 x 2");
        assert!(Image::grey(usize::MAX, 2, vec![]).is_err());
        let error = Image::new(3, 3, 2, vec![0; 6]).unwrap_err();
        assert_eq!(error.to_string(), "6 pixels for an image of 3 channels of 3 x 2");
        assert!(Image::new(16, usize::MAX / 8, 1, vec![]).is_err());
    }

    #[test]
    fn channels_are_1_to_16() {
        assert_eq!(Image::new(16, 1, 2, vec![0; 32]).unwrap().channels(), 16);
        for channels in [0, 17] {
            let error = Image::new(channels, 1, 1, vec![0; channels]).unwrap_err();
            assert_eq!(error.to_string(), format!("a picture of {channels} channels, where one has 1 to 16"));
        }
    }

    #[test]
    fn values_come_channel_by_channel() {
        let shape = Shape { channels: 2, height: 2, width: 3 };
        let image = Image::from_fn(shape, |channel, x, y| (100 * channel + 10 * y + x) as u8);
        assert_eq!(image.pixels(), [0, 1, 2, 10, 11, 12, 100, 101, 102, 110, 111, 112]);
        assert_eq!(image.value(1, 2, 0), 102);
        assert_eq!((image.channels(), image.width(), image.height()), (2, 3, 2));
    }
}
