//! Round trips of random netlists, the files in tests/data/bristol, and files with every fault.

use std::{fs, path::PathBuf};

use proptest::prelude::*;

use crate::{
    circuit::{
        arithmetic::adders::full_adder,
        bit::Bit,
        bristol::circuit::BristolCircuit,
        netlist::{Netlist, Style},
    },
    error::Result,
};

const STYLES: [Style; 2] = [Style::Optimized, Style::AsPublished];

fn parse(text: &[u8], style: Style) -> Result<BristolCircuit> {
    BristolCircuit::parse(text, style)
}

fn data(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/bristol").join(name)
}

fn bits(value: u64, count: usize) -> impl Iterator<Item = bool> {
    (0..count).map(move |index| value >> index & 1 == 1)
}

/// Random gates of all kinds over six inputs, with outputs that may be equal, negated, constants or inputs.
fn random(gates: &[(u8, [u16; 3])], outputs: &[u16], style: Style) -> BristolCircuit {
    let mut netlist = Netlist::new(style, 6);
    let mut bits = vec![Bit::FALSE];
    bits.extend((0..6).map(|index| netlist.input(index)));
    let pick = |bits: &[Bit], choice: u16| {
        let back = (choice >> 1) as usize % bits.len();
        bits[bits.len() - 1 - back].negate_if(choice & 1 == 1)
    };
    for (kind, choices) in gates {
        let [a, b, c] = choices.map(|choice| pick(&bits, choice));
        bits.push(match kind {
            0 => netlist.and(a, b),
            1 => netlist.xor(a, b),
            2 => netlist.maj(a, b, c),
            3 => netlist.xor3(a, b, c),
            _ => netlist.mux(a, b, c),
        });
    }
    let outputs = outputs.iter().map(|&choice| pick(&bits, choice)).collect::<Vec<_>>();
    BristolCircuit::new(netlist, vec![1, 5], outputs.chunks(3).map(<[Bit]>::to_vec).collect())
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(
        gates in proptest::collection::vec((0..5_u8, any::<[u16; 3]>()), 0..60),
        outputs in proptest::collection::vec(any::<u16>(), 0..12),
        published: [bool; 2],
    ) {
        let [from, to] = published.map(|published| STYLES[usize::from(published)]);
        let circuit = random(&gates, &outputs, from);
        let text = circuit.write();
        let read = parse(text.as_bytes(), to).unwrap();
        prop_assert_eq!(read.inputs(), circuit.inputs());
        let sizes = |circuit: &BristolCircuit| circuit.outputs().iter().map(Vec::len).collect::<Vec<_>>();
        prop_assert_eq!(sizes(&read), sizes(&circuit));
        for row in 0..64 {
            let inputs: Vec<bool> = bits(row, 6).collect();
            let values =
                |circuit: &BristolCircuit| circuit.netlist().simulate(&inputs, &circuit.output_bits());
            prop_assert_eq!(values(&read), values(&circuit));
        }
        // One INV a wire.
        let inverted: Vec<&str> = text.lines().filter(|line| line.ends_with("INV")).collect();
        let operand = |line: &&str| line.split(' ').nth(2).unwrap().to_owned();
        let operands: std::collections::BTreeSet<_> = inverted.iter().map(operand).collect();
        prop_assert_eq!(operands.len(), inverted.len());
    }

    /// Any bytes at any place give a circuit or an error on one line.
    #[test]
    fn damaged_files_do_no_harm(place: prop::sample::Index, bytes: Vec<u8>, cut in 0..40_usize) {
        let mut text = fs::read(data("kinds.txt")).unwrap();
        let start = place.index(text.len());
        text.splice(start..text.len().min(start + cut), bytes);
        if let Err(error) = parse(&text, Style::Optimized) {
            prop_assert!(!error.to_string().contains(char::is_control));
        }
    }
}

#[test]
fn every_prefix_is_read_or_refused() {
    let text = fs::read(data("kinds.txt")).unwrap();
    let good = (0..text.len()).filter(|&length| parse(&text[..length], Style::Optimized).is_ok()).count();
    assert_eq!((good, parse(&text, Style::Optimized).is_ok()), (0, true));
}

