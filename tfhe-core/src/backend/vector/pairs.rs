//! Products of a matrix of small integers with rows of 32-bit words, by instructions that multiply 16 bits by 16.
//!
//! A word is x = 2^16 h + l, with l from -2^15 to 2^15 - 1, so w x = 2^16 (w h) + w l mod 2^32 for a weight w of 16 bits. The
//! halves l of two inputs lie side by side in a lane of 32 bits, as do the halves h, and so do the weights. One instruction then adds
//! two products to a lane of a sum. (No sum needs more than 32 bits: everything is mod 2^32.)

use core::arch::x86_64::*;

use crate::backend::choice::Backend;

/// Pairs of inputs that are split and summed at a time, so that their halves in one register each stay in the first-level cache.
const PAIRS: usize = 256;
/// Words of each input that are split at a time: some cache lines side by side.
const WORDS: usize = 64;

/// Rows of weights of 16 bits.
#[derive(Clone, Copy)]
pub(in crate::backend) struct NarrowRows<'a>(&'a [&'a [i32]]);

impl<'a> NarrowRows<'a> {
    /// The rows, all of one length, or nothing if a weight has more than 16 bits.
    pub(in crate::backend) fn of(rows: &'a [&'a [i32]]) -> Option<Self> {
        // For each row the bits that its numbers have but for the sign.
        let mut magnitudes = rows.iter().map(|row| row.iter().fold(0, |bits, &w| bits | (w ^ (w >> 31))));
        magnitudes.all(|bits| bits <= i32::from(i16::MAX)).then_some(Self(rows))
    }

    /// Groups of `ROWS` rows: of each group, for each pair of weights, the pair in each of the rows. Rows that are missing in
    /// the last group are zeros.
    fn groups<const ROWS: usize>(self) -> Vec<Vec<[u32; ROWS]>> {
        let groups = self.0.chunks(ROWS).map(|rows| {
            let mut group = vec![[0; ROWS]; rows[0].len().div_ceil(2)];
            for (index, row) in rows.iter().enumerate() {
                let (whole, rest) = row.as_chunks();
                let whole = whole.iter().map(|&[first, second]| paired(first as u32, second as u32));
                let paired = whole.chain(rest.iter().map(|&last| paired(last as u32, 0)));
                group.iter_mut().zip(paired).for_each(|(pairs, paired)| pairs[index] = paired);
            }
            group
        });
        groups.collect()
    }
}

/// The low halves of two words, in one.
#[inline(always)]
fn paired(first: u32, second: u32) -> u32 {
    first & 0xffff | second << 16
}

/// The high halves of two words, in one, where the low halves are signed.
#[inline(always)]
fn high_paired(first: u32, second: u32) -> u32 {
    let [first, second] = [first, second].map(|word| word.wrapping_add(0x8000));
    first >> 16 | second & 0xffff_0000
}

/// `LANES` words from `start` on, and zeros behind the last.
#[inline(always)]
fn lanes<const LANES: usize>(words: &[u32], start: usize) -> [u32; LANES] {
    let words = &words[start..];
    words
        .first_chunk()
        .copied()
        .unwrap_or_else(|| std::array::from_fn(|j| words.get(j).copied().unwrap_or(0)))
}

