//! Random circuits, wide enough for full batches and deep enough that errors have time to spread.

use rand_chacha::{
    ChaCha20Rng,
    rand_core::{Rng, SeedableRng},
};
use tfhe_core::random::SecretSeed;

use crate::circuit::{
    bit::Bit,
    netlist::{Netlist, Style},
};

const INPUTS: usize = 256;
/// Gates, and pairs of gates that make an adder, of a layer.
const WIDTH: usize = 256;
const LAYERS: usize = 14;
/// Operands are drawn from so many of the newest bits: two layers or so.
const REACH: usize = 3 * WIDTH;
/// A bit that may be a sum without a bootstrap is an output, and so a bootstrap, once in so many times.
const BOOTSTRAPPED_SUMS: u32 = 4;

/// Random choices, all from a seed and the number of a round.
pub(super) struct Draw(ChaCha20Rng);

impl Draw {
    pub(super) fn new(seed: u64, round: u64) -> Self {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        bytes[8..16].copy_from_slice(&round.to_le_bytes());
        Self(ChaCha20Rng::from_seed(bytes))
    }

    /// The seed of keys and ciphertexts that serve nothing but a test.
    pub(super) fn secret_seed(&mut self) -> SecretSeed {
        SecretSeed::deterministic_for_tests(self.0.next_u64())
    }

    /// A number below `count`.
    fn below(&mut self, count: u32) -> u32 {
        ((u64::from(self.0.next_u32()) * u64::from(count)) >> 32) as u32
    }

    fn bit(&mut self) -> bool {
        self.below(2) == 1
    }
}

/// A circuit with values for its inputs.
pub(super) struct RandomCircuit {
    pub(super) netlist: Netlist,
    pub(super) inputs: Vec<bool>,
    /// Every bit that is bootstrapped however the circuit is built, and some others.
    pub(super) outputs: Vec<Bit>,
}

impl RandomCircuit {
    pub(super) fn draw(style: Style, draw: &mut Draw) -> Self {
        let mut netlist = Netlist::new(style, INPUTS);
        let inputs = (0..INPUTS).map(|_| draw.bit()).collect();
        let mut bits: Vec<Bit> = (0..INPUTS).map(|index| netlist.input(index)).collect();
        let mut outputs = Vec::new();
        for _ in 0..LAYERS {
            let newest = bits.len().saturating_sub(REACH);
            let mut layer = Vec::with_capacity(2 * WIDTH);
            for _ in 0..WIDTH {
                let operands: [Bit; 3] = std::array::from_fn(|_| {
                    let bit = bits[newest + draw.below((bits.len() - newest) as u32) as usize];
                    if draw.bit() { !bit } else { bit }
                });
                let (always, sum) = gates(&mut netlist, draw.below(8), operands);
                outputs.extend(always);
                outputs.extend(sum.filter(|_| draw.below(BOOTSTRAPPED_SUMS) == 0));
                layer.extend(always.into_iter().chain(sum));
            }
            bits.extend(layer);
        }
        outputs.sort_unstable();
        outputs.dedup();
        Self { netlist, inputs, outputs }
    }
}

/// A gate, or two that make an adder: a bit that is bootstrapped, and one that may be a sum.
fn gates(netlist: &mut Netlist, kind: u32, [a, b, c]: [Bit; 3]) -> (Option<Bit>, Option<Bit>) {
    match kind {
        0 => (Some(netlist.and(a, b)), None),
        1 => (Some(netlist.or(a, b)), None),
        2 => (None, Some(netlist.xor(a, b))),
        3 => (Some(netlist.maj(a, b, c)), None),
        4 => (None, Some(netlist.xor3(a, b, c))),
        5 => (Some(netlist.mux(a, b, c)), None),
        6 => (Some(netlist.and(a, b)), Some(netlist.xor(a, b))),
        _ => (Some(netlist.maj(a, b, c)), Some(netlist.xor3(a, b, c))),
    }
}
