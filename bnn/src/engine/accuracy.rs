//! How many pictures of a labelled data set a model gets right.

use rayon::prelude::*;

use super::plaintext::evaluate;
use crate::{
    client::encoding::fault::EncodingFault,
    data::idx::{IdxImages, IdxLabels},
    error::{Error, Result},
    model::network::Model,
};

/// The outcome of a model on a labelled data set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Accuracy {
    /// The pictures whose highest score is that of their label.
    pub correct: usize,
    /// The pictures with more set pixels than the model accepts: a client would not send them, so they count as
    /// not correct.
    pub refused: usize,
    /// All pictures.
    pub images: usize,
}

impl Accuracy {
    /// Evaluates the integer oracle on every picture of the data set, on all cores.
    ///
    /// # Errors
    /// [`Error::Idx`] where there are not as many labels as images or one is no class of the model, [`EncodingFault::Size`]
    /// where the images are not of the model's size.
    pub fn measure(model: &Model, images: &IdxImages, labels: &IdxLabels) -> Result<Self> {
        labels.check(images.len(), model.classes())?;
        let outcome = |(index, &label): (usize, &u8)| {
            let correct = match model.input().encode(&images.image(index)?) {
                Ok(encoded) => evaluate(model, &encoded)?.label() == usize::from(label),
                Err(Error::Encoding(EncodingFault::TooManyActive { .. })) => {
                    return Ok(Self { correct: 0, refused: 1, images: 1 });
                }
                Err(error) => return Err(error),
            };
            Ok(Self { correct: correct.into(), refused: 0, images: 1 })
        };
        labels.as_slice().par_iter().enumerate().map(outcome).try_reduce(Self::default, |a, b| {
            Ok(Self {
                correct: a.correct + b.correct,
                refused: a.refused + b.refused,
                images: a.images + b.images,
            })
        })
    }

    /// The share of correct pictures, from 0 to 1; not a number where there are no pictures.
    pub fn rate(&self) -> f64 {
        self.correct as f64 / self.images as f64
    }
}
