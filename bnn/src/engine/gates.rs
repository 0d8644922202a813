//! The gate engine: a network as a Boolean circuit, every gate bootstrapped, bit for bit equal to the integer oracle.
//!
//! The client encrypts a picture bit by bit. A network is a list of *units*: each a circuit over numbers that are there, small
//! enough to be built, run and dropped. What a unit leaves are bits that are known or encrypted, and later units fold the
//! known ones. A run can be left and taken up at any bootstrap (`state`).
//!
//! * `published` makes units as the paper's system computes, `optimized` the same numbers with few bootstraps;
//! * [`Execution`] runs units, on plain bits, on counters or on ciphertexts.
//!
//! ```
//! use bnn::{circuit::netlist::Style, data::GreyImage, engine::gates::Plan, model::Model};
//! use tfhe_core::{keys::SecretKey, parameters::GATES_DEFAULT, random::SecretSeed};
//! # let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/binarized-perceptron");
//! let model = Model::open(folder.as_ref())?;
//! let plan = Plan::new(&model, &GATES_DEFAULT, Style::Optimized);
//! assert!(plan.log2_failure(1_000_000) < -100.0); // of any wrong bit in so many bootstraps
//! let key = SecretKey::generate(plan.parameters(), SecretSeed::from_os()?);
//! let black = model.input().encode(&GreyImage::new("black".into(), 28, 28, vec![0; 28 * 28])?)?;
//! let encrypted = plan.encrypt(&key, &black, SecretSeed::from_os()?)?; // a ciphertext a pixel, here
//! assert_eq!(encrypted.key_id(), key.id());
//! # Ok::<(), bnn::Error>(())
//! ```

mod execution;
mod optimized;
mod published;
mod state;
mod unit;

use std::path::Path;

use tfhe_core::{
    ciphertext::Ciphertext,
    evaluator::Evaluator,
    keys::SecretKey,
    noise,
    parameters::Parameters,
    random::SecretSeed,
    serial::{CiphertextList, Existing},
    torus::Torus32,
};
use zeroize::Zeroizing;

pub use self::{execution::Execution, state::is_saved_run};
use self::{
    execution::{HeldWord, held_inputs},
    unit::Units,
};
use super::Scores;
use crate::{
    Error, Result,
    circuit::{
        evaluator::{Counting, Encrypted, Held, Plain, PlainBit},
        netlist::Style,
        program::NoiseBudget,
        word::Word,
    },
    encoding::EncodedImage,
    encrypted::{EncryptedImage, EncryptedScores, ImageContent},
    model::Model,
};

/// How one network runs as a circuit with one parameter set.
#[derive(Debug)]
pub struct Plan<'a> {
    model: &'a Model,
    parameters: &'static Parameters,
    style: Style,
    budget: NoiseBudget,
    units: Units<'a>,
}

/// What a run costs, counted without running it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Estimate {
    /// Bootstraps.
    pub bootstraps: usize,
    /// Bootstraps up to and with each layer; layers that run together share a number.
    pub layers: Vec<(String, usize)>,
    /// The most ciphertexts that are held at once.
    pub most_held: usize,
}

impl<'a> Plan<'a> {
    /// Plans a network: every model has circuits in both styles.
    pub fn new(model: &'a Model, parameters: &'static Parameters, style: Style) -> Self {
        let units = match style {
            Style::Optimized => optimized::units(model),
            Style::AsPublished => published::units(model),
        };
        Self { model, parameters, style, budget: NoiseBudget::new(parameters), units }
    }

