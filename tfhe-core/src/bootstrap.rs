//! Bootstrapping: blind rotation of a lookup table by an encrypted amount. [`LookupTable`] says what becomes of a phase.

pub(crate) mod blind_rotation;
pub(crate) mod key_bodies;
pub(crate) mod lookup_table;
pub(crate) mod modulus_switch;
mod team;

pub use lookup_table::LookupTable;
