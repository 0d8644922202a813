//! How many bits the weights of an imported network have.
//!
//! Narrow weights are coarse, and wide ones multiply noise. So widths are tried, and the network is taken whose encrypted labels are
//! expected to be the real ones most often:
//!
//! ```text
//! worth = share of pictures whose integer label is the real one - share of labels that noise is expected to change
//! ```
//!
//! One width for all layers comes first, and then a bit more or less for each layer.

use std::{iter::repeat_n, ops::RangeInclusive};

use rayon::prelude::*;
use tfhe_core::control::Control;

use super::{fault::ImportFault, network::RealNetwork};
use crate::{
    client::encoding::{encoded::EncodedImage, fault::EncodingFault},
    data::image::Image,
    engine::{calibrate, evaluate},
    error::Result,
    model::{files::ModelFiles, network::Model},
};

/// Pictures on which labels are compared.
const MOST_COMPARED: usize = 1000;
/// Widths of weights that are tried, in bits; and that of the layer that reads pixels: weights multiply the noise of what they read, and
/// pixels have next to none.
const WEIGHT_BITS: RangeInclusive<u32> = 2..=8;
const FIRST_BITS: u32 = 8;

/// A network in integers, calibrated, and how its labels compare with those in floating point.
#[derive(Debug, Clone)]
pub struct Imported {
    /// The width of the weights of each layer that has some, in bits.
    pub weight_bits: Vec<u32>,
    /// The model.
    pub files: ModelFiles,
    /// The labels in floating point of the first pictures, 1,000 at most.
    pub real: Vec<usize>,
    /// The labels of the integers for the same pictures.
    pub integers: Vec<usize>,
}

impl Imported {
    /// How many labels are the same in integers as in floating point.
    pub fn equal(&self) -> usize {
        self.integers.iter().zip(&self.real).filter(|(integer, real)| integer == real).count()
    }

    /// What it is worth to whoever sends pictures encrypted. A network that is not run has no label.
    fn worth(&self, model: &Model) -> f64 {
        self.equal() as f64 / self.real.len() as f64 - model.label_changes().unwrap_or(1.0)
    }
}

impl RealNetwork {
    /// The network in integers, with the ranges that its values and sums have on these pictures, and of that name and description.
    /// `weight_bits` are the widths of weights, 2 to 8 bits, of the layers after the first, which has 8: none to try which are best, one for
    /// all, or one for each. The control hears of each [attempt](Self::attempts).
    ///
    /// # Errors
    /// [`EncodingFault`] for a picture of another size or other channels than the network reads;
    /// [`ImportFault::NoPictures`](super::ImportFault) without any; [`ImportFault::WeightBits`](super::ImportFault) for other widths; those of
    /// [`to_integers`](Self::to_integers), where no width will do; [`Error::Cancelled`](crate::Error::Cancelled).
    pub fn import(
        &self,
        source: (&str, &str),
        pictures: &[Image],
        weight_bits: &[u32],
        control: &Control,
    ) -> Result<Imported> {
        let layers = self.weighted_layers();
        let uniform = |bits| [FIRST_BITS].into_iter().chain(repeat_n(bits, layers - 1)).collect::<Vec<u32>>();
        let asked = match *weight_bits {
            [] => None,
            _ if weight_bits.iter().any(|bits| !WEIGHT_BITS.contains(bits)) => None,
            [bits] => Some(uniform(bits)),
            _ => Some([&[FIRST_BITS], weight_bits].concat()).filter(|all| all.len() == layers),
        };
        if asked.is_none() && !weight_bits.is_empty() {
            return Err(ImportFault::WeightBits { given: weight_bits.into(), needed: layers - 1 }.into());
        }
        let attempt = Attempt::new(self, source, pictures, control)?;
        match asked {
            Some(widths) => attempt.with(widths).map(|(_, made)| made),
            None => attempt.best(uniform),
        }
    }

    /// How often [`import`](Self::import) makes integers of the network at most, where it is given so many widths of weights.
    pub fn attempts(&self, weight_bits: &[u32]) -> usize {
        match weight_bits {
            [] => WEIGHT_BITS.count() + 2 * (self.weighted_layers() - 1),
            _ => 1,
        }
    }

