//! How a model reads pictures: their shape, the encoding of their pixels, and the limits of the values.

use zeroize::Zeroizing;

use super::{
    encoded::EncodedImage,
    fault::{EncodingFault, InputFault},
    window_means,
};
use crate::{
    client::shape::{MOST_CHANNELS, Shape},
    data::image::Image,
    error::Result,
    range::check_range,
};

/// The values between two layers, and of the pixels of a picture.
pub(crate) const DIMENSION: std::ops::RangeInclusive<u32> = 1..=1 << 16;
/// The fraction bits of a number, and the bits that a sum loses.
pub(crate) const FRACTION_BITS: std::ops::RangeInclusive<u32> = 0..=30;

/// How a model reads pictures: their shape, and what becomes of their pixels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputEncoding {
    shape: Shape,
    pixels: PixelEncoding,
}

/// What becomes of a picture's pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PixelEncoding {
    /// 1 where the grey value is at least `threshold`.
    Threshold {
        /// The smallest grey value that is 1.
        threshold: u8,
        /// The most ones a picture may have.
        max_active: usize,
    },
    /// The upper bits of the grey value, or of the value of each channel.
    Grey {
        /// How many, 1 to 8.
        bits: u32,
    },
    /// Signs of the standardised picture, and mean magnitudes of its windows.
    SignAndScale {
        /// The side of a window.
        window: usize,
        /// Fraction bits of a mean magnitude.
        fraction_bits: u32,
        /// Bits of a mean magnitude as it is sent.
        bits: u32,
        /// The largest mean magnitude that is accepted, in units of 2^-`fraction_bits`.
        largest: u32,
    },
}

impl PixelEncoding {
    /// Its name in the manifest.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Threshold { .. } => "threshold",
            Self::Grey { .. } => "grey",
            Self::SignAndScale { .. } => "sign-and-scale",
        }
    }
}

/// Values that come one after the other, all with the same range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ValueRange {
    pub(crate) count: usize,
    /// Values go from 0 to this.
    pub(crate) largest: i64,
    /// Bits each is sent in.
    pub(crate) bits: u32,
}

impl InputEncoding {
    /// Checks the numbers of an encoding.
    pub(crate) fn new(shape: Shape, pixels: PixelEncoding) -> Result<Self, InputFault> {
        let Shape { channels, height, width } = shape;
        check_range("width", width, DIMENSION)?;
        check_range("height", height, DIMENSION)?;
        check_range("width * height", width * height, DIMENSION)?;
        check_range("channels", channels, 1..=MOST_CHANNELS as u32)?;
        if channels > 1 {
            if !matches!(pixels, PixelEncoding::Grey { .. }) {
                return Err(InputFault::Channels { found: channels, encoding: pixels.name() });
            }
            check_range("channels * width * height", shape.values(), DIMENSION)?;
        }
        match pixels {
            PixelEncoding::Threshold { max_active, .. } => {
                check_range("max_active", max_active, 1..=(width * height) as u64)?;
            }
            PixelEncoding::Grey { bits } => check_range("bits", bits, 1..=8)?,
            PixelEncoding::SignAndScale { window, fraction_bits, bits, largest } => {
                check_range("window", window, 1..=width.min(height) as u64)?;
                check_range("fraction_bits", fraction_bits, FRACTION_BITS)?;
                check_range("bits", bits, 2..=31)?;
                // In two's complement, as the published circuit reads it.
                check_range("largest", largest, 1..=(1_u32 << (bits - 1)) - 1)?;
            }
        }
        Ok(Self { shape, pixels })
    }

    /// Channels of the pictures.
    pub fn channels(&self) -> usize {
        self.shape.channels
    }

    /// Width of the pictures, in pixels.
    pub fn width(&self) -> usize {
        self.shape.width
    }

    /// Height of the pictures, in pixels.
    pub fn height(&self) -> usize {
        self.shape.height
    }

    /// What becomes of the pixels.
    pub fn pixels(&self) -> PixelEncoding {
        self.pixels
    }

    /// Channels, rows and columns of the pictures.
    pub(crate) fn shape(&self) -> Shape {
        self.shape
    }