/// A kernel compiled for an instruction set: adds the products of all rows to the outputs. The inputs and outputs are of one length.
/// As many rows as are said share the loads of inputs, and their sums stay in registers.
macro_rules! pair_kernel {
    (
        $name:ident, $features:literal, $rows:literal rows of $register:ty, $splat:ident, $add:ident, $shift_left:ident,
        |$sum:ident, $pair:ident, $weights:ident| $multiply_add:expr
    ) => {
        #[target_feature(enable = $features)]
        fn $name(rows: NarrowRows<'_>, inputs: &[&[u32]], outputs: &mut [Vec<u32>]) {
            const LANES: usize = size_of::<$register>() / size_of::<u32>();
            let groups = rows.groups::<$rows>();
            let len = outputs.first().map_or(0, Vec::len);
            // For each register of words of a block: the halves of all pairs.
            let mut halves = vec![[$splat(0); 2]; WORDS / LANES * PAIRS];
            for start in (0..len).step_by(WORDS) {
                let registers = WORDS.min(len - start).div_ceil(LANES);
                for (chunk, inputs) in inputs.chunks(2 * PAIRS).enumerate() {
                    for (number, pair) in inputs.chunks(2).enumerate() {
                        for register in 0..registers {
                            let first: [u32; LANES] = lanes(pair[0], start + register * LANES);
                            let second = pair
                                .get(1)
                                .map_or([0; LANES], |input| lanes(input, start + register * LANES));
                            let (mut low, mut high) = (first, first);
                            for j in 0..LANES {
                                low[j] = paired(first[j], second[j]);
                                high[j] = high_paired(first[j], second[j]);
                            }
                            halves[register * PAIRS + number] = [bytemuck::cast(low), bytemuck::cast(high)];
                        }
                    }
                    let pairs = inputs.len().div_ceil(2);
                    for register in 0..registers {
                        let halves = &halves[register * PAIRS..][..pairs];
                        for (group, outputs) in groups.iter().zip(outputs.chunks_mut($rows)) {
                            let weights = &group[chunk * PAIRS..][..pairs];
                            let mut sums = [[$splat(0); 2]; $rows];
                            for (halves, weights) in halves.iter().zip(weights) {
                                for (sums, &weights) in sums.iter_mut().zip(weights) {
                                    let $weights = $splat(weights as i32);
                                    for (sum, &$pair) in sums.iter_mut().zip(halves) {
                                        let $sum = *sum;
                                        *sum = $multiply_add;
                                    }
                                }
                            }
                            for (output, [low, high]) in outputs.iter_mut().zip(sums) {
                                let sum: [u32; LANES] = bytemuck::cast($add(low, $shift_left::<16>(high)));
                                let output = &mut output[start + register * LANES..];
                                match output.first_chunk_mut::<LANES>() {
                                    Some(output) => add_words(output, &sum),
                                    None => add_words(output, &sum),
                                }
                            }
                        }
                    }
                }
            }
        }
    };
}

#[inline(always)]
fn add_words(output: &mut [u32], sum: &[u32]) {
    output.iter_mut().zip(sum).for_each(|(x, &y)| *x = x.wrapping_add(y));
}

pair_kernel!(
    add_products_avx2,
    "avx2",
    4 rows of __m256i,
    _mm256_set1_epi32,
    _mm256_add_epi32,
    _mm256_slli_epi32,
    |sum, pair, weights| _mm256_add_epi32(sum, _mm256_madd_epi16(pair, weights))
);
pair_kernel!(
    add_products_avx512,
    "avx512f,avx512bw",
    8 rows of __m512i,
    _mm512_set1_epi32,
    _mm512_add_epi32,
    _mm512_slli_epi32,
    |sum, pair, weights| _mm512_add_epi32(sum, _mm512_madd_epi16(pair, weights))
);
pair_kernel!(
    add_products_vnni,
    "avx512f,avx512vnni",
    8 rows of __m512i,
    _mm512_set1_epi32,
    _mm512_add_epi32,
    _mm512_slli_epi32,
    |sum, pair, weights| _mm512_dpwssd_epi32(sum, pair, weights)
);

/// A kernel that this CPU can run.
#[derive(Clone, Copy, Debug)]
pub(in crate::backend) struct PairKernel(Instructions);

#[derive(Clone, Copy, Debug)]
enum Instructions {
    Avx2,
    /// AVX-512 BW.
    Avx512,
    /// AVX-512 VNNI: the product and the addition are one instruction.
    Vnni,
}

impl PairKernel {
    /// The kernels of this CPU, the fastest last.
    pub(in crate::backend) fn available() -> impl DoubleEndedIterator<Item = Self> {
        [
            (Instructions::Avx2, is_x86_feature_detected!("avx2")),
            (
                Instructions::Avx512,
                is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw"),
            ),
            (
                Instructions::Vnni,
                is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vnni"),
            ),
        ]
        .into_iter()
        .filter_map(|(instructions, available)| available.then_some(Self(instructions)))
    }

    /// The fastest one with the instructions that a backend may use, if it has any.
    pub(in crate::backend) fn of(backend: Backend) -> Option<Self> {
        match backend {
            Backend::Portable => None,
            Backend::Avx2 => Self::available().next(),
            Backend::Avx512 => Self::available().next_back(),
        }
    }

    /// For each row of weights, output += sum_k weights[k] inputs[k] mod 2^32.
    #[allow(unsafe_code)] // docs/unsafe.md
    pub(in crate::backend) fn add_products(
        self,
        rows: NarrowRows<'_>,
        inputs: &[&[u32]],
        outputs: &mut [Vec<u32>],
    ) {
        // SAFETY: a value of this type exists only where the CPU has the instructions.
        unsafe {
            match self.0 {
                Instructions::Avx2 => add_products_avx2(rows, inputs, outputs),
                Instructions::Avx512 => add_products_avx512(rows, inputs, outputs),
                Instructions::Vnni => add_products_vnni(rows, inputs, outputs),
            }
        }
    }
}