#[test]
fn every_kind_of_gate_is_read() {
    for style in STYLES {
        let circuit = parse(&fs::read(data("kinds.txt")).unwrap(), style).unwrap();
        assert_eq!(circuit.inputs(), [3, 2]);
        for row in 0..32 {
            let inputs: Vec<bool> = bits(row, 5).collect();
            let (nand, xnor) = (!(inputs[0] & inputs[3]), inputs[1] == inputs[4]);
            let expected = [nand & inputs[2], xnor, nand ^ xnor, false, inputs[0]];
            assert_eq!(circuit.netlist().simulate(&inputs, &circuit.output_bits()), expected);
        }
    }
}

/// Two values of `width` bits, and their sum of `kept` bits.
fn adder(width: usize, kept: usize) -> BristolCircuit {
    let mut netlist = Netlist::new(Style::Optimized, 2 * width);
    let (mut sum, mut carry) = (Vec::new(), Bit::FALSE);
    for index in 0..width {
        let (a, b) = (netlist.input(index), netlist.input(width + index));
        let (bit, next) = full_adder(&mut netlist, a, b, carry);
        sum.push(bit);
        carry = next;
    }
    sum.push(carry);
    sum.truncate(kept);
    BristolCircuit::new(netlist, vec![width; 2], vec![sum])
}

#[test]
#[ignore = "writes the files that the other tests read"]
fn write_test_data() {
    fs::write(data("adder8.txt"), adder(8, 9).write()).unwrap();
    fs::write(data("adder64.txt"), adder(64, 64).write()).unwrap();
}

#[test]
fn adders_in_files_add() {
    for (name, width, kept) in [("adder8.txt", 8, 9), ("adder64.txt", 64, 64)] {
        let text = fs::read_to_string(data(name)).unwrap();
        assert_eq!(text, adder(width, kept).write());
        // Four XOR and one AND for MAJ and XOR3 together.
        let ands = text.lines().filter(|line| line.ends_with("AND")).count();
        assert_eq!(ands, kept - 1);
        let circuit = parse(text.as_bytes(), Style::Optimized).unwrap();
        let mut a = 0x9e37_79b9_7f4a_7c15_u64;
        for _ in 0..100 {
            a = a.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let b = a.rotate_left(29);
            let [a, b] = [a, b].map(|value| value >> (64 - width));
            let inputs: Vec<bool> = bits(a, width).chain(bits(b, width)).collect();
            let sum: Vec<bool> = bits(a.wrapping_add(b), kept).collect();
            assert_eq!(circuit.netlist().simulate(&inputs, &circuit.output_bits()), sum);
        }
    }
}

