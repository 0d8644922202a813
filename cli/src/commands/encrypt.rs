//! Client: encrypts a picture.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use bnn::{
    client::Client,
    data::GreyImage,
    engine::{Engine, client_specification},
};
use serde_json::json;
use tfhe_core::{keys::SecretKey, random::SecretSeed};

use crate::{
    arguments::{client::Encrypt, shared::ClientChoice},
    error::{About, Result},
    files::{
        input::{self, Input},
        keys, lookup,
        named::Named,
        output::{Target, Written},
        picture::picture,
        specification,
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
    let mut inputs: Vec<&Path> = vec![&arguments.image, &arguments.key.path];
    inputs.extend(arguments.client.file());
    let target = Target::new(&out, arguments.overwriting.existing(), &inputs)?;
    let output = target.words(session.output)?;

    let image = picture(&arguments.image, arguments.index)?;
    let client = client(&arguments.client, keys::secret_key(&arguments.key.path)?)?;
    let file = encrypt(&client.content, &image, &target)?;
    output.say(format_args!(
        "{}: {}, encrypted for the model {}: {}. Only the holder of {} can read it",
        file.path.display(),
        image.name.display(),
        client.content.specification().model_name(),
        file.facts(),
        client.name.display(),
    ))?;
    output.give(&json!({
        "image": image.name.display().to_string(),
        "model": description::client_json(client.content.specification()),
        "encrypted_image": file.json(),
    }))
}

/// A client of the model that was chosen, with a key, by whose name it goes.
///
/// # Errors
/// Where the specification or the model cannot be read, or the key's parameter set does not fit it.
pub(crate) fn client(choice: &ClientChoice, key: Named<SecretKey>) -> Result<Named<Client>> {
    let specification = match choice.file() {
        Some(file) => specification::read(Input::open(file)?)?,
        None => {
            let model = lookup::model(&choice.model.name)?;
            // Where the key's engine does not run the model, the model can tell why.
            Engine::of(key.content.parameters()).about(&key.name)?.parameters(Some(&model))?;
            Arc::new(client_specification(&model)?)
        }
    };
    let content = Client::new(specification, Arc::new(key.content)).about(&key.name)?;
    Ok(Named { name: key.name, content })
}

/// Encrypts a picture.
///
/// # Errors
/// Where the picture does not fit, or the file cannot be written.
pub(crate) fn encrypt(client: &Client, image: &Named<GreyImage>, target: &Target) -> Result<Written> {
    let encoded = client.encode(&image.content).about(&image.name)?;
    let seed = SecretSeed::from_os()?;
    let (encrypted, duration) = units::timed(|| client.encrypt(&encoded, seed));
    let bytes = encrypted?.to_bytes().about(target.name())?;
    target.write(&bytes, Secrecy::Everyone, duration)
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
