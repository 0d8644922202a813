//! The cloud key of an inference, prepared once everything is known to fit it.

use std::{sync::Arc, time::Duration};

use bnn::{Error as NetworkError, client::EncryptedImage};
use tfhe_core::{
    Error as CryptoError, backend::Backend, evaluator::Evaluator, keys::CloudKey, parameters::Parameters,
};

use crate::{
    error::{About, Result},
    files::named::Named,
    terminal::{progress, units},
};

/// Refuses a cloud key of another parameter set than the one that is `needed`.
///
/// # Errors
/// [`Error::Network`](crate::error::Error::Network), about the key.
pub(crate) fn check_set(key: &Named<CloudKey>, needed: &Parameters) -> Result<()> {
    let (found, expected) = (key.content.parameters().name(), needed.name());
    if found == expected {
        return Ok(());
    }
    Err(NetworkError::OtherParameters { found, expected }).about(&key.name)
}

/// Refuses a picture of another key or parameter set than the cloud key's.
///
/// # Errors
/// [`Error::Network`](crate::error::Error::Network) or [`Error::Crypto`](crate::error::Error::Crypto), about the picture.
pub(crate) fn check_image(image: &Named<EncryptedImage>, key: &CloudKey) -> Result<()> {
    let (expected, found) = (key.id(), image.content.key_id());
    if expected != found {
        return Err(CryptoError::OtherKey { expected, found }).about(&image.name);
    }
    let (expected, found) = (key.parameters().name(), image.content.parameters().name());
    if expected != found {
        return Err(NetworkError::OtherParameters { found, expected }).about(&image.name);
    }
    Ok(())
}

/// Prepares a cloud key, of which nothing else is kept, and says what that took. It takes a while: what does not fit is to be
/// told before.
///
/// # Errors
/// Where this machine has too little memory, or not the backend.
pub(crate) fn prepare(key: CloudKey, backend: Backend) -> Result<(Arc<Evaluator>, Duration)> {
    let (evaluator, duration) =
        units::timed(|| progress::spinner("preparing the cloud key", || Evaluator::new(&key, backend)));
    Ok((Arc::new(evaluator?), duration))
}
