//! A file of the library, read from front to end.

use std::io::Read;

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::serial::fault::FileFault;
use crate::torus::Torus32;

/// The longest line of text that is read, in bytes: those of the format have some 40.
const LONGEST_LINE: usize = 80;
/// Bytes read at a time, so that memory grows with what is really there.
const CHUNK_BYTES: usize = 1 << 16;

/// The fault of the field at the byte `at`.
pub(super) fn field_fault(
    at: u64,
    field: &'static str,
    found: impl ToString,
    expected: impl ToString,
) -> Error {
    let (found, expected) = (found.to_string(), expected.to_string());
    Error::bad_file(FileFault::Field { at, field, found, expected })
}

/// Reads fields one after another, and says at which byte what is wrong. The reader should not buffer what is
/// secret.
pub(super) struct Source<R> {
    reader: R,
    /// The offset of the next byte.
    at: u64,
    peeked: Option<u8>,
    /// Of all bytes so far, until it is taken.
    sum: Option<Sha256>,
}

impl<R: Read> Source<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader, at: 0, peeked: None, sum: Some(Sha256::new()) }
    }

    /// The offset of the next byte.
    pub(super) fn at(&self) -> u64 {
        self.at
    }

    /// The SHA-256 sum of all bytes so far; those that follow are not summed.
    pub(super) fn take_sum(&mut self) -> [u8; 32] {
        self.sum.take().map_or([0; 32], |sum| sum.finalize().into())
    }

    fn read_some(&mut self, buffer: &mut [u8]) -> Result<usize> {
        if let (Some(byte), [first, ..]) = (self.peeked, &mut *buffer) {
            *first = byte;
            self.peeked = None;
            return Ok(1);
        }
        loop {
            match self.reader.read(buffer) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(source) => return Err(Error::Io { source }),
                Ok(count) => return Ok(count),
            }
        }
    }

    /// Fills `buffer` with the next bytes, which belong to something that ends at `end`.
    fn fill(&mut self, buffer: &mut [u8], end: u64) -> Result<()> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.read_some(&mut buffer[filled..])? {
                0 => {
                    return Err(Error::bad_file(FileFault::Truncated {
                        found: self.at + filled as u64,
                        expected: end,
                    }));
                }
                count => filled += count,
            }
        }
        self.at += filled as u64;
        if let Some(sum) = &mut self.sum {
            sum.update(&*buffer);
        }
        Ok(())
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut array = [0; N];
        self.fill(&mut array, self.at + N as u64)?;
        Ok(array)
    }

    /// Whether there are no more bytes.
    pub(super) fn is_at_end(&mut self) -> Result<bool> {
        if self.peeked.is_none() {
            let mut byte = [0];
            if self.read_some(&mut byte)? == 1 {
                self.peeked = Some(byte[0]);
            }
        }
        Ok(self.peeked.is_none())
    }

    /// Refuses what follows the end.
    pub(super) fn finish(&mut self) -> Result<()> {
        let end = self.at;
        if self.is_at_end()? { Ok(()) } else { Err(Error::bad_file(FileFault::Trailing { expected: end })) }
    }

    /// A line of text without its end.
    pub(super) fn line(&mut self) -> Result<String> {
        let start = self.at;
        let mut line = Vec::new();
        loop {
            match self.array()? {
                [b'\n'] => break,
                [byte] if line.len() < LONGEST_LINE && (byte == b' ' || byte.is_ascii_graphic()) => {
                    line.push(byte)
                }
                _ => {
                    let found = String::from_utf8_lossy(&line).into_owned();
                    return Err(field_fault(
                        start,
                        "a line",
                        format!("'{found}..'"),
                        "a short line of ASCII text",
                    ));
                }
            }
        }
        Ok(String::from_utf8_lossy(&line).into_owned())
    }

    /// The number of a type.
    pub(super) fn uid(&mut self, expected: i32, of: &'static str) -> Result<()> {
        let at = self.at;
        let found = i32::from_le_bytes(self.array()?);
        if found == expected {
            return Ok(());
        }
        Err(field_fault(at, "the type number", found, format_args!("{expected}, of {of}")))
    }

    /// A variance that tells nothing which is relied on.
    pub(super) fn informative_variance(&mut self) -> Result<()> {
        self.array::<8>().map(drop)
    }

    /// The variance of a key's noise.
    pub(super) fn variance(&mut self) -> Result<f64> {
        let at = self.at;
        let found = f64::from_le_bytes(self.array()?);
        // A deviation of a quarter turn is no key's.
        if (0.0..0.0625).contains(&found) {
            return Ok(found);
        }
        Err(field_fault(at, "the noise variance of a key", found, "a number from 0 to 1/16"))
    }

    /// Torus elements; a `count` that was bounded.
    pub(super) fn words(&mut self, count: usize) -> Result<Vec<Torus32>> {
        let end = self.at + 4 * count as u64;
        let mut words = Vec::new();
        let mut buffer = vec![0; CHUNK_BYTES.min(4 * count)];
        while words.len() < count {
            let bytes = CHUNK_BYTES.min(4 * (count - words.len()));
            self.fill(&mut buffer[..bytes], end)?;
            let chunk = buffer[..bytes].as_chunks::<4>().0;
            words.extend(chunk.iter().map(|&word| Torus32(u32::from_le_bytes(word))));
        }
        Ok(words)
    }

    /// Secret bits, each in 4 bytes; a `count` that was bounded.
    pub(super) fn secret_bits(&mut self, count: usize) -> Result<Zeroizing<Vec<u32>>> {
        let start = self.at;
        let mut bytes = Zeroizing::new(vec![0; 4 * count]);
        self.fill(&mut bytes, start + 4 * count as u64)?;
        let words = bytes.as_chunks::<4>().0.iter().map(|&word| u32::from_le_bytes(word));
        let bits: Zeroizing<Vec<u32>> = Zeroizing::new(words.collect());
        // One look at all of them: no branch on a single bit.
        if bits.iter().fold(0, |union, bit| union | bit) > 1 {
            return Err(field_fault(start, "the key", "not of bits", "0 or 1 in each 4 bytes"));
        }
        Ok(bits)
    }
}
