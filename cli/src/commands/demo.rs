//! The whole path on one digit, playing client and server in one process, through real files in a temporary folder.

use std::{path::Path, sync::Arc, time::Duration};

use bnn::{
    client::{Client, ClientSpecification, Scores},
    data::Image,
    engine::{Engine, client_specification},
    model::Model,
};
use serde_json::json;
use tfhe_core::{backend::Backend, parameters::Parameters};

use crate::{
    arguments::{client::Demo, shared::DEFAULT_MODEL},
    commands::{
        batch::Batch,
        decrypt, encrypt,
        infer::functional::{self, Inferred},
        keygen,
    },
    error::Result,
    files::{
        encrypted,
        input::Input,
        keys, lookup,
        named::Named,
        output::{Target, Written},
        picture::picture,
        specification,
        whole::{Existing, Secrecy},
    },
    session::Session,
    terminal::{description, interrupt, output::Output, units},
};

/// What a picture of one's own is called.
const ANY_PICTURE: &str = "digit.png";

pub(crate) fn run(arguments: &Demo, session: &Session) -> Result<()> {
    let (output, backend) = (session.output, session.backend()?);
    let model = lookup::model(&arguments.model.name)?;
    let image = match &arguments.image {
        Some(path) => picture(path, arguments.index)?,
        None => lookup::digit(arguments.digit)?,
    };
    let image = encrypt::prepare(image, &arguments.preparing, model.input())?;
    let plain = decrypt::in_the_clear(&model, &image)?;

    // The demo shows what one waits for: the functional engine.
    let parameters = Engine::Functional.parameters(Some(&model))?;
    introduce(&model, &image, parameters, backend, output)?;
    let folder = interrupt::scratch_folder()?;
    let in_folder = |name: &str| folder.path().join(name);
    let (secret_key, cloud_key) = (in_folder("secret.key"), in_folder("cloud.key"));

    let pair = keygen::make(folder.path(), parameters, Existing::Refuse, &[])?;
    tell_keys(&pair, output)?;
    let target = |name: &str| Target::new(&in_folder(name), Existing::Refuse, &[]);
    let specification = target("client.json")?.write(
        &client_specification(&model)?.to_bytes(),
        Secrecy::Everyone,
        Duration::ZERO,
    )?;
    // From here on the client knows of the model what the file says.
    let secret_key = Arc::new(keys::secret_key(&secret_key)?.content);
    let client = Client::new(specification::read(Input::open(&specification.path)?)?, secret_key)?;
    let encrypted = encrypt::encrypt(&client, &image, &target("digit.enc")?)?;
    output.say(format_args!(
        "3. The client encrypts the {} pixels, by what the server tells of its model ({}): {}. The file goes to the server.",
        image.content.pixels().len(),
        units::size(specification.bytes),
        made(&encrypted),
    ))?;
    let pictures = [(encrypted::image(&encrypted.path)?, target("digit.scores")?)];
    let cloud_key = keys::cloud_key(&cloud_key)?.content;
    let mut batch = Batch::new(pictures.len(), output);
    let inferred = functional::infer(&model, &pictures, cloud_key, backend, &mut batch)?;
    tell_inference(&inferred, output)?;
    let (scores, duration) = decrypt::decrypt(&client, &encrypted::scores(&inferred.scores[0].1.path)?)?;
    let decryption = format!("6. The client decrypts the scores, in {}:", units::duration(duration));
    output.say_lines([decryption, String::new()])?;
    conclude(client.specification(), &scores, &plain, output)?;
    invite(arguments, &image, output)?;

    output.give(&json!({
        "image": image.name.display().to_string(),
        "model": description::model_json(&model),
        "parameters": description::set_json(parameters),
        "key_id": pair.id.to_string(),
        "secret_key": pair.secret.json(),
        "cloud_key": pair.cloud.json(),
        "client_specification": specification.json(),
        "encrypted_image": encrypted.json(),
        "inference": inferred.json(),
        "decryption_seconds": duration.as_secs_f64(),
        "scores": scores.reals(),
        "label": scores.label(),
        "plain_scores": plain.reals(),
        "plain_label": plain.label(),
        "agrees": scores.label() == plain.label(),
    }))
}

