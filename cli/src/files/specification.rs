//! Client specifications: what a client needs to know of a model.

use std::sync::Arc;

use bnn::client::ClientSpecification;

use crate::{
    error::{About, Result},
    files::input::Input,
};

/// Reads a client specification.
///
/// # Errors
/// [`Error::Network`](crate::error::Error::Network), about the file, where it is none or of another version.
pub(crate) fn read(input: Input) -> Result<Arc<ClientSpecification>> {
    let name = input.name().to_owned();
    let bytes = input.bytes(ClientSpecification::MOST_BYTES as u64)?;
    Ok(Arc::new(ClientSpecification::from_bytes(&bytes).about(&name)?))
}
