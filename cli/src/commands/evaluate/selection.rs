//! The pictures to evaluate, and what the integer network says of them.

use std::ops::Range;

use bnn::{
    Error as NetworkError,
    client::{EncodedImage, EncodingFault},
    data::IdxFault,
    engine,
    model::Model,
};
use rayon::prelude::*;

use crate::{
    arguments::trials::Evaluate,
    error::{About, Error, Result},
    files::{data_set, input},
};

/// The pictures to evaluate, with what the integer network says of them.
pub(super) struct Selection {
    pub(super) range: Range<usize>,
    pub(super) images: Vec<Labelled>,
    /// Pictures that a client would not send, so that they count as wrong.
    pub(super) refused: Vec<Refused>,
}

/// A picture that looks like none that a network reads, or has larger values than the model accepts.
pub(super) struct Refused {
    pub(super) index: usize,
    pub(super) why: Error,
}

/// A picture that the model accepts.
pub(super) struct Labelled {
    pub(super) index: usize,
    pub(super) image: EncodedImage,
    pub(super) label: usize,
    /// The label of the integer network.
    pub(super) integer: usize,
}

impl Selection {
    pub(super) fn open(arguments: &Evaluate, model: &Model) -> Result<Self> {
        let (images, labels) = (data_set::images(&arguments.images)?, data_set::labels(&arguments.labels)?);
        labels.check(images.len(), model.classes()).about(&input::name(&arguments.labels))?;
        let range = range(images.len(), arguments)?;
        let preparation = arguments.preparing.preparation();
        let evaluate = |index: usize| -> bnn::Result<Result<Labelled, Refused>> {
            let image = match preparation.encode(images.image(index)?, model.input()) {
                Err(
                    why @ (NetworkError::Appearance(_)
                    | NetworkError::Encoding(
                        EncodingFault::TooManyActive { .. } | EncodingFault::TooMuchContrast { .. },
                    )),
                ) => return Ok(Err(Refused { index, why: why.into() })),
                encoded => encoded?,
            };
            let integer = engine::evaluate(model, &image)?.label();
            Ok(Ok(Labelled { index, image, label: labels.as_slice()[index].into(), integer }))
        };
        let evaluated: Vec<Result<Labelled, Refused>> = range
            .clone()
            .into_par_iter()
            .map(evaluate)
            .collect::<bnn::Result<_>>()
            .about(&input::name(&arguments.images))?;
        let mut selection = Self { range, images: Vec::new(), refused: Vec::new() };
        for picture in evaluated {
            match picture {
                Ok(labelled) => selection.images.push(labelled),
                Err(refused) => selection.refused.push(refused),
            }
        }
        Ok(selection)
    }

    /// How many the integer network gets right.
    pub(super) fn correct(&self) -> usize {
        self.images.iter().filter(|image| image.integer == image.label).count()
    }
}

/// The indices asked for, of a data set of so many images.
fn range(count: usize, arguments: &Evaluate) -> Result<Range<usize>> {
    let start = arguments.start;
    if start >= count {
        let fault = IdxFault::Index { index: start, count };
        return Err(NetworkError::from(fault)).about(&input::name(&arguments.images));
    }
    let limit = arguments.limit.map_or(count, Into::into);
    Ok(start..count.min(start.saturating_add(limit)))
}
