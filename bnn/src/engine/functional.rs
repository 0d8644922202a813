//! The functional engine: linear layers are free on ciphertexts, and a neuron is one bootstrap through the sign.
//!
//! A value is carried as a multiple of a *unit* of the torus, one unit a layer. A binary layer sums
//! `(2 (W x + b) + 1) u`, an odd multiple of its unit, and the sign brings out `+-` the amplitude that the next layer
//! reads; the last layer sums `(V h + c) u`, which the client decrypts and divides by `u`. A unit is as large as it may
//! be while the largest possible sum, with a guard of 8 standard deviations of its noise, stays within the half torus:
//!
//! ```text
//! u = (1/2 - 8 sigma) / (largest |sum|)
//! ```
//!
//! The result is approximate: noise turns the sign of a sum near 0 now and then (one multiple of the unit is not far
//! above the noise of key switch and modulus switch). [`Plan::predict`] says how often that changes a label. (Linear
//! layer and sign on the torus: Bourse, Minelli, Minihold, Paillier, "Fast homomorphic evaluation of deep discretized
//! neural networks", CRYPTO 2018, with the scale of its plaintexts chosen for each layer.)

use rand_chacha::{
    ChaCha20Rng,
    rand_core::{Rng, SeedableRng},
};
use rayon::prelude::*;
use tfhe_core::{
    bootstrap::LookupTable, ciphertext::Ciphertext, evaluator::Evaluator, keys::SecretKey, noise,
    parameters::Parameters, random::SecretSeed, serial::CiphertextList, torus::Torus32,
};

use super::Scores;
use crate::{
    Error, Result,
    encoding::{EncodedImage, PixelEncoding},
    encrypted::{EncryptedImage, EncryptedScores, ImageContent},
    layer::{BinaryDense, Dense, InputBound, Layer, Matrix},
    model::Model,
};

/// Standard deviations of its noise that every sum keeps from the edge of the torus: passed once in 2^49 sums, and
/// then only by sums of the largest possible size.
const GUARD_DEVIATIONS: f64 = 8.0;
/// A binary layer's noise may be this many units at most; beyond, signs would be lost in it.
const MOST_NOISE_UNITS: f64 = 16.0;
/// The scores' noise may be this part of the largest score at most; beyond, labels would be lost in it.
const MOST_NOISE_SHARE: f64 = 1.0 / 32.0;

/// How one network is carried on the torus with one parameter set.
#[derive(Debug, Clone)]
pub struct Plan<'a> {
    model: &'a Model,
    parameters: &'static Parameters,
    scales: Vec<Scale>,
}

/// How the sums of one layer lie on the torus.
#[derive(Debug, Clone, Copy)]
struct Scale {
    /// The largest sum, in units.
    sum_bound: i64,
    /// One unit of a sum, in units of 2^-32 of the torus.
    unit: u32,
    /// Standard deviation of the sum's noise where it is read, in units of the sum.
    noise_units: f64,
}

impl Scale {
    fn torus(self, multiple: i64) -> Torus32 {
        Torus32(self.unit) * multiple
    }
}

impl<'a> Plan<'a> {
    /// Chooses the units of a network's layers.
    ///
    /// # Errors
    /// [`Error::TooManyInputs`] where the picture does not fit one packed ciphertext; [`Error::SumsTooLarge`], naming
    /// the layer, where sums would be lost in noise.
    pub fn new(model: &'a Model, parameters: &'static Parameters) -> Result<Self> {
        let active = supported(model)?;
        let inputs = model.input().value_count();
        if inputs > parameters.polynomial_size {
            return Err(Error::TooManyInputs { inputs, most: parameters.polynomial_size });
        }
        let mut bound = InputBound::Bits { active };
        let mut input_variance = noise::fresh(parameters);
        let mut scales = Vec::new();
        for layer in model.layers() {
            let scale = match layer {
                Layer::BinaryDense(layer) => {
                    let sum = input_variance * largest_square_norm(layer.weights());
                    let deviation = noise::decision(parameters, sum).sqrt();
                    scale(layer.name(), layer.sum_bound(bound), deviation, MOST_NOISE_UNITS)?
                }
                Layer::Dense(layer) => {
                    let deviation = (input_variance * largest_square_norm(layer.weights())).sqrt();
                    let sum_bound = layer.sum_bound();
                    scale(layer.name(), sum_bound, deviation, sum_bound as f64 * MOST_NOISE_SHARE)?
                }
                _ => unreachable!("invariant: other kinds were refused"),
            };
            scales.push(scale);
            bound = InputBound::Signs;
            input_variance = noise::bootstrapped(parameters);
        }
        Ok(Self { model, parameters, scales })
    }

