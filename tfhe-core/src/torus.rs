//! The real torus T = R/Z in fixed point.
//!
//! A torus element is stored as the integer x that stands for x / 2^w mod 1. Ciphertexts have w = 32 bits, keys and
//! accumulators also 64 (or 48, kept as those of 64 whose last 16 are zero). Addition and multiplication by an integer are
//! exact (they wrap); there is no product of two torus elements. See Chillotti, Gama, Georgieva, Izabachène, "TFHE: Fast
//! Fully Homomorphic Encryption over the Torus", J. Cryptology 2020, section 2.
//!
//! ```
//! use tfhe_core::torus::Torus32;
//! let quarter = Torus32::from_real(0.25);
//! assert_eq!((quarter + quarter + quarter + quarter), Torus32::default());
//! assert_eq!((quarter * 3).to_real(), -0.25);
//! ```

use core::fmt::Debug;
use core::ops::{Add, AddAssign, Mul, Neg, Sub, SubAssign};

use bytemuck::Pod;
use zeroize::Zeroize;

/// A fixed-point torus: [`Torus32`], [`Torus48`] or [`Torus64`].
pub(crate) trait Torus:
    Copy
    + Debug
    + Default
    + Eq
    + Pod
    + Send
    + Sync
    + Zeroize
    + Add<Output = Self>
    + AddAssign
    + Sub<Output = Self>
    + SubAssign
    + Neg<Output = Self>
    + Mul<i64, Output = Self>
{
    /// Width w in bits; one unit in the last place is 2^-w of the torus.
    const BITS: u32;

    /// Bytes one element takes in a file (little-endian).
    const BYTES: usize = Self::BITS as usize / 8;

    /// The element nearest to the 64-bit one `bits` / 2^64 (rounded half up, mod 1).
    fn from_bits64(bits: u64) -> Self;

    /// The same element on the 64-bit torus, as the integer x of x / 2^64; exact.
    fn to_bits64(self) -> u64;

    /// The element nearest to `x` mod 1; on 64 bits, where `x` is finer than the torus (|x| < 2^-11), the next one towards
    /// zero.
    fn from_real(x: f64) -> Self {
        let fraction = x - libm::rint(x); // in [-1/2, 1/2]
        // The product fits i128 exactly; the cast back wraps +1/2 to -1/2, which is the same torus element.
        Self::from_bits64((fraction * TWO_POW_64) as i128 as u64)
    }

    /// The representative in [-1/2, 1/2), rounded to `f64`.
    fn to_real(self) -> f64 {
        self.to_bits64() as i64 as f64 / TWO_POW_64
    }
}

const TWO_POW_64: f64 = 18_446_744_073_709_551_616.0;

macro_rules! torus {
    ($visibility:vis $name:ident, $word:ty, $doc:literal) => {
        #[doc = $doc]
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable, Zeroize)]
        #[repr(transparent)]
        $visibility struct $name(pub $word);

        impl Add for $name {
            type Output = Self;
            fn add(self, other: Self) -> Self {
                Self(self.0.wrapping_add(other.0))
            }
        }

        impl Sub for $name {
            type Output = Self;
            fn sub(self, other: Self) -> Self {
                Self(self.0.wrapping_sub(other.0))
            }
        }

        impl Neg for $name {
            type Output = Self;
            fn neg(self) -> Self {
                Self(self.0.wrapping_neg())
            }
        }

        impl Mul<i64> for $name {
            type Output = Self;
            fn mul(self, integer: i64) -> Self {
                Self(self.0.wrapping_mul(integer as $word))
            }
        }

        impl AddAssign for $name {
            fn add_assign(&mut self, other: Self) {
                *self = *self + other;
            }
        }

        impl SubAssign for $name {
            fn sub_assign(&mut self, other: Self) {
                *self = *self - other;
            }
        }
    };
}

torus!(pub Torus32, u32, "An element of the torus in 32-bit fixed point: the integer x of x / 2^32.");
torus!(
    pub(crate) Torus48,
    u64,
    "An element of the torus in 48-bit fixed point: the integer x of x / 2^64, a multiple of 2^16."
);
torus!(pub(crate) Torus64, u64, "An element of the torus in 64-bit fixed point: the integer x of x / 2^64.");

impl Torus32 {
    /// The element nearest to `x` mod 1.
    pub fn from_real(x: f64) -> Self {
        Torus::from_real(x)
    }

    /// The representative in [-1/2, 1/2), exact.
    pub fn to_real(self) -> f64 {
        Torus::to_real(self)
    }

    /// The torus value of a bit of a gate: 1/8 for true, -1/8 for false. Without a branch, since the bit may be secret.
    pub fn from_bit(bit: bool) -> Self {
        const EIGHTH: Torus32 = Torus32(1 << 29);
        EIGHTH * (2 * i64::from(bit) - 1)
    }
}

impl Torus for Torus32 {
    const BITS: u32 = 32;

    fn from_bits64(bits: u64) -> Self {
        Self((bits.wrapping_add(1 << 31) >> 32) as u32)
    }

    fn to_bits64(self) -> u64 {
        u64::from(self.0) << 32
    }
}

impl Torus for Torus48 {
    const BITS: u32 = 48;

    fn from_bits64(bits: u64) -> Self {
        Self(bits.wrapping_add(1 << 15) >> 16 << 16)
    }

    fn to_bits64(self) -> u64 {
        self.0
    }
}

impl Torus for Torus64 {
    const BITS: u32 = 64;

    fn from_bits64(bits: u64) -> Self {
        Self(bits)
    }

    fn to_bits64(self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_is_zero_and_half_is_minus_half() {
        for x in [1.0, -3.0, 0.0] {
            assert_eq!(Torus32::from_real(x), Torus32(0));
            assert_eq!(Torus64::from_real(x), Torus64(0));
        }
        assert_eq!(Torus32::from_real(0.5), Torus32(1 << 31));
        assert_eq!(Torus64::from_real(-0.5), Torus64(1 << 63));
        assert_eq!(Torus64::from_real(1.5), Torus64(1 << 63));
    }

    proptest! {
        #[test]
        fn narrowing_rounds_to_nearest(bits: u64) {
            let error = |narrow: u64| bits.wrapping_sub(narrow) as i64;
            let narrow = Torus32::from_bits64(bits).to_bits64();
            prop_assert!((-(1i64 << 31)..=(1i64 << 31)).contains(&error(narrow)));
            let narrow = Torus48::from_bits64(bits).to_bits64();
            prop_assert!(narrow.is_multiple_of(1 << 16));
            prop_assert!((-(1i64 << 15)..=(1i64 << 15)).contains(&error(narrow)));
        }

        #[test]
        fn reals_survive_the_round_trip(x in -0.5f64..0.5) {
            prop_assert!((Torus64::from_real(x).to_real() - x).abs() <= 2f64.powi(-53));
            prop_assert!((Torus32::from_real(x).to_real() - x).abs() <= 2f64.powi(-33));
        }
    }
}