    /// The parameter set.
    pub fn parameters(&self) -> &'static Parameters {
        self.parameters
    }

    /// How circuits are built.
    pub fn style(&self) -> Style {
        self.style
    }

    /// Counts bootstraps and ciphertexts, by building every circuit: some seconds for a large network.
    ///
    /// # Errors
    /// [`Error::GateTooNoisy`] where the parameter set is too noisy.
    pub fn estimate(&self) -> Result<Estimate> {
        let mut execution = Execution::new(self, Counting, held_inputs(self, std::iter::repeat(())));
        let mut layers: Vec<(String, usize)> = Vec::new();
        loop {
            let layer = execution.layer();
            if execution.advance(usize::MAX)? == 0 {
                break;
            }
            match layers.last_mut() {
                Some((name, done)) if Some(name.as_str()) == layer => *done = execution.bootstraps(),
                _ => layers.extend(layer.map(|name| (name.to_owned(), execution.bootstraps()))),
            }
        }
        let bootstraps = execution.bootstraps();
        Ok(Estimate { bootstraps, layers, most_held: execution.most_held() })
    }

    /// Bytes that so many ciphertexts take in memory.
    pub fn ciphertext_bytes(&self, count: usize) -> usize {
        count * (4 * (self.parameters.wire_dimension() + 1) + 64)
    }

    /// The client's part before: encrypts an encoded picture bit by bit.
    ///
    /// # Errors
    /// [`Error::InputLength`] for a picture encoded for another model; [`Error::OtherParameters`] for a key of another
    /// parameter set.
    pub fn encrypt(&self, key: &SecretKey, image: &EncodedImage, seed: SecretSeed) -> Result<EncryptedImage> {
        self.check_parameters(key.parameters())?;
        self.model.input().check_value_count(image.values().len())?;
        let bits = key.encrypt(&image.bits(self.model.input()), seed);
        Ok(EncryptedImage::new(ImageContent::Bits(bits), self.model.digest()))
    }

    /// The server's part, not yet begun.
    ///
    /// # Errors
    /// [`Error::OtherModel`] for a picture encrypted for another model, [`Error::OtherParameters`] for another
    /// parameter set, [`Error::Crypto`] for another key, [`Error::NoisyInput`] for bits noisier than bootstrapped ones.
    pub fn start<'b>(&'b self, evaluator: &'b Evaluator, image: &EncryptedImage) -> Result<Inference<'b>> {
        let bits = self.check_image(evaluator, image)?.into_iter();
        let execution = Execution::new(self, Encrypted::new(evaluator), held_inputs(self, bits));
        Ok(Inference { execution, evaluator, image: image.digest() })
    }

    /// The server's part, taken up where [`Inference::save`] left it.
    ///
    /// # Errors
    /// As [`start`](Self::start); [`Error::State`] where the file is no state of this model, style, picture and key.
    pub fn resume<'b>(
        &'b self,
        evaluator: &'b Evaluator,
        image: &EncryptedImage,
        path: &Path,
    ) -> Result<Inference<'b>> {
        self.check_image(evaluator, image)?;
        let execution = state::load(self, evaluator, image.digest(), path)?;
        Ok(Inference { execution, evaluator, image: image.digest() })
    }

    /// The bits of a picture that is for this plan and key.
    fn check_image(&self, evaluator: &Evaluator, image: &EncryptedImage) -> Result<Vec<Ciphertext>> {
        self.check_parameters(evaluator.parameters())?;
        image.check_model(self.model)?;
        self.check_parameters(image.parameters())?;
        let found = match image.content() {
            ImageContent::Bits(bits) => bits.message_count(),
            ImageContent::Listed(list) => list.ciphertexts().len(),
            ImageContent::Packed(_) => return Err(Error::NotBitwise),
        };
        let expected = self.model.input().bit_count();
        if found != expected {
            return Err(Error::InputLength { found, expected });
        }
        let (expected, found) = (evaluator.key_id(), image.key_id());
        if expected != found {
            return Err(tfhe_core::Error::OtherKey { expected, found }.into());
        }
        let ciphertexts = match image.content() {
            ImageContent::Bits(bits) => bits.expand(),
            ImageContent::Listed(list) => list.ciphertexts().to_vec(),
            ImageContent::Packed(_) => return Err(Error::NotBitwise),
        };
        let most = noise::bootstrapped(self.parameters);
        if let Some(noisy) = ciphertexts.iter().find(|ciphertext| ciphertext.variance() > most) {
            return Err(Error::NoisyInput { found: noisy.variance(), most });
        }
        Ok(ciphertexts)
    }

    /// The client's part after: decrypts the scores.
    ///
    /// # Errors
    /// [`Error::OtherModel`] for scores of another model, [`Error::OtherParameters`] for another parameter set,
    /// [`Error::ScoreCount`] for another number of bits, [`Error::Crypto`] for another key.
    pub fn decrypt(&self, key: &SecretKey, scores: &EncryptedScores) -> Result<Scores> {
        self.check_parameters(key.parameters())?;
        self.check_parameters(scores.list().parameters())?;
        scores.check_model(self.model)?;
        let (found, count) = (scores.list().ciphertexts().len(), self.units.score_count());
        if found == 0 || found % count != 0 || found / count > 63 {
            return Err(Error::ScoreCount { found, expected: count });
        }
        // One by one: collecting results would test each bit for being an error.
        let mut bits = Zeroizing::new(Vec::with_capacity(found));
        for bit in scores.list().ciphertexts() {
            bits.push(key.decrypt(bit)?);
        }
        Ok(self.scores(&bits))
    }

    /// Runs the circuits on plain bits: what the encrypted run gives. `watch` sees what each layer gives that is not
    /// fused with the next, by the layer's place in the model.
    ///
    /// # Errors
    /// [`Error::InputLength`] for a picture encoded for another model; [`Error::GateTooNoisy`].
    pub fn simulate(&self, image: &EncodedImage, mut watch: impl FnMut(usize, &[i64])) -> Result<Scores> {
        self.model.input().check_value_count(image.values().len())?;
        let bits = image.bits(self.model.input());
        let held = held_inputs(self, bits.iter().map(|&bit| PlainBit::from(bit)));
        let mut execution = Execution::new(self, Plain, held);
        let plain = |word: &HeldWord<PlainBit>| {
            let bits: Vec<bool> = word.bits.iter().map(plain_bit).collect();
            Word::value(&bits)
        };
        while execution.advance(usize::MAX)? > 0 {
            if let Some((layer, words)) = execution.finished_layer() {
                watch(layer, &words.into_iter().map(plain).collect::<Vec<_>>());
            }
        }
        let bits: Vec<bool> = execution.scores()?.iter().map(plain_bit).collect();
        Ok(self.scores(&bits))
    }

    /// Scores from their bits, all of one width.
    fn scores(&self, bits: &[bool]) -> Scores {
        let integers = bits.chunks(bits.len() / self.units.score_count()).map(Word::value).collect();
        Scores { integers, fraction_bits: self.model.fraction_bits() }
    }

    fn check_parameters(&self, found: &Parameters) -> Result<()> {
        if found.name == self.parameters.name {
            return Ok(());
        }
        Err(Error::OtherParameters { found: found.name, expected: self.parameters.name })
    }

    /// The bound on the probability that any bit of an inference is wrong, as its logarithm to base 2.
    pub fn log2_failure(&self, bootstraps: usize) -> f64 {
        self.parameters.log2_failure + (bootstraps.max(1) as f64).log2()
    }
}

