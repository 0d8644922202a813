//! How one network is carried on the torus with one parameter set.

use std::sync::Arc;

use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use rayon::prelude::*;
use tfhe_core::{
    ciphertext::{Ciphertext, CiphertextList, PackedCiphertext},
    control::Control,
    evaluator::Evaluator,
    parameters::Parameters,
    torus::Torus32,
};

use super::{
    machine::{Ciphertexts, Phases},
    scale::Scale,
    scores::ScoreScale,
    stage::{Range, Ranges, Stage},
    units,
    walk::{self, Network, Walk},
};
use crate::{
    client::{
        encoding::{encoded::EncodedImage, fault::EncodingFault},
        encrypted::{EncryptedImage, EncryptedScores, ImageContent},
        engine::{Engine, check_parameters},
        functional::FunctionalScheme,
        scores::Scores,
    },
    engine::plaintext::evaluate,
    error::{Error, Result},
    layer::kind::Layer,
    model::network::Model,
};

/// Bytes of a file beside its values (docs/formats.md): frame, seed and two counts of packed ciphertexts.
const IMAGE_FILE_BYTES: usize = 172;
/// Frame and count of a list of ciphertexts.
const SCORES_FILE_BYTES: usize = 136;

/// How one network is carried on the torus with one parameter set.
#[derive(Debug, Clone)]
pub struct Plan {
    model: Arc<Model>,
    /// The client's part: parameter set, encoding of the picture, layout of the scores.
    scheme: FunctionalScheme,
    /// All but the last stage.
    stages: Vec<(Stage, Scale)>,
    /// The last stage, whose sums are the scores.
    last: Stage,
    scores: ScoreScale,
}

/// What a plan says of a layer.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq)]
pub struct Margin {
    /// The name of the linear layer, or of the average that is bootstrapped before the scores.
    pub layer: Arc<str>,
    /// Its place among the [layers](Model::layers) of the model. (Names may be repeated in format 1.)
    pub index: usize,
    /// Bootstraps behind the layer.
    pub bootstraps: usize,
    /// The least and the greatest sum that the unit has room for, in the integers of the model: those of calibration pictures,
    /// where the model knows them.
    pub range: (i64, i64),
    /// The least and the greatest sum that an accepted picture can have.
    pub worst_case: (i64, i64),
    /// Standard deviation of the noise of what is looked up or decrypted, in the same units.
    pub noise: f64,
}

impl Plan {
    /// Chooses the units of a network's layers.
    ///
    /// # Errors
    /// [`Error::TooNoisy`], naming the layer, where sums would be lost in noise; [`Error::UnsupportedLayer`] for layers in
    /// an order that the engine does not run; [`Error::WrappingLayer`] where results may pass the width of their words;
    /// [`Error::TooManyInputs`] where the windows of a picture do not fit one sample.
    pub fn new(model: Arc<Model>, parameters: &'static Parameters) -> Result<Self> {
        Self::of_ranges(model, parameters, Ranges::Calibrated)
    }

