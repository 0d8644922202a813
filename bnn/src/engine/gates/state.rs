//! The state of a run as bytes, so that a run of minutes or hours can be left and taken up.
//!
//! A line of JSON says where the run is and which of the ciphertexts is which bit; then come the ciphertexts, as a list in
//! the container of `tfhe_core::serial`, whose context is the SHA-256 of that line. Units are built again from the model: the
//! file is only good for the model, style, picture and key that it names. What the line says of the run must be what the
//! plan gives when it is counted up to that place, so that nothing is built from the file's own numbers.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tfhe_core::{
    ciphertext::{Ciphertext, CiphertextList},
    evaluator::Evaluator,
    parameters::Parameters,
    serial::{self, Stored},
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
    error::{Error, Result},
};

/// The version of the file.
const FORMAT: u32 = 1;

/// Circuits are those of a version; whoever changes how they are built raises the second number.
const PROGRAM: &str = concat!(env!("CARGO_PKG_VERSION"), ", circuits 1");

/// The longest line that is read or written, in bytes, with its end: that of some three million ciphertexts.
const MOST_LINE: usize = 1 << 26;

/// The line of JSON.
#[derive(Debug, Serialize, Deserialize)]
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
    let mut file = serde_json::to_vec(&index).expect("invariant: numbers and strings have a JSON form");
    let context = Sha256::digest(&file).into();
    file.push(b'\n');
    if file.len() > MOST_LINE {
        return Err(Error::State { reason: "the run holds too many ciphertexts at a time to be saved" });
    }
    let key_id = execution.evaluator().evaluator().key_id();
    let list = CiphertextList::new(circuits.parameters, key_id, ciphertexts)?;
    let bytes = serial::to_bytes(&list, context)?;
    // The ciphertexts are there three times at most: with the run, and as a list and bytes, or in both kinds of bytes.
    drop(list);
    file.extend_from_slice(&bytes);
    Ok(file)
}

/// How every saved run begins.
const START: &[u8] = b"{\"format\":";

/// Whether bytes begin as a saved run does, of whatever version. (The name of another format would be in quotes.)
pub fn is_saved_run(bytes: &[u8]) -> bool {
    bytes.strip_prefix(START).and_then(<[u8]>::first).is_some_and(u8::is_ascii_digit)
}

/// A saved run as it describes itself, without its model, picture and key.
#[derive(Debug)]
pub struct SavedRun {
    index: Index,
    ciphertexts: Stored<CiphertextList>,
}

impl SavedRun {
    /// Reads a saved run.
    ///
    /// # Errors
    /// [`Error::State`] where the bytes are none of this version, or are damaged; [`Error::Crypto`] where the list of
    /// ciphertexts is.
    pub fn read(saved: &[u8]) -> Result<Self> {
        let refuse = |reason| Error::State { reason };
        let end = saved.iter().take(MOST_LINE).position(|&byte| byte == b'\n');
        let (line, list) = saved.split_at(end.ok_or_else(|| refuse("no saved run"))?);
        let index: Index = serde_json::from_slice(line).map_err(|_| refuse("no saved run"))?;
        if index.format != FORMAT || index.program != PROGRAM {
            return Err(refuse("a saved run of another version of this program"));
        }
        let ciphertexts = serial::from_bytes::<CiphertextList>(&list[1..])?;
        if ciphertexts.header.context != <[u8; 32]>::from(Sha256::digest(line)) {
            return Err(refuse("damaged: the checksum does not hold"));
        }
        Ok(Self { index, ciphertexts })
    }

    /// The digest of the model that runs.
    pub fn model_digest(&self) -> [u8; 32] {
        self.index.model
    }

    /// How its circuits are built.
    pub fn style(&self) -> Style {
        if self.index.published { Style::AsPublished } else { Style::Optimized }
    }

    /// How many bootstraps are done.
    pub fn bootstraps(&self) -> usize {
        self.index.bootstraps
    }

    /// The parameter set of its ciphertexts.
    pub fn parameters(&self) -> &'static Parameters {
        self.ciphertexts.header.parameters
    }

    /// The ciphertexts that the rest of the run reads.
    pub fn ciphertexts(&self) -> &CiphertextList {
        &self.ciphertexts.content
    }
}

/// Reads a state that [`save`] wrote.
pub(super) fn load(
    circuits: &Arc<Circuits>,
    evaluator: Arc<Evaluator>,
    image: [u8; 32],
    saved: &[u8],
) -> Result<Execution<Encrypted>> {
    let refuse = |reason| Error::State { reason };
    let SavedRun { index, ciphertexts: stored } = SavedRun::read(saved)?;
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
