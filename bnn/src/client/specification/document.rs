//! A client specification as JSON, which docs/formats.md defines.
//!
//! A reader trusts nothing: a server may write what it likes. Every number is bounded, so that no picture is encoded to
//! more than a file holds and no score overflows, and what follows from other numbers must agree with them.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tfhe_core::parameters::Parameters;

use super::{
    content::{ClientSpecification, Scheme},
    fault::SpecificationFault,
};
use crate::{
    client::{
        encoding::{
            entry::PixelEntry,
            input::{DIMENSION, FRACTION_BITS, InputEncoding},
        },
        engine::Engine,
        functional::{FunctionalScheme, MOST_PARTS, ScoreLayout, ScorePart},
        gates::GateScheme,
        interface::Interface,
        shape::{MOST_CHANNELS, Shape},
        unit::Unit,
    },
    error::Result,
    range::check_range,
    text::{hex, is_one_line, one_line},
};

const FORMAT: &str = "bnn-client-specification";
/// The last version. Version 2 has the channels of the input, and is written where there are several.
const VERSION: u32 = 2;
/// The largest specification: that of some four thousand classes, where one of ten classes has 10 KB.
const MOST_BYTES: usize = 4 << 20;
/// The most values of an encrypted picture, which its file can have.
const MOST_MESSAGES: usize = 1 << 24;
/// What multiplies a part: at most the magnitude of a weight.
const FACTOR: std::ops::RangeInclusive<i64> = 1..=1 << 31;
/// Where the sum at phase 0 may be, in half units.
const CENTRE_HALVES: std::ops::RangeInclusive<i64> = -(1 << 52)..=1 << 52;
/// What the centres of a class, times their factors, may add up to.
const MOST_CENTRE: i128 = 1 << 60;

/// Format and version alone, so that another version is told apart before its other keys are read.
#[derive(Deserialize)]
struct Start {
    format: String,
    version: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    format: String,
    version: u32,
    model: ModelEntry,
    input: InputEntry,
    labels: Vec<String>,
    /// Fraction bits of the scores.
    fraction_bits: u32,
    engines: Vec<EngineEntry>,
    /// SHA-256 of the compact JSON of all else, with an empty text here.
    checksum: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ModelEntry {
    name: String,
    digest: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct InputEntry {
    width: usize,
    height: usize,
    /// Of version 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    channels: Option<usize>,
    pixels: PixelEntry,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "engine", rename_all = "kebab-case", deny_unknown_fields)]
enum EngineEntry {
    Functional {
        parameters: String,
        /// In multiples of 2^-48 of the torus, as is `score_unit`.
        unit: u64,
        row_len: usize,
        score_unit: u64,
        parts: Vec<PartEntry>,
        biases: Vec<i32>,
        shift: u32,
        rectified: bool,
    },
    Gates {
        parameters: String,
        scores: usize,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PartEntry {
    class: usize,
    factor: i64,
    centre_halves: i64,
}

impl ClientSpecification {
    /// The largest specification that is read, in bytes.
    pub const MOST_BYTES: usize = MOST_BYTES;

    /// The specification as JSON, one line.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut document = Document::new(self);
        document.checksum = document.checksum();
        let mut bytes = document.compact();
        bytes.push(b'\n');
        bytes
    }

    /// Reads a specification.
    ///
    /// # Errors
    /// [`SpecificationFault`], for anything but what [`to_bytes`](Self::to_bytes) writes (white space between the tokens of
    /// the JSON aside).
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        Ok(Document::parse(bytes)?.checked()?)
    }
}

impl Document {
    fn new(specification: &ClientSpecification) -> Self {
        let ClientSpecification { model, labels, schemes } = specification;
        let Shape { channels, height, width } = model.input.shape();
        let channels = Some(channels).filter(|&channels| channels > 1);
        Self {
            format: FORMAT.into(),
            version: if channels.is_some() { VERSION } else { 1 },
            model: ModelEntry { name: model.name.clone(), digest: hex(&model.digest) },
            input: InputEntry { width, height, channels, pixels: model.input.pixels().into() },
            labels: labels.clone(),
            fraction_bits: model.fraction_bits,
            engines: schemes.iter().map(EngineEntry::new).collect(),
            checksum: String::new(),
        }
    }

