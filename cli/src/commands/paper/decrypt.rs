//! Client: decrypts the answer of the paper's server.

use crate::{
    arguments::paper::PaperDecrypt,
    commands::{decrypt, encrypt::client},
    error::Result,
    files::{keys, paper},
    session::Session,
};

pub(crate) fn run(arguments: &PaperDecrypt, session: &Session) -> Result<()> {
    let key = keys::secret_key(&arguments.key.path)?;
    keys::check_library_set(key.content.parameters(), &key.name)?;
    let (client, model) = client(&arguments.client, key)?;
    let client = client.content;
    let answer = paper::answer(&client, &arguments.file)?;
    let plain = decrypt::plain(model.as_ref(), &client, &arguments.comparison, session.output)?;
    let (scores, _) = decrypt::decrypt(&client, &answer)?;
    decrypt::show(client.specification(), &scores, plain.as_ref(), session.output)
}
