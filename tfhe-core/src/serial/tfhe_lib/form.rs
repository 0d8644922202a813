//! What a file of the library is, by its first bytes.

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
    /// Something that the library exports on its own, such as a single LWE key, and that is read by nobody here: what it is,
    /// in words.
    Part(&'static str),
}

/// What a file of the library seems to be, by its first [`START_BYTES`], or all where there are fewer; `None` where it begins
/// as none does.
pub fn recognise(start: &[u8]) -> Option<Form> {
    match start.first_chunk() {
        Some(&LWE_SAMPLE) => Some(Form::Ciphertexts),
        Some(&TLWE_SAMPLE) => Some(Form::Part("TLWE samples")),
        Some(&TGSW_SAMPLE) => Some(Form::Part("TGSW samples")),
        Some(&TEXT_START) => Some(after_text(start).map_or(Form::KeySet, Form::Part)),
        _ => None,
    }
}

/// What a file that begins with sections of text is, if it is no key set.
fn after_text(start: &[u8]) -> Option<&'static str> {
    let rest = skip_sections(start);
    let section = rest.len() < start.len();
    match rest.first_chunk() {
        None if section && rest.is_empty() => Some("a text of parameters without keys"),
        _ if start.starts_with(KEY_SET_START) => None,
        Some(&LWE_KEY) => Some("a single LWE key"),
        Some(&TLWE_KEY) => Some("a single TLWE key"),
        Some(&TGSW_KEY) => Some("a single TGSW key"),
        Some(&KEY_SWITCH_KEY) => Some("a single key-switching or bootstrapping key"),
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
