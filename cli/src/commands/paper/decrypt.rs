//! Client: decrypts the answer of the paper's server.

use crate::{
    arguments::paper::PaperDecrypt,
    commands::{batch::Batch, decrypt, encrypt::client},
    error::Result,
    files::{input::check_stdin_once, keys, named::Named, paper},
    session::Session,
};

pub(crate) fn run(arguments: &PaperDecrypt, session: &Session) -> Result<()> {
    let others = [arguments.client.specification.as_ref(), arguments.comparison.image.as_ref()];
    let inputs = [&arguments.file, &arguments.key.path].into_iter().chain(others.into_iter().flatten());
    check_stdin_once(&inputs.cloned().collect::<Vec<_>>())?;
    let key = keys::secret_key(&arguments.key.path)?;
    keys::check_library_set(key.content.parameters(), &key.name)?;
    let (client, model) = client(&arguments.client, key)?;
    let client = client.content;
    let answer = paper::answer(&client, &arguments.file)?;
    let plain = decrypt::plain(model.as_ref(), &client, &arguments.comparison, session.output)?;
    let (content, _) = decrypt::decrypt(&client, &answer)?;
    let decrypted = [Named { name: answer.name, content }];
    decrypt::show(client.specification(), &decrypted, plain.as_ref(), &Batch::new(1, session.output))
}
