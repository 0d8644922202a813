//! Soak test: random circuits on ciphertexts, against Boolean logic.
//!
//! A round draws a key and runs random circuits under it, half of them in the published style, half with
//! all that the optimizer does. Every gate that is a bootstrap is decrypted and compared with
//! [`Netlist::simulate`](crate::circuit::Netlist::simulate), which knows nothing of ciphertexts; sums without a bootstrap are compared now and then, and through what
//! reads them. Each bootstrapped bit also shows its noise: its distance from 1/8 or -1/8, in standard deviations of
//! [`tfhe_core::noise`]. For a Gaussian, P(|x| > t) = erfc(t / sqrt 2), so that the tails that a long run counts say whether the
//! formula holds where failures come from, not only on average.
//!
//! All is drawn from the record's seed and the number of the round: an error can be run again. Those keys are for tests.
//!
//! ```
//! use bnn::soak::Record;
//! let record = Record::new(&tfhe_core::parameters::GATES_DEFAULT, 1);
//! assert_eq!((record.rounds, record.errors), (0, 0));
//! ```

mod circuit;
mod record;
mod rounds;

pub use self::{record::Record, rounds::Soak};