    /// The parameter set.
    pub fn parameters(&self) -> &'static Parameters {
        self.parameters
    }

    /// Bootstraps of one inference: one a hidden neuron.
    pub fn bootstraps(&self) -> usize {
        self.hidden().map(|(layer, _)| layer.weights().rows()).sum()
    }

    /// For each layer: its name, the largest sum in its units, and the standard deviation of the noise in its units.
    pub fn margins(&self) -> Vec<(&str, i64, f64)> {
        let margin = |(layer, scale): (&'a Layer, &Scale)| (layer.name(), scale.sum_bound, scale.noise_units);
        self.model.layers().zip(&self.scales).map(margin).collect()
    }

    /// The client's part before: encrypts an encoded picture.
    ///
    /// # Errors
    /// [`Error::InputLength`] for a picture encoded for another model; [`Error::OtherParameters`] for a key of another
    /// parameter set.
    pub fn encrypt(&self, key: &SecretKey, image: &EncodedImage, seed: SecretSeed) -> Result<EncryptedImage> {
        self.check_parameters(key.parameters())?;
        self.model.input().check_value_count(image.values().len())?;
        // A picture's sums are of (2 W x) units. Multiplied, not chosen: pixels are the client's secret.
        let messages: Vec<Torus32> = image.values().iter().map(|&x| self.scales[0].torus(2 * x)).collect();
        let packed = key.encrypt_packed(&messages, seed)?;
        Ok(EncryptedImage::new(ImageContent::Packed(packed), self.model.digest()))
    }

    /// The server's part: evaluates the network on an encrypted picture, on all threads of the current rayon pool.
    /// `progress` is told the bootstraps done.
    ///
    /// # Errors
    /// [`Error::OtherModel`] for a picture encrypted for another model, [`Error::OtherParameters`] for another
    /// parameter set, [`Error::Crypto`] for another key.
    pub fn infer(
        &self,
        evaluator: &Evaluator,
        image: &EncryptedImage,
        progress: impl Fn(usize),
    ) -> Result<EncryptedScores> {
        self.check_parameters(evaluator.parameters())?;
        image.check_model(self.model)?;
        let ImageContent::Packed(packed) = image.content() else {
            return Err(Error::OtherParameters {
                found: image.parameters().name,
                expected: self.parameters.name,
            });
        };
        self.check_parameters(packed.parameters())?;
        self.model.input().check_value_count(packed.message_count())?;

        let mut values = packed.unpack();
        let mut done = 0;
        // Few enough that progress is seen, many enough that every thread's batches are full.
        let part = 2 * evaluator.batch_size() * rayon::current_num_threads();
        for (number, (layer, scale)) in self.hidden().enumerate() {
            let size = self.parameters.polynomial_size;
            let table = LookupTable::sign(size, self.amplitude(number + 1));
            let mut outputs = Vec::with_capacity(layer.weights().rows());
            let constants: Vec<Torus32> =
                layer.biases().iter().map(|&b| scale.torus(2 * i64::from(b) + 1)).collect();
            let rows: Vec<&[i32]> = layer.weights().iter().collect();
            for (rows, constants) in rows.chunks(part).zip(constants.chunks(part)) {
                let sums = linear(rows, constants, &values)?;
                outputs.extend(evaluator.bootstrap(&sums, &vec![&table; sums.len()])?);
                done += sums.len();
                progress(done);
            }
            values = outputs;
        }
        let (layer, scale) = self.last();
        let rows: Vec<&[i32]> = layer.weights().iter().collect();
        let constants: Vec<Torus32> = layer.biases().iter().map(|&c| scale.torus(i64::from(c))).collect();
        let scores = linear(&rows, &constants, &values)?;
        let list = CiphertextList::new(self.parameters, evaluator.key_id(), scores)?;
        Ok(EncryptedScores::new(list, self.model.digest()))
    }

    /// The client's part after: decrypts the scores.
    ///
    /// # Errors
    /// [`Error::OtherModel`] for scores of another model, [`Error::OtherParameters`] for another parameter set,
    /// [`Error::ScoreCount`] for another number of them, [`Error::Crypto`] for another key.
    pub fn decrypt(&self, key: &SecretKey, scores: &EncryptedScores) -> Result<Scores> {
        self.check_parameters(key.parameters())?;
        self.check_parameters(scores.list().parameters())?;
        scores.check_model(self.model)?;
        let (layer, scale) = self.last();
        let (found, expected) = (scores.list().ciphertexts().len(), layer.weights().rows());
        if found != expected {
            return Err(Error::ScoreCount { found, expected });
        }
        let integer = |ciphertext: &Ciphertext| {
            let phase = key.phase(ciphertext)?.0.cast_signed();
            Ok((f64::from(phase) / f64::from(scale.unit)).round() as i64)
        };
        let integers = scores.list().ciphertexts().iter().map(integer).collect::<Result<_>>()?;
        Ok(Scores { integers, fraction_bits: layer.fraction_bits() })
    }

    /// The probability, by the noise formulas, that the encrypted network gives a picture the oracle's label: the share
    /// of `trials` evaluations in the clear, with Gaussian noise of each layer's deviation, in which it does. The same
    /// seed gives the same answer.
    ///
    /// # Errors
    /// [`Error::InputLength`] for a picture encoded for another model.
    pub fn predict(&self, image: &EncodedImage, trials: u32, seed: u64) -> Result<f64> {
        let label = super::evaluate(self.model, image)?.label();
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let agreements = (0..trials).filter(|_| self.noisy_label(image, &mut rng) == label).count();
        Ok(agreements as f64 / f64::from(trials))
    }

    /// One evaluation in the clear, with noise. `image` has the model's length.
    fn noisy_label(&self, image: &EncodedImage, rng: &mut ChaCha20Rng) -> usize {
        let mut values = image.values().to_vec();
        for (layer, scale) in self.hidden() {
            let fires = |sum: i64| (2 * sum + 1) as f64 + scale.noise_units * normal(rng) >= 0.0;
            values =
                layer.sums(&values).into_iter().map(fires).map(|fires| if fires { 1 } else { -1 }).collect();
        }
        let (layer, scale) = self.last();
        let noisy = |sum: i64| (sum as f64 + scale.noise_units * normal(rng)).round() as i64;
        let integers = layer.evaluate(&values).into_iter().map(noisy).collect();
        Scores { integers, fraction_bits: layer.fraction_bits() }.label()
    }

    fn check_parameters(&self, found: &Parameters) -> Result<()> {
        if found.name == self.parameters.name {
            return Ok(());
        }
        Err(Error::OtherParameters { found: found.name, expected: self.parameters.name })
    }

    fn hidden(&self) -> impl Iterator<Item = (&'a BinaryDense, Scale)> {
        self.model.layers().zip(&self.scales).filter_map(|(layer, &scale)| match layer {
            Layer::BinaryDense(layer) => Some((layer, scale)),
            _ => None,
        })
    }

    fn last(&self) -> (&'a Dense, Scale) {
        match (self.model.layers().next_back(), self.scales.last()) {
            (Some(Layer::Dense(layer)), Some(&scale)) => (layer, scale),
            _ => unreachable!("invariant: a model's last layer is dense, and every layer has a scale"),
        }
    }

    /// What a neuron brings out for the layer `number` to read: 2 units where that doubles its sums, else 1.
    fn amplitude(&self, number: usize) -> Torus32 {
        let multiple = match self.model.layers_and_shapes()[number].0 {
            Layer::BinaryDense(_) => 2,
            _ => 1,
        };
        self.scales[number].torus(multiple)
    }
}

