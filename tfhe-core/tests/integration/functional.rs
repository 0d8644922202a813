//! Functional bootstrapping: a table's function, within the noise that the formulas predict.

use tfhe_core::bootstrap::LookupTable;
use tfhe_core::ciphertext::Ciphertext;
use tfhe_core::noise;
use tfhe_core::parameters::FUNCTIONAL_2048;
use tfhe_core::torus::Torus32;

use crate::support::{Keys, error, one_backend, reals, seed};

const SLOTS: f64 = 2.0 * FUNCTIONAL_2048.polynomial_size() as f64;

/// Standard deviations allowed. A Gaussian passes 6.5 once in 1e10, and there are fewer than 1000 values here: a right
/// implementation fails one choice of seeds in 1e7.
const DEVIATIONS: f64 = 6.5;

/// How far from the phase the table may be read.
fn decision_error(input_variance: f64) -> f64 {
    DEVIATIONS * noise::decision(&FUNCTIONAL_2048, input_variance).sqrt()
}

/// How far from the table's value the result may be.
fn output_error() -> f64 {
    DEVIATIONS * noise::bootstrapped(&FUNCTIONAL_2048).sqrt()
}

/// `count` values from `from` to `to`, packed, sent and unpacked.
fn encrypted_grid(keys: &Keys, count: usize, from: f64, to: f64) -> Vec<(f64, Ciphertext)> {
    let values: Vec<f64> = (0..count).map(|i| from + (to - from) * i as f64 / (count - 1) as f64).collect();
    let packed = keys.secret.encrypt_packed(&reals(&values), count, seed(9)).unwrap();
    values.into_iter().zip(packed.unpack()).collect()
}

#[test]
fn tables_hold_arbitrary_functions_on_the_half_turn_around_zero() {
    let keys = Keys::generate(&FUNCTIONAL_2048, 1);
    let evaluator = keys.evaluator(one_backend());
    let size = FUNCTIONAL_2048.polynomial_size();
    let functions: [fn(f64) -> f64; 3] = [|x| x * x, |x| x.max(0.0), |x| x];
    let names = ["x^2", "ReLU", "identity"];
    // The largest that each has on (-1/4, 1/4).
    let slopes = [0.5, 1.0, 1.0];
    let guard = decision_error(0.0) + 1.0 / SLOTS;
    let inputs = encrypted_grid(&keys, 80, -0.25 + guard, 0.25 - guard);
    for ((f, name), slope) in functions.into_iter().zip(names).zip(slopes) {
        let table = LookupTable::from_function(size, f);
        let ciphertexts: Vec<_> = inputs.iter().map(|(_, ciphertext)| ciphertext.clone()).collect();
        let results = evaluator.bootstrap(&ciphertexts, &vec![&table; inputs.len()]).unwrap();
        for ((x, input), result) in inputs.iter().zip(&results) {
            let error = (keys.phase(result) - f(*x)).abs();
            let bound = slope * (decision_error(input.variance()) + 1.0 / SLOTS) + output_error();
            assert!(error < bound, "{name} of {x} is off by {error}, more than {bound}");
        }
    }
}

#[test]
fn beyond_the_quarter_turn_a_table_is_negated() {
    let keys = Keys::generate(&FUNCTIONAL_2048, 1);
    let evaluator = keys.evaluator(one_backend());
    let table = LookupTable::from_function(FUNCTIONAL_2048.polynomial_size(), |x| x);
    let guard = decision_error(0.0) + 1.0 / SLOTS;
    for (x, input) in encrypted_grid(&keys, 16, 0.25 + guard, 0.5 - guard) {
        let result = evaluator.bootstrap(&[input], &[&table]).unwrap().swap_remove(0);
        let error = (keys.phase(&result) - (0.5 - x)).abs();
        assert!(error < guard + output_error(), "at {x} the table is off by {error}");
    }
}

#[test]
fn the_sign_is_exact_on_the_whole_torus() {
    let keys = Keys::generate(&FUNCTIONAL_2048, 1);
    let evaluator = keys.evaluator(one_backend());
    let amplitude = Torus32::from_real(0.17);
    let table = LookupTable::sign(FUNCTIONAL_2048.polynomial_size(), amplitude);
    let guard = decision_error(0.0) + 1.0 / SLOTS;
    for (from, to, sign) in [(guard, 0.5 - guard, 1), (-0.5 + guard, -guard, -1)] {
        let (phases, inputs): (Vec<_>, Vec<_>) = encrypted_grid(&keys, 64, from, to).into_iter().unzip();
        let results = evaluator.bootstrap(&inputs, &vec![&table; inputs.len()]).unwrap();
        for (x, result) in phases.iter().zip(&results) {
            let error = error(&keys.secret, result, amplitude * sign).abs();
            assert!(error < output_error(), "the sign of {x} is off by {error}");
        }
    }
}

/// What a network's neuron does, with a table of its own for each ciphertext of the batch.
#[test]
fn linear_combinations_go_through_tables_of_their_own() {
    let keys = Keys::generate(&FUNCTIONAL_2048, 1);
    let evaluator = keys.evaluator(one_backend());
    let inputs = encrypted_grid(&keys, 4, -0.05, 0.07);
    let sums: Vec<_> = inputs
        .windows(2)
        .map(|pair| {
            Ciphertext::linear(Torus32::from_real(0.02), [(2, &pair[0].1), (-1, &pair[1].1)]).unwrap()
        })
        .collect();
    let functions: [fn(f64) -> f64; 3] = [|x| x.max(0.0), |x| x / 2.0, |x| 0.1 - x];
    let tables = functions.map(|f| LookupTable::from_function(FUNCTIONAL_2048.polynomial_size(), f));
    let results = evaluator.bootstrap(&sums, &tables.each_ref()).unwrap();
    for (((pair, sum), result), f) in inputs.windows(2).zip(&sums).zip(&results).zip(functions) {
        let expected = f(0.02 + 2.0 * pair[0].0 - pair[1].0);
        let error = (keys.phase(result) - expected).abs();
        let bound = decision_error(sum.variance()) + 1.0 / SLOTS + output_error();
        assert!(error < bound, "{expected} is off by {error}");
    }
}
