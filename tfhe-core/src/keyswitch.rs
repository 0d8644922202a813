//! Key switching: an LWE sample under the large key becomes one of the same message under the small key.
//!
//! A set says whether its small key is unstructured or made of polynomials, which makes the key smaller by the size of the
//! polynomials and the switch some ten times faster.

pub(crate) mod key;
pub(crate) mod key_bodies;
mod lwe;
mod ring;
