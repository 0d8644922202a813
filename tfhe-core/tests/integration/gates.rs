//! Gates decrypt to what they are on plain bits: by truth tables on every backend and set, and in random circuits.

use std::sync::LazyLock;

use proptest::prelude::*;
use tfhe_core::backend::Backend;
use tfhe_core::evaluator::Evaluator;
use tfhe_core::gate::{BinaryGate, Gate};
use tfhe_core::parameters::{
    FUNCTIONAL_2048, GATES_BLOCK_BINARY, GATES_DEFAULT, Parameters, TFHE_LIB_V1_0_1, TFHE_LIB_V1_1,
};

use crate::support::{Keys, backends, one_backend};

/// A gate on plain bits.
fn plain(gate: Gate, inputs: &[bool]) -> bool {
    match gate {
        Gate::Constant(bit) => bit,
        Gate::Copy(a) => inputs[a],
        Gate::Not(a) => !inputs[a],
        Gate::Binary(gate, a, b) => gate.apply(inputs[a], inputs[b]),
        Gate::Maj(a, b, c) => [a, b, c].into_iter().filter(|&i| inputs[i]).count() >= 2,
        Gate::Xor3(a, b, c) => inputs[a] ^ inputs[b] ^ inputs[c],
        Gate::Mux { select, then, otherwise } => inputs[if inputs[select] { then } else { otherwise }],
    }
}

#[test]
fn plain_gates_have_their_textbook_truth_tables() {
    // Results for (a, b) = (0, 0), (1, 0), (0, 1), (1, 1), in the order of `BinaryGate::ALL`.
    let tables: [[u8; 4]; 10] = [
        [1, 1, 1, 0], // NAND
        [0, 0, 0, 1], // AND
        [0, 1, 1, 1], // OR
        [1, 0, 0, 0], // NOR
        [0, 1, 1, 0], // XOR
        [1, 0, 0, 1], // XNOR
        [0, 0, 1, 0], // (not a) and b
        [0, 1, 0, 0], // a and (not b)
        [1, 0, 1, 1], // (not a) or b
        [1, 1, 0, 1], // a or (not b)
    ];
    for (gate, table) in BinaryGate::ALL.into_iter().zip(tables) {
        let row = |i: u8| u8::from(gate.apply(i & 1 == 1, i & 2 == 2));
        assert_eq!([0, 1, 2, 3].map(row), table, "{gate:?}");
    }
}

/// Operands of the rows of a truth table of three inputs: a ciphertext of its own for each operand of each row.
struct Rows {
    /// Where operand j of row r is found, whose bit is bit j of r.
    operands: [[usize; 3]; 8],
}

impl Rows {
    /// Takes the operands from ciphertexts of these bits, none twice.
    fn pick(bits: &[bool]) -> Self {
        let mut indices = [false, true].map(|bit| (0..bits.len()).filter(move |&i| bits[i] == bit));
        let operands = std::array::from_fn(|row| {
            std::array::from_fn(|operand| indices[row >> operand & 1].next().unwrap())
        });
        Self { operands }
    }

    /// Every gate on every row.
    fn gates(&self) -> Vec<Gate> {
        let mut gates = vec![Gate::Constant(false), Gate::Constant(true)];
        for (row, &[a, b, c]) in self.operands.iter().enumerate() {
            gates.extend([
                Gate::Maj(a, b, c),
                Gate::Xor3(a, b, c),
                Gate::Mux { select: a, then: b, otherwise: c },
            ]);
            if row < 4 {
                gates.extend(BinaryGate::ALL.map(|gate| Gate::Binary(gate, a, b)));
            }
            if row < 2 {
                gates.extend([Gate::Copy(a), Gate::Not(a)]);
            }
        }
        gates
    }
}

/// All gates on fresh bits; then, on what came out, all gates again, so that gates feed gates.
fn gates_have_their_truth_tables(parameters: &Parameters) {
    let keys = Keys::generate(parameters, 1);
    let fresh_bits: Vec<bool> = (0..24).map(|i| i % 2 == 1).collect();
    let fresh = keys.encrypt(&fresh_bits, 2);
    for backend in backends() {
        let evaluator = keys.evaluator(backend);
        let check = |gates: &[Gate], inputs: &[_], bits: &[bool]| {
            let results = evaluator.evaluate(gates, inputs).unwrap();
            let decrypted = keys.decrypt(&results);
            for (gate, &bit) in gates.iter().zip(&decrypted) {
                assert_eq!(bit, plain(*gate, bits), "{}, {backend}: {gate:?}", parameters.name());
            }
            (results, decrypted)
        };
        let (results, decrypted) = check(&Rows::pick(&fresh_bits).gates(), &fresh, &fresh_bits);

        let mut gates = Rows::pick(&decrypted).gates();
        if backend == Backend::Portable {
            // Slow: some row of every gate. What depends on the row is not the backend's.
            gates = gates.into_iter().step_by(5).collect();
        }
        check(&gates, &results, &decrypted);
    }
}

