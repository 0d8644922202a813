//! The functional engine: linear layers are free on ciphertexts, and an activation is one bootstrap through a table.
//!
//! A value is carried as a multiple of a *unit* of the torus, one unit a layer. A network is cut into stages (a linear
//! map, maxima, an activation); what a stage's table brings out is at the unit that the next stage's sums need, and the last
//! sums are decrypted by the client:
//!
//! ```text
//! encrypted values --linear--> sums --|a - b|--> maxima --table--> values at the next unit ... --linear--> scores
//! ```
//!
//! [`Plan::new`] chooses units from ranges and noise formulas, and refuses a network whose sums would leave the torus or be
//! lost in noise, by the layer's name; [`Plan::cheapest`] chooses the parameter set as well. One set serves all layers of a
//! network: another set for one layer is a second cloud key of as many megabytes, and the sets here differ by less than
//! a half in time.
//!
//! The result is approximate: noise turns the sign of a sum near 0 now and then, and moves other values a little.
//! [`Plan::predict`] says how often that changes a label, by evaluating the same plan on phases in the clear. (Linear
//! layer and sign on the torus: Bourse, Minelli, Minihold, Paillier, "Fast homomorphic evaluation of deep discretized
//! neural networks", CRYPTO 2018; other tables: Chillotti, Joye, Paillier, "Programmable bootstrapping", CSCML 2021.)
//!
//! Two liberties are taken with the integer meaning: a layer's `bits`, at which sums would wrap, are not kept (they hold
//! the sums of every real picture), and rectifiers behind the scores are the client's.
//!
//! ```
//! use bnn::{data::GreyImage, engine::functional::Plan, model::Model};
//! # let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/binarized-perceptron");
//! let model = Model::open(folder.as_ref())?;
//! let plan = Plan::cheapest(&model)?;
//! assert_eq!((plan.parameters().name, plan.bootstraps()), ("FUNCTIONAL_1024", 384));
//! // How likely noise leaves the label of this picture as it is: by ten evaluations in the clear.
//! let black = model.input().encode(&GreyImage::new("black".into(), 28, 28, vec![0; 28 * 28])?)?;
//! assert!((0.0..=1.0).contains(&plan.predict(&black, 10, 1)?));
//! # Ok::<(), bnn::Error>(())
//! ```

mod machine;
mod scale;
mod scores;
mod stage;

use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use rayon::prelude::*;
use tfhe_core::{
    bootstrap::LookupTable,
    evaluator::Evaluator,
    keys::SecretKey,
    noise,
    parameters::{FUNCTIONAL_1024, FUNCTIONAL_2048, Parameters},
    random::SecretSeed,
    serial::CiphertextList,
    torus::{Torus, Torus32},
};
use zeroize::Zeroizing;

use self::{
    machine::{Ciphertexts, Machine, Phases},
    scale::{Scale, scaled},
    scores::ScoreScale,
    stage::{Linear, Range, Stage},
};
use super::Scores;
use crate::{
    Error, Result,
    encoding::{EncodedImage, PixelEncoding},
    encrypted::{EncryptedImage, EncryptedScores, ImageContent},
    layer::Layer,
    model::Model,
};

/// The parameter sets of this engine, from the cheapest on.
pub const PARAMETER_SETS: [&Parameters; 2] = [&FUNCTIONAL_1024, &FUNCTIONAL_2048];

/// Bytes of a file beside its values (docs/formats.md): frame, seed and two counts of packed ciphertexts.
const IMAGE_FILE_BYTES: usize = 172;
/// Frame and count of a list of ciphertexts.
const SCORES_FILE_BYTES: usize = 136;

/// How one network is carried on the torus with one parameter set.
#[derive(Debug, Clone)]
pub struct Plan<'a> {
    model: &'a Model,
    parameters: &'static Parameters,
    /// All but the last stage, whose sums are the scores.
    stages: Vec<(Stage<'a>, Scale)>,
    last: Stage<'a>,
    scores: ScoreScale,
    /// Values of the picture in a row, that is in one TLWE sample.
    row_len: usize,
}

/// What a plan says of a layer.
#[derive(Debug, Clone, PartialEq)]
pub struct Margin<'a> {
    /// The linear layer's name.
    pub layer: &'a str,
    /// Bootstraps of the layer and what follows it.
    pub bootstraps: usize,
    /// The least sum that an accepted picture can have, in the integers of the model.
    pub least: i64,
    /// The greatest.
    pub most: i64,
    /// Standard deviation of the noise of what is looked up or decrypted, in the same units.
    pub noise: f64,
}

