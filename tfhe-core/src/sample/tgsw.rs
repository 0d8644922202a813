//! TGSW samples, their external product with TLWE samples, and CMux.
//!
//! A TGSW sample of a small integer m is a matrix of (k+1) l TLWE rows: row (p, i) has the phase m B^-i times the
//! key polynomial -S_p (for p < k), or times 1 (for p = k). With D(C) the digits of a TLWE sample C, the *external
//! product* D(C) times the matrix is a TLWE sample of m times the message of C, with a little noise more. CMux(c, C1,
//! C0) = C0 + c ⊡ (C1 - C0) chooses with an encrypted bit. (Chillotti et al. 2020, sections 3.1 to 3.3; TGSW is the
//! ring GSW of Gentry, Sahai and Waters, CRYPTO 2013.)
//!
//! A row is stored as its body alone: the masks are expanded from a seed, and m B^-i is put in the body through the
//! key (m B^-i S_p is subtracted, where the textbook adds m B^-i to the mask A_p).

use crate::backend::fft::Fft;
use crate::gadget::Gadget;
use crate::keys::masks::Masks;
use crate::random::{MaskSeed, Purpose, SecretSeed, StandardDeviation};
use crate::sample::tlwe::TlweSecretKey;
use crate::torus::Torus;

/// The bodies of the rows of a TGSW sample of the bit `message`: (k+1) l polynomials of N coefficients. `message`
/// (0 or 1) is secret. The rows of sample `index` of a key take the masks and noise numbered from `index` times their
/// count.
pub(crate) fn encrypt_bodies<T: Torus>(
    key: &TlweSecretKey,
    message: u32,
    gadget: Gadget,
    deviation: StandardDeviation,
    index: usize,
    masks: MaskSeed,
    seed: &SecretSeed,
) -> Vec<T> {
    let (dimension, size) = (key.dimension(), key.polynomial_size());
    let rows = (dimension + 1) * gadget.levels() as usize;
    let mut mask = vec![T::default(); dimension * size];
    let mut bodies = Vec::with_capacity(rows * size);
    for row in 0..rows {
        let number = (index * rows + row) as u64;
        masks.fill(Purpose::BootstrapKey, number, &mut mask);
        let mut noise = seed.noise(Purpose::BootstrapKey, number);
        let mut body = key.product(&mask);
        let (polynomial, level) = (row / gadget.levels() as usize, row % gadget.levels() as usize);
        let weight = gadget.weight(level).wrapping_mul(u64::from(message));
        if polynomial == dimension {
            body[0] = body[0].wrapping_add(weight);
        } else {
            for (b, &s) in body.iter_mut().zip(&key.bits()[polynomial * size..]) {
                *b = b.wrapping_sub(weight.wrapping_mul(u64::from(s)));
            }
        }
        bodies.extend(body.iter().map(|b| T::from_bits64(b.wrapping_add(noise.next(deviation)))));
    }
    bodies
}

/// Writes the Fourier form of a TGSW sample, given the bodies of its rows, to `points`: (k+1) l rows of k+1
/// polynomials, scaled by the 1/M that the fused inverse transform lacks.
pub(crate) fn transform_rows<T: Torus>(
    bodies: &[T],
    index: usize,
    masks: &Masks,
    dimension: usize,
    fft: &Fft,
    points: &mut [f64],
) {
    let size = fft.size();
    let rows = bodies.len() / size;
    let mut row_words = vec![T::default(); (dimension + 1) * size];
    for (row, (body, points)) in
        bodies.chunks_exact(size).zip(points.chunks_exact_mut((dimension + 1) * size)).enumerate()
    {
        let (mask, target) = row_words.split_at_mut(dimension * size);
        masks.bootstrap_row(index * rows + row, mask);
        target.copy_from_slice(body);
        for (point, &word) in points.iter_mut().zip(&row_words) {
            *point = word.to_real() * fft.scale();
        }
        points.chunks_exact_mut(size).for_each(|polynomial| fft.forward(polynomial));
    }
}
