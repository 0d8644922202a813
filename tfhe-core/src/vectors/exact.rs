//! Bootstrapping in exact integers: what a backend's transforms and fused kernels are compared with.
//!
//! Torus elements are integers mod 2^64, and a product of polynomials mod X^N + 1 is the double sum of its definition, so
//! that nothing is rounded but where the scheme says so (Chillotti et al. 2020, definition 3.12 for the external product,
//! algorithm 9 for the bootstrap). Written from the definitions, without the transforms' code; quadratic in N, and slow.

use crate::bootstrap::lookup_table::LookupTable;
use crate::bootstrap::modulus_switch::SwitchedSample;
use crate::gadget::Gadget;
use crate::keys::cloud::CloudKey;
use crate::parallel;
use crate::polynomial::Polynomial;
use crate::torus::{Torus, Torus64};
use crate::torus_words::ReadWords;

/// A TGSW sample: (k+1) l rows of k+1 polynomials of N coefficients.
#[derive(Clone)]
pub(super) struct Matrix {
    words: Vec<u64>,
    size: usize,
    dimension: usize,
    gadget: Gadget,
}

impl Matrix {
    /// TGSW sample `index` of a bootstrapping key, masks and all.
    pub(super) fn of_key(key: &CloudKey, index: usize) -> Self {
        key.bootstrap.read(Rows { key, index })
    }

    fn expand<T: Torus>(key: &CloudKey, bodies: &[T], index: usize) -> Self {
        let p = &key.parameters;
        let (size, rows) = (p.polynomial_size, p.tgsw_rows());
        let mut mask = vec![T::default(); p.large_dimension()];
        let mut words = Vec::with_capacity(rows * (p.tlwe_dimension + 1) * size);
        for row in index * rows..(index + 1) * rows {
            key.masks.bootstrap_row(row, &mut mask);
            let body = &bodies[row * size..][..size];
            words.extend(mask.iter().chain(body).map(|x| x.to_bits64()));
        }
        Self { words, size, dimension: p.tlwe_dimension, gadget: p.gadget }
    }

    /// The rows, one after another.
    pub(super) fn rows(&self) -> impl Iterator<Item = &[u64]> {
        self.words.chunks_exact((self.dimension + 1) * self.size)
    }

    /// sum over i of (X^shift_i - 1) times matrix i.
    fn rotated_sum(matrices: &[Self], shifts: &[u32]) -> Self {
        let mut sum = Self { words: vec![0; matrices[0].words.len()], ..matrices[0].clone() };
        for (matrix, &shift) in matrices.iter().zip(shifts) {
            let size = matrix.size;
            for (sum, polynomial) in sum.words.chunks_exact_mut(size).zip(matrix.words.chunks_exact(size)) {
                for ((sum, rotated), &word) in
                    sum.iter_mut().zip(rotate(polynomial, shift.into())).zip(polynomial)
                {
                    *sum = sum.wrapping_add(rotated).wrapping_sub(word);
                }
            }
        }
        sum
    }

    /// The digits of a TLWE sample, level by level for each polynomial.
    fn digits(&self, sample: &[u64]) -> Vec<i64> {
        let levels = self.gadget.levels() as usize;
        let mut digits = vec![0; sample.len() * levels];
        for (words, digits) in sample.chunks_exact(self.size).zip(digits.chunks_exact_mut(levels * self.size))
        {
            for (j, &word) in words.iter().enumerate() {
                self.gadget.digits(word, |level, digit| digits[level * self.size + j] = digit);
            }
        }
        digits
    }

    /// The external product with a TLWE sample.
    pub(super) fn external_product(&self, sample: &[u64]) -> Vec<u64> {
        let digits = self.digits(sample);
        let mut product = vec![0; sample.len()];
        parallel::for_each_chunk(&mut product, self.size, |column, product: &mut [u64]| {
            for (digits, row) in digits.chunks_exact(self.size).zip(self.rows()) {
                multiply_add(product, digits, &row[column * self.size..][..self.size]);
            }
        });
        product
    }

    /// Coefficient `place` of polynomial `column` of that product, given the sample's digits.
    fn product_coefficient(&self, digits: &[i64], column: usize, place: usize) -> u64 {
        let mut sum = 0u64;
        for (digits, row) in digits.chunks_exact(self.size).zip(self.rows()) {
            let polynomial = &row[column * self.size..][..self.size];
            for (i, &digit) in digits.iter().enumerate() {
                let term = |word: u64| word.wrapping_mul(digit as u64);
                sum = if i <= place {
                    sum.wrapping_add(term(polynomial[place - i]))
                } else {
                    sum.wrapping_sub(term(polynomial[self.size + place - i]))
                };
            }
        }
        sum
    }
}

/// The rows of a sample, on a torus of any width.
struct Rows<'a> {
    key: &'a CloudKey,
    index: usize,
}

impl ReadWords for Rows<'_> {
    type Output = Matrix;

    fn read<T: Torus>(self, bodies: &[T]) -> Matrix {
        Matrix::expand(self.key, bodies, self.index)
    }
}

