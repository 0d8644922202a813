//! What a run would cost.

use std::{collections::BTreeMap, sync::Arc};

use super::{counting::Counting, run::Run};
use crate::circuit::{
    bit::Bit,
    netlist::{Gate, Netlist},
    program::Program,
};

/// What a circuit costs.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Live gates of the netlist, by kind.
    pub gates: BTreeMap<&'static str, usize>,
    /// Bootstraps.
    pub bootstraps: usize,
    /// Bootstraps one after the other on the longest path.
    pub depth: usize,
    /// The most ciphertexts held at once.
    pub most_held: usize,
}

impl Cost {
    /// Counts a netlist's live gates and its program's steps.
    pub fn new(netlist: &Netlist, outputs: &[Bit], program: &Arc<Program>) -> Self {
        let live = netlist.live(outputs);
        let mut gates = BTreeMap::new();
        for (index, gate) in netlist.gates().iter().enumerate() {
            if live[netlist.wire_of(index) as usize] {
                *gates.entry(name(gate)).or_insert(0) += 1;
            }
        }
        let mut run = Run::new(Arc::clone(program), vec![(); program.inputs]);
        run.finish(&Counting).expect("invariant: counting does not fail");
        Self { gates, bootstraps: program.bootstraps(), depth: program.depth(), most_held: run.most_held() }
    }
}

fn name(gate: &Gate) -> &'static str {
    match gate {
        Gate::And(_) => "AND",
        Gate::Xor(_) => "XOR",
        Gate::Maj(_) => "MAJ",
        Gate::Xor3(_) => "XOR3",
        Gate::Mux(_) => "MUX",
    }
}
