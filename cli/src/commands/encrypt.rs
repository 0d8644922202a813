//! Client: encrypts a picture.

use std::path::{Path, PathBuf};

use bnn::{data::GreyImage, model::Model};
use serde_json::json;
use tfhe_core::keys::SecretKey;

use crate::{
    arguments::client::Encrypt,
    engine::{self, Engine},
    error::{About, Result},
    files::{
        encrypted, input, keys, lookup,
        named::Named,
        output::{Target, Written},
        picture::picture,
        whole::Secrecy,
    },
    session::Session,
    terminal::{description, units},
};

pub(crate) fn run(arguments: &Encrypt, session: &Session) -> Result<()> {
    let out = match &arguments.out {
        Some(out) => out.clone(),
        None => default_output(&arguments.image, arguments.index)?,
    };
    let inputs: [&Path; 2] = [&arguments.image, &arguments.key.path];
    let target = Target::new(&out, arguments.overwriting.existing(), &inputs)?;
    let output = target.words(session.output)?;

    let model = lookup::model(&arguments.model.name)?;
    let image = picture(&arguments.image, arguments.index)?;
    let key = keys::secret_key(&arguments.key.path)?;
    let file = encrypt(&model, &image, &key, &target)?;
    output.say(format_args!(
        "{}: {}, encrypted for the model {}: {}. Only the holder of {} can read it",
        file.path.display(),
        image.name.display(),
        model.name(),
        file.facts(),
        key.name.display(),
    ))?;
    output.give(&json!({
        "image": image.name.display().to_string(),
        "model": description::model_json(&model),
        "encrypted_image": file.json(),
    }))
}

/// Encrypts a picture for a model.
///
/// # Errors
/// Where the picture, the model or the key does not fit, or the file cannot be written.
pub(crate) fn encrypt(
    model: &Model,
    image: &Named<GreyImage>,
    key: &Named<SecretKey>,
    target: &Target,
) -> Result<Written> {
    let encoded = model.input().encode(&image.content)?;
    let (engine, set) = Engine::of(key.content.parameters()).about(&key.name)?;
    engine.check(model, set)?;
    let (encrypted, duration) = units::timed(|| engine::encrypt(model, &key.content, &encoded));
    target.write(&encrypted::image_bytes(&encrypted?)?, Secrecy::Everyone, duration)
}

/// The picture's name, with its index if it has one, in the current folder.
fn default_output(image: &Path, index: Option<usize>) -> Result<PathBuf> {
    let mut name = input::stem(image)?.to_owned();
    if let Some(index) = index {
        name.push(format!("-{index}"));
    }
    name.push(".enc");
    Ok(name.into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn outputs_are_called_after_the_picture() {
        assert_eq!(default_output("models/digits/7.png".as_ref(), None).unwrap(), Path::new("7.enc"));
        assert_eq!(
            default_output("t10k-images-idx3-ubyte.gz".as_ref(), Some(3)).unwrap(),
            Path::new("t10k-images-idx3-ubyte-3.enc")
        );
        assert!(default_output("-".as_ref(), None).is_err());
    }
}
