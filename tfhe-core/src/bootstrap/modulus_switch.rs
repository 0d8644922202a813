//! The modulus switch: an LWE sample on the torus becomes one mod 2N, whose phase is an exponent of X.
//!
//! The modulus switch is centred: with a'_i = round(2N a_i) and e_i = a'_i / 2N - a_i, b' = floor(2N (b + 1/2 sum
//! e_i)). The half sum is the mean of what rounding the masks adds, for uniform key bits (for a block-binary key it halves
//! the variance no less), and the floor puts the 2N slots symmetrically about
//! 0, slot j standing for the phases [j, j+1) / 2N.

use super::lookup_table::LookupTable;
use crate::sample::lwe::{LweCiphertext, Small};
use crate::torus::Torus32;

/// An LWE sample with modulus 2N.
#[derive(Clone)]
pub(crate) struct SwitchedSample {
    /// Below 2N each.
    pub(crate) masks: Vec<u32>,
    /// Below 2N.
    pub(crate) body: u32,
}

impl SwitchedSample {
    pub(crate) fn new(sample: &LweCiphertext<Torus32, Small>, size: usize) -> Self {
        let slots_log = (2 * size).ilog2();
        let unit = 1u32 << (32 - slots_log);
        let mut error_sum = 0i64;
        let masks = sample
            .mask()
            .iter()
            .map(|a| {
                let rounded = a.0.wrapping_add(unit / 2) & !(unit - 1);
                error_sum += i64::from(rounded.wrapping_sub(a.0) as i32);
                rounded >> (32 - slots_log)
            })
            .collect();
        // (floor, mod 1) of the body and half of the errors' sum
        let body = (sample.body().0.wrapping_add((error_sum >> 1) as u32)) >> (32 - slots_log);
        Self { masks, body }
    }

    /// Writes X^-b' times the table to the body of an accumulator.
    pub(super) fn start(&self, table: &LookupTable, body: &mut [u64]) {
        let size = table.size();
        for (j, x) in body.iter_mut().enumerate() {
            let at = (j + self.body as usize) % (2 * size);
            *x = if at < size { table.values()[at] } else { table.values()[at - size].wrapping_neg() };
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sample::lwe::LweSecretKey;
    use crate::torus::{Torus, Torus64};

    proptest! {
        /// The switched phase is the phase to within the rounding of the masks, for any key.
        #[test]
        fn modulus_switch_is_close_and_centred(masks in prop::collection::vec(any::<u32>(), 64), body: u32, key: u64) {
            let words = masks.iter().copied().chain([body]).map(Torus32).collect();
            let sample = LweCiphertext::from_words(words);
            let bits = (0..64).map(|i| (key >> i & 1) as u32).collect();
            let secret = LweSecretKey::<Small>::from_bits(bits);
            let size = 512;
            let switched = SwitchedSample::new(&sample, size);
            let product: u32 = switched.masks.iter().enumerate().filter(|(i, _)| key >> i & 1 == 1).map(|(_, a)| a).sum();
            let slot = (switched.body + 2 * size as u32 * 64 - product) % (2 * size as u32);
            let middle = (f64::from(slot) + 0.5) / (2.0 * size as f64);
            let error = Torus64::from_real(middle - secret.phase(&sample).to_real()).to_real();
            // Half a slot for each of 64 masks, halved by centring, and half a slot for the body.
            prop_assert!(error.abs() * 2.0 * size as f64 <= 64.0 / 4.0 + 0.5 + 1e-6, "{error}");
        }
    }
}