fn plain_bit(bit: &Held<PlainBit>) -> bool {
    match *bit {
        Held::Known(bit) => bit,
        Held::Value(bit) => bit.into(),
    }
}

/// An inference on an encrypted picture, which can be left and taken up between any two bootstraps.
#[derive(Debug)]
pub struct Inference<'a> {
    execution: Execution<'a, Encrypted<'a>>,
    evaluator: &'a Evaluator,
    image: [u8; 32],
}

impl Inference<'_> {
    /// Runs on for a while: some batches for every thread of the current rayon pool. Returns the bootstraps it took; 0 at
    /// the end.
    ///
    /// # Errors
    /// [`Error::Crypto`], which a plan that was made does not meet.
    pub fn advance(&mut self) -> Result<usize> {
        self.execution.advance(self.evaluator.portion())
    }

    /// Bootstraps done, those before a resumption included.
    pub fn bootstraps(&self) -> usize {
        self.execution.bootstraps()
    }

    /// The layer it is at, by name; `None` at the end.
    pub fn layer(&self) -> Option<&str> {
        self.execution.layer()
    }

    /// Writes what is needed to go on: the file is there whole or not at all.
    ///
    /// # Errors
    /// [`Error::Crypto`] where it cannot be written; [`Error::State`] where it would be longer than what is read.
    pub fn save(&self, path: &Path) -> Result<()> {
        state::save(&self.execution, self.evaluator, self.image, path, Existing::Replace)
    }

    /// The scores, at the end.
    ///
    /// # Errors
    /// [`Error::Unfinished`] before.
    pub fn scores(&self) -> Result<EncryptedScores> {
        let plan = self.execution.plan();
        let bit = |bit: Held<_>| match bit {
            Held::Known(bit) => self.evaluator.trivial(Torus32(1 << 29) * if bit { 1 } else { -1 }),
            Held::Value(value) => value,
        };
        let bits = self.execution.scores()?.into_iter().map(bit).collect();
        let list = CiphertextList::new(plan.parameters, self.evaluator.key_id(), bits)?;
        Ok(EncryptedScores::new(list, plan.model.digest()))
    }
}
