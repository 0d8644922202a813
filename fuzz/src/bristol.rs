//! Circuits in Bristol Fashion.
//!
//! Bound of the memory: 200 bytes a byte of the text (a line of 10 bytes can be a gate), and 1 MiB.

use bnn::circuit::{BristolCircuit, Style};

use crate::memory::{MIB, bounded};

/// The most inputs with which circuits are run.
const SIMULATED: usize = 64;

pub(crate) fn bristol(data: &[u8]) {
    for style in [Style::Optimized, Style::AsPublished] {
        let parse = |text: &[u8]| bounded(200 * text.len() + MIB, || BristolCircuit::parse(text, style));
        let circuit = match parse(data) {
            Ok(circuit) => circuit,
            Err(error) => {
                assert!(!error.to_string().contains(char::is_control), "{error:?}");
                continue;
            }
        };
        if circuit.inputs().iter().sum::<usize>() > SIMULATED {
            continue;
        }
        let text = circuit.write();
        let again = parse(text.as_bytes()).expect("what is written is read");
        assert_eq!((again.inputs(), again.outputs().len()), (circuit.inputs(), circuit.outputs().len()));
        for pattern in [0, u64::MAX, 0x9e37_79b9_7f4a_7c15] {
            let inputs: Vec<bool> =
                (0..circuit.inputs().iter().sum()).map(|index| pattern >> index & 1 == 1).collect();
            let values =
                |circuit: &BristolCircuit| circuit.netlist().simulate(&inputs, &circuit.output_bits());
            assert_eq!(values(&circuit), values(&again));
        }
    }
}
