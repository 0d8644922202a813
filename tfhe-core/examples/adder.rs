//! Addition of two encrypted numbers of eight bits, one full adder after another.
//!
//! `cargo run --release -p tfhe-core --example adder`

use tfhe_core::backend::Backend;
use tfhe_core::evaluator::Evaluator;
use tfhe_core::gate::Gate;
use tfhe_core::keys::{CloudKey, SecretKey};
use tfhe_core::parameters::GATES_DEFAULT;
use tfhe_core::random::SecretSeed;
use tfhe_core::torus::Torus32;

fn main() -> tfhe_core::Result<()> {
    // The client encrypts both numbers, the lowest bit first.
    let key = SecretKey::generate(&GATES_DEFAULT, SecretSeed::from_os()?);
    let cloud_key = CloudKey::generate(&key, SecretSeed::from_os()?)?;
    let [a, b] = [200_u8, 57].map(|number| (0..8).map(|place| number >> place & 1 == 1).collect::<Vec<_>>());
    let (a, b) = (key.encrypt(&a, SecretSeed::from_os()?), key.encrypt(&b, SecretSeed::from_os()?));

    // The server adds. Each place takes two bootstraps, for the sum and the carry, in one batch.
    let evaluator = Evaluator::new(&cloud_key, Backend::fastest())?;
    let mut sum = vec![evaluator.trivial(Torus32::from_bit(false))];
    for (a, b) in a.expand().into_iter().zip(b.expand()) {
        let carry = sum.pop().expect("invariant: the carry is the last bit");
        sum.extend(evaluator.evaluate(&[Gate::Xor3(0, 1, 2), Gate::Maj(0, 1, 2)], &[a, b, carry])?);
    }

    // The client decrypts, the highest bit first.
    let total = sum.iter().rev().try_fold(0, |total, bit| Ok(2 * total + u32::from(key.decrypt(bit)?)));
    println!("200 + 57 = {}", total?);
    Ok(())
}
