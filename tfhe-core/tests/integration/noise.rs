//! Measured noise against the formulas of [`tfhe_core::noise`].
//!
//! Every check takes thousands of samples under two keys and allows three things:
//! * six standard deviations of a sample variance, sqrt(2/n) of it for n samples, six standard errors of a mean, and six
//!   deviations of the number of samples in a tail, sqrt(p/n) for a probability p;
//! * six standard deviations of what a key is beside the average key that the formulas assume: [`KEY_SPREAD`];
//! * what the formulas themselves leave open: [`FORMULA_ACCURACY`].
//!
//! A Gaussian passes six standard deviations once in 5e8: of all choices of seeds, fewer than one in 1e6 fails a right
//! implementation. The seeds are fixed, so that what passes once passes always.
//!
//! What goes through a transform is measured on every backend, with fewer samples where that is slow.

use testkit::errors::Errors;
use tfhe_core::backend::Backend;
use tfhe_core::bootstrap::LookupTable;
use tfhe_core::ciphertext::Ciphertext;
use tfhe_core::internals::{external_product_errors, external_product_noise, products_of_a_bootstrap};
use tfhe_core::keys::SecretKey;
use tfhe_core::noise;
use tfhe_core::parameters::{
    FUNCTIONAL_1024, FUNCTIONAL_2048, GATES_BLOCK_BINARY, GATES_DEFAULT, Parameters, TFHE_LIB_V1_0_1,
    TFHE_LIB_V1_1,
};
use tfhe_core::random::SecretSeed;
use tfhe_core::torus::Torus32;

use crate::support::{Keys, backends, error, seed};

/// Keys that every measurement averages over.
const KEYS: u64 = 2;

/// Relative standard deviation of the true variance from key to key: at most 0.6 of a blind rotation's variance (in the
/// legacy sets) is rounding, which goes with the number of set bits in both keys, sqrt(1/n + 1/kN) <= 0.047; and a key
/// switch's is a sum over some 10^4 squares of the key's noise, sqrt(2 / 10^4) = 0.014.
const KEY_SPREAD: f64 = 0.028;

/// How far the average variance may be from the formula: the growth of rounding errors through a transform is a measured
/// constant, in a term that is up to three quarters of a blind rotation's variance.
const FORMULA_ACCURACY: f64 = 0.1;

/// Allowed standard deviations of a variance, and standard errors of a mean.
const DEVIATIONS: f64 = 6.0;

/// Where tails begin, in standard deviations, and how much lighter than a Gaussian's they may be: some noises have a uniform
/// part.
const TAILS: [f64; 3] = [2.0, 3.0, 4.0];
const LIGHTER: f64 = 0.8;

/// What the formulas say of an operation.
struct Prediction {
    variance: f64,
    /// The part of it that floating-point errors make at most: some backends round less.
    floating: f64,
    /// Samples that are worth one, because they share noise.
    sharing: f64,
}

/// A variance of independent samples, without a floating-point part.
fn exactly(variance: f64) -> Prediction {
    Prediction { variance, floating: 0.0, sharing: 1.0 }
}

/// Errors of one operation under all keys, compared with what is predicted of them.
trait Check {
    fn check(&self, parameters: &Parameters, operation: &str, predicted: &Prediction);
}

impl Check for Errors {
    fn check(&self, parameters: &Parameters, operation: &str, predicted: &Prediction) {
        let (count, mean, variance) = (self.count(), self.mean(), self.variance());
        let independent = count / predicted.sharing;
        let ratio = variance / predicted.variance;
        let standard_errors = self.standard_errors(independent);
        let name = parameters.name();
        println!(
            "{name}, {operation}: 2^{:.2}, {ratio:.3} of the predicted variance, \
             mean {standard_errors:+.1} standard errors, {count} samples",
            variance.log2() / 2.0
        );
        let deviation = (2.0 / independent + KEY_SPREAD.powi(2) / KEYS as f64).sqrt();
        let slack = FORMULA_ACCURACY + DEVIATIONS * deviation;
        let least = 1.0 - predicted.floating / predicted.variance;
        assert!(
            (least * (1.0 - slack)..1.0 + slack).contains(&ratio),
            "{name}, {operation}: variance is {ratio} of it"
        );
        assert!(
            standard_errors.abs() < DEVIATIONS,
            "{name}, {operation}: mean {mean} is {standard_errors} standard errors off"
        );
        for bound in TAILS {
            let beyond = self.beyond(bound);
            let expected = count * libm::erfc(bound / std::f64::consts::SQRT_2);
            let slack = DEVIATIONS * (expected * predicted.sharing).sqrt().max(predicted.sharing);
            assert!(
                (LIGHTER * expected - slack..expected + slack).contains(&beyond),
                "{name}, {operation}: {beyond} samples beyond {bound} deviations, where a Gaussian has {expected}"
            );
        }
    }
}

