//! Client: encrypts a picture.

use std::path::{Path, PathBuf};

use bnn::{data::GreyImage, model::Model};
use serde_json::json;
use tfhe_core::serial::Existing;

use super::{Session, paper};
use crate::{
    arguments::{Encrypt, Protocol},
    engine::{self, Engine},
    error::{About, Result},
    files::{self, Written},
    interrupt, lookup, report,
};

pub(super) fn run(arguments: &Encrypt, session: &Session) -> Result<()> {
    if let Some(Protocol::Paper) = arguments.protocol {
        return paper::encrypt(arguments, session);
    }
    let output = session.output;
    let out = arguments.out.clone().unwrap_or_else(|| default_output(&arguments.image, arguments.index));
    let existing = arguments.overwriting.existing();
    files::check_output(&out, existing, &[&arguments.image, &arguments.key])?;

    let model = lookup::model(&arguments.model.name)?;
    let image = GreyImage::load(&arguments.image, arguments.index)?;
    let file = encrypt(&model, &image, &arguments.key, out, existing)?;
    output.say(format_args!(
        "{}: {}, encrypted for the model {}: {}. Only the holder of {} can read it",
        file.path.display(),
        image.origin(),
        model.name(),
        file.facts(),
        arguments.key.display(),
    ))?;
    output.give(&json!({
        "image": image.origin(),
        "model": super::model_json(&model),
        "encrypted_image": file.json(),
    }))
}

/// Encrypts a picture for a model with the key in the file `key`.
pub(super) fn encrypt(
    model: &Model,
    image: &GreyImage,
    key: &Path,
    out: PathBuf,
    existing: Existing,
) -> Result<Written> {
    let encoded = model.input().encode(image)?;
    let (engine, set) = Engine::of(files::secret_key_parameters(key)?).about(key)?;
    engine.check(model, set)?;
    let secret = files::load_secret_key(key)?;
    let (encrypted, duration) = report::timed(|| engine::encrypt(model, &secret, &encoded));
    let encrypted = encrypted?;
    interrupt::hold(|| encrypted.save(&out, existing))?;
    Written::new(out, duration)
}

/// The picture's name, with its index if it has one, in the current folder.
fn default_output(image: &Path, index: Option<usize>) -> PathBuf {
    let mut name = image.file_stem().unwrap_or_default().to_owned();
    if let Some(index) = index {
        name.push(format!("-{index}"));
    }
    name.push(".enc");
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_are_called_after_the_picture() {
        assert_eq!(default_output("models/digits/7.png".as_ref(), None), Path::new("7.enc"));
        assert_eq!(
            default_output("t10k-images-idx3-ubyte.gz".as_ref(), Some(3)),
            Path::new("t10k-images-idx3-ubyte-3.enc")
        );
    }
}
