//! Client: makes a secret key and its cloud key.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use bnn::engine::Engine;
use serde_json::json;
use tfhe_core::{
    keys::{CloudKey, KeyId, SecretKey},
    parameters::Parameters,
    random::SecretSeed,
    serial::{self, NO_CONTEXT},
};

use crate::{
    arguments::client::Keygen,
    error::{About, Error, Result},
    files::{
        folder::{MadeFolders, check_folder, make_folder},
        input::Input,
        lookup,
        output::{Written, check_file},
        specification,
        whole::{Existing, Secrecy, Staged},
    },
    session::Session,
    terminal::{
        description, interrupt,
        output::{Output, warn},
        progress, units,
    },
};

/// What a parameter set has that is not of yesterday.
const SECURE_BITS: u32 = 128;

/// Two keys that belong together.
#[derive(Debug)]
pub(crate) struct KeyPair {
    pub(crate) id: KeyId,
    pub(crate) secret: Written,
    pub(crate) cloud: Written,
}

pub(crate) fn run(arguments: &Keygen, session: &Session) -> Result<()> {
    let engine = Engine::from(arguments.engine);
    let parameters = match &arguments.client {
        Some(file) => {
            let specification = specification::read(Input::open(file)?)?;
            let sets = specification.parameter_sets(engine);
            let model = specification.model_name();
            *sets.first().ok_or_else(|| Error::NoEngine { model: model.into(), engine })?
        }
        None => {
            let model = arguments.model.as_deref().map(lookup::model).transpose()?;
            engine.parameters(model.as_ref())?
        }
    };
    let inputs: Vec<PathBuf> = arguments.client.iter().cloned().collect();
    let pair = make(&arguments.out, parameters, arguments.overwriting.existing(), &inputs)?;
    tell(&pair, &format!("the {engine} engine"), parameters, session.output)
}

/// Makes `secret.key` and `cloud.key` in a folder, which is made if it is not there.
///
/// # Errors
/// Where the files cannot be written.
pub(crate) fn make(
    folder: &Path,
    parameters: &Parameters,
    existing: Existing,
    inputs: &[PathBuf],
) -> Result<KeyPair> {
    let (_made, paths) = paths(folder, existing, inputs)?;
    let (secret, drawing) =
        units::timed(|| Ok::<_, Error>(SecretKey::generate(parameters, SecretSeed::from_os()?)));
    let secret = secret?;
    let (cloud, computing) = cloud_key(&secret)?;
    let secret_bytes = serial::to_bytes(&secret, NO_CONTEXT).about(&paths[0])?;
    let cloud_bytes = serial::to_bytes(&cloud, NO_CONTEXT).about(&paths[1])?;
    write_both(&paths, [&secret_bytes, &cloud_bytes], existing)?;
    let [secret_path, cloud_path] = paths;
    Ok(KeyPair {
        id: secret.id(),
        secret: Written::new(secret_path, &secret_bytes, drawing),
        cloud: Written::new(cloud_path, &cloud_bytes, computing),
    })
}

/// Makes the cloud key of a secret key, with its progress, and says what it took.
///
/// # Errors
/// Where the system gives no seed.
pub(crate) fn cloud_key(secret: &SecretKey) -> Result<(CloudKey, Duration)> {
    let seed = SecretSeed::from_os()?;
    let bar = Arc::new(progress::Count::rows(CloudKey::rows(secret.parameters())));
    let control = progress::Count::control(&bar);
    let (cloud, duration) = units::timed(|| CloudKey::generate_with(secret, seed, &control));
    bar.finish();
    Ok((cloud?, duration))
}

/// The secret key's file and the cloud key's in a folder, which is made if it is not there.
///
/// # Errors
/// Where they could not be written.
pub(crate) fn paths(
    folder: &Path,
    existing: Existing,
    inputs: &[PathBuf],
) -> Result<(MadeFolders, [PathBuf; 2])> {
    check_folder(folder)?;
    let made = make_folder(folder)?;
    let paths = ["secret.key", "cloud.key"].map(|name| folder.join(name));
    paths.iter().try_for_each(|path| check_file(path, existing, inputs))?;
    Ok((made, paths))
}

/// Writes both files or none, whether a disk is full or the user impatient. The secret key comes last: until the new pair is
/// on the disk, the old secret key is there.
///
/// # Errors
/// Where one of them cannot be written.
pub(crate) fn write_both(
    [secret, cloud]: &[PathBuf; 2],
    [secret_bytes, cloud_bytes]: [&[u8]; 2],
    existing: Existing,
) -> Result<()> {
    interrupt::hold(|| {
        let cloud = Staged::new(cloud_bytes, cloud, existing, Secrecy::Everyone)?;
        Staged::commit_both(cloud, Staged::new(secret_bytes, secret, existing, Secrecy::Owner)?)
    })
}

/// Tells what keys were made, for which `user`.
///
/// # Errors
/// Where stdout cannot be written.
pub(crate) fn tell(pair: &KeyPair, user: &str, parameters: &Parameters, output: Output) -> Result<()> {
    output.say(format_args!(
        "key     {}, for {user}, of the parameter set {}",
        pair.id,
        description::set(parameters)
    ))?;
    if parameters.security_bits() < SECURE_BITS {
        warn(format_args!(
            "{} is a legacy set: {} bits of security by today's estimates. For experiments, not for what is secret",
            parameters.name(),
            parameters.security_bits()
        ));
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
        "parameters": description::set_json(parameters),
        "secret_key": pair.secret.json(),
        "cloud_key": pair.cloud.json(),
    }))
}
