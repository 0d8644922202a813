//! Cache-line-aligned storage for the kernels: a vector load never straddles two lines.

use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

use bytemuck::{Pod, Zeroable};

use crate::error::Result;
use crate::memory;

/// 64 bytes at an address that is a multiple of 64.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C, align(64))]
struct CacheLine([u64; 8]);

/// A fixed-length array of plain words whose first element is cache-line aligned.
#[derive(Clone)]
pub(crate) struct AlignedBuffer<W> {
    lines: Vec<CacheLine>,
    len: usize,
    words: PhantomData<W>,
}

impl<W: Pod> AlignedBuffer<W> {
    /// `len` words of zero bytes.
    pub(crate) fn zeroed(len: usize) -> Self {
        Self { lines: vec![CacheLine::zeroed(); Self::lines(len)], len, words: PhantomData }
    }

    /// The same of so many words that there may be no memory for them.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory).
    pub(crate) fn large(len: usize) -> Result<Self> {
        Ok(Self { lines: memory::zeroed(Self::lines(len))?, len, words: PhantomData })
    }

    fn lines(len: usize) -> usize {
        (len * size_of::<W>()).div_ceil(size_of::<CacheLine>())
    }
}

impl<W: Pod> Deref for AlignedBuffer<W> {
    type Target = [W];

    fn deref(&self) -> &[W] {
        &bytemuck::cast_slice(&self.lines)[..self.len]
    }
}

impl<W: Pod> DerefMut for AlignedBuffer<W> {
    fn deref_mut(&mut self) -> &mut [W] {
        &mut bytemuck::cast_slice_mut(&mut self.lines)[..self.len]
    }
}
