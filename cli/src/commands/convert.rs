//! Writes keys and ciphertexts in the TFHE library's form, or those of the library in the native one.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use serde_json::json;
use tfhe_core::{
    ciphertext::{CiphertextList, SeededCiphertexts},
    keys::{CloudKey, KeyId, SecretKey},
    parameters::Parameters,
    serial::{
        self, Frame, Kind, NO_CONTEXT,
        tfhe_lib::{self, CiphertextOrigin, CloudKeySet, Form, KeySet, SecretKeySet},
    },
};
use zeroize::Zeroizing;

use crate::{
    arguments::files::{Convert, FileForm},
    error::{About, Error, Result},
    files::{
        input::{Input, check_stdin_once},
        keys,
        output::Target,
        whole::Secrecy,
    },
    session::Session,
    terminal::{description, progress},
};

/// What was converted.
struct Converted {
    /// The new file.
    bytes: Zeroizing<Vec<u8>>,
    kind: String,
    secrecy: Secrecy,
    parameters: Parameters,
    /// Its identity in the new form, if it has one.
    key_id: Option<KeyId>,
}

pub(crate) fn run(arguments: &Convert, session: &Session) -> Result<()> {
    let inputs = [Some(&arguments.file), arguments.key.as_ref(), arguments.cloud_key.as_ref()];
    let inputs: Vec<PathBuf> = inputs.into_iter().flatten().cloned().collect();
    check_stdin_once(&inputs)?;
    let target = Target::new(&arguments.out, arguments.overwriting.existing(), &inputs)?;
    let output = target.words(session.output)?;
    let start = Instant::now();
    let Converted { bytes, kind, secrecy, parameters, key_id } =
        progress::spinner("converting", || convert(arguments))?;
    let duration: Duration = start.elapsed();
    let file = target.write(&bytes, secrecy, duration)?;
    output.say(format_args!(
        "{}: {kind} in the form of {}, {}: {}",
        file.path.display(),
        arguments.to,
        description::set(&parameters),
        file.facts(),
    ))?;
    if let Some(id) = key_id {
        output.say(format_args!("key id      {id}"))?;
    }
    output.give(&json!({
        "kind": kind,
        "converted": file.json(),
        "parameters": description::set_json(&parameters),
        "key_id": key_id.map(|id| id.to_string()),
    }))
}

fn convert(arguments: &Convert) -> Result<Converted> {
    let mut input = Input::open(&arguments.file)?;
    let has_form = |name: &Path| Error::HasForm { path: name.into(), form: arguments.to.owner() };
    match (keys::recognise(&mut input)?, arguments.to) {
        (None, FileForm::TfheLib) => {
            let name = input.name().to_owned();
            to_library(Frame::read(input).about(&name)?, &name, arguments)
        }
        (Some(form), FileForm::Native) => from_library(input, form, arguments),
        (None, FileForm::Native) => {
            let name = input.name().to_owned();
            // What is neither form's is told by its reading.
            Frame::read(input).about(&name)?;
            Err(has_form(&name))
        }
        (Some(Form::Part(part)), FileForm::TfheLib) => {
            Err(Error::NotConverted { path: input.name().into(), part })
        }
        (Some(_), FileForm::TfheLib) => Err(has_form(input.name())),
    }
}

/// The library's form of a native file.
fn to_library(frame: Frame, name: &Path, arguments: &Convert) -> Result<Converted> {
    let (content, kind) = (frame.header().kind, frame.header().kind.to_string());
    let check = |parameters: &Parameters| keys::check_library_set(parameters, name);
    Ok(match content {
        Kind::SecretKey => {
            let secret = frame.decode::<SecretKey>().about(name)?.content;
            check(secret.parameters())?;
            let path = arguments.cloud_key.as_deref();
            let path = path.ok_or_else(|| Error::NeedsCloudKey { path: name.into() })?;
            let input = Input::open(path)?;
            let cloud_name = input.name().to_owned();
            let cloud = Frame::read(input).and_then(Frame::decode::<CloudKey>).about(&cloud_name)?.content;
            check_unused(arguments.key.as_ref(), "--key")?;
            let set = SecretKeySet::new(&secret, &cloud).about(name)?;
            Converted {
                bytes: set.to_bytes(),
                kind,
                secrecy: Secrecy::Owner,
                parameters: *secret.parameters(),
                key_id: Some(set.cloud().id()),
            }
        }
        Kind::CloudKey | Kind::CloudKeyWithMasks => {
            let cloud = frame.decode::<CloudKey>().about(name)?.content;
            check(cloud.parameters())?;
            check_no_key(arguments)?;
            let set = CloudKeySet::new(&cloud).about(name)?;
            Converted {
                bytes: Zeroizing::new(set.to_bytes()),
                kind,
                secrecy: Secrecy::Everyone,
                parameters: *cloud.parameters(),
                key_id: Some(set.id()),
            }
        }
        _ => {
            check_no_key(arguments)?;
            let list = ciphertexts(frame).about(name)?;
            check(list.parameters())?;
            Converted {
                bytes: Zeroizing::new(tfhe_lib::ciphertexts_to_bytes(&list)?),
                kind,
                secrecy: Secrecy::Everyone,
                parameters: *list.parameters(),
                key_id: None,
            }
        }
    })
}

