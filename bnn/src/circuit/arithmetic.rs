//! Arithmetic on words, in the netlist's style.
//!
//! Results have the least width that holds them, whatever the style.
//!
//! ```
//! use bnn::circuit::{Netlist, Style, Word, arithmetic::{popcount, relu, subtract}};
//! let mut netlist = Netlist::new(Style::Optimized, 4);
//! let bits: Vec<_> = (0..4).map(|index| netlist.input(index)).collect();
//! // max(bits set - 2, 0)
//! let count = popcount(&mut netlist, &bits);
//! let above = subtract(&mut netlist, &count, &Word::constant(2));
//! let above = relu(&mut netlist, &above);
//! assert_eq!(Word::value(&netlist.simulate(&[true, true, false, true], above.bits())), 1);
//! ```

pub(crate) mod adders;
pub(crate) mod columns;
pub(crate) mod compare;
pub(crate) mod multiply;
pub(crate) mod sums;

pub use self::{
    compare::{Shape, argmax, at_least, max, min, relu, select},
    multiply::{multiply, multiply_constant},
    sums::{add, negate, popcount, subtract},
};
