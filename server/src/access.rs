//! Who may do what.
//!
//! * [`owner`]: to whom keys and jobs belong;
//! * [`tokens`]: the tokens that were given out, with what each may do and use.

pub(crate) mod owner;
pub(crate) mod tokens;
