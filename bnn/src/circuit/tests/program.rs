//! Programs against Boolean logic, in the clear and encrypted, and their bootstraps against what theory promises.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use proptest::prelude::*;
use tfhe_core::{
    backend::Backend,
    control::Control,
    evaluator::Evaluator,
    keys::{CloudKey, SecretKey},
    noise,
    parameters::{GATES_BLOCK_BINARY, GATES_DEFAULT, Parameters, TFHE_LIB_V1_1},
    random::SecretSeed,
};

use crate::{
    circuit::{
        arithmetic::{
            compare::{Shape, max},
            multiply::multiply,
            sums::popcount,
        },
        bit::Bit,
        evaluator::{
            encrypted::Encrypted,
            encrypted_run::EncryptedRun,
            plain::{Plain, PlainBit},
            run::Run,
            values::Held,
        },
        netlist::{Netlist, Style},
        program::{NoiseBudget, Program},
        word::Word,
    },
    error::Error,
};

/// Evaluates outputs of a netlist on plain bits through a program.
fn plain(netlist: &Netlist, outputs: &[Bit], budget: &NoiseBudget, inputs: &[bool]) -> Vec<bool> {
    let program = Arc::new(Program::with_budget(netlist, outputs, budget).unwrap());
    let mut run = Run::new(program, inputs.iter().map(|&bit| PlainBit::from(bit)).collect());
    run.finish(&Plain).unwrap();
    let bit = |held| match held {
        Held::Known(bit) => bit,
        Held::Value(value) => bool::from(value),
    };
    run.outputs(&Plain).unwrap().into_iter().map(bit).collect()
}

proptest! {
    /// Any gates on any bits, with a budget from generous to none to spare.
    #[test]
    fn programs_are_what_the_gates_say(
        gates in proptest::collection::vec((0..6_u8, any::<[u16; 3]>()), 1..150),
        inputs: [bool; 6],
        eighth in 3.0..60.0_f64,
        published: bool,
    ) {
        let style = if published { Style::AsPublished } else { Style::Optimized };
        let mut netlist = Netlist::new(style, inputs.len());
        let mut bits: Vec<Bit> = (0..inputs.len()).map(|index| netlist.input(index)).collect();
        for (kind, choices) in gates {
            let pick = |choice: u16| {
                // Mostly recent bits, so that circuits become deep.
                let back = (choice >> 1) as usize % bits.len().min(9);
                bits[bits.len() - 1 - back].negate_if(choice & 1 == 1)
            };
            let [a, b, c] = choices.map(pick);
            match kind {
                0 => bits.push(netlist.and(a, b)),
                1 => bits.push(netlist.xor(a, b)),
                2 => bits.push(netlist.mux(a, b, c)),
                _ => {
                    let carry = netlist.maj(a, b, c);
                    bits.push(netlist.xor3(a, b, c));
                    bits.push(carry);
                }
            }
        }
        let outputs = &bits[bits.len() - 5..];
        // XOR3 needs four times 3 at 1/4.
        let budget = NoiseBudget { eighth, quarter: 4.0 * eighth };
        // A gate may read copies of one bit, which equal gates make: a MUX of copies weighs up to (1 + 1 + 1 + 2)^2, and
        // below that budget it is refused, rather than run with too much noise.
        if eighth < 25.0 && matches!(Program::with_budget(&netlist, outputs, &budget), Err(Error::GateTooNoisy)) {
            return Ok(());
        }
        prop_assert_eq!(plain(&netlist, outputs, &budget, &inputs), netlist.simulate(&inputs, outputs));
    }
}

#[test]
fn full_adders_cost_little_more_than_a_bootstrap() {
    let mut netlist = Netlist::new(Style::Optimized, 511);
    let bits: Vec<Bit> = (0..511).map(|index| netlist.input(index)).collect();
    let count = popcount(&mut netlist, &bits);
    let per_adder = |parameters: &Parameters| {
        let budget = NoiseBudget::new(parameters);
        let program = Program::with_budget(&netlist, count.bits(), &budget).unwrap();
        program.bootstraps() as f64 / 502.0
    };
    // A chain of four adders has one sum to bootstrap; noisier legacy keys allow fewer.
    let ratio = per_adder(&GATES_DEFAULT);
    assert!((1.0..1.30).contains(&ratio), "{ratio}");
    assert!(per_adder(&GATES_BLOCK_BINARY) <= ratio);
    assert!(per_adder(&TFHE_LIB_V1_1) <= 2.0);
}

