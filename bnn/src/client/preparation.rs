//! From a person's picture to one that a network reads: the changes that are asked for, and a look at what comes of them.
//!
//! The networks learned white digits on black. They give a label to anything, also to dark ink on white paper and to an empty
//! page, and nothing in the encrypted scores tells. So the client looks at the picture while it is in the clear. A picture of
//! several channels has no ink and no paper: it is not looked at.
//!
//! ```
//! use bnn::{client::{Change, Preparation}, data::Image};
//! # use bnn::{engine::client_specification, model::Model};
//! # let read = |name| std::fs::read(format!("{}/../models/perceptron/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap();
//! # let model = std::sync::Arc::new(Model::from_bytes(&read("manifest.toml"), &read("weights.safetensors"))?);
//! # let specification = client_specification(&model)?;
//! // A bar of dark ink on white paper, of 50 x 40 pixels.
//! let scan: Vec<u8> = (0..50 * 40).map(|i| if i % 50 / 4 == 6 && (5..35).contains(&(i / 50)) { 20 } else { 240 }).collect();
//! let scan = Image::grey(50, 40, scan)?;
//! let error = Preparation::checked([Change::Fit]).apply(scan.clone(), specification.input()).unwrap_err();
//! assert!(error.to_string().contains("looks inverted"));
//! let digit = Preparation::checked([Change::Invert, Change::Fit]).apply(scan, specification.input())?;
//! assert_eq!((digit.width(), digit.height()), (28, 28));
//! # Ok::<(), bnn::Error>(())
//! ```

mod appearance;
mod change;
pub(crate) mod fault;
mod fit;
mod middle;

use std::collections::BTreeSet;

use super::encoding::{encoded::EncodedImage, fault::EncodingFault, input::InputEncoding};
pub use change::Change;

#[cfg(feature = "images")]
use crate::data::picture::Picture;
use crate::{data::image::Image, error::Result};

/// What is done with a picture before it is encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Preparation {
    /// Nothing: the picture is meant as it is.
    AsIs,
    /// These changes, in their order. A picture of one channel that does not look like bright ink on dark paper is refused.
    Checked(BTreeSet<Change>),
}

impl Preparation {
    /// These changes and the checks.
    pub fn checked(changes: impl IntoIterator<Item = Change>) -> Self {
        Self::Checked(changes.into_iter().collect())
    }

    /// The changes, in the order in which they are made.
    pub fn changes(&self) -> impl Iterator<Item = Change> {
        let changes = match self {
            Self::AsIs => None,
            Self::Checked(changes) => Some(changes),
        };
        changes.into_iter().flatten().copied()
    }

    /// The picture of a file, with the channels that a model reads, prepared for it. One of a wrong size is refused before its
    /// pixels are decoded.
    ///
    /// # Errors
    /// As [`apply`](Self::apply) and [`Picture::decode`].
    #[cfg(feature = "images")]
    pub fn read(&self, picture: &Picture, input: &InputEncoding) -> Result<Image> {
        picture.check_pixels()?;
        self.check_size((picture.width(), picture.height()), input)?;
        self.apply(picture.decode(input.channels())?, input)
    }

    /// A picture, prepared for a model.
    ///
    /// # Errors
    /// [`EncodingFault::Size`] for a picture of another size than the model reads, unless [`Change::Fit`] is asked for;
    /// [`EncodingFault::Channels`] for one with other channels; [`AppearanceFault`](super::AppearanceFault) for one of one channel
    /// that looks blank, inverted or dim, unless it is taken as it is.
    pub fn apply(&self, image: Image, input: &InputEncoding) -> Result<Image> {
        self.check_size((image.width(), image.height()), input)?;
        input.check_channels(image.channels())?;
        let Self::Checked(changes) = self else { return Ok(image) };
        let make = |image, change: &Change| change.apply(&image, input);
        if input.channels() > 1 {
            return Ok(changes.iter().fold(image, make));
        }
        // Paper that is fitted has a dark margin around it: what is ink is asked before.
        let image = changes.range(..Change::Fit).fold(image, make);
        appearance::check_ink(&image)?;
        let image = changes.range(Change::Fit..).fold(image, make);
        appearance::check_range(&image)?;
        Ok(image)
    }

    /// A picture, prepared and encoded for a model.
    ///
    /// # Errors
    /// As [`apply`](Self::apply) and [`InputEncoding::encode`].
    pub fn encode(&self, image: Image, input: &InputEncoding) -> Result<EncodedImage> {
        input.encode(&self.apply(image, input)?)
    }

    /// Refuses a picture that will not have the size of the model's.
    fn check_size(&self, (width, height): (usize, usize), input: &InputEncoding) -> Result<()> {
        let changes = |change| self.changes().any(|asked| asked == change);
        let found = if changes(Change::Transpose) { (height, width) } else { (width, height) };
        let expected = (input.width(), input.height());
        let has_pixels = found.0 > 0 && found.1 > 0;
        if found == expected || changes(Change::Fit) && has_pixels {
            return Ok(());
        }
        Err(EncodingFault::Size { found, expected }.into())
    }
}

