//! Small random distortions of a digit, so that no epoch shows the network the same image twice.
//!
//! A distortion moves every pixel: it turns, scales and shears the image about its centre, shifts it, and adds a
//! smooth random displacement. The last is the elastic distortion of Simard, Steinkraus and Platt ("Best Practices
//! for Convolutional Neural Networks", ICDAR 2003), with the smoothing done by interpolating a coarse grid of random
//! vectors rather than by a Gaussian blur, which is much cheaper and looks alike at 28 by 28 pixels.

use rand::{Rng, RngExt};

use crate::mnist::{PIXELS, SIDE};

/// Grid cells on a side of the elastic displacement.
const CELLS: usize = 4;
/// Grid points on a side.
const POINTS: usize = CELLS + 1;

/// How far images are distorted at most. Every quantity is drawn uniformly between its bounds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Strength {
    /// Rotation, radians either way.
    pub(crate) rotation: f32,
    /// Relative change of size, either way and for each axis by itself.
    pub(crate) scale: f32,
    /// Horizontal shear, pixels per pixel either way.
    pub(crate) shear: f32,
    /// Shift, pixels either way along each axis.
    pub(crate) shift: f32,
    /// Elastic displacement of a grid point, pixels either way along each axis.
    pub(crate) elastic: f32,
}

impl Strength {
    /// Every bound times `factor`.
    pub(crate) fn times(self, factor: f32) -> Self {
        Self {
            rotation: self.rotation * factor,
            scale: self.scale * factor,
            shear: self.shear * factor,
            shift: self.shift * factor,
            elastic: self.elastic * factor,
        }
    }
}

/// One distortion: where in the original each pixel of the result comes from.
#[derive(Clone, Debug)]
pub(crate) struct Distortion {
    /// `[[xx, xy], [yx, yy]]`: from a pixel's offset from the centre to the source's offset.
    linear: [[f32; 2]; 2],
    /// Added to the source's position, pixels (x, y).
    shift: [f32; 2],
    /// Elastic displacements at the grid points, `[POINTS, POINTS]`, pixels (x, y).
    elastic: [[[f32; 2]; POINTS]; POINTS],
}

impl Distortion {
    /// Draws a distortion.
    pub(crate) fn sample(strength: Strength, generator: &mut impl Rng) -> Self {
        let mut within = |bound: f32| bound * (2.0 * generator.random::<f32>() - 1.0);
        let (sin, cos) = within(strength.rotation).sin_cos();
        let (width, height) = (1.0 + within(strength.scale), 1.0 + within(strength.scale));
        let shear = within(strength.shear);
        let linear = [[cos * width, shear * width - sin * height], [sin * width, cos * height]];
        let shift = [within(strength.shift), within(strength.shift)];
        let mut elastic = [[[0.0; 2]; POINTS]; POINTS];
        for displacement in elastic.as_flattened_mut() {
            *displacement = [within(strength.elastic), within(strength.elastic)];
        }
        Self { linear, shift, elastic }
    }

    /// The distorted `image`; both are `[28, 28]` grey values. What lies outside the original is paper, 0.
    pub(crate) fn apply(&self, image: &[u8]) -> [u8; PIXELS] {
        let framed = Framed::new(image);
        let centre = (SIDE - 1) as f32 / 2.0;
        std::array::from_fn(|pixel| {
            let (x, y) = ((pixel % SIDE) as f32, (pixel / SIDE) as f32);
            let (dx, dy) = (x - centre, y - centre);
            let [ex, ey] = self.displacement(x, y);
            let [[xx, xy], [yx, yy]] = self.linear;
            framed.at(
                centre + xx * dx + xy * dy + self.shift[0] + ex,
                centre + yx * dx + yy * dy + self.shift[1] + ey,
            )
        })
    }

    /// Elastic displacement at a pixel, interpolated between the four grid points around it.
    fn displacement(&self, x: f32, y: f32) -> [f32; 2] {
        // Slightly more than 28 pixels to the grid's width, so that a cell is never beyond the last.
        let cell = CELLS as f32 / SIDE as f32;
        let (u, v) = (x * cell, y * cell);
        let (column, row) = (u as usize, v as usize);
        let (u, v) = (u - column as f32, v - row as f32);
        std::array::from_fn(|axis| {
            let at = |row: usize, column: usize| self.elastic[row][column][axis];
            let upper = at(row, column) * (1.0 - u) + at(row, column + 1) * u;
            let lower = at(row + 1, column) * (1.0 - u) + at(row + 1, column + 1) * u;
            upper * (1.0 - v) + lower * v
        })
    }
}

/// An image with a frame of paper one pixel wide, so that every position has four pixels around it.
struct Framed {
    grey: [[f32; SIDE + 2]; SIDE + 2],
}

impl Framed {
    fn new(image: &[u8]) -> Self {
        let mut grey = [[0.0; SIDE + 2]; SIDE + 2];
        for (framed, row) in grey[1..].iter_mut().zip(image.chunks_exact(SIDE)) {
            framed[1..].iter_mut().zip(row).for_each(|(framed, &pixel)| *framed = pixel.into());
        }
        Self { grey }
    }

    /// Grey value at a position between pixels, bilinearly.
    fn at(&self, x: f32, y: f32) -> u8 {
        // The frame's last pixel is at 28; beyond it all is paper, and its left and upper neighbours must exist.
        let within = |position: f32| (position + 1.0).clamp(0.0, SIDE as f32 + 0.999);
        let (x, y) = (within(x), within(y));
        let (column, row) = (x as usize, y as usize);
        let (u, v) = (x - column as f32, y - row as f32);
        let along = |row: &[f32]| row[column] * (1.0 - u) + row[column + 1] * u;
        let grey = along(&self.grey[row]) * (1.0 - v) + along(&self.grey[row + 1]) * v;
        // Rounded, so that a distortion of strength zero is exactly the identity; the cast truncates.
        (grey + 0.5) as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::randomness::{Purpose, Randomness};

    const STRONG: Strength = Strength { rotation: 0.3, scale: 0.2, shear: 0.2, shift: 2.0, elastic: 1.0 };

    fn stripes() -> [u8; PIXELS] {
        std::array::from_fn(|pixel| (pixel * 7 % 256) as u8)
    }

    fn distorted(strength: Strength, seed: u64) -> [u8; PIXELS] {
        let mut generator = Randomness::new(seed).stream(Purpose::Augmentation, 3, 14);
        Distortion::sample(strength, &mut generator).apply(&stripes())
    }

    #[test]
    fn strength_zero_changes_nothing() {
        assert_eq!(distorted(STRONG.times(0.0), 1), stripes());
    }

    #[test]
    fn the_seed_decides_the_distortion() {
        assert_eq!(distorted(STRONG, 1), distorted(STRONG, 1));
        assert_ne!(distorted(STRONG, 1), distorted(STRONG, 2));
    }

    #[test]
    fn a_whole_shift_moves_pixels() {
        let mut generator = Randomness::new(1).stream(Purpose::Augmentation, 0, 0);
        let mut distortion = Distortion::sample(STRONG.times(0.0), &mut generator);
        distortion.shift = [1.0, 2.0];
        let (image, moved) = (stripes(), distortion.apply(&stripes()));
        assert_eq!(moved[5 * SIDE + 6], image[7 * SIDE + 7]);
        assert_eq!(moved[27 * SIDE], 0, "from below the last row");
    }
}