impl<'a> Plan<'a> {
    /// Chooses the units of a network's layers.
    ///
    /// # Errors
    /// [`Error::TooNoisy`], naming the layer, where sums would be lost in noise; [`Error::UnsupportedLayer`] for layers in
    /// an order that the engine does not run; [`Error::TooManyInputs`] where the windows of a picture do not fit one sample.
    pub fn new(model: &'a Model, parameters: &'static Parameters) -> Result<Self> {
        let row_len = row_len(model, parameters)?;
        let mut stages = Stage::of(model)?;
        let last = stages.pop().expect("invariant: a network has a stage");
        let (mut inputs, mut variance) = (Range::of_inputs(model.input()), noise::fresh(parameters));
        let mut scaled = Vec::new();
        for stage in stages {
            let scale = Scale::new(&stage, inputs, variance, parameters)?;
            (inputs, variance) = (scale.outputs(&stage), noise::bootstrapped(parameters));
            scaled.push((stage, scale));
        }
        let scores = ScoreScale::new(&last, inputs, variance, parameters)?;
        Ok(Self { model, parameters, stages: scaled, last, scores, row_len })
    }

    /// The plan with the cheapest parameter set under which no layer is too noisy.
    ///
    /// # Errors
    /// Those of [`new`](Self::new) with the last set, where none will do.
    pub fn cheapest(model: &'a Model) -> Result<Self> {
        let [sets @ .., last] = PARAMETER_SETS;
        sets.into_iter().find_map(|set| Self::new(model, set).ok()).map_or_else(|| Self::new(model, last), Ok)
    }

