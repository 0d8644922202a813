//! Gaussian noise by integer arithmetic: the same numbers on every machine, in time independent of their values.
//!
//! The Box-Muller transform (Annals of Mathematical Statistics 29, 1958): for u, v uniform,
//! sqrt(-2 ln u) (cos 2 pi v, sin 2 pi v) is a pair of independent standard normal numbers. Here u and v have 64 bits
//! and everything is fixed point: log2 u by repeated squaring (Knuth, The Art of Computer Programming 1, 1.2.2,
//! exercise 25 and its relatives), the square root bit by bit, the angle by CORDIC rotations (Volder 1959). All loops
//! have fixed lengths and all choices are made with masks. A result has 28 fraction bits and reaches 9.4 standard
//! deviations, beyond which a true Gaussian falls once in 2^68.

/// A standard deviation of noise, kept as an integer of 2^-64 torus units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StandardDeviation(u64);

impl StandardDeviation {
    /// No noise; for toy parameters.
    #[cfg(any(test, feature = "internals"))]
    pub(crate) const ZERO: Self = Self(0);

    /// The deviation nearest to `sigma`, in torus units; 2^-64 <= sigma < 1/2.
    pub(crate) fn from_real(sigma: f64) -> Self {
        debug_assert!((0.0..0.5).contains(&sigma));
        Self(libm::round(libm::scalbn(sigma, 64)) as u64)
    }

    /// In torus units.
    pub(crate) fn to_real(self) -> f64 {
        libm::scalbn(self.0 as f64, -64)
    }

    /// In units of 2^-64.
    #[cfg(any(test, feature = "internals"))]
    pub(crate) fn to_bits64(self) -> u64 {
        self.0
    }

    /// `normal` standard deviations (28 fraction bits) as a torus element of 64 bits, rounded half up.
    pub(super) fn scale(self, normal: i64) -> u64 {
        let product = i128::from(normal) * i128::from(self.0);
        ((product + (1 << (FRACTION - 1))) >> FRACTION) as u64
    }
}

/// Fraction bits of a normal number.
const FRACTION: u32 = 28;
/// Fraction bits of the logarithm.
const LOG_FRACTION: u32 = 44;
/// Fraction bits of the rotated vector.
const CORDIC_FRACTION: u32 = 60;
/// 2 ln 2, 62 fraction bits.
const TWO_LN_2: u64 = 6_393_154_322_601_327_830;
/// The vector that CORDIC rotates: product of 1 / sqrt(1 + 4^-i) over its rotations, 60 fraction bits.
const CORDIC_START: i64 = 700_114_967_507_363_238;
/// atan(2^-i) in turns, 64 fraction bits.
const ARC_TANGENTS: [u64; 36] = [
    2305843009213693952,
    1361218612134873190,
    719230530580881038,
    365092647525521947,
    183254791493294829,
    91716730292036216,
    45869556482713130,
    22936177926750895,
    11468263948075831,
    5734153847876408,
    2867079658191483,
    1433540170878135,
    716770128161890,
    358385069421298,
    179192535378193,
    89596267772540,
    44798133896700,
    22399066949654,
    11199533474990,
    5599766737515,
    2799883368760,
    1399941684380,
    699970842190,
    349985421095,
    174992710548,
    87496355274,
    43748177637,
    21874088818,
    10937044409,
    5468522205,
    2734261102,
    1367130551,
    683565276,
    341782638,
    170891319,
    85445659,
];

/// Two independent standard normal numbers, 28 fraction bits each, from 128 uniform bits.
pub(crate) fn normal_pair(u: u64, v: u64) -> (i64, i64) {
    let radius = square_root(minus_two_ln(u));
    let (cos, sin) = cos_sin(v);
    let project = |x: i64| ((i128::from(radius) * i128::from(x)) >> CORDIC_FRACTION) as i64;
    (project(cos), project(sin))
}

/// -2 ln((u | 1) / 2^64), 56 fraction bits.
fn minus_two_ln(u: u64) -> u64 {
    let u = u | 1;
    let zeros = u.leading_zeros();
    // u / 2^64 = m 2^-(zeros + 1) with 1 <= m < 2 in 63 fraction bits. Squaring m doubles its logarithm; each time the
    // square passes 2, the next bit of log2 m is 1.
    let mut m = u << zeros;
    let mut log = 0u64;
    for _ in 0..LOG_FRACTION {
        let square = (u128::from(m) * u128::from(m)) >> 63;
        let bit = (square >> 64) as u64;
        m = (square >> bit) as u64;
        log = log << 1 | bit;
    }
    let minus_log2 = (u64::from(zeros + 1) << LOG_FRACTION) - log;
    ((u128::from(minus_log2) * u128::from(TWO_LN_2)) >> (LOG_FRACTION + 62 - 2 * FRACTION)) as u64
}

