//! How one network runs as a circuit with one parameter set.

use std::sync::Arc;

use tfhe_core::{ciphertext::Ciphertext, evaluator::Evaluator, noise, parameters::Parameters};

#[cfg(feature = "internals")]
use super::execution::{Execution, HeldWord, held_inputs};
use super::{circuits::Circuits, estimate::Estimate, inference::Inference};
use crate::{
    circuit::netlist::Style,
    client::{
        encoding::fault::EncodingFault,
        encrypted::{EncryptedImage, ImageContent},
        engine::check_parameters,
    },
    error::{Error, Result},
    model::network::Model,
};
#[cfg(feature = "internals")]
use crate::{
    circuit::{
        evaluator::{
            plain::{Plain, PlainBit},
            values::Held,
        },
        word::Word,
    },
    client::{encoding::encoded::EncodedImage, gates::GateScheme, scores::Scores},
};

/// How often the ciphertexts of a run are in memory while it is saved.
pub const COPIES_WHILE_SAVED: usize = 3;

/// How one network runs as a circuit with one parameter set.
#[derive(Debug, Clone)]
pub struct Plan {
    circuits: Arc<Circuits>,
}

impl Plan {
    /// Plans a network: every model has circuits in both styles.
    pub fn new(model: Arc<Model>, parameters: &'static Parameters, style: Style) -> Self {
        Self { circuits: Arc::new(Circuits::new(model, parameters, style)) }
    }

    /// The parameter set.
    fn parameters(&self) -> &'static Parameters {
        self.circuits.parameters
    }

    /// Counts bootstraps and ciphertexts, by building every circuit: some seconds for a large network.
    ///
    /// # Errors
    /// [`Error::GateTooNoisy`] where the parameter set is too noisy.
    pub fn estimate(&self) -> Result<Estimate> {
        Estimate::of(&self.circuits)
    }

    /// Bytes that so many ciphertexts take in memory.
    pub fn ciphertext_bytes(&self, count: usize) -> usize {
        count * (4 * (self.parameters().wire_dimension() + 1) + 64)
    }

    /// The bound on the probability that any bit of an inference is wrong, as its logarithm to base 2.
    pub fn log2_failure(&self, bootstraps: usize) -> f64 {
        self.parameters().log2_failure() + (bootstraps.max(1) as f64).log2()
    }

    /// The server's part, not yet begun.
    ///
    /// # Errors
    /// [`Error::OtherModel`] for a picture encrypted for another model, [`Error::OtherParameters`] for another
    /// parameter set, [`Error::Crypto`] for another key, [`Error::NoisyInput`] for bits noisier than bootstrapped ones.
    pub(crate) fn start(&self, evaluator: Arc<Evaluator>, image: &EncryptedImage) -> Result<Inference> {
        let bits = self.check_image(&evaluator, image)?;
        Ok(Inference::start(Arc::clone(&self.circuits), evaluator, bits, image.digest()?))
    }

    /// The server's part, taken up where [`Inference::save`] left it.
    ///
    /// # Errors
    /// As [`start`](Self::start); [`Error::State`] where the bytes are no state of this model, style, picture and key.
    pub(crate) fn resume(
        &self,
        evaluator: Arc<Evaluator>,
        image: &EncryptedImage,
        saved: &[u8],
    ) -> Result<Inference> {
        self.check_image(&evaluator, image)?;
        Inference::resume(&self.circuits, evaluator, image.digest()?, saved)
    }

    /// The bits of a picture that is for this plan and key.
    fn check_image(&self, evaluator: &Evaluator, image: &EncryptedImage) -> Result<Vec<Ciphertext>> {
        let model = &self.circuits.model;
        check_parameters(self.parameters(), evaluator.parameters())?;
        image.check_model(model.interface())?;
        check_parameters(self.parameters(), image.parameters())?;
        let found = match image.content() {
            ImageContent::Bits(bits) => bits.message_count(),
            ImageContent::Listed(list) => list.ciphertexts().len(),
            ImageContent::Packed(_) => return Err(Error::NotBitwise),
        };
        let expected = model.input().bit_count();
        if found != expected {
            return Err(EncodingFault::Length { found, expected }.into());
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
        let most = noise::bootstrapped(self.parameters());
        if let Some(noisy) = ciphertexts.iter().find(|ciphertext| ciphertext.variance() > most) {
            return Err(Error::NoisyInput { found: noisy.variance(), most });
        }
        Ok(ciphertexts)
    }
}

#[cfg(feature = "internals")]
#[doc(hidden)]
impl Plan {
    /// Runs the circuits on plain bits: what the encrypted run gives. `watch` sees what each layer gives that is not
    /// fused with the next, by the layer's place in the model.
    ///
    /// # Errors
    /// [`EncodingFault::Length`] for a picture encoded for another model; [`Error::GateTooNoisy`].
    pub fn simulate(&self, image: &EncodedImage, mut watch: impl FnMut(usize, &[i64])) -> Result<Scores> {
        let (circuits, input) = (&self.circuits, self.circuits.model.input());
        input.check_value_count(image.values().len())?;
        let bits = input.bits(image);
        let held = held_inputs(circuits, bits.iter().map(|&bit| PlainBit::from(bit)));
        let mut execution = Execution::new(Arc::clone(circuits), Plain, held);
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
        let scheme = GateScheme { parameters: self.parameters(), scores: circuits.model.classes() };
        Ok(scheme.decode(&bits, circuits.model.fraction_bits()))
    }
}

#[cfg(feature = "internals")]
fn plain_bit(bit: &Held<PlainBit>) -> bool {
    match *bit {
        Held::Known(bit) => bit,
        Held::Value(bit) => bit.into(),
    }
}