impl Default for Preparation {
    /// No change, and the checks.
    fn default() -> Self {
        Self::checked([])
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::client::{encoding::input::PixelEncoding, shape::Shape};

    fn encoding(shape: Shape) -> InputEncoding {
        InputEncoding::new(shape, PixelEncoding::Grey { bits: 3 }).unwrap()
    }

    fn input() -> InputEncoding {
        encoding(Shape { channels: 1, height: 28, width: 28 })
    }

    /// A bar of ink on paper.
    fn bar(paper: u8, ink: u8) -> Image {
        Image::grey_from_fn(
            28,
            28,
            |x, y| if (12..16).contains(&x) && (4..24).contains(&y) { ink } else { paper },
        )
    }

    fn refusal(changes: &[Change], image: Image) -> String {
        Preparation::checked(changes.iter().copied()).apply(image, &input()).unwrap_err().to_string()
    }

    #[test]
    fn an_ordinary_picture_stays_as_it_is() {
        for digit in [bar(0, 255), bar(31, 208)] {
            assert_eq!(Preparation::default().apply(digit.clone(), &input()).unwrap(), digit);
        }
    }

    #[test]
    fn blank_inverted_and_dim_pictures_are_refused_by_name() {
        assert_eq!(
            refusal(&[], bar(0, 0)),
            "the picture is blank: its grey values go from 0 to 0, of 0 to 255"
        );
        assert!(refusal(&[], bar(240, 255)).contains("is blank"));
        assert_eq!(
            refusal(&[], bar(255, 0)),
            "the picture looks inverted: 108 of the 108 pixels along its border are bright, where networks read bright ink on \
             dark paper"
        );
        // Dark and inverted: by the picture's own range.
        assert!(refusal(&[], bar(90, 20)).contains("looks inverted"));
        assert_eq!(
            refusal(&[], bar(0, 63)),
            "the picture is dim: its paper has the grey value 0 and its ink 63, where networks read 0 and 255"
        );
        assert!(refusal(&[], bar(0, 207)).contains("is dim"));
        assert!(refusal(&[], bar(32, 255)).contains("is dim"));
    }

    #[test]
    fn changes_make_refused_pictures_readable() {
        for (changes, image) in [
            (&[Change::Invert][..], bar(255, 0)),
            (&[Change::Stretch], bar(0, 63)),
            (&[Change::Stretch, Change::Invert], bar(90, 20)),
        ] {
            let prepared = Preparation::checked(changes.iter().copied()).apply(image, &input()).unwrap();
            assert_eq!(prepared, bar(0, 255), "{changes:?}");
        }
        for (changes, image) in
            [(&[Change::Fit][..], bar(20, 80)), (&[Change::Invert, Change::Fit], bar(230, 90))]
        {
            let fitted = Preparation::checked(changes.iter().copied()).apply(image, &input()).unwrap();
            assert_eq!(fitted, Preparation::checked([Change::Fit]).apply(bar(0, 255), &input()).unwrap());
            assert_eq!(fitted.pixels().iter().filter(|&&grey| grey == 255).count(), 4 * 20);
        }
        // Where it is not called for, a change is refused too.
        assert!(refusal(&[Change::Invert], bar(0, 255)).contains("looks inverted"));
        // Fitted, the paper would have a black margin.
        assert!(refusal(&[Change::Fit], bar(255, 0)).contains("looks inverted"));
        assert!(refusal(&[Change::Fit, Change::Stretch], bar(9, 9)).contains("is blank"));
    }

    #[test]
    fn what_is_meant_as_it_is_is_not_looked_at() {
        for picture in [bar(7, 7), bar(255, 0), bar(0, 63)] {
            assert_eq!(Preparation::AsIs.apply(picture.clone(), &input()).unwrap(), picture);
        }
        assert!(Preparation::AsIs.apply(Image::grey_from_fn(2, 2, |_, _| 0), &input()).is_err());
    }

    #[test]
    fn sizes_are_those_after_a_transposition() {
        let input = encoding(Shape { channels: 1, height: 3, width: 2 });
        let wide = Image::grey(3, 2, vec![0, 0, 0, 255, 0, 0]).unwrap();
        let error = Preparation::default().apply(wide.clone(), &input).unwrap_err();
        assert_eq!(error.to_string(), "the picture is 3 x 2, this model reads 2 x 3");
        let tall = Preparation::checked([Change::Transpose]).apply(wide, &input).unwrap();
        assert_eq!(tall.pixels(), [0, 255, 0, 0, 0, 0]);
    }

    /// What would be blank, inverted and dim in grey.
    #[test]
    fn colours_are_changed_and_not_looked_at() {
        let input = encoding(Shape { channels: 2, height: 1, width: 3 });
        let blank = Image::new(2, 3, 1, vec![200; 6]).unwrap();
        assert_eq!(Preparation::default().apply(blank.clone(), &input).unwrap(), blank);
        let tall = Image::new(2, 1, 3, vec![100, 110, 120, 130, 140, 150]).unwrap();
        let changes = [Change::Transpose, Change::Invert, Change::Stretch, Change::Fit];
        let changed = Preparation::checked(changes).apply(tall, &input).unwrap();
        assert_eq!(changed.pixels(), [255, 204, 153, 102, 51, 0]);

        let grey = Image::grey(3, 1, vec![0, 255, 0]).unwrap();
        for preparation in [Preparation::default(), Preparation::AsIs, Preparation::checked([Change::Fit])] {
            let error = preparation.apply(grey.clone(), &input).unwrap_err().to_string();
            assert_eq!(error, "the picture has 1 channel, this model reads 2");
        }
        let nothing = Image::new(2, 0, 3, vec![]).unwrap();
        let error = Preparation::checked([Change::Fit]).apply(nothing, &input).unwrap_err().to_string();
        assert_eq!(error, "the picture is 0 x 3, this model reads 3 x 1");
    }
}
