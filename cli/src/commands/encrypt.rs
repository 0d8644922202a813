//! Client: encrypts a picture.

use std::{path::Path, sync::Arc, time::Duration};

use bnn::{
    client::{Client, EncryptedImage, InputEncoding},
    data::{Image, Picture},
    engine::{Engine, client_specification},
    model::Model,
};
use serde_json::json;
use tfhe_core::{keys::SecretKey, random::SecretSeed};

use crate::{
    arguments::{
        client::Encrypt,
        shared::{ClientChoice, Encrypting, Preparing},
    },
    commands::batch::{Batch, made_json, renamed},
    error::{About, Result},
    files::{
        input::Input,
        keys, lookup,
        named::Named,
        output::{Target, Written},
        picture::picture,
        specification,
        whole::Secrecy,
    },
    session::Session,
    terminal::{description, half_blocks::half_blocks, output::Output, units},
};

pub(crate) fn run(arguments: &Encrypt, session: &Session) -> Result<()> {
    let (reads, pictures) = (&arguments.reads, &arguments.pictures);
    let Encrypting { index, preparing, key } = &reads.encrypting;
    let mut batch = Batch::new(pictures.len(), session.output);
    // An index tells pictures of one file apart.
    let ending = index.map_or_else(|| ".enc".into(), |index| format!("-{index}.enc"));
    let name = |picture: &Path| renamed(picture, &ending);
    let targets = batch.targets(&arguments.outputs, pictures, name, &reads.files(pictures))?;
    let output = batch.words(&targets)?;

    let (client, _) = client(&reads.client, keys::secret_key(&key.path)?)?;
    let specification = client.content.specification();
    let mut made = Vec::new();
    for (path, target) in &targets {
        let one = || {
            let image = prepare(picture(path, *index)?, preparing, specification.input())?;
            let file = encrypt(&client.content, &image, target)?;
            Ok((image, file))
        };
        let Some((image, file)) = batch.keep(path, one())? else { continue };
        show_changed(&image, preparing, output)?;
        let name = image.name.display();
        output.say(format_args!("{}: {name}, encrypted: {}", file.path.display(), file.facts()))?;
        made.push(made_json(&image.name, &file));
    }
    if !made.is_empty() {
        output.say(format_args!(
            "For the model {}, and for the holder of {}, who alone can decrypt",
            specification.model_name(),
            client.name.display(),
        ))?;
    }
    output.give(&json!({
        "model": description::client_json(specification),
        "encrypted": made,
        "failed": batch.json(),
    }))?;
    batch.finish()
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
) -> Result<Named<Image>> {
    let content = preparing.preparation().read(&picture.content, input).about(&picture.name)?;
    Ok(Named { name: picture.name, content })
}

/// Shows what the network will see, where that is not what the file shows.
pub(crate) fn show_changed(image: &Named<Image>, preparing: &Preparing, output: Output) -> Result<()> {
    if preparing.preparation().changes().next().is_none() {
        return Ok(());
    }
    output.say_lines([format!("{}, as the network will see it:", image.name.display()), String::new()])?;
    show(&image.content, output)
}

/// Draws a picture, and an empty line below it.
///
/// # Errors
/// Where stdout cannot be written.
pub(crate) fn show(image: &Image, output: Output) -> Result<()> {
    output.say_lines(half_blocks(image).lines())?;
    output.say("")
}

/// Encrypts a picture, and says what it took.
///
/// # Errors
/// Where the picture does not fit.
pub(crate) fn sealed(client: &Client, image: &Named<Image>) -> Result<(EncryptedImage, Duration)> {
    let encoded = client.encode(&image.content).about(&image.name)?;
    let seed = SecretSeed::from_os()?;
    let (encrypted, duration) = units::timed(|| client.encrypt(&encoded, seed));
    Ok((encrypted?, duration))
}

/// Encrypts a picture into a file.
///
/// # Errors
/// Where the picture does not fit, or the file cannot be written.
pub(crate) fn encrypt(client: &Client, image: &Named<Image>, target: &Target) -> Result<Written> {
    let (encrypted, duration) = sealed(client, image)?;
    let bytes = encrypted.to_bytes().about(target.name())?;
    target.write(&bytes, Secrecy::Everyone, duration)
}
