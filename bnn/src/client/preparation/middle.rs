//! The middle of a picture of several channels, in the size that a model reads.
//!
//! What is in a photograph has no paper around it, so nothing tells where it ends. It is taken to be in the middle: the largest
//! part with the proportions of the model's pictures is cut out there. It is scaled down by the average of the area that each
//! pixel covers, and up by the nearest pixel.

use std::ops::Range;

use super::fit::{Area, areas};
use crate::{client::shape::Shape, data::image::Image};

/// The middle of a picture that has pixels, in `width` x `height`.
pub(super) fn middle(image: &Image, width: usize, height: usize) -> Image {
    let scale = f64::min(image.width() as f64 / width as f64, image.height() as f64 / height as f64);
    let columns = cut(image.width(), width as f64 * scale);
    let rows = cut(image.height(), height as f64 * scale);
    let (across, down) = (scaled(&columns, width), scaled(&rows, height));
    Image::from_fn(Shape { channels: image.channels(), height, width }, |channel, x, y| {
        let value = |column, row| f64::from(image.value(channel, column, row));
        let line = |row| across[x].iter().map(|&(column, share)| share * value(column, row)).sum::<f64>();
        down[y].iter().map(|&(row, share)| share * line(row)).sum::<f64>().round() as u8
    })
}

/// The pixels in the middle of a side, as many as are nearest to `length` and at least one.
fn cut(side: usize, length: f64) -> Range<usize> {
    let length = (length.round() as usize).clamp(1, side);
    let start = (side - length) / 2;
    start..start + length
}

/// A line of pixels as `count` of them: areas, or the nearest pixel where there are fewer.
fn scaled(pixels: &Range<usize>, count: usize) -> Vec<Area> {
    if pixels.len() >= count {
        return areas(pixels, count);
    }
    // The middle of each of the `count`, in pixels, stays within the line.
    let nearest = |place: usize| ((place as f64 + 0.5) * pixels.len() as f64 / count as f64) as usize;
    (0..count).map(|place| vec![(pixels.start + nearest(place), 1.0)]).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn image(width: usize, height: usize, pixels: &[u8]) -> Image {
        Image::new(2, width, height, pixels.into()).unwrap()
    }

    #[test]
    fn the_middle_is_cut_out_in_the_models_proportions() {
        let wide = image(4, 2, &[1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 13, 14, 15, 16, 17, 18]);
        assert_eq!(middle(&wide, 2, 2), image(2, 2, &[2, 3, 6, 7, 12, 13, 16, 17]));
        let tall = image(1, 4, &[1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(middle(&tall, 1, 2), image(1, 2, &[2, 3, 6, 7]));
        let same = image(2, 2, &[1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(middle(&same, 2, 2), same);
    }

    #[test]
    fn a_larger_picture_is_averaged_by_area_and_a_smaller_one_repeated() {
        let large = image(2, 2, &[0, 100, 200, 101, 255, 255, 255, 255]);
        assert_eq!(middle(&large, 1, 1), image(1, 1, &[100, 255]));
        // Each pixel covers one and a half.
        let odd = image(3, 3, &[0, 90, 180, 0, 90, 180, 0, 90, 180, 9, 9, 9, 9, 9, 9, 9, 9, 9]);
        assert_eq!(middle(&odd, 2, 2), image(2, 2, &[30, 150, 30, 150, 9, 9, 9, 9]));
        let small = image(2, 1, &[1, 2, 3, 4]);
        assert_eq!(
            middle(&small, 5, 2),
            image(5, 2, &[1, 1, 2, 2, 2, 1, 1, 2, 2, 2, 3, 3, 4, 4, 4, 3, 3, 4, 4, 4])
        );
    }

    #[test]
    fn pictures_of_any_size_have_a_middle() {
        for (width, height) in [(1, 1), (1, 90), (90, 1), (31, 33), (32, 32), (640, 480)] {
            for (wide, high) in [(32, 32), (1, 1), (1, 64), (7, 3)] {
                let even = image(width, height, &vec![77; 2 * width * height]);
                assert_eq!(middle(&even, wide, high), image(wide, high, &vec![77; 2 * wide * high]));
            }
        }
    }
}
