//! What cannot be right is refused with the error that says why, before anything runs.

use std::sync::{Arc, Barrier};

use tfhe_core::Error;
use tfhe_core::bootstrap::LookupTable;
use tfhe_core::ciphertext::Ciphertext;
use tfhe_core::gate::{BinaryGate, Gate};
use tfhe_core::parameters::{GATES_DEFAULT, TFHE_LIB_V1_1};
use tfhe_core::torus::Torus32;

use crate::support::{Keys, one_backend};

const NAND: Gate = Gate::Binary(BinaryGate::Nand, 0, 1);
const ZERO: Torus32 = Torus32(0);

#[test]
fn a_missing_operand_is_refused_wherever_it_stands() {
    let keys = Keys::generate(&GATES_DEFAULT, 1);
    let evaluator = keys.evaluator(one_backend());
    let inputs = keys.encrypt(&[true, false, true], 2);
    let wrong = [
        (Gate::Copy(3), 3),
        (Gate::Not(4), 4),
        (Gate::Binary(BinaryGate::And, 5, 0), 5),
        (Gate::Binary(BinaryGate::And, 0, usize::MAX), usize::MAX),
        (Gate::Maj(0, 1, 3), 3),
        (Gate::Xor3(0, 7, 1), 7),
        (Gate::Mux { select: 3, then: 0, otherwise: 1 }, 3),
        (Gate::Mux { select: 0, then: 9, otherwise: 1 }, 9),
        (Gate::Mux { select: 0, then: 1, otherwise: 8 }, 8),
    ];
    for (gate, missing) in wrong {
        let error = evaluator.evaluate(&[NAND, gate], &inputs).unwrap_err();
        assert!(
            matches!(error, Error::Operand { gate: 1, index, inputs: 3 } if index == missing),
            "{gate:?}: {error}"
        );
    }
}

#[test]
fn a_ciphertext_of_another_key_is_refused_everywhere() {
    let keys = Keys::generate(&GATES_DEFAULT, 1);
    let evaluator = keys.evaluator(one_backend());
    let own = keys.encrypt(&[true], 2).swap_remove(0);
    let stranger = Keys::generate(&GATES_DEFAULT, 3).encrypt(&[true], 2).swap_remove(0);
    let is_other_key = |error: Error| {
        matches!(error, Error::OtherKey { expected, found }
            if expected == keys.secret.id() && found == stranger.key_id())
    };
    let inputs = [own.clone(), stranger.clone()];
    let table = LookupTable::sign(GATES_DEFAULT.polynomial_size(), Torus32(1 << 29));
    assert!(is_other_key(evaluator.evaluate(&[NAND], &inputs).unwrap_err()));
    // Even where no gate reads it.
    assert!(is_other_key(evaluator.evaluate(&[Gate::Not(0)], &inputs).unwrap_err()));
    assert!(is_other_key(evaluator.bootstrap(&inputs, &[&table; 2]).unwrap_err()));
    assert!(is_other_key(Ciphertext::linear(ZERO, [(1, &own), (1, &stranger)]).unwrap_err()));
    assert!(is_other_key(keys.secret.decrypt(&stranger).unwrap_err()));
}

#[test]
fn a_linear_combination_of_nothing_is_refused() {
    assert!(matches!(Ciphertext::linear(ZERO, []), Err(Error::NoTerms)));
}

#[test]
fn tables_must_match_inputs_and_parameters() {
    let keys = Keys::generate(&GATES_DEFAULT, 1);
    let evaluator = keys.evaluator(one_backend());
    let inputs = keys.encrypt(&[true, false], 2);
    let table = LookupTable::sign(512, Torus32(1 << 29));
    for tables in [&[][..], &[&table], &[&table; 3]] {
        let error = evaluator.bootstrap(&inputs, tables).unwrap_err();
        assert!(
            matches!(error, Error::TableCount { inputs: 2, tables: found } if found == tables.len()),
            "{error}"
        );
    }
    let larger = LookupTable::sign(1024, Torus32(1 << 29));
    let error = evaluator.bootstrap(&inputs, &[&table, &larger]).unwrap_err();
    assert!(matches!(error, Error::TableSize { found: 1024, expected: 512 }), "{error}");
}

/// Keeps every thread of the pool waiting while `call` runs on this one: if it ran a batch of gates there, it would never return.
fn while_no_thread_works<T>(call: impl FnOnce() -> T) -> T {
    let count = rayon::current_num_threads();
    let (entered, end) = (Arc::new(Barrier::new(count + 1)), Arc::new(Barrier::new(count + 1)));
    let [enter, leave] = [&entered, &end].map(Arc::clone);
    rayon::spawn_broadcast(move |_| {
        enter.wait();
        leave.wait();
    });
    entered.wait();
    let result = call();
    end.wait();
    result
}

#[test]
fn a_gate_on_too_noisy_inputs_is_refused_before_anything_runs() {
    let keys = Keys::generate(&GATES_DEFAULT, 1);
    let evaluator = keys.evaluator(one_backend());
    let fresh = keys.encrypt(&[true, false], 2);
    let mut inputs = evaluator.evaluate(&[NAND, NAND], &fresh).unwrap();

    // 33 times a bit is the bit again (32 eighths are 4 turns), with 33^2 times the variance.
    let amplified = Ciphertext::linear(ZERO, [(33, &inputs[0])]).unwrap();
    let error = keys.secret.decrypt(&amplified).unwrap_err();
    assert!(
        matches!(error, Error::TooNoisyToDecrypt { log2_failure, bound }
            if log2_failure > bound && bound == GATES_DEFAULT.log2_failure()),
        "{error}"
    );
    inputs.push(amplified);
    for noisy in [
        Gate::Binary(BinaryGate::Nand, 1, 2),
        Gate::Maj(0, 1, 2),
        Gate::Mux { select: 2, then: 0, otherwise: 1 },
        Gate::Mux { select: 0, then: 2, otherwise: 1 },
        Gate::Mux { select: 0, then: 1, otherwise: 2 },
    ] {
        let gates = [NAND, NAND, noisy];
        let error = while_no_thread_works(|| evaluator.evaluate(&gates, &inputs)).unwrap_err();
        assert!(
            matches!(error, Error::TooNoisy { gate: 2, log2_failure, bound }
                if log2_failure > bound && bound == GATES_DEFAULT.log2_failure()),
            "{noisy:?}: {error}"
        );
    }
    // What does not bootstrap does not decide, and may be as noisy as it likes.
    assert!(evaluator.evaluate(&[Gate::Not(2), Gate::Copy(2)], &inputs).is_ok());
}

/// The noise of one ciphertext taken three times counts nine times, which this set cannot carry.
#[test]
fn equal_operands_count_with_the_square_of_their_sum() {
    let keys = Keys::generate(&TFHE_LIB_V1_1, 1);
    let evaluator = keys.evaluator(one_backend());
    let fresh = keys.encrypt(&[true, true, false], 2);
    let inputs = evaluator.evaluate(&[NAND, Gate::Maj(0, 1, 2), Gate::Xor3(0, 1, 2)], &fresh).unwrap();
    assert!(evaluator.evaluate(&[Gate::Maj(0, 1, 2)], &inputs).is_ok());
    assert!(matches!(evaluator.evaluate(&[Gate::Maj(0, 0, 0)], &inputs), Err(Error::TooNoisy { .. })));
}