/// Refuses a network that is not one or more binary layers on set pixels, then scores without a shift; gives the most set
/// pixels.
fn supported(model: &Model) -> Result<usize> {
    let PixelEncoding::Threshold { max_active, .. } = model.input().pixels() else {
        return Err(Error::UnsupportedEncoding {
            encoding: model.input().pixels().name(),
            engine: "functional",
        });
    };
    let last = model.layers().len() - 1;
    for (number, layer) in model.layers().enumerate() {
        let fits = match layer {
            Layer::BinaryDense(_) => number < last,
            Layer::Dense(dense) => {
                number == last && number > 0 && dense.shift() == 0 && dense.bits().is_none()
            }
            _ => false,
        };
        if !fits {
            let layer_name = layer.name().into();
            return Err(Error::UnsupportedLayer {
                layer: layer_name,
                kind: layer.kind(),
                engine: "functional",
            });
        }
    }
    Ok(max_active)
}

/// The unit that keeps a layer's sums on the half torus, if their noise is then `most_noise` units or less.
fn scale(layer: &str, sum_bound: i64, deviation: f64, most_noise: f64) -> Result<Scale> {
    let unit = (0.5 - GUARD_DEVIATIONS * deviation) / sum_bound as f64;
    let noise_units = deviation / unit;
    if !(0.0..=most_noise).contains(&noise_units) {
        return Err(Error::SumsTooLarge { layer: layer.into(), sum_bound, deviation });
    }
    // Rounded down: the largest sum stays inside.
    let unit = (unit * 2f64.powi(32)) as u32;
    Ok(Scale { sum_bound, unit, noise_units })
}

