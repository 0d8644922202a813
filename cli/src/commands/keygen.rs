//! Client: makes a secret key and its cloud key.

use std::path::{Path, PathBuf};

use serde_json::json;
use tfhe_core::{
    keys::{CloudKey, KeyId, SecretKey},
    parameters::{Parameters, TFHE_LIB_V1_0_1},
    random::SecretSeed,
    serial::{self, Existing, NO_CONTEXT, Staged, tfhe_lib::SecretKeySet},
};

use super::Session;
use crate::{
    arguments::{Keygen, Protocol},
    error::{Error, Result},
    files::{self, Written},
    interrupt, lookup, progress, report,
};

/// What a parameter set has that is not of yesterday.
const SECURE_BITS: u32 = 128;

/// Two keys that belong together.
#[derive(Debug)]
pub(super) struct KeyPair {
    pub(super) id: KeyId,
    pub(super) secret: Written,
    pub(super) cloud: Written,
}

pub(super) fn run(arguments: &Keygen, session: &Session) -> Result<()> {
    let output = session.output;
    let existing = arguments.overwriting.existing();
    let (pair, parameters, user) = match arguments.protocol {
        Some(Protocol::Paper) => {
            (make_papers(&arguments.out, existing)?, &TFHE_LIB_V1_0_1, "the paper's protocol".into())
        }
        None => {
            let model = arguments.model.as_deref().map(lookup::model).transpose()?;
            let parameters = arguments.engine.parameters(model.as_ref())?;
            let user = format!("the {} engine", arguments.engine);
            (make(&arguments.out, parameters, existing)?, parameters, user)
        }
    };
    output.say(format_args!(
        "key     {}, for {user}, of the parameter set {}",
        pair.id,
        super::describe(parameters)
    ))?;
    if parameters.security_bits < SECURE_BITS {
        output.say(format_args!(
            "warning {} is a legacy set: {} bits of security by today's estimates. For experiments, not for what is secret",
            parameters.name, parameters.security_bits
        ))?;
    }
    output.say(format_args!(
        "secret  {}: {}. It encrypts and decrypts: keep it with the client, show it to nobody",
        pair.secret.path.display(),
        pair.secret.facts(),
    ))?;
    output.say(format_args!(
        "cloud   {}: {}. It computes and cannot decrypt: send it to the server",
        pair.cloud.path.display(),
        pair.cloud.facts(),
    ))?;
    output.give(&json!({
        "key_id": pair.id.to_string(),
        "parameters": super::parameters_json(parameters),
        "secret_key": pair.secret.json(),
        "cloud_key": pair.cloud.json(),
    }))
}

/// Makes `secret.key` and `cloud.key` in a folder, which is made if it is not there.
pub(super) fn make(folder: &Path, parameters: &Parameters, existing: Existing) -> Result<KeyPair> {
    let paths = paths(folder, existing)?;
    let (secret, drawing) =
        report::timed(|| Ok::<_, Error>(SecretKey::generate(parameters, SecretSeed::from_os()?)));
    let secret = secret?;
    let seed = SecretSeed::from_os()?;
    let generate = || progress::spinner("making the cloud key", || CloudKey::generate(&secret, seed));
    let (cloud, computing) = report::timed(generate);

    let stage_secret = |path: &Path| serial::stage(&secret, NO_CONTEXT, path, existing);
    let stage_cloud = |path: &Path| serial::stage(&cloud, NO_CONTEXT, path, existing);
    write_both(&paths, stage_secret, stage_cloud)?;
    let [secret_path, cloud_path] = paths;
    Ok(KeyPair {
        id: secret.id(),
        secret: Written::new(secret_path, drawing)?,
        cloud: Written::new(cloud_path, computing)?,
    })
}

/// The same two files as the paper's system has them: in the TFHE library's form, with its parameters.
fn make_papers(folder: &Path, existing: Existing) -> Result<KeyPair> {
    let paths = paths(folder, existing)?;
    let seeds = [SecretSeed::from_os()?, SecretSeed::from_os()?, SecretSeed::from_os()?];
    let [seed, cloud_seed, samples_seed] = seeds;
    let (secret, drawing) = report::timed(|| SecretKey::generate(&TFHE_LIB_V1_0_1, seed));
    let generate = || {
        let cloud = CloudKey::generate(&secret, cloud_seed);
        SecretKeySet::with_fresh_samples(&secret, &cloud, samples_seed)
    };
    let (set, computing) = report::timed(|| progress::spinner("making the cloud key", generate));
    let set = set?;
    write_both(&paths, |path| set.stage(path, existing), |path| set.cloud().stage(path, existing))?;
    let [secret_path, cloud_path] = paths;
    Ok(KeyPair {
        id: set.cloud().id(),
        secret: Written::new(secret_path, drawing)?,
        cloud: Written::new(cloud_path, computing)?,
    })
}

/// The secret key's file and the cloud key's in a folder, which is made if it is not there.
fn paths(folder: &Path, existing: Existing) -> Result<[PathBuf; 2]> {
    serial::make_folder(folder).map_err(|source| Error::Unwritable { path: folder.into(), source })?;
    let paths = ["secret.key", "cloud.key"].map(|name| folder.join(name));
    paths.iter().try_for_each(|path| files::check_output(path, existing, &[]))?;
    Ok(paths)
}

/// Writes both files or none, whether a disk is full or the user impatient. The secret key comes last: until the new pair is
/// on the disk, the old secret key is there.
fn write_both(
    [secret, cloud]: &[PathBuf; 2],
    stage_secret: impl FnOnce(&Path) -> tfhe_core::Result<Staged>,
    stage_cloud: impl FnOnce(&Path) -> tfhe_core::Result<Staged>,
) -> Result<()> {
    interrupt::hold(|| {
        let cloud = stage_cloud(cloud)?;
        Staged::commit_both(cloud, stage_secret(secret)?)
    })?;
    Ok(())
}
