//! The cloud key of an inference, prepared once everything is known to fit it.

use std::{sync::Arc, time::Duration};

use bnn::{Error as NetworkError, client::EncryptedImage};
use tfhe_core::{Error as CryptoError, backend::Backend, evaluator::Evaluator, keys::CloudKey};

use crate::{
    error::{About, Result},
    files::named::Named,
    terminal::{progress, units},
};

/// Prepares a cloud key for encrypted pictures, and says what that took. What does not fit is told before, because preparing
/// takes a while.
///
/// # Errors
/// Where a picture is of another key or parameter set.
pub(crate) fn prepare(
    key: &Named<CloudKey>,
    images: &[Named<EncryptedImage>],
    backend: Backend,
) -> Result<(Arc<Evaluator>, Duration)> {
    let cloud = &key.content;
    let needed = images.first().map_or(cloud.parameters().name(), |image| image.content.parameters().name());
    if cloud.parameters().name() != needed {
        let (found, expected) = (cloud.parameters().name(), needed);
        return Err(NetworkError::OtherParameters { found, expected }).about(&key.name);
    }
    for Named { name, content: image } in images {
        let (expected, found) = (cloud.id(), image.key_id());
        if expected != found {
            return Err(CryptoError::OtherKey { expected, found }).about(name);
        }
        let (expected, found) = (cloud.parameters().name(), image.parameters().name());
        if expected != found {
            return Err(NetworkError::OtherParameters { found, expected }).about(name);
        }
    }
    let (evaluator, duration) =
        units::timed(|| progress::spinner("preparing the cloud key", || Evaluator::new(cloud, backend)));
    Ok((Arc::new(evaluator?), duration))
}
