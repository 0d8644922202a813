//! The paper's protocol: what client and server do with the files of its system.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use bnn::{data::GreyImage, engine::Scores, model::Model, protocol};
use serde_json::json;
use tfhe_core::{
    random::SecretSeed,
    serial::{Existing, Staged, tfhe_lib},
};

use super::{Session, infer_gates};
use crate::{
    arguments::{Encrypt, Infer},
    engine::{self, Engine},
    error::{About, Error, Result},
    files::{self, Written},
    interrupt, lookup, report,
};

/// Client: encrypts a picture into two files.
pub(super) fn encrypt(arguments: &Encrypt, session: &Session) -> Result<()> {
    let output = session.output;
    let existing = arguments.overwriting.existing();
    let folder = arguments.out.clone().unwrap_or_else(|| ".".into());
    let paths = [protocol::SIGNS_FILE, protocol::MAGNITUDES_FILE].map(|name| folder.join(name));
    let inputs: [&Path; 2] = [&arguments.image, &arguments.key];
    paths.iter().try_for_each(|path| files::check_output(path, existing, &inputs))?;

    let model = lookup::model(&arguments.model.name)?;
    let image = GreyImage::load(&arguments.image, arguments.index)?;
    let encoded = model.input().encode(&image)?;
    let secret = files::load_secret_key(&arguments.key)?;
    files::check_library_set(secret.parameters(), &arguments.key)?;
    let seed = SecretSeed::from_os()?;
    let (lists, duration) = report::timed(|| protocol::encrypt(&model, &secret, &encoded, seed));
    let lists = lists?;
    let stage = |file: usize| tfhe_lib::stage_ciphertexts(&lists[file], &paths[file], existing);
    interrupt::hold(|| {
        let (signs, magnitudes) = (stage(0)?, stage(1)?);
        if existing == Existing::Replace {
            // A kill between the renames must not leave halves of two pictures: nothing in the files would tell.
            files::remove(&paths[1])?;
        }
        Ok::<_, Error>(Staged::commit_both(signs, magnitudes)?)
    })?;
    let mut written = Vec::new();
    for (list, path) in lists.iter().zip(paths) {
        let file = Written::new(path, duration)?;
        output.say(format_args!(
            "{}: {} ciphertexts of {}: {}",
            file.path.display(),
            list.ciphertexts().len(),
            image.origin(),
            file.facts()
        ))?;
        written.push(file.json());
    }
    output.say(format_args!("Only the holder of {} can read them", arguments.key.display()))?;
    output.give(&json!({
        "image": image.origin(),
        "model": super::model_json(&model),
        "encrypted_image": written,
    }))
}

/// Server: evaluates a network on the client's two files.
pub(super) fn infer(arguments: &Infer, session: &Session) -> Result<()> {
    let [signs, magnitudes] = &arguments.files[..] else {
        return Err(Error::PaperFiles { count: arguments.files.len() });
    };
    let out = arguments.out.clone().unwrap_or_else(|| arguments.out_dir.join(protocol::ANSWER_FILE));
    let inputs = [signs, magnitudes, &arguments.cloud_key].map(PathBuf::as_path);
    files::check_output(&out, arguments.overwriting.existing(), &inputs)?;
    let backend = session.backend()?;
    let model = lookup::model(&arguments.model.name)?;
    let cloud = files::load_any_cloud_key(&arguments.cloud_key)?;
    Engine::of(cloud.parameters()).about(&arguments.cloud_key)?;
    files::check_library_set(cloud.parameters(), &arguments.cloud_key)?;
    let image = protocol::load_image(&model, [signs, magnitudes], cloud.parameters(), cloud.id())?;
    drop(cloud);
    infer_gates::run(arguments, &model, (signs, &image), backend, out, session)
}

/// Client: decrypts an answer with the key in the file `key`, and says what it took.
pub(super) fn decrypt(model: &Model, input: &Path, key: &Path) -> Result<(Scores, Duration)> {
    let secret = files::load_secret_key(key)?;
    Engine::of(secret.parameters()).about(key)?;
    files::check_library_set(secret.parameters(), key)?;
    let scores = protocol::load_answer(model, input, &secret)?;
    let (decrypted, duration) = report::timed(|| engine::decrypt(model, &secret, &scores));
    Ok((decrypted.about(input)?, duration))
}