fn largest_square_norm(weights: &Matrix) -> f64 {
    let norm = |row: &[i32]| row.iter().map(|&w| f64::from(w).powi(2)).sum();
    weights.iter().map(norm).fold(0.0, f64::max)
}

/// A row of weights times the values, plus a constant, for each row.
fn linear(rows: &[&[i32]], constants: &[Torus32], values: &[Ciphertext]) -> Result<Vec<Ciphertext>> {
    let sum = |(row, &constant): (&&[i32], &Torus32)| {
        let terms = row.iter().copied().zip(values).filter(|&(w, _)| w != 0);
        // A row of zeros still needs a ciphertext to give the sum its shape.
        let terms: Vec<_> = terms.collect();
        let terms = if terms.is_empty() { vec![(0, &values[0])] } else { terms };
        Ok(Ciphertext::linear(constant, terms)?)
    };
    rows.par_iter().zip(constants).map(sum).collect()
}

/// A standard normal number, by Box and Muller's method.
fn normal(rng: &mut ChaCha20Rng) -> f64 {
    let mut uniform = || (rng.next_u64() >> 11) as f64 / 2f64.powi(53);
    let (u, v) = (1.0 - uniform(), uniform());
    (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_scale_keeps_the_largest_sum_and_its_guard_on_the_half_torus() {
        let deviation = 2f64.powi(-10);
        let scale = scale("hidden", 801, deviation, MOST_NOISE_UNITS).unwrap();
        let edge = f64::from(scale.unit) / 2f64.powi(32) * 801.0 + GUARD_DEVIATIONS * deviation;
        assert!(edge <= 0.5 && edge > 0.499_999, "{edge}");
    }

    #[test]
    fn sums_lost_in_noise_are_refused_with_the_layer_named() {
        let error = scale("hidden", 60_000, 2f64.powi(-10), MOST_NOISE_UNITS).unwrap_err().to_string();
        assert!(error.contains("hidden") && error.contains("60000"), "{error}");
        assert!(scale("hidden", 10, 0.1, MOST_NOISE_UNITS).is_err());
    }

    #[test]
    fn the_predictor_draws_standard_normal_numbers() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let draws: Vec<f64> = (0..100_000).map(|_| normal(&mut rng)).collect();
        let moment = |p: i32| draws.iter().map(|x| x.powi(p)).sum::<f64>() / draws.len() as f64;
        // Six standard errors of 10^5 draws.
        assert!(moment(1).abs() < 0.019 && (moment(2) - 1.0).abs() < 0.027);
    }
}
