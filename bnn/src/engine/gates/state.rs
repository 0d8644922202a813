//! The state of a run as bytes, so that a run of minutes or hours can be left and taken up.
//!
//! The line of JSON says where the run is and which of the ciphertexts is which bit ([`state`](crate::engine::state)). Units are built again from
//! the model.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tfhe_core::{
    ciphertext::{Ciphertext, CiphertextList},
    evaluator::Evaluator,
};

use super::{
    circuits::Circuits,
    execution::{Execution, HeldWord, Source},
};
use crate::{
    circuit::{
        evaluator::{encrypted::Encrypted, values::Held},
        netlist::Style,
    },
    engine::state::{self, read, write},
    error::{Error, Result},
};

/// The version of the file.
const FORMAT: u32 = 1;

/// Circuits are those of a version; whoever changes how they are built raises the second number.
const PROGRAM: &str = concat!(env!("CARGO_PKG_VERSION"), ", circuits 1");

/// The line of JSON.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::engine) struct Index {
    format: u32,
    /// The program that wrote it: another may build other circuits.
    program: String,
    pub(in crate::engine) model: [u8; 32],
    image: [u8; 32],
    pub(in crate::engine) published: bool,
    unit: usize,
    /// Level of the unit, and bootstraps of it that are done; none if it has not begun.
    place: Option<(usize, usize)>,
    pub(in crate::engine) bootstraps: usize,
    words: Vec<IndexedWord>,
    /// Wires of the unit, in the order of their ciphertexts, which come after those of the words.
    wires: Vec<usize>,
}

impl state::Index for Index {
    fn is_current(&self) -> bool {
        self.format == FORMAT && self.program == PROGRAM
    }
}

/// A number that later units read.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct IndexedWord {
    place: usize,
    low: i64,
    high: i64,
    /// One character a bit: 0, 1, or x for the next ciphertext.
    bits: String,
    /// Origin of each ciphertext: copies of one have the same.
    sources: Vec<Source>,
}

impl IndexedWord {
    fn new<V>((place, word): (usize, &HeldWord<V>)) -> Self {
        let bit = |bit: &Held<V>| match bit {
            Held::Known(false) => '0',
            Held::Known(true) => '1',
            Held::Value(_) => 'x',
        };
        let bits = word.bits.iter().map(bit).collect();
        Self { place, low: word.low, high: word.high, bits, sources: word.sources.clone() }
    }
}

/// The state as bytes.
pub(super) fn save(execution: &Execution<Encrypted>, image: [u8; 32]) -> Result<Vec<u8>> {
    let circuits = execution.circuits();
    let value = |bit: &Held<Ciphertext>| match bit {
        Held::Known(_) => None,
        Held::Value(value) => Some(value.clone()),
    };
    let mut ciphertexts: Vec<Ciphertext> =
        execution.words().flat_map(|(_, word)| word.bits.iter().filter_map(value)).collect();
    let (place, held) = execution.running().unzip();
    let held: Vec<(usize, &Ciphertext)> = held.unwrap_or_default();
    ciphertexts.extend(held.iter().map(|&(_, value)| value.clone()));
    let index = Index {
        format: FORMAT,
        program: PROGRAM.into(),
        model: circuits.model.digest(),
        image,
        published: circuits.style == Style::AsPublished,
        unit: execution.unit(),
        place,
        bootstraps: execution.bootstraps(),
        words: execution.words().map(IndexedWord::new).collect(),
        wires: held.iter().map(|&(wire, _)| wire).collect(),
    };
    let key_id = execution.evaluator().evaluator().key_id();
    write(&index, CiphertextList::new(circuits.parameters, key_id, ciphertexts)?)
}

/// Reads a state that [`save`] wrote.
pub(super) fn load(
    circuits: &Arc<Circuits>,
    evaluator: Arc<Evaluator>,
    image: [u8; 32],
    saved: &[u8],
) -> Result<Execution<Encrypted>> {
    let refuse = |reason| Error::State { reason };
    let (index, stored) = read::<Index>(saved)?;
    if index.model != circuits.model.digest() {
        return Err(refuse("a run of another model"));
    }
    if index.image != image {
        return Err(refuse("a run on another encrypted image"));
    }
    if index.published != (circuits.style == Style::AsPublished) {
        return Err(refuse("a run with the other style of circuits"));
    }
    if stored.content.key_id() != evaluator.key_id() || stored.content.parameters() != circuits.parameters {
        return Err(refuse("a run with another key"));
    }
    let misfit = || refuse("damaged: it does not fit the circuit");
    let counted = Execution::<Encrypted>::counted(circuits, index.unit)?.ok_or_else(misfit)?;
    if !counted.words().map(IndexedWord::new).eq(index.words) {
        return Err(misfit());
    }
    let mut ciphertexts = stored.content.ciphertexts().iter().cloned();
    let mut bit = |bit: &Held<()>| match bit {
        Held::Known(bit) => Some(Held::Known(*bit)),
        Held::Value(()) => ciphertexts.next().map(Held::Value),
    };
    let mut words = Vec::new();
    for (place, &HeldWord { ref bits, ref sources, low, high }) in counted.words() {
        let bits = bits.iter().map(&mut bit).collect::<Option<_>>();
        let bits = bits.ok_or_else(|| refuse("damaged: ciphertexts are missing"))?;
        words.push((place, HeldWord { bits, sources: sources.clone(), low, high }));
    }
    if ciphertexts.len() != index.wires.len() {
        return Err(refuse("damaged: wires and ciphertexts do not agree"));
    }
    let held: Vec<(usize, Ciphertext)> = index.wires.into_iter().zip(ciphertexts).collect();
    let running = index.place.map(|place| (place, held));
    let resumed = Execution::resume(&counted, Encrypted::new(evaluator), words, running)?;
    resumed.filter(|execution| execution.bootstraps() == index.bootstraps).ok_or_else(misfit)
}
