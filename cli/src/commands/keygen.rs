//! Client: makes a secret key and its cloud key.

use std::path::{Path, PathBuf};

use serde_json::json;
use tfhe_core::{
    keys::{CloudKey, KeyId, SecretKey},
    parameters::Parameters,
    random::SecretSeed,
    serial::{self, Existing, NO_CONTEXT, Staged},
};

use super::Session;
use crate::{
    arguments::Keygen,
    error::{Error, Result},
    files::{self, Written},
    interrupt, lookup, progress, report,
};

/// Two keys that belong together.
#[derive(Debug)]
pub(super) struct KeyPair {
    pub(super) id: KeyId,
    pub(super) secret: Written,
    pub(super) cloud: Written,
}

pub(super) fn run(arguments: &Keygen, session: &Session) -> Result<()> {
    let output = session.output;
    let model = arguments.model.as_deref().map(lookup::model).transpose()?;
    let parameters = arguments.engine.parameters(model.as_ref())?;
    let pair = make(&arguments.out, parameters, arguments.overwriting.existing())?;
    output.say(format_args!(
        "key     {}, for the {} engine, of the parameter set {}",
        pair.id,
        arguments.engine,
        super::describe(parameters)
    ))?;
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
    serial::make_folder(folder).map_err(|source| Error::Unwritable { path: folder.into(), source })?;
    let paths: [PathBuf; 2] = ["secret.key", "cloud.key"].map(|name| folder.join(name));
    paths.iter().try_for_each(|path| files::check_output(path, existing))?;
    let [secret_path, cloud_path] = paths;

    let (secret, drawing) =
        report::timed(|| Ok::<_, Error>(SecretKey::generate(parameters, SecretSeed::from_os()?)));
    let secret = secret?;
    let seed = SecretSeed::from_os()?;
    let generate = || progress::spinner("making the cloud key", || CloudKey::generate(&secret, seed));
    let (cloud, computing) = report::timed(generate);

    // Both files or none, whether a disk is full or the user impatient. The secret key comes last: until the new pair is
    // on the disk, the old secret key is there.
    interrupt::hold(|| {
        let cloud = serial::stage(&cloud, NO_CONTEXT, &cloud_path, existing)?;
        let secret = serial::stage(&secret, NO_CONTEXT, &secret_path, existing)?;
        Staged::commit_both(cloud, secret)
    })?;
    Ok(KeyPair {
        id: secret.id(),
        secret: Written::new(secret_path, drawing)?,
        cloud: Written::new(cloud_path, computing)?,
    })
}
