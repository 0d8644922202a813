//! The changes of a picture that can be asked for.

use super::fit::fit;
use crate::{client::encoding::input::InputEncoding, data::grey_image::GreyImage};

/// A change of a picture. Changes are made in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// Rows become columns. The pictures of EMNIST are stored this way.
    Transpose,
    /// Dark becomes bright, for dark ink on white paper.
    Invert,
    /// The ink is cropped, scaled and centred for the model, as MNIST's makers did.
    Fit,
    /// The grey value of the paper becomes 0 and the greatest 255, for a dim picture.
    Stretch,
}

impl Change {
    /// The picture after the change, for a model that reads `input`. Only a picture with ink is fitted or stretched.
    pub(super) fn apply(self, image: &GreyImage, input: &InputEncoding) -> GreyImage {
        match self {
            Self::Transpose => transposed(image),
            Self::Invert => image.map(|grey| 255 - grey),
            Self::Fit => fit(image, input.width(), input.height()),
            Self::Stretch => stretched(image),
        }
    }
}

fn transposed(image: &GreyImage) -> GreyImage {
    let (width, height) = (image.width(), image.height());
    GreyImage::from_fn(height, width, |x, y| image.pixels()[x * width + y])
}

fn stretched(image: &GreyImage) -> GreyImage {
    let (paper, (_, ink)) = (image.paper(), image.range());
    let range = u32::from(ink - paper).max(1);
    image.map(|grey| ((u32::from(grey.saturating_sub(paper)) * 255 + range / 2) / range) as u8)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn image(width: usize, height: usize, pixels: &[u8]) -> GreyImage {
        GreyImage::new(width, height, pixels.into()).unwrap()
    }

    #[test]
    fn rows_become_columns() {
        assert_eq!(transposed(&image(3, 2, &[1, 2, 3, 4, 5, 6])), image(2, 3, &[1, 4, 2, 5, 3, 6]));
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