#[test]
fn malformed_files_are_refused_by_line() {
    let header = "2 6\n2 2 1\n1 1\n";
    for (text, line, fragment) in [
        // The counts.
        ("", 1, "the file ends where the numbers of gates and wires should follow"),
        ("\n \n", 1, "the numbers of gates and wires"),
        ("2\n", 1, "the line ends where the number of wires"),
        ("2 6 7\n", 1, "\"7\" follows where the line should end"),
        ("two 6\n", 1, "\"two\" is not the number of gates"),
        ("-2 6\n", 1, "\"-2\""),
        ("+2 6\n", 1, "\"+2\""),
        ("2 4294967296\n", 1, "\"4294967296\" is not the number of wires, a number below 2^32"),
        ("2 67108865\n", 1, "67108865 wires, at most 67108864 are read"),
        ("2 99999999999999999999999999999999999\n", 1, "\"99999999999999999999\""),
        // The sizes.
        ("2 6\n\n", 1, "the file ends where the sizes of the input values"),
        ("2 6\n2 2 1\n", 2, "the file ends where the sizes of the output values"),
        ("2 6\n2 2\n1 1\n", 2, "2 values are declared, and 1 sizes follow"),
        ("2 6\n2 2 1 1\n1 1\n", 2, "2 values are declared, and 3 sizes follow"),
        ("2 6\n2 2 0\n1 1\n", 2, "a value of 0 bits"),
        ("2 6\n2 2 x\n1 1\n", 2, "\"x\" is not the size of a value"),
        ("2 6\n2 4294967295 4294967295\n1 1\n", 2, "at most 4194304 are read"),
        ("2 67108864\n2 4194304 1\n1 1\n", 2, "4194305 input bits"),
        ("2 6\n2 2 1\n4294967295 1\n", 3, "4294967295 values are declared"),
        ("2 6\n2 2 1\n1 67108865\n", 3, "67108865 output bits"),
        ("2 6\n2 2 1\n1 4\n", 3, "inputs and outputs are 7 bits, but there are 6 wires"),
        // Gates.
        ("2 1 0 1 3 OR", 4, "unknown gate \"OR\""),
        ("\n\n2 1 0 1 3 and", 6, "unknown gate \"and\""),
        ("2 1 0 1 3 \u{1b}[31m", 4, "unknown gate \"\\u{1b}[31m\""),
        ("2 1 0 1 3", 4, "unknown gate \"3\""),
        ("AND", 4, "the number of operands"),
        ("2 AND", 4, "the number of results"),
        ("x 1 0 1 3 AND", 4, "\"x\" is not the number of operands"),
        ("3 1 0 1 2 3 AND", 4, "AND has 2 operands and 1 result, not 3 and 1"),
        ("1 1 0 3 XOR", 4, "XOR has 2 operands"),
        ("2 1 0 1 3 INV", 4, "INV has 1 operand"),
        ("0 0 MAND", 4, "MAND has twice as many operands as results, not 0 and 0"),
        ("3 2 0 1 2 3 4 MAND", 4, "MAND has twice"),
        ("4294967294 2147483647 0 MAND", 4, "an operand should follow"),
        ("2 1 0 1 AND", 4, "a result should follow"),
        ("2 1 0 AND", 4, "an operand should follow"),
        ("2 1 0 1 3 4 AND", 4, "\"4\" follows"),
        ("1 1 2 3 EQ", 4, "EQ takes the constant 0 or 1, not \"2\""),
        ("1 1 EQ", 4, "an operand should follow"),
        // Wires.
        ("2 1 0 6 3 AND", 4, "there is no wire 6: 6 are declared"),
        ("2 1 0 1 6 AND", 4, "there is no wire 6"),
        ("2 1 0 3 4 AND", 4, "wire 3 is read before it is written"),
        ("2 1 0 3 3 AND", 4, "wire 3 is read before it is written"),
        ("4 2 0 3 1 2 3 4 MAND", 4, "wire 3 is read before it is written"),
        ("2 1 0 1 3 AND\n2 1 0 1 3 XOR", 5, "wire 3 is written a second time"),
        ("4 2 0 1 1 2 3 3 MAND", 4, "wire 3 is written a second time"),
        ("2 1 0 1 2 AND", 4, "wire 2 is an input, and cannot be written"),
        // The end.
        ("2 1 0 1 5 AND", 4, "the file ends after 1 of 2 gates"),
        ("2 1 0 1 5 AND\n\n2 1 0 1 3 AND\n\n2 1 0 1 4 AND\n", 8, "a gate after the 2 that are declared"),
        ("2 1 0 1 3 AND\n2 1 0 1 4 AND\n", 5, "wire 5 is an output, but no gate writes it"),
    ] {
        // Faults from line 4 on follow a header that is well-formed.
        let whole = if line > 3 { format!("{header}{text}") } else { text.to_owned() };
        let error = parse(whole.as_bytes(), Style::Optimized).unwrap_err().to_string();
        assert!(error.starts_with(&format!("line {line}: ")), "{whole:?}: {error}");
        assert!(error.contains(fragment), "{whole:?}: {error}");
    }
}

/// The same circuit in the old format: two lines less of numbers, and the bits of the values without how many they are.
fn old(text: &str, sizes: &str) -> String {
    let mut lines = text.lines();
    let counts = lines.next().unwrap();
    let gates = lines.skip(2).collect::<Vec<_>>().join("\n");
    format!("{counts}\n{sizes}\n{gates}\n")
}

