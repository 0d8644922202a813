//! The service: `bnn serve`.

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::Duration,
};

use bnn::model::Model;
use serde_json::json;
use server::{Config, KnownTokens, Service, StartError, Tls, Tokens};
use zeroize::Zeroizing;

use crate::{
    arguments::{service::Serve, shared::ACCEPTED_CHANGES},
    error::{Error, Result},
    files::{
        input::Input,
        lookup,
        service::{self, WatchedTokens},
    },
    machine,
    session::Session,
    terminal::{interrupt, log, output::warn, units},
};

/// The longest PEM file that is read, in bytes.
const MOST_PEM_BYTES: u64 = 1 << 20;
/// How often it is looked whether the list of tokens has changed.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Memory for keys and ciphertexts where the system does not say what it has, in bytes.
const MEMORY_ELSEWHERE: u64 = 4_000_000_000;

pub(crate) fn run(arguments: &Serve, session: &Session) -> Result<()> {
    let folder = service::folder(arguments.data.folder.as_deref())?;
    let (watched, tokens) = WatchedTokens::open(&folder)?;
    check_reach(arguments, &tokens)?;
    let models = models(arguments)?;
    let memory_bytes =
        arguments.memory.or_else(|| machine::memory().map(|bytes| bytes / 2)).unwrap_or(MEMORY_ELSEWHERE);
    let backend = session.backend()?;
    let tls = tls(arguments)?;
    // What can be refused is, before there is a folder.
    let listener = TcpListener::bind(arguments.listen).and_then(|listener| {
        let address = listener.local_addr()?;
        Ok((listener, address))
    });
    let (listener, address) =
        listener.map_err(|source| Error::Listen { address: arguments.listen, source })?;
    let _made = service::make(&folder)?;
    log::start(session.output);

    let config = Config {
        database: service::database(&folder),
        models: models.clone(),
        tokens: tokens.clone(),
        allowed_origins: arguments.allowed_origins.clone(),
        backend,
        memory_bytes,
        queued_bootstraps: arguments.queue,
        tls,
    };
    let service = Service::open(config).map_err(|source| about(&folder, source))?;
    let stop = service.stop();
    interrupt::stop_with(move || stop.stop());
    let known = service.tokens();
    thread::spawn(move || follow(watched, &known));

    let scheme = if arguments.tls_certificate.is_some() { "https" } else { "http" };
    let output = session.output;
    let names: Vec<&str> = models.iter().map(|(name, _)| &name[..]).collect();
    output.say(format_args!("service  {scheme}://{address}"))?;
    output.say(format_args!("models   {}", names.join(", ")))?;
    output.say(format_args!(
        "data     {}: keys, jobs and results; {} for expanded keys in memory",
        folder.display(),
        units::size(memory_bytes),
    ))?;
    output.say(match tokens.is_empty() {
        true => "tokens   none: whoever is on this machine may ask".to_owned(),
        false => format!("tokens   {}", tokens.iter().count()),
    })?;
    output.say("Ctrl-C ends it; jobs go on with the next start")?;
    output.give(&json!({
        "url": format!("{scheme}://{address}"),
        "models": names,
        "data": folder.display().to_string(),
        "tokens": tokens.iter().count(),
        "memory_bytes": memory_bytes,
        "queued_bootstraps": arguments.queue,
        "backend": backend.to_string(),
        "threads": rayon::current_num_threads(),
    }))?;
    service.serve(listener).map_err(|source| about(&folder, source))
}

/// Has the service know the tokens that are made, and forget those that are removed, as long as the process runs.
fn follow(mut watched: WatchedTokens, known: &KnownTokens) {
    loop {
        thread::sleep(LOOK_EVERY);
        match watched.changed() {
            Ok(None) => {}
            Ok(Some(tokens)) => {
                tracing::info!(tokens = tokens.iter().count(), "the list of tokens has changed");
                known.replace(tokens);
            }
            Err(error) => {
                tracing::warn!(
                    error = error.line(),
                    "the list of tokens has changed, and the tokens stay as they were"
                );
            }
        }
    }
}

/// Refuses to let anyone in from other machines, and warns where tokens would travel in the open.
fn check_reach(arguments: &Serve, tokens: &Tokens) -> Result<()> {
    if arguments.listen.ip().is_loopback() {
        return Ok(());
    }
    if tokens.is_empty() {
        return Err(Error::NoTokens { address: arguments.listen });
    }
    if arguments.tls_certificate.is_none() {
        warn(format_args!(
            "{} is reached by other machines without TLS: tokens and all else travel in the open. Name --tls-certificate and --tls-key, or \
             put a proxy that speaks TLS before it",
            arguments.listen
        ));
    }
    Ok(())
}

/// The models that are served, by name: those that were named, else all that are found and worth their time.
fn models(arguments: &Serve) -> Result<Vec<(String, Arc<Model>)>> {
    let mut found: Vec<(PathBuf, Arc<Model>)> = Vec::new();
    for name in &arguments.models {
        found.push((name.clone(), lookup::model(name)?));
    }
    if arguments.models.is_empty() {
        lookup::check_named()?;
        for (name, place) in lookup::models() {
            match place.open() {
                Ok(model) => found.push((name.into(), model)),
                Err(error) => {
                    warn(format_args!("{} is not served: {}", Path::new(&name).display(), error.line()))
                }
            }
        }
    }
    let mut served: Vec<(String, Arc<Model>)> = Vec::new();
    for (path, model) in found {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.is_empty() || served.iter().any(|(other, _)| *other == name) {
            return Err(Error::SameName { name });
        }
        match model.label_changes() {
            Some(changes) if changes > ACCEPTED_CHANGES => {
                let error = Error::TooManyChanges { found: changes };
                warn(format_args!("{name} is not served: {}", error.line()));
            }
            _ => served.push((name, model)),
        }
    }
    Ok(served)
}

/// The certificates and the key that were named.
fn tls(arguments: &Serve) -> Result<Option<Tls>> {
    let (Some(certificate), Some(key)) = (&arguments.tls_certificate, &arguments.tls_key) else {
        return Ok(None);
    };
    let tls = Tls::from_pem(&read(certificate)?, &Zeroizing::new(read(key)?));
    tls.map(Some).map_err(|source| about(certificate, source))
}

fn read(path: &Path) -> Result<Vec<u8>> {
    Input::open(path)?.bytes(MOST_PEM_BYTES)
}

fn about(path: &Path, source: StartError) -> Error {
    Error::Service { path: path.into(), source }
}