/// The largest r with r^2 <= x.
fn square_root(x: u64) -> u32 {
    let mut root = 0u64;
    for bit in (0..32).rev() {
        let trial = root | 1 << bit;
        // All ones where trial^2 <= x.
        let keep = ((trial * trial <= x) as u64).wrapping_neg();
        root |= keep & 1 << bit;
    }
    root as u32
}

/// cos and sin of 2 pi v / 2^64, 60 fraction bits.
fn cos_sin(v: u64) -> (i64, i64) {
    // The angle within its quarter turn; the quarter is applied at the end.
    let quarter = v >> 62;
    let mut angle = (v & (u64::MAX >> 2)) as i64;
    let (mut x, mut y) = (CORDIC_START, 0i64);
    for (i, &step) in ARC_TANGENTS.iter().enumerate() {
        // All ones where the angle is negative: then rotate backwards. (a ^ s) - s negates a where s is all ones.
        let s = angle >> 63;
        let (dx, dy) = (y >> i, x >> i);
        x -= (dx ^ s) - s;
        y += (dy ^ s) - s;
        angle -= (step as i64 ^ s) - s;
    }
    // A quarter turn is (x, y) -> (-y, x), a half turn negates.
    let odd = ((quarter & 1) as i64).wrapping_neg();
    let half = ((quarter >> 1) as i64).wrapping_neg();
    let (x, y) = ((x & !odd) | (-y & odd), (y & !odd) | (x & odd));
    ((x ^ half) - half, (y ^ half) - half)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, SecretSeed};
    use proptest::prelude::*;

    #[test]
    fn the_tables_are_what_they_say() {
        use std::f64::consts::{LN_2, TAU};
        let mut gain = 1.0;
        for (i, &step) in ARC_TANGENTS.iter().enumerate() {
            let tangent = 0.5f64.powi(i as i32);
            assert!((step as f64 - tangent.atan() / TAU * 2f64.powi(64)).abs() <= 512.0, "entry {i}");
            gain /= (1.0 + tangent * tangent).sqrt();
        }
        assert!((CORDIC_START as f64 / 2f64.powi(60) - gain).abs() < 1e-15);
        assert!((TWO_LN_2 as f64 / 2f64.powi(62) - 2.0 * LN_2).abs() < 1e-15);
    }

    proptest! {
        #[test]
        fn pairs_match_the_floating_point_formula(u: u64, v: u64) {
            let (x, y) = normal_pair(u, v);
            let radius = (-2.0 * ((u | 1) as f64 / 2f64.powi(64)).ln()).sqrt();
            let (sin, cos) = (std::f64::consts::TAU * (v as f64 / 2f64.powi(64))).sin_cos();
            let unit = 2f64.powi(28);
            prop_assert!((x as f64 / unit - radius * cos).abs() < 1e-7, "{} {}", x as f64 / unit, radius * cos);
            prop_assert!((y as f64 / unit - radius * sin).abs() < 1e-7);
        }

        #[test]
        fn square_roots_are_floors(x: u64) {
            let r = u128::from(square_root(x));
            prop_assert!(r * r <= u128::from(x) && (r + 1) * (r + 1) > u128::from(x));
        }
    }

    #[test]
    fn extremes_stay_in_range() {
        for u in [0, 1, u64::MAX] {
            for v in [0, 1 << 62, 1 << 63, u64::MAX] {
                let (x, y) = normal_pair(u, v);
                assert!(x.unsigned_abs().max(y.unsigned_abs()) < 10 << FRACTION);
            }
        }
    }

    /// Moments and tails over 2^20 samples; each bound is 6 standard errors, so a right sampler fails one run in 1e8.
    #[test]
    fn noise_has_the_moments_and_tails_of_a_gaussian() {
        let sigma = 2f64.powi(-20);
        let deviation = StandardDeviation::from_real(sigma);
        let mut noise = SecretSeed::deterministic_for_tests(1).noise(Purpose::Ciphertexts, 0);
        let count = 1 << 20;
        let samples: Vec<f64> =
            (0..count).map(|_| noise.next(deviation) as i64 as f64 / 2f64.powi(64) / sigma).collect();
        let n = f64::from(count);
        let moment = |p: i32| samples.iter().map(|x| x.powi(p)).sum::<f64>() / n;
        // Variance of x^p for a standard normal x: E x^2p - (E x^p)^2.
        for (p, expected, variance) in [(1, 0.0, 1.0), (2, 1.0, 2.0), (3, 0.0, 15.0), (4, 3.0, 96.0)] {
            let error = (moment(p) - expected).abs();
            assert!(error < 6.0 * (variance / n).sqrt(), "moment {p} is off by {error}");
        }
        for bound in [1.0, 2.0, 3.0, 4.0] {
            let share = samples.iter().filter(|x| x.abs() > bound).count() as f64 / n;
            let expected = libm::erfc(bound / std::f64::consts::SQRT_2);
            assert!(
                (share - expected).abs() < 6.0 * (expected / n).sqrt(),
                "beyond {bound}: {share}, not {expected}"
            );
        }
    }
}
