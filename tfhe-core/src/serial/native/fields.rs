//! The fields of a native file, read and written one after another; integers are little-endian.

use zeroize::Zeroizing;

use crate::serial::fault::FileFault;
use crate::torus::Torus;

/// Reads fields one after another.
pub(super) struct Fields<'a> {
    rest: &'a [u8],
    /// The offset in the file of what is left.
    at: u64,
}

impl<'a> Fields<'a> {
    /// The fields of `bytes`, which begin at the offset `at` of the file.
    pub(super) fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { rest: bytes, at: at as u64 }
    }

    /// The fault of the field at the offset `at`.
    pub(super) fn fault(
        at: u64,
        field: &'static str,
        found: impl ToString,
        expected: impl ToString,
    ) -> FileFault {
        FileFault::Field { at, field, found: found.to_string(), expected: expected.to_string() }
    }

    /// The offset of the next field.
    pub(super) fn at(&self) -> u64 {
        self.at
    }

    pub(super) fn bytes(&mut self, len: usize) -> Result<&'a [u8], FileFault> {
        let short = FileFault::Truncated { found: self.rest.len() as u64, expected: len as u64 };
        let (bytes, rest) = self.rest.split_at_checked(len).ok_or(short)?;
        self.rest = rest;
        self.at += len as u64;
        Ok(bytes)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], FileFault> {
        let mut array = [0; N];
        array.copy_from_slice(self.bytes(N)?);
        Ok(array)
    }

    pub(super) fn words<T: Torus>(&mut self, count: usize) -> Result<Vec<T>, FileFault> {
        let words = self.bytes(count * T::BYTES)?.chunks_exact(T::BYTES);
        Ok(words.map(word_from_le).collect())
    }

    /// A count of records that make up the rest.
    pub(super) fn count(&mut self) -> Result<usize, FileFault> {
        Ok(u32::from_le_bytes(self.array()?) as usize)
    }

    pub(super) fn secret_bits(&mut self, count: usize) -> Result<Zeroizing<Vec<u32>>, FileFault> {
        let bytes = self.bytes(count.div_ceil(8))?;
        // What follows the last bit is no bit of the key, so a branch on it tells nothing.
        if bytes.last().is_some_and(|&last| !count.is_multiple_of(8) && last >> (count % 8) != 0) {
            return Err(Self::fault(self.at - 1, "what follows the last bit of a key", "not 0", 0));
        }
        // By position, not by value: no branch on the key.
        Ok(Zeroizing::new((0..count).map(|i| u32::from(bytes[i / 8] >> (i % 8) & 1)).collect()))
    }

    /// Nothing may be left: lengths and counts must agree.
    pub(super) fn finish(&self, field: &'static str) -> Result<(), FileFault> {
        if self.rest.is_empty() {
            return Ok(());
        }
        let expected = format!("a count that covers {} more bytes", self.rest.len());
        Err(Self::fault(self.at, field, "too small for the body", expected))
    }
}

fn word_from_le<T: Torus>(bytes: &[u8]) -> T {
    let mut top = [0; 8];
    // The element's bytes are the top ones of its 64-bit form.
    top[8 - bytes.len()..].copy_from_slice(bytes);
    T::from_bits64(u64::from_le_bytes(top))
}

pub(super) fn put_words<T: Torus>(bytes: &mut Vec<u8>, words: &[T]) {
    for word in words {
        bytes.extend_from_slice(&word.to_bits64().to_le_bytes()[8 - T::BYTES..]);
    }
}

pub(super) fn put_bits(bytes: &mut Vec<u8>, bits: &[u32]) {
    let byte = |bits: &[u32]| bits.iter().enumerate().fold(0u8, |byte, (i, &bit)| byte | (bit as u8) << i);
    bytes.extend(bits.chunks(8).map(byte));
}

pub(super) fn put_count(bytes: &mut Vec<u8>, count: usize) {
    bytes.extend(u32::try_from(count).expect("invariant: fewer than 2^24 ciphertexts").to_le_bytes());
}
