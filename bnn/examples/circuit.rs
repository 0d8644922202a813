//! Two encrypted numbers are added by a circuit of gates, each of which is bootstrapped.

use std::{error::Error, sync::Arc};

use bnn::circuit::{EncryptedRun, Netlist, Program, Style, Word, arithmetic};
use tfhe_core::backend::Backend;
use tfhe_core::control::Control;
use tfhe_core::evaluator::Evaluator;
use tfhe_core::keys::{CloudKey, SecretKey};
use tfhe_core::parameters::GATES_DEFAULT;
use tfhe_core::random::SecretSeed;

fn main() -> Result<(), Box<dyn Error>> {
    // Both sides know the circuit: the sum of two numbers from 0 to 255, whose bits are its inputs.
    let mut netlist = Netlist::new(Style::Optimized, 16);
    let [a, b] = [0, 8].map(|start| Word::input(&netlist, start, 0, 255));
    let sum = arithmetic::add(&mut netlist, &a, &b);
    let program = Arc::new(Program::new(&netlist, sum.bits(), &GATES_DEFAULT)?);

    // The client encrypts 200 and 99, least significant bits first.
    let key = SecretKey::generate(&GATES_DEFAULT, SecretSeed::from_os()?);
    let cloud_key = CloudKey::generate(&key, SecretSeed::from_os()?)?;
    let bits: Vec<bool> = [200, 99].iter().flat_map(|n| (0..8).map(move |i| n >> i & 1 == 1)).collect();
    let encrypted = key.encrypt(&bits, SecretSeed::from_os()?).expand();

    // The server adds what it cannot read.
    let evaluator = Arc::new(Evaluator::new(&cloud_key, Backend::fastest())?);
    let outputs = EncryptedRun::new(program, evaluator, encrypted)?.finish(&Control::default())?;

    let bits = outputs.iter().map(|bit| key.decrypt(bit)).collect::<Result<Vec<bool>, _>>()?;
    println!("200 + 99 = {}", Word::value(&bits));
    Ok(())
}
