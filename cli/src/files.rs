//! Keys that are read, and results that are written.

use std::{
    fs::{self, File, TryLockError},
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::{Value, json};
use tfhe_core::{
    keys::{CloudKey, SecretKey},
    parameters::{Parameters, TFHE_LIB_V1_0_1},
    serial::{
        self, Existing, FileContent, Kind,
        tfhe_lib::{self, Form, ParameterSet},
    },
};

use crate::{
    error::{About, Error, Result},
    report,
};

/// A file that was written.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) path: PathBuf,
    pub(crate) bytes: u64,
    /// What it took to make.
    pub(crate) duration: Duration,
}

impl Written {
    /// The file `path`, which was just written.
    pub(crate) fn new(path: PathBuf, duration: Duration) -> Result<Self> {
        match fs::metadata(&path) {
            Ok(metadata) => Ok(Self { path, bytes: metadata.len(), duration }),
            Err(source) => Err(Error::Io { path, source }),
        }
    }

    /// Its size and what it took, as people read them.
    pub(crate) fn facts(&self) -> String {
        format!("{}, {}", report::size(self.bytes), report::duration(self.duration))
    }

    pub(crate) fn json(&self) -> Value {
        json!({
            "file": self.path.display().to_string(),
            "bytes": self.bytes,
            "seconds": self.duration.as_secs_f64(),
        })
    }
}

/// Whether two paths name one place, where there may be a file or not.
pub(crate) fn is_same(first: &Path, second: &Path) -> bool {
    let place = |path: &Path| {
        path.canonicalize().or_else(|_| {
            let folder = serial::folder_of(path).canonicalize()?;
            Ok::<_, io::Error>(folder.join(path.file_name().unwrap_or_default()))
        })
    };
    match (place(first), place(second)) {
        (Ok(first), Ok(second)) => first == second,
        _ => first == second,
    }
}

/// Removes a file, to last; one that is not there is fine.
pub(crate) fn remove(path: &Path) -> Result<()> {
    let failed = |source| Error::Io { path: path.into(), source };
    match fs::remove_file(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed.and_then(|()| serial::sync_folder(serial::folder_of(path))).map_err(failed),
    }
}

/// Refuses an output that could not be written, before long work for it is begun; and, whatever may be replaced, one in the
/// place of an input of the same command.
pub(crate) fn check_output(path: &Path, existing: Existing, inputs: &[&Path]) -> Result<()> {
    if existing == Existing::Refuse && path.symlink_metadata().is_ok() {
        return Err(Error::Exists { path: path.into() });
    }
    if path.is_dir() {
        return Err(Error::Io { path: path.into(), source: ErrorKind::IsADirectory.into() });
    }
    // A device would not be written to, but replaced.
    if path.exists() && !path.is_file() {
        let source = io::Error::new(ErrorKind::InvalidInput, "not a regular file");
        return Err(Error::Io { path: path.into(), source });
    }
    tempfile::tempfile_in(serial::folder_of(path))
        .map_err(|source| Error::Unwritable { path: path.into(), source })?;
    if inputs.iter().any(|input| is_same(path, input)) {
        return Err(Error::OutputIsInput { path: path.into() });
    }
    Ok(())
}

/// Locks a record that is about to be written. A file system without locks is no reason not to write.
pub(crate) fn lock_record(file: &File, path: &Path) -> Result<()> {
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Err(Error::RecordInUse { path: path.into() }),
        _ => Ok(()),
    }
}

/// A secret key, of either form.
pub(crate) fn load_secret_key(path: &Path) -> Result<SecretKey> {
    load_key(path, Kind::SecretKey, tfhe_lib::load_secret_key)
}

/// The parameter set of a secret key, by the file's header: what does not fit it is told before the key is read. (A file of
/// the TFHE library has none, and is read.)
pub(crate) fn secret_key_parameters(path: &Path) -> Result<&'static Parameters> {
    if found_key(tfhe_lib::recognise(path), path, Kind::SecretKey)? == Some(Form::KeySet) {
        let found = tfhe_lib::load_secret_key(path)?.parameters().name;
        let expected = TFHE_LIB_V1_0_1.name;
        return Parameters::named(found).ok_or(bnn::Error::OtherParameters { found, expected }).about(path);
    }
    let header = found_key(serial::inspect(path), path, Kind::SecretKey)?;
    if header.kind != Kind::SecretKey {
        let (found, expected) = (header.kind, Kind::SecretKey);
        return Err(tfhe_core::Error::WrongKind { path: path.into(), found, expected }.into());
    }
    Ok(header.parameters)
}

/// A cloud key, of either form.
pub(crate) fn load_any_cloud_key(path: &Path) -> Result<CloudKey> {
    load_key(path, Kind::CloudKey, tfhe_lib::load_cloud_key)
}

/// The cloud key that goes with a file of this parameter set and key.
pub(crate) fn load_cloud_key(path: &Path, parameters: &Parameters) -> Result<CloudKey> {
    let key = load_any_cloud_key(path)?;
    let (found, expected) = (key.parameters().name, parameters.name);
    if found != expected {
        return Err(bnn::Error::OtherParameters { found, expected }).about(path);
    }
    Ok(key)
}

/// Refuses the key in the file `key` where the TFHE library cannot have its parameter set.
pub(crate) fn check_library_set(parameters: &Parameters, key: &Path) -> Result<()> {
    ParameterSet::new(parameters).map(drop).about(key)
}

/// A key in a native file, or in one of the TFHE library, which `from_library` reads.
fn load_key<K: FileContent>(
    path: &Path,
    kind: Kind,
    from_library: impl Fn(&Path) -> tfhe_core::Result<K>,
) -> Result<K> {
    if found_key(tfhe_lib::recognise(path), path, kind)? == Some(Form::KeySet) {
        return Ok(from_library(path)?);
    }
    Ok(found_key(serial::load(path), path, kind)?.content)
}

/// Says of a key that is not there what to do.
fn found_key<T>(read: tfhe_core::Result<T>, path: &Path, kind: Kind) -> Result<T> {
    match read {
        Ok(content) => Ok(content),
        Err(tfhe_core::Error::Io { source, .. }) if source.kind() == ErrorKind::NotFound => {
            Err(Error::NoKey { path: path.into(), kind })
        }
        Err(error) => Err(error.into()),
    }
}