#[test]
fn the_old_format_is_the_same_circuit() {
    let text = fs::read_to_string(data("adder8.txt")).unwrap();
    for style in STYLES {
        let fashion = parse(text.as_bytes(), style).unwrap();
        let circuit = parse(old(&text, "8 8   9").as_bytes(), style).unwrap();
        assert_eq!((fashion.format(), circuit.format()), ("Bristol Fashion", "old Bristol Format"));
        assert_eq!(circuit.inputs(), [8, 8]);
        assert_eq!(circuit.write(), fashion.write());
        for (a, b) in [(0, 0), (255, 1), (77, 200)] {
            let inputs: Vec<bool> = bits(a, 8).chain(bits(b, 8)).collect();
            let sum: Vec<bool> = bits(a + b, 9).collect();
            assert_eq!(circuit.netlist().simulate(&inputs, &circuit.output_bits()), sum);
        }
        // One input: there is no second value.
        let single = parse(old(&text, "16 0 9").as_bytes(), style).unwrap();
        assert_eq!((single.inputs(), single.outputs().len()), (&[16][..], 1));
        assert_eq!(single.output_bits(), circuit.output_bits());
    }
}

/// A comparator of two bits, a < b: the output is the last wire. The sizes are also those of a Bristol Fashion header.
#[test]
fn an_old_header_is_told_by_the_gate_after_it() {
    let comparator = "2 4\r\n1 1 1\r\n\r\n1 1 0 2 INV\r\n2 1 2 1 3 AND\r\n";
    let circuit = parse(comparator.as_bytes(), Style::Optimized).unwrap();
    for (inputs, less) in [([false, false], false), ([false, true], true), ([true, true], false)] {
        assert_eq!(circuit.netlist().simulate(&inputs, &circuit.output_bits()), [less]);
    }
    let fashion = "1 3\n2 1 1\n1 1\n2 1 0 1 2 AND\n";
    assert_eq!(parse(fashion.as_bytes(), Style::Optimized).unwrap().format(), "Bristol Fashion");
}

#[test]
fn hostile_old_headers_are_refused_by_line() {
    let gate = "2 1 0 1 3 AND";
    for (header, line, fragment) in [
        ("1 4\nx 1 1", 2, "\"x\" is not the size of input 1"),
        ("1 4\n1 1 -1", 2, "\"-1\" is not the size of the output"),
        ("1 4\n4194304 1 1", 2, "4194305 input bits, at most 4194304 are read"),
        ("1 4\n1 1 67108865", 2, "67108865 output bits"),
        ("1 4\n4294967295 4294967295 4294967295", 2, "8589934590 input bits"),
        ("1 4\n2 2 1", 2, "inputs and outputs are 5 bits, but there are 4 wires"),
        ("1 4\n1 1 2", 3, "wire 2 is an output, but no gate writes it"),
        ("2 4\n1 1 1", 3, "the file ends after 1 of 2 gates"),
        ("0 4\n1 1 1", 3, "a gate after the 0 that are declared"),
        ("1 4\n0 0 1", 3, "wire 0 is read before it is written"),
        // Not three numbers: the sizes of Bristol Fashion, after which the outputs' should follow.
        ("1 4\n1 1", 3, "a value of 0 bits"),
    ] {
        let text = format!("{header}\n{gate}\n");
        let error = parse(text.as_bytes(), Style::Optimized).unwrap_err().to_string();
        assert!(error.starts_with(&format!("line {line}: ")), "{text:?}: {error}");
        assert!(error.contains(fragment), "{text:?}: {error}");
    }
    let unknown = parse(b"1 3\n1 1 1\n2 1 0 1 2 OR\n", Style::Optimized).unwrap_err().to_string();
    assert!(unknown.starts_with("line 3: unknown gate \"OR\""), "{unknown}");
}

#[test]
fn a_byte_order_mark_is_skipped_and_what_is_no_circuit_is_named() {
    let text = fs::read(data("adder8.txt")).unwrap();
    let marked = [b"\xef\xbb\xbf", &text[..]].concat();
    assert_eq!(parse(&marked, Style::Optimized).unwrap().inputs(), [8, 8]);
    let page = parse(b"\n<!DOCTYPE html>\n", Style::Optimized).unwrap_err().to_string();
    assert!(page.starts_with("line 1: no circuit, but an HTML page"), "{page}");
}
