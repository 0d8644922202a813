//! The single operations of the paper's second table, each as a circuit over its operands' bits.

use super::{
    arithmetic::{
        adders::ripple,
        columns::{Columns, Sign},
        compare::{Shape, at_least, max, relu},
        multiply::{add_multiples, baugh_wooley, multiply},
        sums::{popcount, subtract},
    },
    bit::Bit,
    netlist::{Netlist, Style},
    word::Word,
};

/// Weights of a filter of 5 x 5.
const TAPS: usize = 25;
/// Bits of a convolution's words, and of those that a binarized one scales.
const BITS: usize = 20;
const SCALE_BITS: usize = 25;
/// Fraction bits, and the factor of the binarized filter.
const FRACTION_BITS: usize = 15;
const ALPHA: i64 = 7_157;

/// An operation of the table. `bits` are those of an operand.
#[derive(Clone, Copy, Debug)]
pub enum Operation {
    /// a >= b.
    Compare {
        /// Bits.
        bits: usize,
    },
    /// The greater of two by the sign of their difference, as earlier work has it; optimized, as [`Maximum`](Self::Maximum).
    SubtractAndSelect {
        /// Bits.
        bits: usize,
    },
    /// The greater of two.
    Maximum {
        /// Bits.
        bits: usize,
        /// Of the comparison.
        shape: Shape,
    },
    /// max(a, 0).
    Relu {
        /// Bits.
        bits: usize,
    },
    /// One window of one binarized filter: signs, and the magnitude that they are scaled by.
    BinarizedConvolution,
    /// One window of one filter of known weights on encrypted words.
    HybridConvolution,
    /// One window of one filter of encrypted weights on encrypted words.
    EncryptedConvolution,
}

impl Operation {
    /// Bits that the circuit reads.
    pub fn inputs(self) -> usize {
        match self {
            Self::Compare { bits } | Self::SubtractAndSelect { bits } | Self::Maximum { bits, .. } => {
                2 * bits
            }
            Self::Relu { bits } => bits,
            Self::BinarizedConvolution => TAPS + BITS,
            Self::HybridConvolution => TAPS * BITS,
            Self::EncryptedConvolution => 2 * TAPS * BITS,
        }
    }

    /// The outputs of the circuit over these bits, in the netlist's style.
    pub fn build(self, netlist: &mut Netlist, inputs: &[Bit]) -> Vec<Bit> {
        let word = |bits: &[Bit]| Word::signed(bits.to_vec());
        let pair = |bits| (word(&inputs[..bits]), word(&inputs[bits..]));
        match (self, netlist.style()) {
            (Self::Compare { bits }, _) => {
                let (a, b) = pair(bits);
                vec![at_least(netlist, &a, &b, Shape::Chain)]
            }
            (Self::SubtractAndSelect { bits }, Style::AsPublished) => {
                let (a, b) = pair(bits);
                let sign = subtract(netlist, &a, &b).sign();
                a.bits().iter().zip(b.bits()).map(|(&a, &b)| netlist.mux(sign, b, a)).collect()
            }
            (Self::SubtractAndSelect { bits }, Style::Optimized) => {
                Self::Maximum { bits, shape: Shape::Chain }.build(netlist, inputs)
            }
            (Self::Maximum { bits, shape }, _) => {
                let (a, b) = pair(bits);
                max(netlist, &a, &b, shape).bits().to_vec()
            }
            (Self::Relu { .. }, _) => relu(netlist, &word(inputs)).bits().to_vec(),
            (Self::BinarizedConvolution, _) => binarized(netlist, inputs),
            (Self::HybridConvolution, _) => hybrid(netlist, inputs),
            (Self::EncryptedConvolution, _) => encrypted(netlist, inputs),
        }
    }
}

/// Any weights from -1 to 1, in units of 2^-15, the same in every run.
fn weights() -> Vec<i64> {
    let mut state = 1_u64;
    let mut draw = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 48) as i64 - (1 << FRACTION_BITS)
    };
    (0..TAPS).map(|_| draw()).collect()
}

fn binarized(netlist: &mut Netlist, inputs: &[Bit]) -> Vec<Bit> {
    let (signs, magnitude) = inputs.split_at(TAPS);
    let equal: Vec<Bit> = signs.iter().zip(weights()).map(|(&bit, w)| bit.negate_if(w < 0)).collect();
    let ones = popcount(netlist, &equal).shifted_left(1);
    let d = subtract(netlist, &ones, &Word::constant(TAPS as i64));
    match netlist.style() {
        Style::AsPublished => {
            let product = baugh_wooley(netlist, magnitude, &d.extended(BITS));
            let product = Word::signed(product).extended(SCALE_BITS);
            let alpha = Word::constant(ALPHA).extended(SCALE_BITS);
            baugh_wooley(netlist, &product, &alpha)[FRACTION_BITS..][..SCALE_BITS].to_vec()
        }
        Style::Optimized => {
            let product = multiply(netlist, &Word::signed(magnitude.to_vec()), &d);
            let mut sum = [Columns::new(2 * SCALE_BITS)];
            add_multiples(netlist, &mut sum, &product.wrapped(SCALE_BITS), &[ALPHA]);
            let [sum] = sum;
            sum.sum(netlist)[FRACTION_BITS..][..SCALE_BITS].to_vec()
        }
    }
}

/// A sum of products of 40 bits.
fn hybrid(netlist: &mut Netlist, inputs: &[Bit]) -> Vec<Bit> {
    let words = inputs.chunks(BITS).zip(weights());
    match netlist.style() {
        Style::AsPublished => words.fold(vec![Bit::FALSE; 2 * BITS], |sum, (word, weight)| {
            let product = baugh_wooley(netlist, word, &Word::constant(weight).extended(BITS));
            ripple(netlist, &sum, &product, Bit::FALSE)
        }),
        Style::Optimized => {
            let mut sum = [Columns::new(2 * BITS)];
            words.for_each(|(word, weight)| {
                add_multiples(netlist, &mut sum, &Word::signed(word.to_vec()), &[weight]);
            });
            let [sum] = sum;
            sum.sum(netlist)
        }
    }
}

fn encrypted(netlist: &mut Netlist, inputs: &[Bit]) -> Vec<Bit> {
    let pairs = inputs.chunks(2 * BITS).map(|pair| pair.split_at(BITS));
    match netlist.style() {
        Style::AsPublished => pairs.fold(vec![Bit::FALSE; 2 * BITS], |sum, (a, b)| {
            let product = baugh_wooley(netlist, a, b);
            ripple(netlist, &sum, &product, Bit::FALSE)
        }),
        Style::Optimized => {
            let mut sum = Columns::new(2 * BITS);
            for (a, b) in pairs {
                for (i, j) in (0..BITS).flat_map(|i| (0..BITS).map(move |j| (i, j))) {
                    let both = netlist.and(a[i], b[j]);
                    let negative = (i + 1 == BITS) != (j + 1 == BITS);
                    sum.add_bit(if negative { Sign::Minus } else { Sign::Plus }, both, i + j);
                }
            }
            sum.sum(netlist)
        }
    }
}
