//! How many labels noise is expected to change: those of pictures, or of the sample digits where there are none.

use bnn::{
    client::{EncodedImage, Preparation},
    engine::functional::Plan,
    model::Model,
};
use tfhe_core::control::Control;

use crate::{
    error::{About, Error, Result},
    files::lookup,
    terminal::progress,
};

/// Simulated runs of each sample digit, where an inference is to be begun.
const TRIALS: u32 = 5;
/// The least share that is refused by pictures that may be other ones than the network is for.
const OF_OTHER_PICTURES: f64 = 0.5;

/// The sample digits as a model reads them, or why a client would not send them.
///
/// # Errors
/// Where a digit of the user's own cannot be decoded.
pub(crate) fn sample_digits(model: &Model) -> Result<Vec<Result<EncodedImage>>> {
    let encode = |digit| {
        let digit = lookup::digit(digit)?;
        let image = digit.content.decode(1).about(&digit.name)?;
        Ok(Preparation::default().encode(image, model.input()).map_err(Error::from))
    };
    (0..10).map(encode).collect()
}

/// Refuses a network whose labels noise is expected to change more often than is accepted: as its manifest says of pictures like those
/// that it is for. Where it says nothing, a network that noise turns on most of the sample digits is refused, whatever it reads.
///
/// # Errors
/// [`Error::TooManyChanges`].
pub(crate) fn check(plan: &Plan, model: &Model, accepted: f64) -> Result<()> {
    let (found, bound) = match model.label_changes() {
        Some(found) => (found, accepted),
        None => {
            let digits: Vec<EncodedImage> = sample_digits(model)?.into_iter().flatten().collect();
            let simulate = || plan.label_changes(&digits, TRIALS, &Control::default());
            let found = progress::spinner("simulating noise", simulate)?.unwrap_or_default();
            (found, accepted.max(OF_OTHER_PICTURES))
        }
    };
    if found > bound { Err(Error::TooManyChanges { found }) } else { Ok(()) }
}
