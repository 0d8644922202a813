//! Boolean circuits, every gate bootstrapped.
//!
//! A circuit is built, not run. Its [bits](Bit) are constants or wires, so that a gate with a known bit folds away while
//! it is built (the paper's "hybrid" bits). Equal gates are built once, and gates that nothing reads are never run. A
//! circuit is a [`Netlist`] and the [`Bit`]s that are its outputs, built by its gates or by [`arithmetic`] on
//! [`Word`]s, or read from a file ([`BristolCircuit`]). A [`Program`] is what runs of it, on ciphertexts as an [`EncryptedRun`].
//!
//! docs/circuits.md defines every circuit and counts its gates.
//!
//! ```
//! use bnn::circuit::{Netlist, Style, Word, arithmetic::add};
//! let mut netlist = Netlist::new(Style::Optimized, 6);
//! let [a, b] = [0, 3].map(|start| Word::input(&netlist, start, 0, 7));
//! let sum = add(&mut netlist, &a, &b);
//! let bits = netlist.simulate(&[true, false, true, true, true, false], sum.bits());
//! assert_eq!(Word::value(&bits), 5 + 3);
//! ```

pub mod arithmetic;
pub(crate) mod bit;
pub(crate) mod bristol;
pub(crate) mod evaluator;
pub(crate) mod netlist;
#[cfg(feature = "internals")]
mod operation;
pub(crate) mod program;
#[cfg(test)]
mod tests;
pub(crate) mod word;

#[cfg(feature = "internals")]
#[doc(hidden)]
pub use self::operation::Operation;
pub use self::{
    bit::Bit,
    bristol::{circuit::BristolCircuit, fault::BristolFault},
    evaluator::{cost::Cost, encrypted_run::EncryptedRun},
    netlist::{Netlist, Style},
    program::Program,
    word::Word,
};