    /// The parameter set.
    pub fn parameters(&self) -> &'static Parameters {
        self.parameters
    }

    /// Bootstraps of one inference.
    pub fn bootstraps(&self) -> usize {
        self.stages.iter().map(|(stage, _)| stage.bootstraps()).sum()
    }

    /// What is said of each linear layer, from the first to the scores.
    pub fn margins(&self) -> Vec<Margin<'a>> {
        let hidden = self.stages.iter().map(|(stage, scale)| Margin {
            layer: stage.name,
            bootstraps: stage.bootstraps(),
            least: scale.range.0,
            most: scale.range.1,
            noise: scale.noise,
        });
        let (least, most) = self.scores.range;
        let last = Margin { layer: self.last.name, bootstraps: 0, least, most, noise: self.scores.noise };
        hidden.chain([last]).collect()
    }

    /// Bytes of an encrypted picture's file: a seed, and 4 a value.
    pub fn image_bytes(&self) -> usize {
        IMAGE_FILE_BYTES + 4 * self.message_count()
    }

    /// Bytes of the encrypted scores' file: a ciphertext a part.
    pub fn scores_bytes(&self) -> usize {
        SCORES_FILE_BYTES + self.scores.parts.len() * (8 + 4 * (self.parameters.wire_dimension() + 1))
    }

    /// The client's part before: encrypts an encoded picture.
    ///
    /// # Errors
    /// [`Error::InputLength`] for a picture encoded for another model; [`Error::OtherParameters`] for a key of another
    /// parameter set.
    pub fn encrypt(&self, key: &SecretKey, image: &EncodedImage, seed: SecretSeed) -> Result<EncryptedImage> {
        self.check_parameters(key.parameters())?;
        let packed = key.encrypt_packed(&self.messages(image)?, self.row_len, seed)?;
        Ok(EncryptedImage::new(ImageContent::Packed(packed), self.model.digest()))
    }

    /// What is encrypted: the values, or the planes of products of signs and means, at the first stage's unit.
    fn messages(&self, image: &EncodedImage) -> Result<Zeroizing<Vec<Torus32>>> {
        self.model.input().check_value_count(image.values().len())?;
        let unit = self.stages.first().map_or(self.scores.unit, |(_, scale)| scale.unit);
        let mut messages = Zeroizing::new(Vec::new());
        let message = |value: i64| Torus32(scaled(value, unit));
        match self.model.input().pixels() {
            PixelEncoding::Threshold { .. } | PixelEncoding::Grey { .. } => {
                messages.reserve_exact(image.values().len());
                messages.extend(image.values().iter().map(|&value| message(value)));
            }
            PixelEncoding::SignAndScale { window, .. } => {
                let picture = self.model.input().shape();
                let (signs, means) = image.values().split_at(picture.values());
                let across = picture.width + 1 - window;
                messages.reserve_exact(window * window * means.len());
                for (i, j) in (0..window).flat_map(|i| (0..window).map(move |j| (i, j))) {
                    messages.extend(means.iter().enumerate().map(|(place, mean)| {
                        let pixel = picture.place(0, place / across + i, place % across + j);
                        message(mean * (2 * signs[pixel] - 1))
                    }));
                }
            }
        }
        Ok(messages)
    }

    /// Messages that are encrypted.
    fn message_count(&self) -> usize {
        match self.model.input().pixels() {
            PixelEncoding::SignAndScale { window, .. } => window * window * self.row_len,
            _ => self.model.input().value_count(),
        }
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
        progress: impl Fn(usize) + Sync,
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
        let (found, expected) = (packed.message_count(), self.message_count());
        if found != expected || packed.row_len() != self.row_len {
            return Err(Error::InputLength { found, expected });
        }
        let scores = self.run(&mut Ciphertexts { evaluator, image: packed, done: 0, progress })?;
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
        let (found, expected) = (scores.list().ciphertexts().len(), self.scores.parts.len());
        if found != expected {
            return Err(Error::ScoreCount { found, expected });
        }
        let phases = scores.list().ciphertexts().iter().map(|part| Ok(key.phase(part)?.to_real()));
        Ok(self.decode(&phases.collect::<Result<Vec<f64>>>()?))
    }

    /// The scores of the phases of their parts.
    fn decode(&self, phases: &[f64]) -> Scores {
        let classes = self.last.linear.weights().rows();
        let sums = self.scores.sums(classes, phases).into_iter().enumerate();
        let finished =
            sums.map(|(class, sum)| self.last.linear.finished(class, sum + self.last.linear.constant(class)));
        let rectified = matches!(self.model.layers().next_back(), Some(Layer::Relu(_)));
        let least = if rectified { 0 } else { i64::MIN };
        let integers = finished.map(|score| score.max(least)).collect();
        Scores { integers, fraction_bits: self.model.fraction_bits() }
    }

    /// The probability, by the noise formulas, that the encrypted network gives a picture the oracle's label: the share
    /// of `trials` [simulations](Self::simulate) in which it does.
    ///
    /// # Errors
    /// [`Error::InputLength`] for a picture encoded for another model.
    pub fn predict(&self, image: &EncodedImage, trials: u32, seed: u64) -> Result<f64> {
        let label = super::evaluate(self.model, image)?.label();
        let simulated = self.simulate(image, trials, seed)?;
        let agreements = simulated.iter().filter(|scores| scores.label() == label).count();
        Ok(agreements as f64 / f64::from(trials))
    }

    /// The scores of `trials` evaluations of this plan, on phases in the clear with Gaussian noise of the deviations that
    /// the formulas give. The same seed gives the same scores.
    ///
    /// # Errors
    /// [`Error::InputLength`] for a picture encoded for another model.
    pub fn simulate(&self, image: &EncodedImage, trials: u32, seed: u64) -> Result<Vec<Scores>> {
        let messages = self.messages(image)?;
        let simulate = |trial: u32| {
            let mut rng = ChaCha20Rng::seed_from_u64(seed);
            rng.set_stream(trial.into());
            let phases = self.run(&mut Phases::new(self.parameters, &messages, self.row_len, rng))?;
            Ok(self.decode(&phases.into_iter().map(Torus::to_real).collect::<Vec<f64>>()))
        };
        (0..trials).into_par_iter().map(simulate).collect()
    }

    /// The network from the picture to the parts of the scores.
    fn run<M: Machine>(&self, machine: &mut M) -> Result<Vec<M::Value>> {
        let size = self.parameters.polynomial_size;
        // The planes of an XNOR convolution are not values by themselves.
        let mut values = match self.stages.first() {
            Some((Stage { linear: Linear::Xnor(_), .. }, _)) => Vec::new(),
            _ => machine.inputs(),
        };
        let next_units = self.stages.iter().skip(1).map(|(_, scale)| scale.unit).chain([self.scores.unit]);
        for ((stage, scale), next) in self.stages.iter().zip(next_units) {
            let sums = linear(stage, scale, &values, machine)?;
            let reduced = maxima(stage, scale.levels, sums, size, machine)?;
            let output = stage.outputs();
            let channels = if stage.linear.is_uniform() { 1 } else { output.channels };
            let tables: Vec<LookupTable> =
                (0..channels).map(|channel| scale.activation(stage, channel, size, next)).collect();
            let channel = |place| if channels == 1 { 0 } else { place / (output.height * output.width) };
            let of_each: Vec<&LookupTable> =
                (0..reduced.len()).map(|place| &tables[channel(place)]).collect();
            values = machine.bootstrap(&reduced, &of_each)?;
        }
        machine.combine(self.scores.parts.len(), |index| {
            let part = &self.scores.parts[index];
            let constant = Torus::from_real(-(part.centre_halves as f64) / 2.0 * self.scores.unit);
            (constant, part.terms.iter().map(|&(digit, place)| (digit, &values[place])).collect())
        })
    }

    fn check_parameters(&self, found: &Parameters) -> Result<()> {
        if found.name == self.parameters.name {
            return Ok(());
        }
        Err(Error::OtherParameters { found: found.name, expected: self.parameters.name })
    }
}

