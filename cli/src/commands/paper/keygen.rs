//! Client: makes the keys of the paper's system, in the TFHE library's form and with its parameters.

use tfhe_core::{
    keys::SecretKey, parameters::TFHE_LIB_V1_0_1, random::SecretSeed, serial::tfhe_lib::SecretKeySet,
};

use crate::{
    arguments::paper::PaperKeygen,
    commands::keygen::{self, KeyPair},
    error::Result,
    files::output::Written,
    session::Session,
    terminal::units,
};

pub(crate) fn run(arguments: &PaperKeygen, session: &Session) -> Result<()> {
    let existing = arguments.overwriting.existing();
    let (_made, paths) = keygen::paths(&arguments.out, existing, &[])?;
    let [seed, samples_seed] = [SecretSeed::from_os()?, SecretSeed::from_os()?];
    let (secret, drawing) = units::timed(|| SecretKey::generate(&TFHE_LIB_V1_0_1, seed));
    let (cloud, computing) = keygen::cloud_key(&secret)?;
    let set = SecretKeySet::with_fresh_samples(&secret, &cloud, samples_seed)?;
    // A secret key set begins with the cloud key set.
    let secret_bytes = set.to_bytes();
    let cloud_bytes = &secret_bytes[..set.cloud().file_len()];
    keygen::write_both(&paths, [&secret_bytes, cloud_bytes], existing)?;
    let [secret_path, cloud_path] = paths;
    let pair = KeyPair {
        id: set.cloud().id(),
        secret: Written::new(secret_path, &secret_bytes, drawing + computing),
        cloud: Written::new(cloud_path, cloud_bytes, computing),
    };
    keygen::tell(&pair, "the paper's protocol", &TFHE_LIB_V1_0_1, session.output)
}