    fn compact(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("invariant: numbers and strings have a JSON form")
    }

    /// The checksum of a document, whose own is still empty.
    fn checksum(&self) -> String {
        hex(&Sha256::digest(self.compact()))
    }

    /// A document of this format and of a version that is read, whose checksum holds.
    fn parse(bytes: &[u8]) -> Result<Self, SpecificationFault> {
        if bytes.len() > MOST_BYTES {
            return Err(SpecificationFault::TooLarge { limit: MOST_BYTES });
        }
        let failed = |fault: serde_json::Error| SpecificationFault::Json {
            line: fault.line(),
            column: fault.column(),
            reason: reason(&fault),
        };
        let Start { format, version } = serde_json::from_slice(bytes).map_err(failed)?;
        if format != FORMAT {
            let found = format.chars().take(FORMAT.len()).collect();
            return Err(SpecificationFault::Format { found, expected: FORMAT });
        }
        if !(1..=VERSION).contains(&version) {
            return Err(SpecificationFault::Version { found: version, supported: VERSION });
        }
        let mut document: Self = serde_json::from_slice(bytes).map_err(failed)?;
        let checksum = std::mem::take(&mut document.checksum);
        if checksum != document.checksum() {
            return Err(SpecificationFault::Checksum);
        }
        Ok(document)
    }

    fn checked(self) -> Result<ClientSpecification, SpecificationFault> {
        let Self { version, model, input, labels, fraction_bits, engines, .. } = self;
        check_text("name", &model.name)?;
        let digest = digest(&model.digest).ok_or(SpecificationFault::Digest)?;
        let channels = match (version, input.channels) {
            (1, None) => 1,
            (2.., Some(channels @ 2..=MOST_CHANNELS)) => channels,
            _ => return Err(SpecificationFault::Channels),
        };
        let shape = Shape { channels, height: input.height, width: input.width };
        let input = InputEncoding::new(shape, input.pixels.into())?;
        check_range("labels", labels.len(), DIMENSION)?;
        labels.iter().try_for_each(|label| check_text("labels", label))?;
        check_range("fraction_bits", fraction_bits, FRACTION_BITS)?;
        let sets = Engine::ALL.into_iter().flat_map(Engine::parameter_sets).count();
        check_range("engines", engines.len(), 1..=sets as u64)?;
        let mut schemes: Vec<Scheme> = Vec::with_capacity(engines.len());
        for engine in engines {
            let scheme = engine.checked(&input, labels.len(), &schemes)?;
            schemes.push(scheme);
        }
        let model = Interface { name: model.name, digest, input, fraction_bits };
        Ok(ClientSpecification { model, labels, schemes })
    }
}

impl EngineEntry {
    fn new(scheme: &Scheme) -> Self {
        let parameters = scheme.parameters().name().into();
        match scheme {
            Scheme::Functional(FunctionalScheme { unit, row_len, scores, .. }) => Self::Functional {
                parameters,
                unit: unit.multiples(),
                row_len: *row_len,
                score_unit: scores.unit.multiples(),
                parts: scores.parts.iter().map(PartEntry::from).collect(),
                biases: scores.biases.clone(),
                shift: scores.shift,
                rectified: scores.rectified,
            },
            &Scheme::Gates(GateScheme { scores, .. }) => Self::Gates { parameters, scores },
        }
    }