/// Values of a picture in a TLWE sample: all of them or as many as it has places, and for planes those of one.
fn row_len(model: &Model, parameters: &Parameters) -> Result<usize> {
    let (input, most) = (model.input(), parameters.polynomial_size);
    match input.pixels() {
        PixelEncoding::SignAndScale { window, .. } => {
            let inputs = (input.width() + 1 - window) * (input.height() + 1 - window);
            if inputs <= most { Ok(inputs) } else { Err(Error::TooManyInputs { inputs, most }) }
        }
        _ => Ok(input.value_count().min(most)),
    }
}

/// The sums of a stage, about its centre.
fn linear<M: Machine>(
    stage: &Stage<'_>,
    scale: &Scale,
    values: &[M::Value],
    machine: &M,
) -> Result<Vec<M::Value>> {
    let output = stage.linear.output(stage.input);
    let area = output.height * output.width;
    let rows: Vec<&[i32]> = stage.linear.weights().iter().collect();
    let constants: Vec<Torus32> =
        (0..rows.len()).map(|channel| Torus::from_real(scale.constant(stage, channel))).collect();
    if let Linear::Xnor(_) = stage.linear {
        let filters = rows.into_iter().map(|row| machine.sum_rows(row));
        let sums: Vec<M::Value> = filters.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect();
        return machine.combine(sums.len(), |place| (constants[place / area], vec![(1, &sums[place])]));
    }
    machine.combine(output.values(), |place| {
        let channel = place / area;
        let window = stage.linear.window(stage.input, output, place).into_iter();
        let terms = rows[channel].iter().zip(window).filter(|&(&w, _)| w != 0);
        let terms: Vec<_> = terms.map(|(&w, place)| (w, &values[place])).collect();
        // A row of zeros still needs a value to give the sum its shape.
        (constants[channel], if terms.is_empty() { vec![(0, &values[0])] } else { terms })
    })
}

/// What becomes one value of the next level of maxima.
enum Operand {
    /// Two values, by the number of their pair.
    Pair(usize),
    /// One that was left over, by its place.
    Single(usize),
}

/// The maxima of a stage, each at twice the unit for every level.
fn maxima<M: Machine>(
    stage: &Stage<'_>,
    levels: u32,
    mut values: Vec<M::Value>,
    size: usize,
    machine: &mut M,
) -> Result<Vec<M::Value>> {
    let mut factor = 1 << levels;
    for (pool, input) in &stage.pools {
        // The places of what is left of each square.
        let mut squares: Vec<Vec<usize>> = pool.windows(*input).collect();
        while squares.first().is_some_and(|square| square.len() > 1) {
            let pairs: Vec<(usize, usize)> = squares
                .iter()
                .flat_map(|square| square.chunks_exact(2))
                .map(|pair| (pair[0], pair[1]))
                .collect();
            let differences = machine.combine(pairs.len(), |index| {
                let (a, b) = pairs[index];
                (Torus32::default(), vec![(factor, &values[a]), (-factor, &values[b])])
            })?;
            let table = Scale::magnitude(size, factor);
            let magnitudes = machine.bootstrap(&differences, &vec![&table; pairs.len()])?;

            // A pair becomes a + b + |a - b|; one that was left over is doubled, as maxima are.
            let mut reduced = Vec::new();
            let mut pair = 0;
            for square in &mut squares {
                let first = reduced.len();
                for cells in square.chunks(2) {
                    let operand =
                        if cells.len() == 2 { Operand::Pair(pair) } else { Operand::Single(cells[0]) };
                    pair += cells.len() / 2;
                    reduced.push(operand);
                }
                *square = (first..reduced.len()).collect();
            }
            let shift = Torus::from_real(0.25 / f64::from(factor));
            values = machine.combine(reduced.len(), |index| match reduced[index] {
                Operand::Pair(pair) => {
                    let (a, b) = pairs[pair];
                    (shift, vec![(1, &values[a]), (1, &values[b]), (1, &magnitudes[pair])])
                }
                Operand::Single(place) => (Torus32::default(), vec![(2, &values[place])]),
            })?;
            factor /= 2;
        }
    }
    Ok(values)
}
