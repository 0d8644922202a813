//! Boolean circuits in Bristol Fashion.

use std::path::Path;

use bnn::circuit::{bristol::BristolCircuit, netlist::Style};

use crate::{
    error::Result,
    files::{input::Input, named::Named},
};

/// The longest circuit that is read, in bytes.
const LIMIT: u64 = 256_000_000;

/// Reads a circuit.
///
/// # Errors
/// [`Error::Network`](crate::error::Error::Network) at the first line that is malformed.
pub(crate) fn circuit(path: &Path, style: Style) -> Result<Named<BristolCircuit>> {
    let input = Input::open(path)?;
    let name = input.name().to_owned();
    let content = BristolCircuit::parse(&name, &input.bytes(LIMIT)?, style)?;
    Ok(Named { name, content })
}