/// sum += integers x torus mod X^N + 1: the schoolbook product.
fn multiply_add(sum: &mut [u64], integers: &[i64], torus: &[u64]) {
    let size = torus.len();
    for (i, &integer) in integers.iter().enumerate() {
        let (wrapped, straight) = sum.split_at_mut(i);
        for (sum, &word) in straight.iter_mut().zip(torus) {
            *sum = sum.wrapping_add(word.wrapping_mul(integer as u64));
        }
        for (sum, &word) in wrapped.iter_mut().zip(&torus[size - i..]) {
            *sum = sum.wrapping_sub(word.wrapping_mul(integer as u64));
        }
    }
}

/// X^power times a polynomial.
fn rotate(polynomial: &[u64], power: i64) -> Vec<u64> {
    let words: &[Torus64] = bytemuck::cast_slice(polynomial);
    Polynomial(words.to_vec()).rotate(power).0.into_iter().map(|x| x.0).collect()
}

/// The step of a blind rotation: sum of (X^shift_i - 1) times the step's samples, on an accumulator.
pub(super) struct Step(Matrix);

impl Step {
    /// Step `number` of a key; a shift for each of its TGSW samples.
    pub(super) fn new(key: &CloudKey, number: usize, shifts: &[u32]) -> Self {
        let count = key.parameters.step_samples();
        let matrices: Vec<Matrix> =
            (number * count..(number + 1) * count).map(|index| Matrix::of_key(key, index)).collect();
        Self(Matrix::rotated_sum(&matrices, shifts))
    }

    /// acc += sum over i of (X^shift_i - 1) (key_i ⊡ acc).
    pub(super) fn apply(&self, accumulator: &mut [u64]) {
        let product = self.0.external_product(accumulator);
        accumulator.iter_mut().zip(product).for_each(|(x, y)| *x = x.wrapping_add(y));
    }

    /// Some words of the accumulator after the step, for every polynomial those at `places`.
    pub(super) fn words_after(&self, accumulator: &[u64], places: &[usize]) -> Vec<(usize, u64)> {
        let digits = self.0.digits(accumulator);
        let words =
            (0..=self.0.dimension).flat_map(|column| places.iter().map(move |&place| (column, place)));
        let word = |(column, place): (usize, usize)| {
            let index = column * self.0.size + place;
            (index, accumulator[index].wrapping_add(self.0.product_coefficient(&digits, column, place)))
        };
        words.map(word).collect()
    }
}

/// The exponents of step `number`: for each of its TGSW samples, the sum mod 2N of the masks of the bits that it stands for.
pub(super) fn shifts(key: &CloudKey, sample: &SwitchedSample, number: usize) -> Vec<u32> {
    let p = &key.parameters;
    let masks = &sample.masks[number * p.bits_a_step..][..p.bits_a_step];
    let shift = |index: usize| {
        let bits = p.pattern(index);
        let chosen = masks.iter().enumerate().filter(|(i, _)| bits >> i & 1 == 1);
        chosen.map(|(_, mask)| mask).sum::<u32>() % (2 * p.polynomial_size as u32)
    };
    (0..p.step_samples()).map(shift).collect()
}

/// (0, X^-b' table).
pub(super) fn start(key: &CloudKey, sample: &SwitchedSample, table: &LookupTable) -> Vec<u64> {
    let mut accumulator = vec![0; key.parameters.large_dimension()];
    accumulator.extend(rotate(table.values(), -i64::from(sample.body)));
    accumulator
}

/// A whole blind rotation.
pub(super) fn blind_rotation(key: &CloudKey, sample: &SwitchedSample, table: &LookupTable) -> Vec<u64> {
    let mut accumulator = start(key, sample, table);
    for number in 0..key.parameters.steps() {
        Step::new(key, number, &shifts(key, sample, number)).apply(&mut accumulator);
    }
    accumulator
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::secret::SecretKey;
    use crate::random::SecretSeed;
    use crate::vectors::toy;

    /// The matrix of a step is summed before it is applied; by the definition, the products are.
    #[test]
    fn a_step_is_the_sum_of_rotated_external_products() {
        let set = toy::sets()[1];
        let secret = SecretKey::generate(&set, SecretSeed::deterministic_for_tests(1));
        let key = CloudKey::generate(&secret, SecretSeed::deterministic_for_tests(2)).unwrap();
        let mut accumulator: Vec<u64> = (1..=64u64).map(|x| x.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
        let shifts = [3, 40, 43];
        let mut expected = accumulator.clone();
        for (i, &shift) in shifts.iter().enumerate() {
            let product = Matrix::of_key(&key, 3 + i).external_product(&accumulator);
            let rotated = product.chunks_exact(32).flat_map(|p| rotate(p, shift.into()));
            for ((x, rotated), &word) in expected.iter_mut().zip(rotated).zip(&product) {
                *x = x.wrapping_add(rotated).wrapping_sub(word);
            }
        }
        let step = Step::new(&key, 1, &shifts);
        let some = step.words_after(&accumulator, &[0, 17, 31]);
        step.apply(&mut accumulator);
        assert_eq!(accumulator, expected);
        assert!(some.len() == 6 && some.iter().all(|&(index, word)| expected[index] == word));
    }
}
