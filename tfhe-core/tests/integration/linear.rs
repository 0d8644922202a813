//! Linear combinations: many of the same ciphertexts at a time are those that one at a time gives.

use tfhe_core::Error;
use tfhe_core::ciphertext::Ciphertext;
use tfhe_core::parameters::{GATES_DEFAULT, TFHE_LIB_V1_1};
use tfhe_core::torus::Torus32;

use crate::support::{Keys, backends, one_backend};

#[test]
fn many_combinations_are_those_of_one_at_a_time() {
    let keys = Keys::generate(&GATES_DEFAULT, 1);
    let mut inputs = keys.encrypt(&[true, false, true, true, false, true, false], 2);
    // Noise that is shared: a ciphertext twice, and one that is negated.
    inputs.push(inputs[2].clone());
    inputs.push(Ciphertext::linear(Torus32(0), [(-1, &inputs[4])]).unwrap());
    let inputs: Vec<&Ciphertext> = inputs.iter().collect();
    let rows: [(u32, [i32; 9]); 5] = [
        (0, [1, -1, 1, 0, 0, 0, 0, 0, 0]),
        (7, [0; 9]),
        (1 << 31, [3, 0, 5, -7, 2, 0, 1, -5, 2]),
        (u32::MAX, [-32768, 32767, 1, 2, 3, 4, 5, 6, 7]),
        (1 << 29, [i32::MAX, i32::MIN, 0, 1, 0, 0, 0, 0, 0]),
    ];
    for backend in backends() {
        let evaluator = keys.evaluator(backend);
        // All rows, of which one has large weights, and those with small weights.
        for rows in [&rows[..], &rows[..4]] {
            let borrowed: Vec<(Torus32, &[i32])> =
                rows.iter().map(|(c, row)| (Torus32(*c), &row[..])).collect();
            let combinations = evaluator.linear_combinations(&borrowed, &inputs).unwrap();
            let one = |(constant, row): &(Torus32, &[i32])| {
                Ciphertext::linear(*constant, row.iter().copied().zip(inputs.iter().copied())).unwrap()
            };
            assert!(combinations == borrowed.iter().map(one).collect::<Vec<_>>(), "{backend}");
        }
    }
}

#[test]
fn shared_noise_adds_before_it_is_squared() {
    let keys = Keys::generate(&GATES_DEFAULT, 1);
    let bits = keys.encrypt(&[true, false], 2);
    let negated = Ciphertext::linear(Torus32(0), [(-1, &bits[0])]).unwrap();
    let sum =
        Ciphertext::linear(Torus32(0), [(5, &bits[0]), (2, &bits[1]), (3, &negated), (1, &bits[0])]).unwrap();
    let expected = (9.0 + 4.0) * bits[0].variance();
    assert!((sum.variance() / expected - 1.0).abs() < 1e-12, "{} is not {expected}", sum.variance());
}

#[test]
fn combinations_of_no_inputs_are_constants() {
    let evaluator = Keys::generate(&GATES_DEFAULT, 1).evaluator(one_backend());
    let constants = [Torus32(5), Torus32(1 << 30)];
    let sums = evaluator.linear_combinations(&constants.map(|constant| (constant, &[][..])), &[]).unwrap();
    assert_eq!(sums, constants.map(|constant| evaluator.trivial(constant)));
    assert_eq!(evaluator.linear_combinations(&[], &[]).unwrap(), []);
}

#[test]
fn combinations_that_cannot_be_are_refused() {
    let keys = Keys::generate(&GATES_DEFAULT, 1);
    let evaluator = keys.evaluator(one_backend());
    let own = keys.encrypt(&[true], 2).swap_remove(0);
    let stranger = Keys::generate(&TFHE_LIB_V1_1, 3).encrypt(&[true], 2).swap_remove(0);
    let error = evaluator.linear_combinations(&[(Torus32(0), &[1, 1])], &[&own, &stranger]).unwrap_err();
    assert!(matches!(error, Error::OtherKey { found, .. } if found == stranger.key_id()), "{error}");
    let error =
        evaluator.linear_combinations(&[(Torus32(0), &[1]), (Torus32(0), &[1, 2])], &[&own]).unwrap_err();
    assert!(matches!(error, Error::WeightCount { inputs: 1, weights: 2 }), "{error}");
}
