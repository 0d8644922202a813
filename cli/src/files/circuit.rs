//! Boolean circuits in Bristol Fashion.

use std::path::Path;

use bnn::circuit::{BristolCircuit, Style};

use crate::{
    error::{About, Result},
    files::{input::Input, named::Named},
};

/// Reads a circuit.
///
/// # Errors
/// [`Error::Network`](crate::error::Error::Network), about the file, at the first line that is malformed.
pub(crate) fn circuit(path: &Path, style: Style) -> Result<Named<BristolCircuit>> {
    let input = Input::open(path)?;
    let name = input.name().to_owned();
    let bytes = input.bytes(BristolCircuit::MOST_BYTES as u64)?;
    let content = BristolCircuit::parse(&bytes, style).about(&name)?;
    Ok(Named { name, content })
}
