//! The pictures to evaluate, and what the integer network says of them.

use std::ops::Range;

use bnn::{
    Error as NetworkError,
    client::{EncodedImage, EncodingFault, InputEncoding, Preparation},
    data::{IdxFault, IdxImages, IdxLabels, Image},
    engine,
    model::Model,
};
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use crate::{
    arguments::trials::Evaluate,
    error::{About, Error, Result},
    files::{data_set, input},
    terminal::units,
};

/// The pictures to evaluate, with what the integer network says of them.
pub(super) struct Selection {
    pub(super) range: Range<usize>,
    pub(super) images: Vec<Labelled>,
    /// Pictures that a client would not send, so that they count as wrong.
    pub(super) refused: Vec<Refused>,
    set: Set,
}

/// The whole data set, of which a record may have pictures outside of the range.
struct Set {
    images: IdxImages,
    labels: IdxLabels,
    preparation: Preparation,
}

impl Set {
    /// A picture of the set, or why a client would not send it.
    fn labelled(&self, index: usize, model: &Model) -> bnn::Result<Result<Labelled, Refused>> {
        let image = match encode(self.images.image(index)?, &self.preparation, model.input())? {
            Ok(image) => image,
            Err(why) => return Ok(Err(Refused { index, why })),
        };
        let integer = engine::evaluate(model, &image)?.label();
        Ok(Ok(Labelled { index, image, label: self.labels.as_slice()[index].into(), integer }))
    }
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

impl Labelled {
    /// A digest of what the model reads, which another data set or other changes to the pictures do not have.
    pub(super) fn digest(&self) -> String {
        let values = self.image.values().iter().flat_map(|value| value.to_le_bytes());
        units::hex(&Sha256::digest(values.collect::<Vec<u8>>()))
    }
}

impl Selection {
    pub(super) fn open(arguments: &Evaluate, model: &Model) -> Result<Self> {
        let (images, labels) = (data_set::images(&arguments.images)?, data_set::labels(&arguments.labels)?);
        labels.check(images.len(), model.classes()).about(&input::name(&arguments.labels))?;
        let range = range(images.len(), arguments)?;
        let set = Set { images, labels, preparation: arguments.preparing.preparation() };
        let evaluated: Vec<Result<Labelled, Refused>> = range
            .clone()
            .into_par_iter()
            .map(|index| set.labelled(index, model))
            .collect::<bnn::Result<_>>()
            .about(&input::name(&arguments.images))?;
        let mut selection = Self { range, images: Vec::new(), refused: Vec::new(), set };
        for picture in evaluated {
            match picture {
                Ok(labelled) => selection.images.push(labelled),
                Err(refused) => selection.refused.push(refused),
            }
        }
        Ok(selection)
    }

    /// The picture of an index of the data set, if there is one that a client would send.
    pub(super) fn picture(&self, index: usize, model: &Model) -> Option<Labelled> {
        self.set.labelled(index, model).ok()?.ok()
    }

    /// How many the integer network gets right.
    pub(super) fn correct(&self) -> usize {
        self.images.iter().filter(|image| image.integer == image.label).count()
    }
}

/// A picture as the model reads it, or why a client would not send it.
///
/// # Errors
/// Where the picture has not the size that the model reads.
pub(crate) fn encode(
    image: Image,
    preparation: &Preparation,
    input: &InputEncoding,
) -> bnn::Result<Result<EncodedImage>> {
    match preparation.encode(image, input) {
        Ok(encoded) => Ok(Ok(encoded)),
        Err(
            why @ (NetworkError::Appearance(_)
            | NetworkError::Encoding(
                EncodingFault::TooManyActive { .. } | EncodingFault::TooMuchContrast { .. },
            )),
        ) => Ok(Err(why.into())),
        Err(error) => Err(error),
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
