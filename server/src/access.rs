//! Who may do what.
//!
//! * [`owner`]: to whom keys and jobs belong;
//! * [`tokens`]: the tokens that were given out, with what each may do and use;
//! * [`known`]: those that a running service knows just now.

pub(crate) mod known;
pub(crate) mod owner;
pub(crate) mod tokens;
