//! Tests that what is drawn is uniform, or Gaussian, and independent of all else that is drawn.
//!
//! Every statistic is brought to a standard normal one and allowed [`DEVIATIONS`]; a right generator passes that once in
//! 5e8. The seeds are fixed, so that what passes once passes always.

use super::*;
use crate::torus::{Torus32, Torus48, Torus64};

const DEVIATIONS: f64 = 6.0;
/// Elements drawn for each statistic.
const COUNT: usize = 1 << 16;

fn seed(number: u64) -> SecretSeed {
    SecretSeed::deterministic_for_tests(number)
}

fn masks<T: Torus>(seed: MaskSeed, purpose: Purpose, index: u64) -> Vec<T> {
    let mut masks = vec![T::default(); COUNT];
    seed.fill(purpose, index, &mut masks);
    masks
}

/// The normal deviation of a chi-squared statistic of so many degrees of freedom (Wilson and Hilferty, PNAS 17, 1931).
fn chi_squared_deviation(statistic: f64, freedom: f64) -> f64 {
    let spread = 2.0 / (9.0 * freedom);
    ((statistic / freedom).cbrt() - (1.0 - spread)) / spread.sqrt()
}

fn assert_uniform(cells: &[u32], what: &str) {
    let total: u32 = cells.iter().sum();
    let expected = f64::from(total) / cells.len() as f64;
    let statistic: f64 = cells.iter().map(|&count| (f64::from(count) - expected).powi(2) / expected).sum();
    let deviation = chi_squared_deviation(statistic, (cells.len() - 1) as f64);
    assert!(deviation.abs() < DEVIATIONS, "{what}: {deviation} deviations from uniform");
}

/// Bits that two lists of words share must be half of all.
fn assert_independent(x: &[u64], y: &[u64], bits: u32, what: &str) {
    let differing: u32 = x.iter().zip(y).map(|(x, y)| (x ^ y).count_ones()).sum();
    let all = x.len().min(y.len()) as f64 * f64::from(bits);
    let deviation = (f64::from(differing) - all / 2.0) / (all / 4.0).sqrt();
    assert!(deviation.abs() < DEVIATIONS, "{what}: {deviation} deviations from half");
}

fn words<T: Torus>(masks: &[T]) -> Vec<u64> {
    masks.iter().map(|x| x.to_bits64()).collect()
}

/// Each byte of an element, and each pair of a byte and the same byte of the next element (its upper halves).
fn masks_are_uniform<T: Torus>() {
    let masks = words(&masks::<T>(MaskSeed([9; SEED_BYTES]), Purpose::BootstrapKey, 5));
    for byte in 8 - T::BYTES..8 {
        let at = |x: u64| (x >> (8 * byte)) as usize & 0xff;
        let mut cells = [0; 256];
        masks.iter().for_each(|&x| cells[at(x)] += 1);
        assert_uniform(&cells, &format!("{} bits, byte {byte}", T::BITS));
        let mut pairs = [0; 256];
        masks.windows(2).for_each(|pair| pairs[at(pair[0]) >> 4 << 4 | at(pair[1]) >> 4] += 1);
        assert_uniform(&pairs, &format!("{} bits, byte {byte} of neighbours", T::BITS));
    }
    assert!(masks.iter().all(|&x| T::from_bits64(x).to_bits64() == x), "bits beyond the torus");
}

#[test]
fn masks_are_uniform_on_every_torus() {
    masks_are_uniform::<Torus32>();
    masks_are_uniform::<Torus48>();
    masks_are_uniform::<Torus64>();
}

#[test]
fn masks_of_other_seeds_rows_and_purposes_are_independent() {
    let own = seed(1).mask_seed();
    let draw = |seed: MaskSeed, purpose, index| words(&masks::<Torus64>(seed, purpose, index));
    let reference = draw(own, Purpose::BootstrapKey, 0);
    for (what, other) in [
        ("another seed", draw(seed(2).mask_seed(), Purpose::BootstrapKey, 0)),
        ("a seed that differs in one bit", {
            let mut close = own;
            close.0[31] ^= 0x80;
            draw(close, Purpose::BootstrapKey, 0)
        }),
        ("the next row", draw(own, Purpose::BootstrapKey, 1)),
        ("a row far away", draw(own, Purpose::BootstrapKey, 1 << 40)),
        ("another purpose", draw(own, Purpose::KeySwitchKey, 0)),
    ] {
        assert_independent(&reference, &other, 64, what);
    }
    assert_independent(&reference, &reference[1..], 64, "the next element");
}

#[test]
fn key_bits_are_balanced_and_independent() {
    let bits = |number, purpose| -> Vec<u64> {
        seed(number).secret_bits(purpose, COUNT).iter().map(|&bit| u64::from(bit)).collect()
    };
    let reference = bits(1, Purpose::SmallKey);
    assert_independent(&reference, &[0; COUNT], 1, "zero");
    assert_independent(&reference, &reference[1..], 1, "the next bit");
    assert_independent(&reference, &bits(2, Purpose::SmallKey), 1, "another seed");
    assert_independent(&reference, &bits(1, Purpose::LargeKey), 1, "the other key");
    // Read as bits, the public masks of the seed tell nothing of its keys.
    let masks: Vec<u64> = words(&masks::<Torus64>(seed(1).mask_seed(), Purpose::Ciphertexts, 0));
    assert_independent(&reference, &masks.iter().map(|x| x >> 63).collect::<Vec<_>>(), 1, "a mask");
}

#[test]
fn noise_is_independent_of_other_noise_and_of_masks() {
    let sigma = 2f64.powi(-15);
    let deviation = StandardDeviation::from_real(sigma);
    let draw = |number, purpose, index| -> Vec<f64> {
        let mut noise = seed(number).noise(purpose, index);
        (0..COUNT).map(|_| noise.next(deviation) as i64 as f64 / 2f64.powi(64) / sigma).collect()
    };
    let reference = draw(1, Purpose::BootstrapKey, 0);
    // Uniform masks, brought to variance 1.
    let masks: Vec<f64> = masks::<Torus64>(seed(1).mask_seed(), Purpose::BootstrapKey, 0)
        .iter()
        .map(|x| x.to_real() * 12f64.sqrt())
        .collect();
    let squares = |x: &[f64]| -> Vec<f64> { x.iter().map(|x| (x * x - 1.0) / 2f64.sqrt()).collect() };
    for (what, other) in [
        ("another seed", draw(2, Purpose::BootstrapKey, 0)),
        ("the next row", draw(1, Purpose::BootstrapKey, 1)),
        ("another purpose", draw(1, Purpose::KeySwitchKey, 0)),
        ("the next term", reference[1..].to_vec()),
        ("the term after the next", reference[2..].to_vec()),
        ("the mask", masks),
    ] {
        // Uncorrelated, as they are and in magnitude: both terms of a Box-Muller pair come from one radius.
        for (power, x, y) in
            [("", reference.clone(), other.clone()), (" squared", squares(&reference), squares(&other))]
        {
            let products = x.iter().zip(&y).map(|(x, y)| x * y);
            let correlation = products.sum::<f64>() / (y.len() as f64).sqrt();
            assert!(correlation.abs() < DEVIATIONS, "{what}{power}: correlation {correlation}");
        }
    }
}
