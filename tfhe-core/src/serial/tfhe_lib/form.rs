//! What a file of the library is, by its first bytes.

/// What a file of the library begins with: a sample's type in binary, or a section of text.
const SAMPLE_START: [u8; 4] = 42i32.to_le_bytes();
const TEXT_START: [u8; 4] = *b"----";

/// What a file of the library seems to be, by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A set of keys: text, then keys.
    KeySet,
    /// Ciphertexts, one after another.
    Ciphertexts,
}

/// What a file of the library seems to be, by its first four bytes; `None` where it begins as none does.
pub fn recognise(start: &[u8]) -> Option<Form> {
    match start.first_chunk() {
        Some(&SAMPLE_START) => Some(Form::Ciphertexts),
        Some(&TEXT_START) => Some(Form::KeySet),
        _ => None,
    }
}
