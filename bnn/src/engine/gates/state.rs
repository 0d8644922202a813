//! The state of a run in a file, so that a run of minutes or hours can be left and taken up.
//!
//! A line of JSON says where the run is and which of the ciphertexts is which bit; then come the ciphertexts, as a list in
//! the container of `tfhe_core::serial`, whose context is the SHA-256 of that line. Units are built again from the model: the
//! file is only good for the model, style, picture and key that it names.

use std::{fs, path::Path};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tfhe_core::{
    ciphertext::Ciphertext,
    evaluator::Evaluator,
    serial::{self, CiphertextList, Existing, Secrecy},
};

use super::{
    Plan,
    execution::{Execution, HeldWord, Source},
};
use crate::{
    Error, Result,
    circuit::{
        evaluator::{Encrypted, Held},
        netlist::Style,
    },
};

/// The version of the file.
const FORMAT: u32 = 1;

/// Circuits are those of a version; whoever changes how they are built raises the second number.
const PROGRAM: &str = concat!(env!("CARGO_PKG_VERSION"), ", circuits 1");

/// The line of JSON.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Index {
    format: u32,
    /// The program that wrote it: another may build other circuits.
    program: String,
    model: [u8; 32],
    image: [u8; 32],
    published: bool,
    unit: usize,
    /// Level of the unit, and bootstraps of it that are done; none if it has not begun.
    place: Option<(usize, usize)>,
    bootstraps: usize,
    words: Vec<IndexedWord>,
    /// Wires of the unit, in the order of their ciphertexts, which come after those of the words.
    wires: Vec<usize>,
}

/// A number that later units read.
#[derive(Serialize, Deserialize)]
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

/// Writes the state.
pub(super) fn save(
    execution: &Execution<'_, Encrypted<'_>>,
    evaluator: &Evaluator,
    image: [u8; 32],
    path: &Path,
    existing: Existing,
) -> Result<()> {
    let plan = execution.plan();
    let mut ciphertexts: Vec<Ciphertext> = Vec::new();
    let mut words = Vec::new();
    for (place, word) in execution.words() {
        let mut bit = |bit: &Held<Ciphertext>| match bit {
            Held::Known(false) => '0',
            Held::Known(true) => '1',
            Held::Value(value) => {
                ciphertexts.push(value.clone());
                'x'
            }
        };
        let bits = word.bits.iter().map(&mut bit).collect();
        let sources = word.sources.clone();
        words.push(IndexedWord { place, low: word.low, high: word.high, bits, sources });
    }
    let (place, held) = execution.running().unzip();
    let held: Vec<(usize, &Ciphertext)> = held.unwrap_or_default();
    ciphertexts.extend(held.iter().map(|&(_, value)| value.clone()));
    let index = Index {
        format: FORMAT,
        program: PROGRAM.into(),
        model: plan.model.digest(),
        image,
        published: plan.style == Style::AsPublished,
        unit: execution.unit(),
        place,
        bootstraps: execution.bootstraps(),
        words,
        wires: held.iter().map(|&(wire, _)| wire).collect(),
    };
    let mut file = serde_json::to_vec(&index).expect("invariant: numbers and strings have a JSON form");
    let context = Sha256::digest(&file).into();
    file.push(b'\n');
    let list = CiphertextList::new(plan.parameters, evaluator.key_id(), ciphertexts)?;
    let bytes = serial::to_bytes(&list, context);
    // The ciphertexts are there three times at most: with the run, and as a list and bytes, or in both kinds of bytes.
    drop(list);
    file.extend_from_slice(&bytes);
    Ok(serial::write_whole(&file, path, existing, Secrecy::Everyone)?)
}

/// Reads a state that [`save`] wrote.
pub(super) fn load<'a>(
    plan: &'a Plan<'a>,
    evaluator: &'a Evaluator,
    image: [u8; 32],
    path: &Path,
) -> Result<Execution<'a, Encrypted<'a>>> {
    let refuse = |reason: &str| Error::State { path: path.into(), reason: reason.into() };
    let file = fs::read(path).map_err(|source| Error::Read { path: path.into(), source })?;
    let line = file.iter().position(|&byte| byte == b'\n').ok_or_else(|| refuse("no saved run"))?;
    let index: Index = serde_json::from_slice(&file[..line]).map_err(|_| refuse("no saved run"))?;
    if index.format != FORMAT || index.program != PROGRAM {
        return Err(refuse("a saved run of another version of this program"));
    }
    if index.model != plan.model.digest() {
        return Err(refuse("a run of another model"));
    }
    if index.image != image {
        return Err(refuse("a run on another encrypted image"));
    }
    if index.published != (plan.style == Style::AsPublished) {
        return Err(refuse("a run with the other style of circuits"));
    }
    let stored = serial::from_bytes::<CiphertextList>(&file[line + 1..], path)?;
    if stored.header.context != <[u8; 32]>::from(Sha256::digest(&file[..line])) {
        return Err(refuse("damaged: the checksum does not hold"));
    }
    if stored.content.key_id() != evaluator.key_id()
        || stored.content.parameters().name != plan.parameters.name
    {
        return Err(refuse("a run with another key"));
    }
    let mut ciphertexts = stored.content.ciphertexts().iter().cloned();
    let mut words = Vec::new();
    for word in index.words {
        let mut bits = Vec::new();
        for bit in word.bits.chars() {
            bits.push(match bit {
                '0' => Held::Known(false),
                '1' => Held::Known(true),
                'x' => {
                    Held::Value(ciphertexts.next().ok_or_else(|| refuse("damaged: ciphertexts are missing"))?)
                }
                _ => return Err(refuse("damaged: no such bit")),
            });
        }
        words.push((word.place, HeldWord { bits, sources: word.sources, low: word.low, high: word.high }));
    }
    if ciphertexts.len() != index.wires.len() {
        return Err(refuse("damaged: wires and ciphertexts do not agree"));
    }
    let held: Vec<(usize, Ciphertext)> = index.wires.into_iter().zip(ciphertexts).collect();
    let running = index.place.map(|place| (place, held));
    Execution::resume(plan, Encrypted::new(evaluator), words, (index.unit, index.bootstraps), running)?
        .ok_or_else(|| refuse("damaged: it does not fit the circuit"))
}
