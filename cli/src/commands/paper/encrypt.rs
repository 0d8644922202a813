//! Client: encrypts a picture into the two files of the paper's client.

use std::path::Path;

use bnn::protocol;
use serde_json::json;
use tfhe_core::random::SecretSeed;

use crate::{
    arguments::paper::PaperEncrypt,
    error::Result,
    files::{
        folder::{check_folder, remove},
        keys, lookup,
        output::{Written, check_file},
        paper::ciphertexts_bytes,
        picture::picture,
        whole::{Existing, Secrecy, Staged},
    },
    session::Session,
    terminal::{description, interrupt, units},
};

pub(crate) fn run(arguments: &PaperEncrypt, session: &Session) -> Result<()> {
    let output = session.output;
    let existing = arguments.overwriting.existing();
    check_folder(&arguments.out)?;
    let paths = [protocol::SIGNS_FILE, protocol::MAGNITUDES_FILE].map(|name| arguments.out.join(name));
    let inputs: [&Path; 2] = [&arguments.image, &arguments.key.path];
    paths.iter().try_for_each(|path| check_file(path, existing, &inputs))?;

    let model = lookup::model(&arguments.model.name)?;
    let image = picture(&arguments.image, arguments.index)?;
    let encoded = model.input().encode(&image.content)?;
    let key = keys::secret_key(&arguments.key.path)?;
    keys::check_library_set(key.content.parameters(), &key.name)?;
    let seed = SecretSeed::from_os()?;
    let (lists, duration) = units::timed(|| protocol::encrypt(&model, &key.content, &encoded, seed));
    let lists = lists?;
    let contents = [ciphertexts_bytes(&lists[0])?, ciphertexts_bytes(&lists[1])?];
    let stage = |file: usize| Staged::new(&contents[file], &paths[file], existing, Secrecy::Everyone);
    interrupt::hold(|| {
        let (signs, magnitudes) = (stage(0)?, stage(1)?);
        if existing == Existing::Replace {
            // A kill between the renames must not leave halves of two pictures: nothing in the files would tell.
            remove(&paths[1])?;
        }
        Staged::commit_both(signs, magnitudes)
    })?;
    let mut written = Vec::new();
    for ((list, bytes), path) in lists.iter().zip(&contents).zip(paths) {
        let file = Written::new(path, bytes, duration);
        output.say(format_args!(
            "{}: {} ciphertexts of {}: {}",
            file.path.display(),
            list.ciphertexts().len(),
            image.name.display(),
            file.facts()
        ))?;
        written.push(file.json());
    }
    output.say(format_args!("Only the holder of {} can read them", key.name.display()))?;
    output.give(&json!({
        "image": image.name.display().to_string(),
        "model": description::model_json(&model),
        "encrypted_image": written,
    }))
}
