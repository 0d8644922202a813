//! Full adders, and carries that ripple.

use crate::circuit::{
    bit::Bit,
    netlist::{Netlist, Style},
};

/// Sum and carry of three bits: XOR3 and MAJ, or the five gates of two XOR, two AND and one OR.
pub(crate) fn full_adder(netlist: &mut Netlist, a: Bit, b: Bit, c: Bit) -> (Bit, Bit) {
    match netlist.style() {
        Style::Optimized => {
            // The carry first: a sum whose carry is there needs no bootstrap.
            let carry = netlist.maj(a, b, c);
            (netlist.xor3(a, b, c), carry)
        }
        Style::AsPublished => {
            let half = netlist.xor(a, b);
            let (both, passed) = (netlist.and(a, b), netlist.and(c, half));
            (netlist.xor(half, c), netlist.or(both, passed))
        }
    }
}

/// a + b + carry on as many bits as `a` has, no more than `b`'s, carries rippling from the lowest; the last carry is dropped.
pub(crate) fn ripple(netlist: &mut Netlist, a: &[Bit], b: &[Bit], mut carry: Bit) -> Vec<Bit> {
    let bits = a.len();
    let mut sum = Vec::with_capacity(bits);
    for (index, (&a, &b)) in a.iter().zip(b).enumerate() {
        let last = index + 1 == bits;
        let (bit, next) =
            if last { (netlist.xor3(a, b, carry), Bit::FALSE) } else { full_adder(netlist, a, b, carry) };
        sum.push(bit);
        carry = next;
    }
    sum
}