/// Not that of any other key or batch: noise depends on the seed alone, and equal noise would count as two samples.
fn encryption_seed(key: u64, batch: u64) -> SecretSeed {
    seed(100 + 10 * key + batch)
}

#[test]
fn fresh_noise_is_as_predicted_and_adds_with_squared_factors() {
    for parameters in Parameters::ALL {
        let (mut fresh, mut combined) = (Errors::default(), Errors::default());
        let mut combined_variance = 0.0;
        for number in 0..KEYS {
            let key = SecretKey::generate(parameters, seed(number));
            for batch in 0..5 {
                let ciphertexts = key.encrypt(&[true; 1000], encryption_seed(number, batch)).expand();
                let message = Torus32::from_real(0.125);
                for pair in ciphertexts.chunks_exact(2) {
                    assert_eq!(pair[0].variance(), noise::fresh(parameters));
                    fresh.extend(pair.iter().map(|c| error(&key, c, message)));
                    let sum = Ciphertext::linear(message, [(3, &pair[0]), (-2, &pair[1])]).unwrap();
                    combined.extend([error(&key, &sum, message * 2)]);
                    combined_variance = sum.variance();
                }
            }
        }
        fresh.check(parameters, "fresh", &exactly(noise::fresh(parameters)));
        combined.check(parameters, "3 a - 2 b", &exactly(combined_variance));
        assert_eq!(combined_variance, 13.0 * noise::fresh(parameters));
    }
}

#[test]
fn packed_noise_is_that_of_fresh_ciphertexts() {
    for parameters in [&GATES_DEFAULT, &FUNCTIONAL_2048] {
        let mut errors = Errors::default();
        for number in 0..KEYS {
            let key = SecretKey::generate(parameters, seed(number));
            for batch in 0..4 {
                let messages: Vec<_> = (0..512).map(|i| Torus32(i << 23)).collect();
                let unpacked =
                    key.encrypt_packed(&messages, 512, encryption_seed(number, batch)).unwrap().unpack();
                errors.extend(unpacked.iter().zip(messages).map(|(c, m)| error(&key, c, m)));
            }
        }
        errors.check(parameters, "packed", &exactly(noise::fresh(parameters)));
    }
}

/// The coefficients of a product share noise: half the power of a binary key's polynomial is in its mean, and four fifths of
/// that at one frequency, where the digits' rounding of one polynomial is one complex number. So the mean square over a
/// product has a relative variance of about (0.4)^2 for each of its k polynomials, as that of 2 / 0.17, or twelve, independent
/// samples has.
fn external_products_have_the_predicted_noise(parameters: &Parameters) {
    const PRODUCTS: u64 = 128;
    let (dimension, size) = (parameters.tlwe_dimension(), parameters.polynomial_size());
    for backend in backends() {
        let errors = external_product_errors(parameters, backend, KEYS, PRODUCTS).unwrap();
        let sharing = size as f64 / (12.0 * dimension as f64);
        let predicted = external_product_noise(parameters);
        let prediction = |variance| Prediction { variance, floating: predicted.floating, sharing };
        let [zero, one] = errors.map(|sample| {
            let mut errors = Errors::default();
            errors.extend(sample);
            errors
        });
        let on = |what: &str| format!("external product with {what} on {backend}");
        zero.check(parameters, &on("0"), &prediction(predicted.of_zero));
        one.check(parameters, &on("1"), &prediction(predicted.of_one));
    }
}

#[test]
fn external_products_have_the_predicted_noise_under_every_set() {
    Parameters::ALL.iter().for_each(|parameters| external_products_have_the_predicted_noise(parameters));
}