/// Refuses a key that is not needed.
fn check_unused(key: Option<&PathBuf>, option: &'static str) -> Result<()> {
    match key {
        Some(_) => Err(Error::NoEffect { option, place: "on this conversion" }),
        None => Ok(()),
    }
}

/// Refuses both keys.
fn check_no_key(arguments: &Convert) -> Result<()> {
    check_unused(arguments.key.as_ref(), "--key")?;
    check_unused(arguments.cloud_key.as_ref(), "--cloud-key")
}

/// Ciphertexts of a native file, with their masks.
fn ciphertexts(frame: Frame) -> tfhe_core::Result<CiphertextList> {
    if frame.header().kind != Kind::SeededCiphertexts {
        return Ok(frame.decode()?.content);
    }
    let seeded = frame.decode::<SeededCiphertexts>()?.content;
    CiphertextList::new(seeded.parameters(), seeded.key_id(), seeded.expand())
}

/// The native form of a file of the library.
fn from_library(mut input: Input, form: Form, arguments: &Convert) -> Result<Converted> {
    let (name, out) = (input.name().to_owned(), arguments.out.as_path());
    match form {
        Form::KeySet => {
            check_no_key(arguments)?;
            let set = keys::key_set(&mut input)?;
            let (parameters, key_id) = (*set.cloud().parameters(), Some(set.id()));
            let (bytes, kind, secrecy) = match set {
                KeySet::Secret(set) => {
                    let key = set.into_secret_key();
                    (serial::to_bytes(&key, NO_CONTEXT).about(out)?, Kind::SecretKey, Secrecy::Owner)
                }
                KeySet::Cloud(set) => {
                    let key = set.into_cloud_key();
                    let bytes = serial::to_bytes(&key, NO_CONTEXT).about(out)?;
                    (bytes, Kind::CloudKeyWithMasks, Secrecy::Everyone)
                }
            };
            Ok(Converted { bytes, kind: kind.to_string(), secrecy, parameters, key_id })
        }
        Form::Part(part) => Err(Error::NotConverted { path: name, part }),
        Form::Ciphertexts => {
            let (parameters, key_id) = owner(arguments)?;
            let list = tfhe_lib::read_ciphertexts(input, &parameters, key_id, CiphertextOrigin::Gate)
                .about(&name)?;
            Ok(Converted {
                bytes: serial::to_bytes(&list, NO_CONTEXT).about(out)?,
                kind: Kind::CiphertextList.to_string(),
                secrecy: Secrecy::Everyone,
                parameters,
                key_id: Some(key_id),
            })
        }
    }
}

/// The parameter set and the identity of the key that the library's ciphertexts are of, which the file does not tell.
fn owner(arguments: &Convert) -> Result<(Parameters, KeyId)> {
    let (name, parameters, id) = match (&arguments.key, &arguments.cloud_key) {
        (Some(path), _) => {
            let key = keys::secret_key(path)?;
            (key.name, *key.content.parameters(), key.content.id())
        }
        (None, Some(path)) => {
            let key = keys::cloud_key(path)?;
            (key.name, *key.content.parameters(), key.content.id())
        }
        (None, None) => return Err(Error::NeedsKey { path: arguments.file.clone() }),
    };
    keys::check_library_set(&parameters, &name)?;
    Ok((parameters, id))
}
