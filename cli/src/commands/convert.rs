//! Rewrites keys and ciphertexts in the TFHE library's form, or from it in ours.

use std::path::{Path, PathBuf};

use serde_json::json;
use tfhe_core::{
    ciphertext::SeededCiphertexts,
    keys::{CloudKey, KeyId, SecretKey},
    parameters::Parameters,
    serial::{
        self, CiphertextList, Header, Kind, NO_CONTEXT,
        tfhe_lib::{self, CiphertextOrigin, CloudKeySet, Form, KeySet, SecretKeySet},
    },
};

use super::Session;
use crate::{
    arguments::{Convert, FileForm},
    error::{About, Error, Result},
    files::{self, Written},
    interrupt, progress, report,
};

/// What was written.
struct Converted {
    what: String,
    parameters: Parameters,
    /// Its identity in the new form, if it has one.
    key_id: Option<KeyId>,
}

pub(super) fn run(arguments: &Convert, session: &Session) -> Result<()> {
    let output = session.output;
    let inputs = [Some(&arguments.file), arguments.key.as_ref(), arguments.cloud_key.as_ref()];
    let inputs: Vec<&Path> = inputs.into_iter().flatten().map(PathBuf::as_path).collect();
    files::check_output(&arguments.out, arguments.overwriting.existing(), &inputs)?;
    let form = tfhe_lib::recognise(&arguments.file)?;
    let convert = || match (form, arguments.to) {
        (None, FileForm::TfheLib) => to_library(arguments),
        (Some(form), FileForm::Native) => from_library(arguments, form),
        // What is neither form's is told by its reading.
        (None, FileForm::Native) => {
            serial::inspect(&arguments.file).map_err(Error::from).and_then(|_| has(arguments))
        }
        (Some(_), FileForm::TfheLib) => has(arguments),
    };
    let (converted, duration) = report::timed(|| progress::spinner("converting", convert));
    let Converted { what, parameters, key_id } = converted?;
    let file = Written::new(arguments.out.clone(), duration)?;
    output.say(format_args!(
        "{}: {what} in the form of {}, {}: {}",
        file.path.display(),
        arguments.to,
        super::describe(&parameters),
        file.facts(),
    ))?;
    if let Some(id) = key_id {
        output.say(format_args!("key id      {id}"))?;
    }
    output.give(&json!({
        "kind": what,
        "converted": file.json(),
        "parameters": super::parameters_json(&parameters),
        "key_id": key_id.map(|id| id.to_string()),
    }))
}

fn has(arguments: &Convert) -> Result<Converted> {
    Err(Error::HasForm { path: arguments.file.clone(), form: arguments.to })
}

/// Writes the library's form of a native file.
fn to_library(arguments: &Convert) -> Result<Converted> {
    let (path, out, existing) = (&arguments.file, &arguments.out, arguments.overwriting.existing());
    let header = serial::inspect(path)?;
    files::check_library_set(header.parameters, path)?;
    let key_id = match header.kind {
        Kind::SecretKey => {
            let cloud =
                arguments.cloud_key.as_deref().ok_or_else(|| Error::NeedsCloudKey { path: path.clone() })?;
            let cloud = serial::load::<CloudKey>(cloud)?.content;
            let set = SecretKeySet::new(&serial::load::<SecretKey>(path)?.content, &cloud).about(path)?;
            interrupt::hold(|| set.save(out, existing))?;
            Some(set.cloud().id())
        }
        Kind::CloudKey | Kind::CloudKeyWithMasks => {
            let set = CloudKeySet::new(&serial::load::<CloudKey>(path)?.content).about(path)?;
            interrupt::hold(|| set.save(out, existing))?;
            Some(set.id())
        }
        _ => {
            let list = ciphertexts(&header, path)?;
            interrupt::hold(|| tfhe_lib::save_ciphertexts(&list, out, existing))?;
            None
        }
    };
    Ok(Converted { what: header.kind.to_string(), parameters: *header.parameters, key_id })
}

/// Ciphertexts of a native file, with their masks.
fn ciphertexts(header: &Header, path: &Path) -> Result<CiphertextList> {
    if header.kind != Kind::SeededCiphertexts {
        return Ok(serial::load(path)?.content);
    }
    let seeded = serial::load::<SeededCiphertexts>(path)?.content;
    Ok(CiphertextList::new(seeded.parameters(), seeded.key_id(), seeded.expand())?)
}

/// Writes the native form of a file of the library.
fn from_library(arguments: &Convert, form: Form) -> Result<Converted> {
    let (path, out, existing) = (&arguments.file, &arguments.out, arguments.overwriting.existing());
    match form {
        Form::KeySet => {
            let set = KeySet::load(path)?;
            let (parameters, key_id) = (*set.cloud().parameters(), Some(set.id()));
            let what = match set {
                KeySet::Secret(set) => {
                    let key = set.into_secret_key();
                    interrupt::hold(|| serial::save(&key, NO_CONTEXT, out, existing))?;
                    Kind::SecretKey
                }
                KeySet::Cloud(set) => {
                    let key = set.into_cloud_key();
                    interrupt::hold(|| serial::save(&key, NO_CONTEXT, out, existing))?;
                    Kind::CloudKeyWithMasks
                }
            };
            Ok(Converted { what: what.to_string(), parameters, key_id })
        }
        Form::Ciphertexts => {
            let (key_path, parameters, key_id) = match (&arguments.key, &arguments.cloud_key) {
                (Some(key_path), _) => {
                    let key = files::load_secret_key(key_path)?;
                    (key_path, *key.parameters(), key.id())
                }
                (None, Some(key_path)) => {
                    let key = files::load_any_cloud_key(key_path)?;
                    (key_path, *key.parameters(), key.id())
                }
                (None, None) => return Err(Error::NeedsKey { path: path.clone() }),
            };
            files::check_library_set(&parameters, key_path)?;
            let list = tfhe_lib::load_ciphertexts(path, &parameters, key_id, CiphertextOrigin::Gate)?;
            interrupt::hold(|| serial::save(&list, NO_CONTEXT, out, existing))?;
            Ok(Converted { what: Kind::CiphertextList.to_string(), parameters, key_id: Some(key_id) })
        }
    }
}