#[test]
fn every_combination_keeps_the_failure_bound() {
    let budget = NoiseBudget::new(&GATES_DEFAULT);
    let unit = noise::bootstrapped(&GATES_DEFAULT);
    for (margin, eighths) in [(1, 0.125), (2, 0.25)] {
        let failure = |weight| noise::log2_failure(eighths, noise::decision(&GATES_DEFAULT, weight * unit));
        let most = budget.largest_weight(margin);
        assert!(failure(most) <= -128.0 && failure(most + 0.01) > -128.0, "{most}");
    }
    // Four sums in a chain need 19 + 1 + 1.
    assert!(budget.largest_weight(1) >= 21.0);
}

#[test]
fn a_budget_below_one_majority_is_refused() {
    let mut netlist = Netlist::new(Style::Optimized, 3);
    let [a, b, c] = [0, 1, 2].map(|index| netlist.input(index));
    let carry = netlist.maj(a, b, c);
    let budget = NoiseBudget { eighth: 2.5, quarter: 100.0 };
    assert!(matches!(Program::with_budget(&netlist, &[carry], &budget), Err(Error::GateTooNoisy)));
}

/// Products, a maximum and a count on ciphertexts, left and taken up in the middle.
#[test]
fn encrypted_runs_equal_plain_ones_and_can_be_resumed() {
    let key = SecretKey::generate(&GATES_DEFAULT, SecretSeed::deterministic_for_tests(1));
    let cloud = CloudKey::generate(&key, SecretSeed::deterministic_for_tests(2)).unwrap();
    let evaluator = Evaluator::new(&cloud, Backend::fastest()).unwrap();
    let evaluator = Arc::new(evaluator);
    let encrypted = Encrypted::new(Arc::clone(&evaluator));
    let mut netlist = Netlist::new(Style::Optimized, 12);
    let (a, b) = (Word::input(&netlist, 0, -32, 31), Word::input(&netlist, 6, -32, 31));
    let product = multiply(&mut netlist, &a, &b);
    let greater = max(&mut netlist, &a, &b, Shape::Tree);
    let bits: Vec<Bit> = a.bits().iter().chain(b.bits()).copied().collect();
    let count = popcount(&mut netlist, &bits);
    let outputs: Vec<Bit> = [product.bits(), greater.bits(), count.bits()].concat();
    let program = Arc::new(Program::new(&netlist, &outputs, &GATES_DEFAULT).unwrap());

    let inputs: Vec<bool> = (0..12).map(|bit| (-19_i64 & 63 | 27 << 6) >> bit & 1 == 1).collect();
    let ciphertexts = key.encrypt(&inputs, SecretSeed::deterministic_for_tests(3)).expand();
    let mut run = Run::new(Arc::clone(&program), ciphertexts);
    // Stop within a level.
    run.advance(&encrypted, 7).unwrap();
    let held: Vec<_> = run.values().iter().map(|(wire, value)| (wire, value.clone())).collect();
    assert!(Run::resume(Arc::clone(&program), run.place(), held[1..].iter().cloned()).is_none());
    assert!(Run::resume(Arc::clone(&program), (usize::MAX, 0), held.clone()).is_none());
    let mut run = Run::resume(Arc::clone(&program), run.place(), held).unwrap();
    run.finish(&encrypted).unwrap();
    let bit = |held: &Held<_>| match held {
        Held::Known(bit) => *bit,
        Held::Value(value) => key.decrypt(value).unwrap(),
    };
    let results: Vec<bool> = run.outputs(&encrypted).unwrap().iter().map(bit).collect();
    assert_eq!(results, netlist.simulate(&inputs, &outputs));

    // The same from outside: a run that was cancelled goes on with another control.
    let ciphertexts = key.encrypt(&inputs, SecretSeed::deterministic_for_tests(3)).expand();
    let mut run =
        EncryptedRun::new(Arc::clone(&program), Arc::clone(&evaluator), ciphertexts.clone()).unwrap();
    let cancelled = Control::default();
    cancelled.cancel();
    assert!(matches!(run.advance(&cancelled), Err(Error::Cancelled)));
    let done = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&done);
    let control = Control::with_progress(move |more| {
        count.fetch_add(more, Ordering::Relaxed);
    });
    let outputs = run.finish(&control).unwrap();
    assert_eq!(done.load(Ordering::Relaxed), program.bootstraps());
    assert_eq!(outputs.iter().map(|bit| key.decrypt(bit).unwrap()).collect::<Vec<_>>(), results);
    let refused = EncryptedRun::new(program, evaluator, ciphertexts[1..].to_vec());
    assert!(matches!(refused, Err(Error::InputCount { found: 11, expected: 12 })));
}
