//! Bootstrapping: blind rotation of a lookup table by an encrypted amount. [`LookupTable`] says what becomes of a phase.
//!
//! ```
//! use tfhe_core::{bootstrap::LookupTable, torus::Torus32};
//! // |x| over the phases from -1/4 to 1/4, in slots of 1/1024.
//! let table = LookupTable::from_function(512, f64::abs);
//! let value = table.at(Torus32::from_real(-0.2)).to_real();
//! assert!((value - 0.2).abs() <= 1.0 / 2048.0);
//! ```

mod blind_rotation;
pub(crate) mod key;
pub(crate) mod key_bodies;
pub(crate) mod lookup_table;
pub(crate) mod modulus_switch;
#[cfg(feature = "parallel")]
mod team;

pub use lookup_table::LookupTable;
