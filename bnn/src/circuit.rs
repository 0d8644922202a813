//! Boolean circuits: networks bit by bit, every gate bootstrapped.
//!
//! A circuit is built, not run. Its [bits](bit::Bit) are constants or wires, so that a gate with a known bit folds away while
//! it is built (the paper's "hybrid" bits); equal gates are built once and gates that nothing reads are never run. The map:
//!
//! * [`bit`], [`word`]: a bit; a number in two's complement with the interval it lies in;
//! * [`netlist`]: gates of two and three inputs;
//! * [`arithmetic`]: adders, multipliers, comparisons, in two [styles](netlist::Style);
//! * [`program`]: what runs: integer combinations and bootstraps, level by level;
//! * [`evaluator`]: running it on plain bits, on nothing but counters, or on ciphertexts;
//! * [`bristol`]: netlists as files.
//!
//! docs/circuits.md defines every circuit and counts its gates.
//!
//! ```
//! use bnn::circuit::{arithmetic::add, netlist::{Netlist, Style}, word::Word};
//! let mut netlist = Netlist::new(Style::Optimized, 6);
//! let [a, b] = [0, 3].map(|start| Word::input(&netlist, start, 0, 7));
//! let sum = add(&mut netlist, &a, &b);
//! let bits = netlist.simulate(&[true, false, true, true, true, false], sum.bits());
//! assert_eq!(Word::value(&bits), 5 + 3);
//! ```

pub mod arithmetic;
pub mod bit;
pub mod bristol;
pub mod evaluator;
pub mod netlist;
pub mod program;
pub mod word;
