//! The errors of external products, to be compared with the formulas of [`noise`](crate::noise).

use crate::backend::choice::Backend;
use crate::backend::fft::Fft;
use crate::error::Result;
use crate::noise;
use crate::parameters::set::Parameters;
use crate::random::SecretSeed;
use crate::sample::external_product::FourierTgsw;
use crate::sample::tlwe::TlweSecretKey;
use crate::torus::Torus;
use crate::torus_words::MakeWords;

/// What the formulas say of an external product, as variances in squared torus units.
#[derive(Clone, Copy, Debug)]
pub struct ProductNoise {
    /// Where the TGSW sample is of 0.
    pub of_zero: f64,
    /// Where it is of 1.
    pub of_one: f64,
    /// The part of both that double precision makes at most.
    pub floating: f64,
}

/// The formulas of [`noise`](crate::noise) for an external product.
pub fn external_product_noise(p: &Parameters) -> ProductNoise {
    let of_zero = noise::external_product(p);
    ProductNoise { of_zero, of_one: of_zero + noise::decomposition(p), floating: noise::fft(p) }
}

/// External products that a blind rotation adds up.
pub fn products_of_a_bootstrap(p: &Parameters) -> usize {
    p.tgsw_samples()
}

/// The errors of external products with TGSW samples of 0 and of 1, in torus units, on the torus of the set's
/// bootstrapping key: the noise of the product less the message times that of the factor. `products` samples under each of
/// `keys` keys from fixed seeds; N errors a product.
///
/// # Errors
/// Those of a backend that the CPU lacks.
pub fn external_product_errors(
    p: &Parameters,
    backend: Backend,
    keys: u64,
    products: u64,
) -> Result<[Vec<f64>; 2]> {
    let fft = Fft::new(p.polynomial_size, backend)?;
    let mut errors = [Vec::new(), Vec::new()];
    // Nothing is made but errors.
    let Ok(_) = p.accumulator.make(Measurement { p, fft: &fft, keys, products, errors: &mut errors });
    Ok(errors)
}

struct Measurement<'a> {
    p: &'a Parameters,
    fft: &'a Fft,
    keys: u64,
    products: u64,
    errors: &'a mut [Vec<f64>; 2],
}

impl MakeWords for Measurement<'_> {
    type Error = std::convert::Infallible;

    fn make<T: Torus>(self) -> std::result::Result<Vec<T>, Self::Error> {
        let Self { p, fft, keys, products, errors } = self;
        let (dimension, size, deviation) = (p.tlwe_dimension, p.polynomial_size, p.tlwe_noise());
        let seed = SecretSeed::deterministic_for_tests;
        for number in 0..keys {
            let key = TlweSecretKey::generate(dimension, fft, &seed(number));
            for product in 0..products {
                // A factor and two TGSW samples, each from a seed of its own.
                let seed = |which| seed(1000 + 4 * (number * products + product) + which);
                let messages: Vec<T> = (0..size).map(|j| T::from_real(j as f64 / size as f64)).collect();
                let factor = key.encrypt_packed(&messages, deviation, &seed(2), 0).expand(dimension, size);
                let phase = key.phase(&factor);
                for (bit, errors) in [false, true].into_iter().zip(&mut *errors) {
                    let tgsw =
                        FourierTgsw::encrypt::<T>(&key, bit, p.gadget, deviation, fft, &seed(u64::from(bit)));
                    let product = key.phase(&tgsw.external_product(&factor));
                    let error = |(&product, &phase): (&T, &T)| (product - phase * i64::from(bit)).to_real();
                    errors.extend(product.0.iter().zip(&phase.0).map(error));
                }
            }
        }
        Ok(Vec::new())
    }
}