    /// The plan without what the model knows of calibration pictures, to compare with: its units have room for every sum that an
    /// accepted picture can have. Clients of the model do not use it.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn worst_case(model: Arc<Model>, parameters: &'static Parameters) -> Result<Self> {
        Self::of_ranges(model, parameters, Ranges::WorstCase)
    }

    fn of_ranges(model: Arc<Model>, parameters: &'static Parameters, ranges: Ranges) -> Result<Self> {
        let row_len = FunctionalScheme::row_len(model.input(), parameters)?;
        let mut stages = Stage::of(&model, ranges)?;
        let last = stages.pop().expect("invariant: a network has a stage");
        let (scales, inputs) = units::scaled(&stages, &last, Range::of_inputs(model.input()), parameters)?;
        for (stage, scale) in stages.iter().zip(&scales) {
            stage.linear.check_width(&stage.name, scale.range)?;
        }
        let scores = ScoreScale::new(&last, inputs.range, inputs.variance, parameters)?;
        let scaled: Vec<(Stage, Scale)> = stages.into_iter().zip(scales).collect();
        last.linear.check_width(&last.name, scores.range)?;
        let unit = scaled.first().map_or(scores.unit, |(_, scale)| scale.unit);
        let layers = model.layers_and_shapes();
        let rectified = matches!(layers.last(), Some((Layer::Relu(_), _)));
        let dense = layers.iter().rev().find_map(|(layer, _)| match layer {
            Layer::Dense(dense) => Some(dense),
            _ => None,
        });
        let dense = dense.expect("invariant: the last layer that is no rectifier is dense");
        let layout = scores.layout(dense.biases().to_vec(), dense.shift(), rectified);
        let scheme = FunctionalScheme { parameters, unit, row_len, scores: layout };
        Ok(Self { model, scheme, stages: scaled, last, scores })
    }

    /// The plan with the cheapest parameter set under which no layer is too noisy.
    ///
    /// # Errors
    /// Those of [`new`](Self::new) with the last set, where none will do.
    pub fn cheapest(model: Arc<Model>) -> Result<Self> {
        let (last, sets) =
            Engine::Functional.parameter_sets().split_last().expect("invariant: an engine has a set");
        let fitting = sets.iter().find_map(|set| Self::new(Arc::clone(&model), set).ok());
        fitting.map_or_else(|| Self::new(model, last), Ok)
    }

    /// The parameter set.
    pub fn parameters(&self) -> &'static Parameters {
        self.scheme.parameters
    }

    /// Bootstraps of one inference.
    pub fn bootstraps(&self) -> usize {
        self.bootstraps_of(self.stages.len())
    }

    /// What is said of each linear layer, from the first to the scores.
    pub fn margins(&self) -> Vec<Margin> {
        let hidden = self.stages.iter().map(|(stage, scale)| Margin {
            layer: Arc::clone(&stage.name),
            index: stage.index,
            bootstraps: stage.bootstraps(),
            range: scale.range,
            worst_case: scale.worst_case,
            noise: scale.noise,
        });
        let last = Margin {
            layer: Arc::clone(&self.last.name),
            index: self.last.index,
            bootstraps: 0,
            range: self.scores.range,
            worst_case: self.scores.worst_case,
            noise: self.scores.noise,
        };
        hidden.chain([last]).collect()
    }

    /// Bytes of the ciphertexts of an inference in memory, at most: a layer's inputs and outputs are there together.
    pub fn ciphertext_bytes(&self) -> usize {
        let held = self.model.input().value_count() + self.bootstraps();
        held * 4 * (self.parameters().wire_dimension() + 1)
    }

    /// Bytes of an encrypted picture's file: a seed, and 4 a value.
    pub fn image_bytes(&self) -> usize {
        IMAGE_FILE_BYTES + 4 * self.scheme.message_count(self.model.input())
    }

    /// Bytes of the encrypted scores' file: a ciphertext a part.
    pub fn scores_bytes(&self) -> usize {
        SCORES_FILE_BYTES + self.scores.parts.len() * (8 + 4 * (self.parameters().wire_dimension() + 1))
    }

    /// What the client needs to know.
    pub(crate) fn scheme(&self) -> &FunctionalScheme {
        &self.scheme
    }

    /// The server's part: evaluates the network on an encrypted picture, on all threads of the current rayon pool. The
    /// control hears of bootstraps, and is asked whether to stop before each portion of them.
    ///
    /// # Errors
    /// [`Error::OtherModel`] for a picture encrypted for another model, [`Error::OtherParameters`] for another
    /// parameter set, [`Error::Crypto`] for another key, [`Error::Cancelled`].
    pub(crate) fn infer(
        &self,
        evaluator: &Evaluator,
        image: &EncryptedImage,
        control: &Control,
    ) -> Result<EncryptedScores> {
        self.check(evaluator, image)?;
        let mut walk = Walk::default();
        while self.advance(evaluator, image, control, &mut walk)? {}
        self.scores_of(evaluator, image, &walk)
    }

    /// Refuses a picture or a key that is not for this plan.
    pub(super) fn check(&self, evaluator: &Evaluator, image: &EncryptedImage) -> Result<()> {
        check_parameters(self.parameters(), evaluator.parameters())?;
        image.check_model(self.model.interface())?;
        let packed = self.packed(image)?;
        check_parameters(self.parameters(), packed.parameters())?;
        let (found, expected) = (packed.message_count(), self.scheme.message_count(self.model.input()));
        if found != expected || packed.row_len() != self.scheme.row_len {
            return Err(EncodingFault::Length { found, expected }.into());
        }
        Ok(())
    }

    fn packed<'a>(&self, image: &'a EncryptedImage) -> Result<&'a PackedCiphertext> {
        match image.content() {
            ImageContent::Packed(packed) => Ok(packed),
            _ => Err(Error::OtherParameters {
                found: image.parameters().name(),
                expected: self.parameters().name(),
            }),
        }
    }

    /// Runs the next stage of a walk; false where only the scores are left.
    pub(super) fn advance(
        &self,
        evaluator: &Evaluator,
        image: &EncryptedImage,
        control: &Control,
        walk: &mut Walk<Ciphertext>,
    ) -> Result<bool> {
        control.check()?;
        let mut machine = Ciphertexts { evaluator, image: self.packed(image)?, control };
        walk.advance(self.network(), &mut machine)
    }

    /// The scores at the end of a walk.
    pub(super) fn scores_of(
        &self,
        evaluator: &Evaluator,
        image: &EncryptedImage,
        walk: &Walk<Ciphertext>,
    ) -> Result<EncryptedScores> {
        let control = Control::default();
        let machine = Ciphertexts { evaluator, image: self.packed(image)?, control: &control };
        let scores = walk.scores(self.network(), &machine)?;
        let list = CiphertextList::new(self.parameters(), evaluator.key_id(), scores)?;
        Ok(EncryptedScores::new(list, self.model.digest()))
    }

    fn network(&self) -> Network<'_> {
        let size = self.parameters().polynomial_size();
        Network { stages: &self.stages, last: &self.last, scores: &self.scores, size }
    }

    /// Bootstraps of so many stages from the first.
    pub(super) fn bootstraps_of(&self, stages: usize) -> usize {
        self.stages.iter().take(stages).map(|(stage, _)| stage.bootstraps()).sum()
    }

    /// For each of so many stages from the first, how many values of it later ones read; none where there are fewer stages.
    pub(super) fn values_after(&self, stages: usize) -> Option<Vec<usize>> {
        let network = self.network();
        let kept = |(index, (stage, _)): (usize, &(Stage, Scale))| match network.is_read_after(index, stages)
        {
            true => stage.outputs().values(),
            false => 0,
        };
        Some(self.stages.get(..stages)?.iter().enumerate().map(kept).collect())
    }

    /// The name of the layer with which a stage begins; none behind the last that is bootstrapped.
    pub(super) fn stage_name(&self, stage: usize) -> Option<&str> {
        self.stages.get(stage).map(|(stage, _)| &*stage.name)
    }

    pub(super) fn model_digest(&self) -> [u8; 32] {
        self.model.digest()
    }

    /// The probability, by the noise formulas, that the encrypted network gives a picture the oracle's label: the share
    /// of `trials` [simulations](Self::simulate) in which it does.
    ///
    /// # Errors
    /// [`EncodingFault::Length`] for a picture encoded for another model.
    pub fn predict(&self, image: &EncodedImage, trials: u32, seed: u64) -> Result<f64> {
        self.agreement(image, trials, seed, &Control::default())
    }

    /// The share of simulations that have the oracle's label.
    fn agreement(&self, image: &EncodedImage, trials: u32, seed: u64, control: &Control) -> Result<f64> {
        let label = evaluate(&self.model, image)?.label();
        let simulated = self.simulate(image, trials, seed, control)?;
        let agreements = simulated.iter().filter(|scores| scores.label() == label).count();
        Ok(agreements as f64 / f64::from(trials))
    }

    /// The share of labels that noise is expected to change: [`predict`](Self::predict) on each of these pictures, with its place as
    /// the seed. None where there are no pictures.
    ///
    /// # Errors
    /// As [`predict`](Self::predict); [`Error::Cancelled`].
    pub fn label_changes(
        &self,
        pictures: &[EncodedImage],
        trials: u32,
        control: &Control,
    ) -> Result<Option<f64>> {
        if pictures.is_empty() {
            return Ok(None);
        }
        let agreements =
            pictures.iter().zip(0..).map(|(picture, seed)| self.agreement(picture, trials, seed, control));
        Ok(Some(1.0 - agreements.sum::<Result<f64>>()? / pictures.len() as f64))
    }

    /// The scores of `trials` evaluations of this plan, on phases in the clear with Gaussian noise of the deviations that
    /// the formulas give. The same seed gives the same scores.
    ///
    /// # Errors
    /// [`EncodingFault::Length`] for a picture encoded for another model; [`Error::Cancelled`].
    pub fn simulate(
        &self,
        image: &EncodedImage,
        trials: u32,
        seed: u64,
        control: &Control,
    ) -> Result<Vec<Scores>> {
        let messages = self.scheme.messages(self.model.input(), image)?;
        let simulate = |trial: u32| {
            control.check()?;
            self.draw(self.phases(&messages, trial, seed))
        };
        (0..trials).into_par_iter().map(simulate).collect()
    }

    fn phases<'a>(&self, messages: &'a [Torus32], trial: u32, seed: u64) -> Phases<'a> {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        rng.set_stream(trial.into());
        Phases::new(self.parameters(), messages, self.scheme.row_len, rng)
    }

    fn draw(&self, mut machine: Phases<'_>) -> Result<Scores> {
        let phases = walk::run(self.network(), &mut machine)?;
        let phases: Vec<f64> = phases.into_iter().map(Torus32::to_real).collect();
        Ok(self.scheme.scores.decode(&phases, self.model.fraction_bits()))
    }
}

#[cfg(feature = "internals")]
#[doc(hidden)]
impl Plan {
    /// The scores of an evaluation of this plan without noise, which are those of the integer meaning where no layer's steps are finer
    /// than a table's.
    ///
    /// # Errors
    /// As [`simulate`](Self::simulate).
    pub fn without_noise(&self, image: &EncodedImage) -> Result<Scores> {
        let messages = self.scheme.messages(self.model.input(), image)?;
        self.draw(self.phases(&messages, 0, 0).without_noise())
    }
}
