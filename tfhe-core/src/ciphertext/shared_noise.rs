//! The noise of sums in which ciphertexts may come more than once.

use crate::torus::Torus32;

/// The variances of ciphertexts, and which of them have the same noise: a ciphertext that comes again, as it is or negated.
pub(crate) struct SharedNoise {
    variances: Vec<f64>,
    repetitions: Vec<Repetition>,
}

/// A ciphertext that came before.
struct Repetition {
    place: usize,
    first: usize,
    /// 1, or -1 if it is negated.
    sign: f64,
}

impl SharedNoise {
    /// Of ciphertexts with these words and variances.
    pub(crate) fn of<'a>(ciphertexts: impl ExactSizeIterator<Item = (&'a [Torus32], f64)>) -> Self {
        let mut variances = Vec::with_capacity(ciphertexts.len());
        let mut prints: Vec<([u32; 3], usize, f64)> = Vec::with_capacity(ciphertexts.len());
        prints.extend(ciphertexts.enumerate().map(|(place, (words, variance))| {
            variances.push(variance);
            // Three words of a sample tell it from every other (a collision has probability 2^-96), up to its sign.
            let print = [words[0].0, words[words.len() / 2].0, words[words.len() - 1].0];
            let negated = print.map(u32::wrapping_neg);
            if print <= negated { (print, place, 1.0) } else { (negated, place, -1.0) }
        }));
        prints.sort_unstable_by_key(|&(print, place, _)| (print, place));
        let mut repetitions = Vec::new();
        for equal in prints.chunk_by(|a, b| a.0 == b.0) {
            let (_, first, first_sign) = equal[0];
            repetitions.extend(equal[1..].iter().map(|&(_, place, sign)| Repetition {
                place,
                first,
                sign: sign * first_sign,
            }));
        }
        Self { variances, repetitions }
    }

    /// Variance of the sum of factor x ciphertext: the factors of one noise add before they are squared. The squares are added
    /// in a fixed order, so that the same sum has the same variance, to the last bit, in every run.
    pub(crate) fn variance(&self, factors: &[i32]) -> f64 {
        // Sums of 32-bit factors are exact in double precision.
        let mut sums: Vec<f64> = factors.iter().map(|&factor| f64::from(factor)).collect();
        for &Repetition { place, first, sign } in &self.repetitions {
            sums[first] += sign * sums[place];
            sums[place] = 0.0;
        }
        // Several sums side by side, since each addition waits for the one before.
        let mut lanes = [0.0; 8];
        for (sums, variances) in sums.chunks(lanes.len()).zip(self.variances.chunks(lanes.len())) {
            for ((lane, &sum), &variance) in lanes.iter_mut().zip(sums).zip(variances) {
                *lane += sum * sum * variance;
            }
        }
        lanes.iter().sum()
    }
}
