//! A full adder on encrypted bits: two gates, evaluated by a server that cannot read them.
//!
//! `cargo run --release -p tfhe-core --example gate`

use tfhe_core::backend::Backend;
use tfhe_core::evaluator::Evaluator;
use tfhe_core::gate::Gate;
use tfhe_core::keys::{CloudKey, SecretKey};
use tfhe_core::parameters::GATES_DEFAULT;
use tfhe_core::random::SecretSeed;

fn main() -> tfhe_core::Result<()> {
    // The client draws its keys and encrypts three bits.
    let key = SecretKey::generate(&GATES_DEFAULT, SecretSeed::from_os()?);
    let cloud_key = CloudKey::generate(&key, SecretSeed::from_os()?)?;
    let bits = key.encrypt(&[true, false, true], SecretSeed::from_os()?);

    // The server has the cloud key only. Both gates are bootstrapped in one batch.
    let evaluator = Evaluator::new(&cloud_key, Backend::fastest())?;
    let sum = evaluator.evaluate(&[Gate::Xor3(0, 1, 2), Gate::Maj(0, 1, 2)], &bits.expand())?;

    // The client decrypts 1 + 0 + 1 = 2: the sum bit is 0, the carry is 1.
    let (bit, carry) = (key.decrypt(&sum[0])?, key.decrypt(&sum[1])?);
    println!("1 + 0 + 1: sum {}, carry {}", u8::from(bit), u8::from(carry));
    assert_eq!((bit, carry), (false, true));
    Ok(())
}