fn introduce(
    model: &Model,
    image: &Named<Image>,
    parameters: &Parameters,
    backend: Backend,
    output: Output,
) -> Result<()> {
    output.say_lines([format!("{}:", image.name.display()), String::new()])?;
    encrypt::show(&image.content, output)?;
    output.say_lines([
        "What digit is it? A server will say without seeing it, or its own answer.".into(),
        String::new(),
        format!("Network:    {}, {}", model.name(), description::architecture(model)),
        format!("Encryption: TFHE, {}", description::set(parameters)),
        format!("Machine:    backend {backend}, {} threads", rayon::current_num_threads()),
        String::new(),
    ])
}

fn tell_keys(pair: &keygen::KeyPair, output: Output) -> Result<()> {
    output.say(format_args!(
        "1. The client draws a secret key: {}. It never leaves the client.",
        made(&pair.secret)
    ))?;
    output.say(format_args!(
        "2. The client makes the cloud key, which computes and cannot decrypt: {}. \
         The file goes to the server, once.",
        made(&pair.cloud),
    ))
}

fn tell_inference(inferred: &Inferred, output: Output) -> Result<()> {
    output.say(format_args!(
        "4. The server prepares the cloud key: {} in memory, in {}.",
        units::size(inferred.key_bytes as u64),
        units::duration(inferred.key_duration),
    ))?;
    output.say(format_args!(
        "5. The server runs the network on the ciphertexts, {} bootstraps, {:.0} a second: {}. \
         The file goes back to the client.",
        inferred.bootstraps,
        inferred.bootstraps_per_second(),
        made(&inferred.scores[0].1),
    ))
}

/// The scores, the label, and how they compare with the network in the clear.
fn conclude(
    specification: &ClientSpecification,
    scores: &Scores,
    plain: &Scores,
    output: Output,
) -> Result<()> {
    let labels = specification.labels();
    output.say_lines(description::score_table(scores, labels))?;
    output.say("")?;
    let (label, plain_label) = (&labels[scores.label()], &labels[plain.label()]);
    output.say(if label == plain_label {
        format!("The encrypted network says {label}, and so does the same network in the clear.")
    } else {
        format!(
            "The encrypted network says {label}, but the same network in the clear says {plain_label}: the \
             engine is approximate, and noise turned this one."
        )
    })
}

/// How to do the same in steps, on two machines.
fn invite(arguments: &Demo, image: &Named<Image>, output: Output) -> Result<()> {
    // A digit of this program is no file that could be encrypted.
    let sample = if image.name.exists() { &image.name } else { Path::new(ANY_PICTURE) };
    let path = quoted(arguments.image.as_deref().unwrap_or(sample));
    let model = &arguments.model.name;
    let is_default = model == Path::new(DEFAULT_MODEL);
    let model = if is_default { String::new() } else { format!(" --model {}", quoted(model)) };
    let preparing = &arguments.preparing;
    let index = arguments.index.map_or_else(String::new, |index| format!(" --index {index}"));
    output.say("")?;
    output.say(format_args!(
        "The same in steps: bnn keygen; bnn encrypt {path}{index}{preparing}{model} --out digit.enc; bnn infer digit.enc{model}; \
         bnn decrypt digit.scores{model}",
    ))
}

/// A path as it is typed in a shell.
fn quoted(path: &Path) -> String {
    let path = path.to_string_lossy();
    let is_plain = |c: char| c.is_alphanumeric() || "-_./+,:@%".contains(c);
    if path.chars().all(is_plain) { path.into() } else { format!("'{}'", path.replace('\'', r"'\''")) }
}

/// A file by its name, size, and what it took.
fn made(file: &Written) -> String {
    let name = file.path.file_name().unwrap_or_default();
    format!("{}, {}, in {}", name.display(), units::size(file.bytes), units::duration(file.duration))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_quoted_where_a_shell_would_read_them_otherwise() {
        for (path, typed) in
            [("digits/7.png", "digits/7.png"), ("my digit.png", "'my digit.png'"), ("it's$x", r"'it'\''s$x'")]
        {
            assert_eq!(quoted(Path::new(path)), typed);
        }
    }
}