    /// Refuses pictures that the network does not read.
    fn check(&self, pictures: &[Image]) -> Result<()> {
        let (channels, width, height) = self.picture();
        if pictures.is_empty() {
            return Err(ImportFault::NoPictures.into());
        }
        for picture in pictures {
            let (found, expected) = ((picture.width(), picture.height()), (width, height));
            if found != expected {
                return Err(EncodingFault::Size { found, expected }.into());
            }
            if picture.channels() != channels {
                return Err(EncodingFault::Channels { found: picture.channels(), expected: channels }.into());
            }
        }
        Ok(())
    }
}

/// What all attempts share.
struct Attempt<'a> {
    network: &'a RealNetwork,
    source: (&'a str, &'a str),
    pictures: &'a [Image],
    ranges: super::ValueRanges,
    real: Vec<usize>,
    control: &'a Control,
}

impl<'a> Attempt<'a> {
    fn new(
        network: &'a RealNetwork,
        source: (&'a str, &'a str),
        pictures: &'a [Image],
        control: &'a Control,
    ) -> Result<Self> {
        network.check(pictures)?;
        let real = |image: &Image| image.pixels().iter().map(|&grey| f64::from(grey) / 255.0).collect();
        let reals: Vec<Vec<f64>> = pictures.iter().map(real).collect();
        let ranges = network.ranges(&reals, control)?;
        let label = |picture: &Vec<f64>| {
            control.check()?;
            let scores = network.evaluate(picture);
            // The first of the greatest, as everywhere.
            let greatest = (0..scores.len()).rev().max_by(|&a, &b| scores[a].total_cmp(&scores[b]));
            Ok(greatest.unwrap_or_default())
        };
        let compared = &reals[..reals.len().min(MOST_COMPARED)];
        let real = compared.par_iter().map(label).collect::<Result<_>>()?;
        Ok(Self { network, source, pictures, ranges, real, control })
    }

    /// The network with weights of these widths, and what it is worth.
    fn with(&self, weight_bits: Vec<u32>) -> Result<(f64, Imported)> {
        self.control.check()?;
        let files = self.network.to_integers(self.source, &self.ranges, &weight_bits)?;
        let before = files.model()?;
        let encode = |image| before.input().encode(image);
        let encoded: Vec<EncodedImage> = self.pictures.iter().map(encode).collect::<Result<_>>()?;
        let files = calibrate(&files, &encoded, self.control)?;
        let model = files.model()?;
        let label = |image: &EncodedImage| Ok(evaluate(&model, image)?.label());
        let integers = encoded[..self.real.len()].par_iter().map(label).collect::<Result<_>>()?;
        let imported = Imported { weight_bits, files, real: self.real.clone(), integers };
        self.control.advance(1);
        Ok((imported.worth(&model), imported))
    }

    /// The network that is worth most, of one width for all and then of others for single layers.
    fn best(&self, uniform: impl Fn(u32) -> Vec<u32>) -> Result<Imported> {
        // Where one width has no place for its numbers, another may have.
        let mut made: Vec<Result<(f64, Imported)>> =
            WEIGHT_BITS.map(|bits| self.with(uniform(bits))).collect();
        let worth =
            |made: &Result<(f64, Imported)>| made.as_ref().map_or(f64::NEG_INFINITY, |(worth, _)| *worth);
        // Of equal ones the narrowest.
        let best = (0..made.len()).rev().max_by(|&a, &b| worth(&made[a]).total_cmp(&worth(&made[b])));
        let (mut most, mut chosen) = made.swap_remove(best.expect("invariant: there are widths to try"))?;
        for layer in 1..chosen.weight_bits.len() {
            for bits in [chosen.weight_bits[layer] + 1, chosen.weight_bits[layer] - 1] {
                self.control.check()?;
                let mut other = chosen.weight_bits.clone();
                other[layer] = bits;
                let made = WEIGHT_BITS.contains(&bits).then(|| self.with(other));
                if let Some(Ok((worth, other))) = made
                    && worth > most
                {
                    (most, chosen) = (worth, other);
                }
            }
        }
        Ok(chosen)
    }
}
