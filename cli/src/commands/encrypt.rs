//! Client: encrypts a picture.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use bnn::{
    client::{Client, InputEncoding},
    data::{GreyImage, Picture},
    engine::{Engine, client_specification},
    model::Model,
};
use serde_json::json;
use tfhe_core::{keys::SecretKey, random::SecretSeed};

use crate::{
    arguments::{
        client::Encrypt,
        shared::{ClientChoice, Preparing},
    },
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
    terminal::{description, output::Output, units},
};

pub(crate) fn run(arguments: &Encrypt, session: &Session) -> Result<()> {
    let reads = &arguments.reads;
    let out = match &arguments.out {
        Some(out) => out.clone(),
        None => default_output(&reads.image, reads.index)?,
    };
    let target = Target::new(&out, arguments.overwriting.existing(), &reads.files())?;
    let output = target.words(session.output)?;

    let picture = picture(&reads.image, reads.index)?;
    let (client, _) = client(&reads.client, keys::secret_key(&reads.key.path)?)?;
    let image = prepare(picture, &reads.preparing, client.content.specification().input())?;
    show_changed(&image, &reads.preparing, output)?;
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

/// A client with a key, by whose name it goes, of the model that was chosen; and the model, unless a specification stood for it.
///
/// # Errors
/// Where the specification or the model cannot be read, or the key's parameter set does not fit it.
pub(crate) fn client(
    choice: &ClientChoice,
    key: Named<SecretKey>,
) -> Result<(Named<Client>, Option<Arc<Model>>)> {
    let (specification, model) = match choice.file() {
        Some(file) => (specification::read(Input::open(file)?)?, None),
        None => {
            let model = lookup::model(&choice.model.name)?;
            let specification = client_specification(&model)?;
            let engine = Engine::of(key.content.parameters()).about(&key.name)?;
            if specification.parameter_sets(engine).is_empty() {
                // The model can tell why the key's engine does not run it.
                engine.parameters(Some(&model))?;
            }
            (Arc::new(specification), Some(model))
        }
    };
    let content = Client::new(specification, Arc::new(key.content)).about(&key.name)?;
    Ok((Named { name: key.name, content }, model))
}

/// The picture of a file as the network will see it.
///
/// # Errors
/// [`Error::Network`](crate::error::Error::Network), about the picture, where it cannot be decoded, has not the size that the model
/// reads, or looks like none that a network reads.
pub(crate) fn prepare(
    picture: Named<Picture<'_>>,
    preparing: &Preparing,
    input: &InputEncoding,
) -> Result<Named<GreyImage>> {
    let content = preparing.preparation().read(&picture.content, input).about(&picture.name)?;
    Ok(Named { name: picture.name, content })
}

/// Shows what the network will see, where that is not what the file shows.
pub(crate) fn show_changed(image: &Named<GreyImage>, preparing: &Preparing, output: Output) -> Result<()> {
    if preparing.preparation().changes().next().is_none() {
        return Ok(());
    }
    let name = image.name.display();
    output.say(format_args!("{name}, as the network will see it:\n\n{}", image.content.to_half_blocks()))
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
