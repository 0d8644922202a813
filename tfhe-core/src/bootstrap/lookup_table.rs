//! Lookup tables: what a functional bootstrap makes of a phase.

use crate::torus::{Torus, Torus32, Torus64};

/// A table of torus values over the phase, made for N slots on the half torus.
///
/// The table is negacyclic by nature: its value at x + 1/2 is minus that at x.
#[derive(Clone, Debug, PartialEq)]
pub struct LookupTable {
    /// Value at the phases [j, j+1) / 2N for j < N, 64-bit torus.
    values: Vec<u64>,
}

impl LookupTable {
    /// `amplitude` where the phase is in [0, 1/2), minus `amplitude` where it is in [-1/2, 0): exact on the whole
    /// torus. `size` is N.
    pub fn sign(size: usize, amplitude: Torus32) -> Self {
        Self { values: vec![amplitude.to_bits64(); size] }
    }

    /// `f` on the phases [-1/4, 1/4), in torus units; `size` is N. A slot takes the value of `f` at its middle.
    ///
    /// Beyond, the table is minus `f` of the phase half a turn away, so that the caller keeps phases, with their noise,
    /// inside; unless `f` goes on so: s (|x| - 1/4) does, and as a table it is right on the whole torus.
    pub fn from_function(size: usize, f: impl Fn(f64) -> f64) -> Self {
        let slots = 2.0 * size as f64;
        let value = |j: usize| {
            let middle = (j as f64 + 0.5) / slots;
            let real = if j < size / 2 { f(middle) } else { -f(middle - 0.5) };
            Torus64::from_real(real).to_bits64()
        };
        Self { values: (0..size).map(value).collect() }
    }

    /// N.
    pub(crate) fn size(&self) -> usize {
        self.values.len()
    }

    /// The slots j < N, 64-bit torus.
    pub(crate) fn values(&self) -> &[u64] {
        &self.values
    }

    /// The value at a phase: what a bootstrap without noise gives.
    pub fn at(&self, phase: Torus32) -> Torus32 {
        let size = self.values.len();
        let slot = ((u64::from(phase.0) * 2 * size as u64) >> 32) as usize;
        let bits = if slot < size { self.values[slot] } else { self.values[slot - size].wrapping_neg() };
        Torus32::from_bits64(bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_magnitude_is_right_on_the_whole_turn() {
        let table = LookupTable::from_function(1024, |x| 0.5 * (x.abs() - 0.25));
        for step in -500..500 {
            let x = f64::from(step) / 1000.0;
            let value = table.at(Torus32::from_real(x)).to_real();
            assert!((value - 0.5 * (x.abs() - 0.25)).abs() < 0.5 / 4096.0 + 1e-9, "{x}: {value}");
        }
    }

    #[test]
    fn tables_hold_the_function_on_the_quarter_turn() {
        let table = LookupTable::from_function(1024, |x| x * x);
        let value = |j: usize| Torus64(table.values[j]).to_real();
        assert!((value(100) - (100.5f64 / 2048.0).powi(2)).abs() < 1e-15);
        // Slot 1024 - 100 stands for the phase -100/2048 plus half a turn: negated.
        assert!((value(924) + (99.5f64 / 2048.0).powi(2)).abs() < 1e-15);
    }
}
