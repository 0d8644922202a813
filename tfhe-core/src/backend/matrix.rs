//! Products of a matrix of small integers with rows of 32-bit words, which linear layers consist of.

use super::choice::Backend;
use super::rows::{ROWS_A_PASS, add_rows};
#[cfg(target_arch = "x86_64")]
use super::vector::pairs::{NarrowRows, PairKernel};

/// For each row of weights, output += sum_k weights[k] inputs[k] mod 2^32.
///
/// # Panics
/// Unless there is an output a row, a weight an input in each row, and all inputs and outputs are of one length.
pub(crate) fn add_products(backend: Backend, rows: &[&[i32]], inputs: &[&[u32]], outputs: &mut [Vec<u32>]) {
    assert_eq!(rows.len(), outputs.len());
    assert!(rows.iter().all(|row| row.len() == inputs.len()));
    let Some(len) = outputs.first().map(Vec::len) else { return };
    assert!(
        outputs.iter().all(|output| output.len() == len) && inputs.iter().all(|input| input.len() == len)
    );
    #[cfg(target_arch = "x86_64")]
    if let (Some(kernel), Some(rows)) = (PairKernel::of(backend), NarrowRows::of(rows)) {
        return kernel.add_products(rows, inputs, outputs);
    }
    add_products_of_words(backend, rows, inputs, outputs);
}

/// The same for any weights, with products of whole words.
fn add_products_of_words(backend: Backend, rows: &[&[i32]], inputs: &[&[u32]], outputs: &mut [Vec<u32>]) {
    /// A few inputs' words of a block, and many outputs', fit in the first-level cache.
    const BLOCK: usize = 128;
    let len = outputs.first().map_or(0, Vec::len);
    let mut block = Vec::with_capacity(ROWS_A_PASS * BLOCK);
    for start in (0..len).step_by(BLOCK) {
        let words = start..len.min(start + BLOCK);
        for (pass, inputs) in inputs.chunks(ROWS_A_PASS).enumerate() {
            block.clear();
            inputs.iter().for_each(|input| block.extend_from_slice(&input[words.clone()]));
            for (row, output) in rows.iter().zip(outputs.iter_mut()) {
                let mut factors = [0; ROWS_A_PASS];
                factors
                    .iter_mut()
                    .zip(&row[pass * ROWS_A_PASS..])
                    .for_each(|(x, &weight)| *x = weight as u32);
                add_rows(backend, &mut output[words.clone()], &block, factors);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    /// A matrix, its inputs and what the outputs hold before, all row by row.
    #[derive(Debug, Clone)]
    struct Case {
        weights: Vec<Vec<i32>>,
        inputs: Vec<Vec<u32>>,
        outputs: Vec<Vec<u32>>,
    }

    impl Case {
        fn expected(&self) -> Vec<Vec<u32>> {
            let mut outputs = self.outputs.clone();
            for (output, row) in outputs.iter_mut().zip(&self.weights) {
                for (input, &weight) in self.inputs.iter().zip(row) {
                    for (sum, &word) in output.iter_mut().zip(input) {
                        *sum = sum.wrapping_add(word.wrapping_mul(weight as u32));
                    }
                }
            }
            outputs
        }

        /// Every kernel of this machine, each of which gives what is expected.
        fn check(&self) -> Result<(), TestCaseError> {
            let expected = self.expected();
            let rows: Vec<&[i32]> = self.weights.iter().map(Vec::as_slice).collect();
            let inputs: Vec<&[u32]> = self.inputs.iter().map(Vec::as_slice).collect();
            for backend in Backend::testable() {
                for add in [add_products, add_products_of_words] {
                    let mut outputs = self.outputs.clone();
                    add(backend, &rows, &inputs, &mut outputs);
                    prop_assert_eq!(&outputs, &expected, "{}", backend);
                }
            }
            #[cfg(target_arch = "x86_64")]
            if let Some(rows) = NarrowRows::of(&rows) {
                for kernel in PairKernel::available() {
                    let mut outputs = self.outputs.clone();
                    kernel.add_products(rows, &inputs, &mut outputs);
                    prop_assert_eq!(&outputs, &expected, "{:?}", kernel);
                }
            }
            Ok(())
        }
    }

    fn case(
        rows: usize,
        inputs: usize,
        words: usize,
        weight: BoxedStrategy<i32>,
    ) -> impl Strategy<Value = Case> {
        let word =
            || prop_oneof![4 => any::<u32>(), 1 => 0x7ffe..0x8002_u32, 1 => Just(0), 1 => Just(0x8000_8000)];
        let matrix =
            (vec(vec(weight, inputs), rows), vec(vec(word(), words), inputs), vec(vec(word(), words), rows));
        matrix.prop_map(|(weights, inputs, outputs)| Case { weights, inputs, outputs })
    }

    fn weights() -> impl Strategy<Value = BoxedStrategy<i32>> {
        prop_oneof![
            Just((-1..=1).boxed()),
            Just((-128..128).boxed()),
            Just(prop_oneof![Just(0), Just(-32768), Just(32767), any::<i16>().prop_map(i32::from)].boxed()),
            Just(prop_oneof![Just(0), Just(i32::MIN), Just(i32::MAX), Just(32768), Just(-32769)].boxed()),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

        #[test]
        fn products_match_the_definition(
            case in (0..20_usize, 0..12_usize, 1..150_usize, weights())
                .prop_flat_map(|(rows, inputs, words, weight)| case(rows, inputs, words, weight))
        ) {
            case.check()?;
        }
    }

    /// More inputs than a kernel takes at a time, with sums that leave 32 bits many times over.
    #[test]
    fn long_sums_match_the_definition() {
        for inputs in [512, 513, 1025, 1538] {
            let column = |k: usize| {
                (0..67).map(|j| ((j * 1103 + k * 7919) as u32).wrapping_mul(2_654_435_761)).collect()
            };
            let weight = |row: usize, k: usize| [-32768, 32767, k as i32 % 255 - 127][(row + k) % 3];
            let case = Case {
                weights: (0..9).map(|row| (0..inputs).map(|k| weight(row, k)).collect()).collect(),
                inputs: (0..inputs).map(column).collect(),
                outputs: (0..9).map(|row| vec![row; 67]).collect(),
            };
            case.check().unwrap();
        }
    }
}
