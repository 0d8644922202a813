//! Native files: keys and ciphertexts in one container format. docs/formats.md is its definition.

pub(super) mod body;
pub(super) mod cloud_key_pieces;
mod fields;
pub(super) mod frame;
pub(super) mod header;
#[cfg(test)]
mod tests;
