//! A function of an encrypted number, by one bootstrap through a table.
//!
//! `cargo run --release -p tfhe-core --example table`

use tfhe_core::backend::Backend;
use tfhe_core::bootstrap::LookupTable;
use tfhe_core::evaluator::Evaluator;
use tfhe_core::keys::{CloudKey, SecretKey};
use tfhe_core::parameters::FUNCTIONAL_2048;
use tfhe_core::random::SecretSeed;
use tfhe_core::torus::Torus32;

fn main() -> tfhe_core::Result<()> {
    // The client encrypts numbers on the torus, here between -1/4 and 1/4.
    let key = SecretKey::generate(&FUNCTIONAL_2048, SecretSeed::from_os()?);
    let cloud_key = CloudKey::generate(&key, SecretSeed::from_os()?)?;
    let numbers = [-0.2, -0.1, 0.05, 0.15];
    let sent = key.encrypt_packed(&numbers.map(Torus32::from_real), numbers.len(), SecretSeed::from_os()?)?;

    // The server looks up 2 x^2 of each, without learning any of them.
    let evaluator = Evaluator::new(&cloud_key, Backend::fastest())?;
    let table = LookupTable::from_function(FUNCTIONAL_2048.polynomial_size(), |x| 2.0 * x * x);
    let squares = evaluator.bootstrap(&sent.unpack(), &[&table; 4])?;

    // The client decrypts them. Bootstrapping is approximate: the noise here is some thousandths.
    for (x, square) in numbers.iter().zip(&squares) {
        let found = key.phase(square)?.to_real();
        println!("2 ({x})^2 = {:.4}, decrypted {found:.4}", 2.0 * x * x);
        assert!((found - 2.0 * x * x).abs() < 0.01);
    }
    Ok(())
}