/// A bootstrap has two noises: that of the phase which it looks up (key switch and modulus switch, with half a slot either
/// way) and that of what comes out. A staircase as the table tells them apart: slot j holds j steps mod 1, so that the
/// nearest step of a result tells the slot that was read, and its distance from the step is the result's noise. (`benches`'
/// program `noise` does the same at length.)
fn a_bootstrap_has_the_predicted_noise(parameters: &Parameters, samples: usize) {
    for backend in backends() {
        let samples = if backend == Backend::Portable { samples / 10 } else { samples };
        a_bootstrap_has_the_predicted_noise_on(backend, parameters, samples);
    }
}

fn a_bootstrap_has_the_predicted_noise_on(backend: Backend, parameters: &Parameters, samples: usize) {
    let slots = 2.0 * parameters.polynomial_size() as f64;
    // Steps in a turn, as many as leave 7.5 standard deviations between them. A result passes the middle between two
    // steps about once in 6000, which costs its variance less than a thousandth.
    let steps = (1.0 / (7.5 * noise::bootstrapped(parameters).sqrt())).log2().floor().exp2();
    // Slots in a stair, so that half a turn is six deviations of the phase; a stair is uniform noise as a slot is.
    let deviation = noise::decision(parameters, 0.0).sqrt() * slots;
    let width = (12.0 * deviation / steps).log2().ceil().max(0.0).exp2();
    let wide = (width * width - 1.0) / 12.0 / (slots * slots);
    let stair = |x: f64| (x * slots / width).floor();
    let staircase = LookupTable::from_function(parameters.polynomial_size(), |x| stair(x) / steps);
    let (mut decision, mut result) = (Errors::default(), Errors::default());
    for number in 0..KEYS {
        let keys = Keys::generate(parameters, number);
        let evaluator = keys.evaluator(backend);
        // Every bit is 1/8; the constants spread them over [-0.2, 0.2).
        let inputs: Vec<_> = keys
            .encrypt(&vec![true; samples], 100 + 10 * number)
            .iter()
            .enumerate()
            .map(|(i, bit)| (0.4 * i as f64 / samples as f64 - 0.325, bit))
            .map(|(shift, bit)| Ciphertext::linear(Torus32::from_real(shift), [(1, bit)]).unwrap())
            .collect();
        let results = evaluator.bootstrap(&inputs, &vec![&staircase; samples]).unwrap();
        for (input, output) in inputs.iter().zip(&results) {
            assert_eq!(output.variance(), noise::bootstrapped(parameters));
            let phase = keys.phase(output);
            let step = (phase * steps).round();
            result.extend([phase - step / steps]);
            // From the phase to the middle of the stair that was read, in stairs, known up to a turn of the staircase.
            let distance = step + 0.5 - keys.phase(input) * slots / width;
            decision.extend([(distance - (distance / steps).round() * steps) * width / slots]);
        }
    }
    let on = |what: &str| format!("{what} on {backend}");
    decision.check(parameters, &on("looked-up phase"), &exactly(noise::decision(parameters, 0.0) + wide));
    let products = 2.0 * products_of_a_bootstrap(parameters) as f64;
    let (variance, floating) =
        (noise::bootstrapped(parameters), products * external_product_noise(parameters).floating);
    result.check(parameters, &on("bootstrapped"), &Prediction { variance, floating, sharing: 1.0 });
}

#[test]
fn a_bootstrap_has_the_predicted_noise_with_gates_default() {
    a_bootstrap_has_the_predicted_noise(&GATES_DEFAULT, 2000);
}

#[test]
fn a_bootstrap_has_the_predicted_noise_with_gates_block_binary() {
    a_bootstrap_has_the_predicted_noise(&GATES_BLOCK_BINARY, 2000);
}

#[test]
fn a_bootstrap_has_the_predicted_noise_with_functional_1024() {
    a_bootstrap_has_the_predicted_noise(&FUNCTIONAL_1024, 1000);
}

#[test]
fn a_bootstrap_has_the_predicted_noise_with_functional_2048() {
    a_bootstrap_has_the_predicted_noise(&FUNCTIONAL_2048, 1000);
}

#[test]
fn a_bootstrap_has_the_predicted_noise_with_tfhe_lib_v1_0_1() {
    a_bootstrap_has_the_predicted_noise(&TFHE_LIB_V1_0_1, 1000);
}

#[test]
fn a_bootstrap_has_the_predicted_noise_with_tfhe_lib_v1_1() {
    a_bootstrap_has_the_predicted_noise(&TFHE_LIB_V1_1, 1000);
}