    /// The values of an encoded picture, in their order.
    pub(crate) fn ranges(&self) -> Vec<ValueRange> {
        let pixels = self.shape.values();
        let bit = ValueRange { count: pixels, largest: 1, bits: 1 };
        match self.pixels {
            PixelEncoding::Threshold { .. } => vec![bit],
            PixelEncoding::Grey { bits } => {
                vec![ValueRange { count: pixels, largest: (1 << bits) - 1, bits }]
            }
            PixelEncoding::SignAndScale { window, bits, largest, .. } => {
                let count = (self.width() + 1 - window) * (self.height() + 1 - window);
                vec![bit, ValueRange { count, largest: largest.into(), bits }]
            }
        }
    }

    /// Values of an encoded picture.
    pub fn value_count(&self) -> usize {
        self.ranges().iter().map(|range| range.count).sum()
    }

    /// Bits of an encoded picture, where it is sent bit by bit.
    pub fn bit_count(&self) -> usize {
        self.ranges().iter().map(|range| range.count * range.bits as usize).sum()
    }

    /// Refuses a picture encoded for a model with another number of inputs.
    pub(crate) fn check_value_count(&self, found: usize) -> Result<()> {
        let expected = self.value_count();
        if found == expected { Ok(()) } else { Err(EncodingFault::Length { found, expected }.into()) }
    }

    /// The bits of an encoded picture's integers, least significant first, each in as many bits as it is sent in.
    pub(crate) fn bits(&self, image: &EncodedImage) -> Zeroizing<Vec<bool>> {
        let mut bits = Zeroizing::new(Vec::with_capacity(self.bit_count()));
        let mut values = image.values().iter();
        for range in self.ranges() {
            for &value in values.by_ref().take(range.count) {
                bits.extend((0..range.bits).map(|bit| value >> bit & 1 == 1));
            }
        }
        bits
    }

    /// Refuses a picture with another number of channels.
    pub(crate) fn check_channels(&self, found: usize) -> Result<()> {
        let expected = self.channels();
        if found == expected { Ok(()) } else { Err(EncodingFault::Channels { found, expected }.into()) }
    }

