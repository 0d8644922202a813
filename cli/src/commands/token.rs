//! The tokens of a service's clients: `bnn token`.

use serde_json::{Value, json};
use server::{Quota, Scope, Token};

use crate::{
    arguments::service::{AddToken, ListTokens, RemoveToken},
    error::{Error, Result},
    files::service,
    session::Session,
    terminal::{
        output::{Output, note},
        units,
    },
};

pub(crate) fn add(arguments: &AddToken, session: &Session) -> Result<()> {
    let folder = service::folder(arguments.data.folder.as_deref())?;
    let mut tokens = service::tokens(&folder)?;
    let quota =
        Quota { keys: arguments.keys, bytes: arguments.bytes, bootstraps_a_day: arguments.bootstraps_a_day };
    let drawn = Token::draw(&arguments.name, arguments.scopes(), quota);
    let (token, text) = drawn.map_err(|source| Error::NoRandomness { reason: source.to_string() })?;
    let described = describe(&token);
    let path = service::tokens_path(&folder);
    tokens.add(token).map_err(|source| Error::Tokens { path, source })?;
    service::write_tokens(&folder, &tokens)?;
    if session.output == Output::Text {
        note(
            "this is the token, which is kept nowhere: give it to its user. A service that runs knows it in a second",
        );
    }
    session.output.say(&text[..])?;
    let mut object = described;
    object["token"] = text[..].into();
    session.output.give(&object)
}

pub(crate) fn list(arguments: &ListTokens, session: &Session) -> Result<()> {
    let tokens = service::tokens(&service::folder(arguments.data.folder.as_deref())?)?;
    for token in tokens.iter() {
        let quota = token.quota();
        let a_day = quota.bootstraps_a_day.map_or("any number of".into(), |count| count.to_string());
        session.output.say(format_args!(
            "{}  {}: {} keys, {}, {a_day} bootstraps a day",
            token.name(),
            scopes(token).join(", "),
            quota.keys,
            units::size(quota.bytes),
        ))?;
    }
    session.output.give(&json!({ "tokens": tokens.iter().map(describe).collect::<Vec<Value>>() }))
}

pub(crate) fn remove(arguments: &RemoveToken, session: &Session) -> Result<()> {
    let folder = service::folder(arguments.data.folder.as_deref())?;
    let mut tokens = service::tokens(&folder)?;
    let name = arguments.name.as_str();
    if !tokens.remove(name) {
        return Err(Error::NoToken { name: name.into() });
    }
    service::write_tokens(&folder, &tokens)?;
    session.output.say(format_args!("{name}: removed. A service that runs refuses it in a second"))?;
    session.output.give(&json!({ "removed": name }))
}

fn scopes(token: &Token) -> Vec<&'static str> {
    token.scopes().iter().copied().map(Scope::name).collect()
}

fn describe(token: &Token) -> Value {
    let quota = token.quota();
    json!({
        "name": token.name(),
        "scopes": scopes(token),
        "keys": quota.keys,
        "bytes": quota.bytes,
        "bootstraps_a_day": quota.bootstraps_a_day,
    })
}