    /// Checks an entry for pictures of an encoding and for so many classes; `before` are the entries before it.
    fn checked(
        self,
        input: &InputEncoding,
        classes: usize,
        before: &[Scheme],
    ) -> Result<Scheme, SpecificationFault> {
        Ok(match self {
            Self::Functional { parameters, unit, row_len, score_unit, parts, biases, shift, rectified } => {
                let contradiction = |reason| contradiction(Engine::Functional, reason);
                let parameters = set(Engine::Functional, parameters, before)?;
                check_range("unit", unit, 1..=Unit::MOST_MULTIPLES)?;
                check_range("score_unit", score_unit, 1..=Unit::MOST_MULTIPLES)?;
                check_range("shift", shift, FRACTION_BITS)?;
                if FunctionalScheme::row_len(input, parameters).ok() != Some(row_len) {
                    return Err(contradiction("`row_len` is not that of the input and the parameter set"));
                }
                if biases.len() != classes {
                    return Err(contradiction("there must be a bias for each label"));
                }
                let parts = checked_parts(parts, classes)?;
                let scores =
                    ScoreLayout { unit: Unit::from_multiples(score_unit), parts, biases, shift, rectified };
                let unit = Unit::from_multiples(unit);
                let scheme = FunctionalScheme { parameters, unit, row_len, scores };
                if scheme.message_count(input) > MOST_MESSAGES {
                    return Err(contradiction("a picture has more values than an encrypted image holds"));
                }
                Scheme::Functional(scheme)
            }
            Self::Gates { parameters, scores } => {
                let parameters = set(Engine::Gates, parameters, before)?;
                if scores != classes {
                    return Err(contradiction(Engine::Gates, "there must be a score for each label"));
                }
                Scheme::Gates(GateScheme { parameters, scores })
            }
        })
    }
}

/// Checks the parts of the scores of so many classes.
fn checked_parts(parts: Vec<PartEntry>, classes: usize) -> Result<Vec<ScorePart>, SpecificationFault> {
    let contradiction = |reason| contradiction(Engine::Functional, reason);
    let mut counts = vec![0; classes];
    let mut centres = vec![0; classes];
    for part in &parts {
        check_range("class", part.class, 0..=classes as u64 - 1)?;
        check_range("factor", part.factor, FACTOR)?;
        check_range("centre_halves", part.centre_halves, CENTRE_HALVES)?;
        counts[part.class] += 1;
        centres[part.class] += i128::from(part.factor) * i128::from(part.centre_halves.abs());
    }
    if counts.iter().any(|count| !(1..=MOST_PARTS).contains(count)) {
        return Err(contradiction("there must be 1 to 8 parts for each label"));
    }
    if centres.iter().any(|&centre| centre > MOST_CENTRE) {
        return Err(contradiction("the parts of a score add up beyond what a number holds"));
    }
    Ok(parts.into_iter().map(ScorePart::from).collect())
}

impl From<&ScorePart> for PartEntry {
    fn from(&ScorePart { class, factor, centre_halves }: &ScorePart) -> Self {
        Self { class, factor, centre_halves }
    }
}

impl From<PartEntry> for ScorePart {
    fn from(PartEntry { class, factor, centre_halves }: PartEntry) -> Self {
        Self { class, factor, centre_halves }
    }
}

/// The parameter set of this name, if it is one of the engine's that did not come before.
fn set(engine: Engine, name: String, before: &[Scheme]) -> Result<&'static Parameters, SpecificationFault> {
    let mut sets = engine.parameter_sets().iter().copied();
    let new = |set: &&Parameters| set.name() == name && before.iter().all(|other| other.parameters() != *set);
    sets.find(new).ok_or_else(|| SpecificationFault::Parameters {
        found: name.chars().take(32).collect(),
        engine: engine.name(),
    })
}

fn contradiction(engine: Engine, reason: &'static str) -> SpecificationFault {
    SpecificationFault::Contradiction { engine: engine.name(), reason }
}

fn check_text(field: &'static str, text: &str) -> Result<(), SpecificationFault> {
    let is_short = text.chars().nth(SpecificationFault::MOST_CHARACTERS).is_none();
    if is_short && is_one_line(text) { Ok(()) } else { Err(SpecificationFault::Text { field }) }
}

/// The digest of 64 hexadecimal digits, in lower case.
fn digest(digits: &str) -> Option<[u8; 32]> {
    let mut digest = [0; 32];
    let (pairs, []) = digits.as_bytes().as_chunks::<2>() else { return None };
    if pairs.len() != digest.len() {
        return None;
    }
    let digit = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    for (byte, &[high, low]) in digest.iter_mut().zip(pairs) {
        *byte = digit(high)? << 4 | digit(low)?;
    }
    Some(digest)
}

/// What the parser says, without the place that it appends.
fn reason(fault: &serde_json::Error) -> String {
    let message = fault.to_string();
    let place = format!(" at line {} column {}", fault.line(), fault.column());
    one_line(message.strip_suffix(&place).unwrap_or(&message))
}
