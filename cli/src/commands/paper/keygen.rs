//! Client: makes the keys of the paper's system, in the TFHE library's form and with its parameters.

use tfhe_core::{
    keys::{CloudKey, SecretKey},
    parameters::TFHE_LIB_V1_0_1,
    random::SecretSeed,
    serial::tfhe_lib::SecretKeySet,
};

use crate::{
    arguments::paper::PaperKeygen,
    commands::keygen::{self, KeyPair},
    error::Result,
    files::output::Written,
    session::Session,
    terminal::{progress, units},
};

pub(crate) fn run(arguments: &PaperKeygen, session: &Session) -> Result<()> {
    let existing = arguments.overwriting.existing();
    let paths = keygen::paths(&arguments.out, existing)?;
    let [seed, cloud_seed, samples_seed] =
        [SecretSeed::from_os()?, SecretSeed::from_os()?, SecretSeed::from_os()?];
    let (secret, drawing) = units::timed(|| SecretKey::generate(&TFHE_LIB_V1_0_1, seed));
    let generate = || {
        let cloud = CloudKey::generate(&secret, cloud_seed);
        SecretKeySet::with_fresh_samples(&secret, &cloud, samples_seed)
    };
    let (set, computing) = units::timed(|| progress::spinner("making the cloud key", generate));
    let set = set?;
    // A secret key set begins with the cloud key set.
    let secret_bytes = set.to_bytes();
    let cloud_bytes = &secret_bytes[..set.cloud().file_len()];
    keygen::write_both(&paths, [&secret_bytes, cloud_bytes], existing)?;
    let [secret_path, cloud_path] = paths;
    let pair = KeyPair {
        id: set.cloud().id(),
        secret: Written::new(secret_path, &secret_bytes, drawing),
        cloud: Written::new(cloud_path, cloud_bytes, computing),
    };
    keygen::tell(&pair, "the paper's protocol", &TFHE_LIB_V1_0_1, session.output)
}
