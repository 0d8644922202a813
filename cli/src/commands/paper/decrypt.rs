//! Client: decrypts the answer of the paper's server.

use crate::{
    arguments::paper::PaperDecrypt,
    commands::{decrypt, encrypt::client},
    error::Result,
    files::{keys, paper},
    session::Session,
};

pub(crate) fn run(arguments: &PaperDecrypt, session: &Session) -> Result<()> {
    let choice = &arguments.client;
    let key = keys::secret_key(&arguments.key.path)?;
    keys::check_library_set(key.content.parameters(), &key.name)?;
    let client = client(choice, key)?.content;
    let answer = paper::answer(&client, &arguments.file)?;
    let plain = decrypt::plain(choice, &arguments.comparison)?;
    let (scores, _) = decrypt::decrypt(&client, &answer)?;
    decrypt::show(client.specification(), &scores, plain.as_ref(), session.output)
}