#[test]
fn gates_have_their_truth_tables_with_gates_default() {
    gates_have_their_truth_tables(&GATES_DEFAULT);
}

#[test]
fn gates_have_their_truth_tables_with_gates_block_binary() {
    gates_have_their_truth_tables(&GATES_BLOCK_BINARY);
}

#[test]
fn gates_have_their_truth_tables_with_functional_2048() {
    gates_have_their_truth_tables(&FUNCTIONAL_2048);
}

#[test]
fn gates_have_their_truth_tables_with_tfhe_lib_v1_0_1() {
    gates_have_their_truth_tables(&TFHE_LIB_V1_0_1);
}

#[test]
fn gates_have_their_truth_tables_with_tfhe_lib_v1_1() {
    gates_have_their_truth_tables(&TFHE_LIB_V1_1);
}

#[test]
fn single_gates_are_those_of_a_batch() {
    let (keys, evaluator) = &*DEFAULT;
    let bits = [true, false, true];
    let [a, b, c] = &keys.encrypt(&bits, 3)[..] else { panic!("three bits were encrypted") };
    let single = [
        (Gate::Not(0), evaluator.not(a)),
        (Gate::Binary(BinaryGate::AndYN, 0, 1), evaluator.binary(BinaryGate::AndYN, a, b)),
        (Gate::Mux { select: 0, then: 1, otherwise: 2 }, evaluator.mux(a, b, c)),
        (Gate::Maj(0, 1, 2), evaluator.maj(a, b, c)),
        (Gate::Xor3(0, 1, 2), evaluator.xor3(a, b, c)),
    ];
    for (gate, result) in single {
        assert_eq!(keys.secret.decrypt(&result.unwrap()).unwrap(), plain(gate, &bits), "{gate:?}");
    }
}

#[test]
fn a_batch_of_nothing_is_nothing() {
    let (keys, evaluator) = &*DEFAULT;
    assert!(evaluator.evaluate(&[], &[]).unwrap().is_empty());
    assert!(evaluator.evaluate(&[], &keys.encrypt(&[true], 4)).unwrap().is_empty());
    assert!(evaluator.bootstrap(&[], &[]).unwrap().is_empty());
}

static DEFAULT: LazyLock<(Keys, Evaluator)> = LazyLock::new(|| {
    let keys = Keys::generate(&GATES_DEFAULT, 1);
    let evaluator = keys.evaluator(one_backend());
    (keys, evaluator)
});

/// One for each backend, with the keys of [`DEFAULT`].
static EVALUATORS: LazyLock<Vec<Evaluator>> =
    LazyLock::new(|| backends().into_iter().map(|backend| DEFAULT.0.evaluator(backend)).collect());

/// Bits that go into a random circuit.
const INPUTS: usize = 5;

/// A level of mixed gates, whose operands are any of `inputs` ciphertexts: with so few, often the same one twice.
fn level(inputs: usize) -> impl Strategy<Value = Vec<Gate>> {
    let gate = (0..INPUTS + BinaryGate::ALL.len() + 1, [0..inputs, 0..inputs, 0..inputs]).prop_map(
        |(which, [a, b, c])| match which {
            0 => Gate::Constant(a % 2 == 0),
            1 => Gate::Copy(a),
            2 => Gate::Not(a),
            3 => Gate::Maj(a, b, c),
            4 => Gate::Xor3(a, b, c),
            5 => Gate::Mux { select: a, then: b, otherwise: c },
            _ => Gate::Binary(BinaryGate::ALL[which - 6], a, b),
        },
    );
    prop::collection::vec(gate, INPUTS..=9)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// On any backend, level by level, a random circuit is its plain self, and does not depend on how its gates were
    /// batched.
    #[test]
    fn random_circuits_equal_plain_ones_in_a_batch_and_one_by_one(
        mut bits: [bool; INPUTS],
        levels in prop::collection::vec(level(INPUTS), 3),
        backend: prop::sample::Index,
    ) {
        let (keys, evaluator) = (&DEFAULT.0, backend.get(&EVALUATORS));
        let mut ciphertexts = keys.encrypt(&bits, 5);
        for gates in levels {
            let batch = evaluator.evaluate(&gates, &ciphertexts).unwrap();
            let one_by_one: Vec<_> = gates
                .iter()
                .map(|gate| evaluator.evaluate(&[*gate], &ciphertexts).unwrap().swap_remove(0))
                .collect();
            // To the last bit: a batch computes what its members would alone.
            prop_assert_eq!(&batch, &one_by_one);
            bits = std::array::from_fn(|i| plain(gates[i], &bits));
            ciphertexts = batch[..INPUTS].to_vec();
            prop_assert_eq!(keys.decrypt(&ciphertexts), bits);
        }
    }
}
