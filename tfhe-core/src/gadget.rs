//! Gadget decomposition: a torus element as a short combination of powers of 1/B.
//!
//! With base B = 2^b and l levels, x is rounded to the nearest multiple of B^-l and written
//! x = sum_{i=1..l} d_i B^-i with digits -B/2 <= d_i <= B/2. Digits have mean zero: a tie (d = B/2 or -B/2) is broken
//! by the next higher digit, and the rounding does not wrap at 1/2, so that neither end of the interval is favoured.
//! A biased digit would let the key's own bias through to every result. (Chillotti et al. 2020, section 3.2; for the
//! mean, Joye, "SoK: Fully homomorphic encryption over the (discretized) torus", TCHES 2022.)

/// Base B = 2^`base_log` and number of levels of a decomposition: at least 1 each, and at most 50 bits together, so that
/// digits are exact in a double.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gadget {
    base_log: u32,
    levels: u32,
}

/// Most bits of all digits.
const MOST_BITS: u32 = 50;

impl Gadget {
    /// A decomposition into `levels` digits of `base_log` bits; `None` if that cannot be.
    pub(crate) const fn new(base_log: u32, levels: u32) -> Option<Self> {
        let fits = base_log >= 1 && levels >= 1 && base_log <= MOST_BITS && levels <= MOST_BITS / base_log;
        if fits { Some(Self { base_log, levels }) } else { None }
    }

    /// The same for constants, where what cannot be does not compile.
    pub(crate) const fn constant(base_log: u32, levels: u32) -> Self {
        match Self::new(base_log, levels) {
            Some(gadget) => gadget,
            None => panic!("invariant: a constant gadget has 1 to 50 bits"),
        }
    }

    /// log2 of the base B, in bits.
    pub(crate) const fn base_log(self) -> u32 {
        self.base_log
    }

    /// l, the number of digits.
    pub(crate) const fn levels(self) -> u32 {
        self.levels
    }

    /// Calls `emit(level, digit)` for the digits of the torus element `x` / 2^64; level 0 is the most significant, of
    /// weight 1/B.
    pub(crate) fn digits(self, x: u64, mut emit: impl FnMut(usize, i64)) {
        let bits = self.base_log * self.levels;
        // Rounded in the integers, not mod 2^bits: the two ends of the torus go to -B/2 and B/2 equally often.
        let mut state = ((x as i64 >> (63 - bits)) + 1) >> 1;
        for level in (1..self.levels).rev() {
            let residue = state & ((1 << self.base_log) - 1);
            state >>= self.base_log;
            // 1 where the residue is above B/2, or equal to it while the next digit is in its upper half.
            let carry = ((residue - 1) | state) & residue;
            let carry = carry >> (self.base_log - 1);
            state += carry;
            emit(level as usize, residue - (carry << self.base_log));
        }
        emit(0, state);
    }

    /// B^-(level+1) as a 64-bit torus element: the weight of the digit of `level`.
    pub(crate) fn weight(self, level: usize) -> u64 {
        1 << (64 - self.base_log * (level as u32 + 1))
    }

    /// Sum over the levels of a digit's variance, for a uniform torus element.
    ///
    /// The last digit's is (B^2 + 2) / 12. A tie is broken so that the next digit comes out as 0 where it would have been
    /// a tie itself: with t the probability of a tie at the level below, a digit's variance is less by t B/4, and its own
    /// ties have the probability (1 - t) / B.
    pub(crate) fn digits_variance(self) -> f64 {
        let base = libm::exp2(f64::from(self.base_log));
        let (mut sum, mut tie) = (0.0, 0.0);
        for _ in 0..self.levels {
            sum += (base * base + 2.0) / 12.0 - tie * base / 4.0;
            tie = (1.0 - tie) / base;
        }
        sum
    }

    /// Variance of what rounding to l digits leaves, B^-2l / 12, in squared torus units.
    pub(crate) fn rounding_variance(self) -> f64 {
        libm::exp2(-2.0 * f64::from(self.base_log * self.levels)) / 12.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn digits(gadget: Gadget, x: u64) -> Vec<i64> {
        let mut digits = vec![0; gadget.levels as usize];
        gadget.digits(x, |level, digit| digits[level] = digit);
        digits
    }

    const GADGETS: [Gadget; 5] = [
        Gadget::constant(18, 1),
        Gadget::constant(23, 1),
        Gadget::constant(2, 6),
        Gadget::constant(7, 3),
        Gadget::constant(1, 8),
    ];

    proptest! {
        #[test]
        fn recomposition_is_the_nearest_multiple(x: u64, which in 0..GADGETS.len()) {
            let gadget = GADGETS[which];
            let half = 1i64 << (gadget.base_log - 1);
            let digits = digits(gadget, x);
            let sum = digits.iter().enumerate().fold(0u64, |sum, (level, &d)| {
                sum.wrapping_add((d as u64).wrapping_mul(gadget.weight(level)))
            });
            let error = x.wrapping_sub(sum) as i64;
            let ulp = 1i64 << (64 - gadget.base_log * gadget.levels);
            prop_assert!(error.abs() <= ulp / 2);
            prop_assert!(digits.iter().all(|d| (-half..=half).contains(d)));
        }
    }

    #[test]
    fn digits_have_signs() {
        let gadget = Gadget::constant(8, 2);
        assert_eq!(digits(gadget, 0x12f4_5678_0000_0000), [0x13, -0x0c]);
        assert_eq!([gadget.weight(0), gadget.weight(1)], [1 << 56, 1 << 48]);
    }

    #[test]
    fn gadgets_that_cannot_be_are_none() {
        for (base_log, levels) in [(0, 1), (1, 0), (51, 1), (26, 2), (u32::MAX, u32::MAX), (1, 51)] {
            assert_eq!(Gadget::new(base_log, levels), None, "2^{base_log}, {levels}");
        }
        assert!(Gadget::new(25, 2).is_some() && Gadget::new(1, 50).is_some());
    }

    #[test]
    fn digits_have_mean_zero_and_the_stated_variance() {
        // Every residue of a small gadget once, at twice its resolution so that the ends count half.
        for (base_log, levels) in [(2, 3), (3, 2), (1, 6), (6, 1), (1, 12), (2, 6)] {
            let gadget = Gadget::constant(base_log, levels);
            let bits = base_log * levels + 1;
            let mut sums = vec![0i64; levels as usize];
            let mut squares = vec![0i64; levels as usize];
            for x in 0..1u64 << bits {
                gadget.digits((x << (64 - bits)).wrapping_add(1 << (62 - bits)), |level, digit| {
                    sums[level] += digit;
                    squares[level] += digit * digit;
                });
            }
            assert!(sums.iter().all(|&s| s == 0), "base 2^{base_log}, {levels} levels: {sums:?}");
            let variance = squares.iter().sum::<i64>() as f64 / (1u64 << bits) as f64;
            let expected = gadget.digits_variance();
            assert!((variance / expected - 1.0).abs() < 1e-9, "{variance} is not {expected}");
        }
    }
}