    /// Encodes a picture.
    ///
    /// # Errors
    /// [`EncodingFault`]: the picture is of another size or has other channels, or a value would be beyond what the model
    /// accepts.
    pub fn encode(&self, image: &Image) -> Result<EncodedImage> {
        let (found, expected) = ((image.width(), image.height()), (self.width(), self.height()));
        if found != expected {
            return Err(EncodingFault::Size { found, expected }.into());
        }
        self.check_channels(image.channels())?;
        let values = match self.pixels {
            PixelEncoding::Threshold { threshold, max_active } => {
                let values: Vec<i64> =
                    image.pixels().iter().map(|&grey| (grey >= threshold).into()).collect();
                let active = values.iter().sum::<i64>() as usize;
                if active > max_active {
                    let (pixels, limit) = (values.len(), max_active);
                    return Err(EncodingFault::TooManyActive { active, pixels, limit }.into());
                }
                values
            }
            PixelEncoding::Grey { bits } => {
                image.pixels().iter().map(|&value| i64::from(value >> (8 - bits))).collect()
            }
            PixelEncoding::SignAndScale { window, fraction_bits, largest, .. } => {
                let (mut values, means) = window_means::encode(image, window, fraction_bits);
                // The greatest, and not the first beyond: one decision for the picture, where each mean is a secret.
                let found = means.iter().fold(0, |greatest, &mean| greatest.max(mean));
                if found > largest.into() {
                    let unit = f64::from(fraction_bits).exp2();
                    let (found, limit) = (found as f64 / unit, f64::from(largest) / unit);
                    return Err(EncodingFault::TooMuchContrast { found, limit }.into());
                }
                values.extend(means);
                values
            }
        };
        Ok(EncodedImage::new(values))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const ENCODING: InputEncoding = InputEncoding {
        shape: Shape { channels: 1, height: 2, width: 3 },
        pixels: PixelEncoding::Threshold { threshold: 100, max_active: 2 },
    };

    fn image(width: usize, height: usize, pixels: &[u8]) -> Image {
        Image::grey(width, height, pixels.into()).unwrap()
    }

    #[test]
    fn the_threshold_itself_is_set() {
        let encoded = ENCODING.encode(&image(3, 2, &[0, 99, 100, 0, 255, 1])).unwrap();
        assert_eq!(encoded.values(), [0, 0, 1, 0, 1, 0]);
        assert_eq!(ENCODING.bit_count(), 6);
    }

    #[test]
    fn grey_values_keep_their_upper_bits() {
        let encoding = InputEncoding { pixels: PixelEncoding::Grey { bits: 3 }, ..ENCODING };
        let encoded = encoding.encode(&image(3, 2, &[0, 31, 32, 128, 254, 255])).unwrap();
        assert_eq!(encoded.values(), [0, 0, 1, 4, 7, 7]);
        let bits: Vec<bool> = encoding.bits(&encoded).to_vec();
        assert_eq!(bits[6..12], [true, false, false, false, false, true]);
    }

    #[test]
    fn every_channel_keeps_its_upper_bits() {
        let shape = Shape { channels: 3, height: 1, width: 2 };
        let encoding = InputEncoding::new(shape, PixelEncoding::Grey { bits: 2 }).unwrap();
        let image = Image::new(3, 2, 1, vec![0, 64, 128, 192, 255, 1]).unwrap();
        let encoded = encoding.encode(&image).unwrap();
        assert_eq!(encoded.values(), [0, 1, 2, 3, 3, 0]);
        assert_eq!((encoding.channels(), encoding.value_count(), encoding.bit_count()), (3, 6, 12));
        let bits: Vec<bool> = encoding.bits(&encoded).to_vec();
        assert_eq!(bits[2..6], [true, false, false, true]);

        let refused = |channels| {
            let image = Image::new(channels, 2, 1, vec![0; 2 * channels]).unwrap();
            encoding.encode(&image).unwrap_err().to_string()
        };
        assert_eq!(refused(1), "the picture has 1 channel, this model reads 3");
        assert_eq!(refused(2), "the picture has 2 channels, this model reads 3");
    }

    #[test]
    fn channels_are_those_that_an_encoding_has() {
        let refused = |channels, side, pixels| {
            let shape = Shape { channels, height: side, width: side };
            InputEncoding::new(shape, pixels).unwrap_err().to_string()
        };
        let grey = PixelEncoding::Grey { bits: 8 };
        for channels in [0, 17] {
            assert_eq!(refused(channels, 1, grey), format!("`channels` is {channels}, expected 1 to 16"));
        }
        assert!(InputEncoding::new(Shape { channels: 16, height: 64, width: 64 }, grey).is_ok());
        assert_eq!(refused(16, 65, grey), "`channels * width * height` is 67600, expected 1 to 65536");
        assert_eq!(
            refused(3, 9, PixelEncoding::Threshold { threshold: 1, max_active: 1 }),
            "`channels` is 3, and pictures are encoded as \"threshold\" of 1 channel only (as \"grey\" of 1 to 16)"
        );
        let scaled = PixelEncoding::SignAndScale { window: 2, fraction_bits: 8, bits: 12, largest: 512 };
        assert!(refused(2, 9, scaled).contains("\"sign-and-scale\" of 1 channel only"));
    }

    #[test]
    fn another_size_is_refused() {
        // The transposed size has as many pixels.
        assert_eq!(
            ENCODING.encode(&image(2, 3, &[0; 6])).unwrap_err().to_string(),
            "the picture is 2 x 3, this model reads 3 x 2"
        );
    }

    #[test]
    fn too_many_set_pixels_are_refused() {
        assert_eq!(
            ENCODING.encode(&image(3, 2, &[255, 255, 255, 0, 0, 0])).unwrap_err().to_string(),
            "3 of 6 pixels are set, this model accepts at most 2 \
             (digits are white on black: is the image inverted?)"
        );
    }

    #[test]
    fn signs_and_window_means_are_those_of_the_definition() {
        let pixels = PixelEncoding::SignAndScale { window: 2, fraction_bits: 8, bits: 12, largest: 512 };
        let encoding = InputEncoding { pixels, ..ENCODING };
        // Mean 1/3 and variance 2/9 of white and black: z = sqrt 2 and -1/sqrt 2, less some 10^-5.
        let encoded = encoding.encode(&image(3, 2, &[255, 0, 0, 0, 255, 0])).unwrap();
        assert_eq!(encoded.values()[..6], [1, 0, 0, 0, 1, 0]);
        // Windows with two white pixels and with one: 3/4 sqrt 2 and 5/8 sqrt 2 of 256 units.
        assert_eq!(encoded.values()[6..], [271, 226]);
        assert_eq!((encoding.value_count(), encoding.bit_count()), (8, 6 + 24));

        let pixels = PixelEncoding::SignAndScale { window: 2, fraction_bits: 8, bits: 12, largest: 256 };
        let error = InputEncoding { pixels, ..ENCODING }.encode(&image(3, 2, &[255, 0, 0, 0, 255, 0]));
        assert!(error.unwrap_err().to_string().contains("1.06"));
    }
}
