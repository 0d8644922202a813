//! Torus elements of a width that is known at run time. This file is the only one that branches on widths.

use super::torus::{Torus, Torus32, Torus48, Torus64};

/// Width of the torus on which a bootstrapping key and its accumulator live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TorusWidth {
    /// [`Torus32`].
    Bits32,
    /// [`Torus48`].
    Bits48,
    /// [`Torus64`].
    Bits64,
}

/// What makes torus elements of any width.
pub(crate) trait MakeWords {
    /// Why it may fail.
    type Error;

    /// Makes them on the torus `T`.
    fn make<T: Torus>(self) -> Result<Vec<T>, Self::Error>;
}

/// What reads torus elements of any width.
pub(crate) trait ReadWords {
    /// What it makes of them.
    type Output;

    /// Reads them on the torus `T`.
    fn read<T: Torus>(self, words: &[T]) -> Self::Output;
}

/// Torus elements of one width.
#[derive(Clone, PartialEq)]
pub(crate) enum TorusWords {
    Bits32(Vec<Torus32>),
    Bits48(Vec<Torus48>),
    Bits64(Vec<Torus64>),
}

impl TorusWidth {
    /// Bits of an element, which takes an eighth as many bytes in a file.
    pub(crate) fn bits(self) -> u32 {
        match self {
            Self::Bits32 => Torus32::BITS,
            Self::Bits48 => Torus48::BITS,
            Self::Bits64 => Torus64::BITS,
        }
    }

    /// Has `maker` make elements of this width.
    pub(crate) fn make<M: MakeWords>(self, maker: M) -> Result<TorusWords, M::Error> {
        Ok(match self {
            Self::Bits32 => TorusWords::Bits32(maker.make()?),
            Self::Bits48 => TorusWords::Bits48(maker.make()?),
            Self::Bits64 => TorusWords::Bits64(maker.make()?),
        })
    }
}

impl TorusWords {
    /// Has `reader` read them.
    pub(crate) fn read<R: ReadWords>(&self, reader: R) -> R::Output {
        match self {
            Self::Bits32(words) => reader.read(words),
            Self::Bits48(words) => reader.read(words),
            Self::Bits64(words) => reader.read(words),
        }
    }

    /// The elements, if they are of 32 bits.
    pub(crate) fn as_32(&self) -> Option<&[Torus32]> {
        match self {
            Self::Bits32(words) => Some(words),
            Self::Bits48(_) | Self::Bits64(_) => None,
        }
    }
}
