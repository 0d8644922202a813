//! What a file of the library is, by its first bytes.

use std::fmt;

/// What a file of the library begins with: a type in binary, or a section of text.
const LWE_SAMPLE: [u8; 4] = 42i32.to_le_bytes();
const TLWE_SAMPLE: [u8; 4] = 84i32.to_le_bytes();
const TGSW_SAMPLE: [u8; 4] = 168i32.to_le_bytes();
const TEXT_START: [u8; 4] = *b"----";

/// The types of keys, which follow their parameters' text.
const LWE_KEY: [u8; 4] = 43i32.to_le_bytes();
const TLWE_KEY: [u8; 4] = 85i32.to_le_bytes();
const TGSW_KEY: [u8; 4] = 169i32.to_le_bytes();
const KEY_SWITCH_KEY: [u8; 4] = 200i32.to_le_bytes();

/// The first line of a key set, and of the parameters that it begins with.
const KEY_SET_START: &[u8] = b"-----BEGIN GATEBOOTSPARAMS-----\n";

/// How many bytes of a file show what it is: more than the text of any parameters.
pub const START_BYTES: usize = 1024;

/// What a file of the library seems to be, by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A set of keys: text, then keys.
    KeySet,
    /// Ciphertexts, one after another.
    Ciphertexts,
    /// Something that the library exports on its own, and that is read by nobody here.
    Part(Part),
}

/// What the library can export on its own beside key sets and ciphertexts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The text of parameters, without keys.
    Parameters,
    /// A key of LWE samples.
    LweKey,
    /// A key of ring samples.
    TlweKey,
    /// A key of TGSW samples.
    TgswKey,
    /// A key that switches keys, alone or with the bootstrapping key after it.
    EvaluationKey,
    /// A ring sample.
    TlweSample,
    /// A TGSW sample.
    TgswSample,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Parameters => "a text of parameters without keys",
            Self::LweKey => "a single LWE key",
            Self::TlweKey => "a single TLWE key",
            Self::TgswKey => "a single TGSW key",
            Self::EvaluationKey => "a single key-switching or bootstrapping key",
            Self::TlweSample => "TLWE samples",
            Self::TgswSample => "TGSW samples",
        })
    }
}

/// What a file of the library seems to be, by its first [`START_BYTES`], or all where there are fewer; `None` where it begins
/// as none does.
pub fn recognise(start: &[u8]) -> Option<Form> {
    match start.first_chunk() {
        Some(&LWE_SAMPLE) => Some(Form::Ciphertexts),
        Some(&TLWE_SAMPLE) => Some(Form::Part(Part::TlweSample)),
        Some(&TGSW_SAMPLE) => Some(Form::Part(Part::TgswSample)),
        Some(&TEXT_START) => Some(after_text(start).map_or(Form::KeySet, Form::Part)),
        _ => None,
    }
}

/// What a file that begins with sections of text is, if it is no key set.
fn after_text(start: &[u8]) -> Option<Part> {
    let rest = skip_sections(start);
    let section = rest.len() < start.len();
    match rest.first_chunk() {
        None if section && rest.is_empty() => Some(Part::Parameters),
        _ if start.starts_with(KEY_SET_START) => None,
        Some(&LWE_KEY) => Some(Part::LweKey),
        Some(&TLWE_KEY) => Some(Part::TlweKey),
        Some(&TGSW_KEY) => Some(Part::TgswKey),
        Some(&KEY_SWITCH_KEY) => Some(Part::EvaluationKey),
        _ => None,
    }
}

/// What follows whole sections of text.
fn skip_sections(mut bytes: &[u8]) -> &[u8] {
    while let Some(end) = bytes.starts_with(b"-----BEGIN ").then(|| section_len(bytes)).flatten() {
        bytes = &bytes[end..];
    }
    bytes
}

/// The length of the section that bytes begin with, if its end is there.
fn section_len(bytes: &[u8]) -> Option<usize> {
    let mut len = 0;
    for line in bytes.split_inclusive(|&byte| byte == b'\n') {
        len += line.len();
        if line.starts_with(b"-----END ") {
            return Some(len);
        }
    }
    None
}
