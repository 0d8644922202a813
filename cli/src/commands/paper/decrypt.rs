//! Client: decrypts the answer of the paper's server.

use crate::{
    arguments::paper::PaperDecrypt,
    commands::decrypt,
    engine::Engine,
    error::{About, Result},
    files::{keys, lookup, paper},
    session::Session,
};

pub(crate) fn run(arguments: &PaperDecrypt, session: &Session) -> Result<()> {
    let model = lookup::model(&arguments.model.name)?;
    let key = keys::secret_key(&arguments.key.path)?;
    Engine::of(key.content.parameters()).about(&key.name)?;
    keys::check_library_set(key.content.parameters(), &key.name)?;
    let answer = paper::answer(&model, &arguments.file, &key.content)?;
    let image = decrypt::compared(&arguments.comparison)?;
    let (scores, _) = decrypt::decrypt(&model, &answer, &key)?;
    decrypt::show(&model, &scores, image.as_ref(), session.output)
}
