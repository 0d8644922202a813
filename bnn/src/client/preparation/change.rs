//! The changes of a picture that can be asked for.

use super::{fit::fit, middle::middle};
use crate::{
    client::{encoding::input::InputEncoding, shape::Shape},
    data::image::Image,
};

/// A change of a picture. Changes are made in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// Rows become columns. The pictures of EMNIST are stored this way.
    Transpose,
    /// Dark becomes bright, for dark ink on white paper.
    Invert,
    /// The ink is cropped, scaled and centred for the model, as MNIST's makers did. Of a picture of several channels, the middle
    /// is cut out in the model's proportions and scaled.
    Fit,
    /// The grey value of the paper becomes 0 and the greatest 255, for a dim picture. Of a picture of several channels, the
    /// least value of all becomes 0.
    Stretch,
}

impl Change {
    /// The picture after the change, for a model that reads `input`. Only a picture with ink, or of several channels with
    /// pixels, is fitted.
    pub(super) fn apply(self, image: &Image, input: &InputEncoding) -> Image {
        match self {
            Self::Transpose => transposed(image),
            Self::Invert => image.map(|grey| 255 - grey),
            Self::Fit if image.channels() > 1 => middle(image, input.width(), input.height()),
            Self::Fit => fit(image, input.width(), input.height()),
            Self::Stretch => stretched(image),
        }
    }
}

fn transposed(image: &Image) -> Image {
    let Shape { channels, height, width } = image.shape();
    Image::from_fn(Shape { channels, height: width, width: height }, |channel, x, y| {
        image.value(channel, y, x)
    })
}

fn stretched(image: &Image) -> Image {
    let (least, greatest) = image.range();
    let black = if image.channels() > 1 { least } else { image.paper() };
    let range = u32::from(greatest - black).max(1);
    image.map(|value| ((u32::from(value.saturating_sub(black)) * 255 + range / 2) / range) as u8)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn image(width: usize, height: usize, pixels: &[u8]) -> Image {
        Image::grey(width, height, pixels.into()).unwrap()
    }

    #[test]
    fn rows_become_columns() {
        assert_eq!(transposed(&image(3, 2, &[1, 2, 3, 4, 5, 6])), image(2, 3, &[1, 4, 2, 5, 3, 6]));
    }

    #[test]
    fn each_channel_is_transposed() {
        let rows = Image::new(2, 3, 1, vec![1, 2, 3, 4, 5, 6]).unwrap();
        assert_eq!(transposed(&rows), Image::new(2, 1, 3, vec![1, 2, 3, 4, 5, 6]).unwrap());
        let rows = Image::new(2, 2, 2, vec![1, 2, 3, 4, 5, 6, 7, 8]).unwrap();
        assert_eq!(transposed(&rows), Image::new(2, 2, 2, vec![1, 3, 2, 4, 5, 7, 6, 8]).unwrap());
    }

    /// One range for all channels, so that colours stay what they are.
    #[test]
    fn colours_are_stretched_together() {
        let dim = Image::new(2, 2, 1, vec![50, 101, 75, 60]).unwrap();
        assert_eq!(stretched(&dim), Image::new(2, 2, 1, vec![0, 255, 125, 50]).unwrap());
        let even = Image::new(2, 1, 1, vec![7, 7]).unwrap();
        assert_eq!(stretched(&even), Image::new(2, 1, 1, vec![0, 0]).unwrap());
    }

    /// The paper's own noise stays below black.
    #[test]
    fn paper_becomes_black_and_the_brightest_ink_white() {
        let dim = image(3, 3, &[20, 19, 20, 20, 63, 40, 21, 20, 18]);
        assert_eq!(stretched(&dim), image(3, 3, &[0, 0, 0, 0, 255, 119, 6, 0, 0]));
        // What is bright everywhere, which the checks refuse, is no division by zero.
        assert_eq!(stretched(&image(1, 1, &[7])), image(1, 1, &[0]));
    }
}
