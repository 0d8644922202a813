//! Keys. The secret key stays with the client; the cloud key goes to the server.

use std::{path::PathBuf, sync::Arc};

use pyo3::{exceptions::PyTypeError, prelude::*, pybacked::PyBackedBytes, types::PyBytes};
use tfhe_core::{
    keys,
    parameters::Parameters,
    random::SecretSeed,
    serial::{self, NO_CONTEXT},
};

use crate::{
    compute::{Progress, run},
    fault::{Fault, input},
    files,
};

/// Bytes in hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The parameter set of this name.
pub(crate) fn parameter_set(name: &str) -> PyResult<&'static Parameters> {
    Parameters::named(name).ok_or_else(|| {
        let known: Vec<&str> = Parameters::ALL.iter().map(|set| set.name()).collect();
        input(format!("no parameter set is called {name:?} (known: {})", known.join(", ")))
    })
}

/// The key that encrypts and decrypts. It stays with the client. It is overwritten in memory when Python lets go of it, is never shown, and
/// is not pickled; to_bytes and save are the ways to keep it.
#[pyclass(frozen, module = "bnn_tfhe")]
pub(crate) struct SecretKey(pub(crate) Arc<keys::SecretKey>);

#[pymethods]
impl SecretKey {
    /// Draws a key of a parameter set, with randomness of the operating system.
    #[staticmethod]
    #[pyo3(signature = (parameters = "FUNCTIONAL_1024"))]
    fn generate(parameters: &str) -> PyResult<Self> {
        let set = parameter_set(parameters)?;
        let seed = SecretSeed::from_os().map_err(Fault::from)?;
        Ok(Self(Arc::new(keys::SecretKey::generate(set, seed))))
    }

    /// Reads a key from its bytes.
    #[staticmethod]
    fn from_bytes(data: PyBackedBytes) -> PyResult<Self> {
        let read = serial::from_bytes::<keys::SecretKey>(&data).map_err(Fault::from)?;
        Ok(Self(Arc::new(read.content)))
    }

    /// Reads a key from a file.
    #[staticmethod]
    fn load(path: PathBuf) -> PyResult<Self> {
        Ok(Self(Arc::new(files::load(&path, serial::from_bytes::<keys::SecretKey>)?.content)))
    }

    /// Its bytes, which are as secret as the key. Python does not overwrite them.
    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = serial::to_bytes(&*self.0, NO_CONTEXT).map_err(Fault::from)?;
        Ok(PyBytes::new(py, &bytes))
    }

    /// Makes a file of it that only its owner reads; one that is there stays, and FileExistsError is raised.
    fn save(&self, path: PathBuf) -> PyResult<()> {
        files::write(&path, &serial::to_bytes(&*self.0, NO_CONTEXT).map_err(Fault::from)?)
    }

    /// The identity that the key's ciphertexts and its cloud key bear, which is public: 32 hexadecimal digits.
    #[getter]
    fn id(&self) -> String {
        self.0.id().to_string()
    }

    /// The name of the parameter set.
    #[getter]
    fn parameters(&self) -> &'static str {
        self.0.parameters().name()
    }

    fn __repr__(&self) -> String {
        format!("SecretKey(id={}, parameters={})", self.id(), self.parameters())
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(PyTypeError::new_err(
            "a secret key is not pickled; ask for its bytes by to_bytes(), or save() it",
        ))
    }
}

/// The key that computes on ciphertexts and cannot decrypt them. It is made from a secret key and goes to the server.
#[pyclass(frozen, module = "bnn_tfhe")]
pub(crate) struct CloudKey(pub(crate) Arc<keys::CloudKey>);

impl CloudKey {
    /// Makes the cloud key of a secret key.
    pub(crate) fn make(
        py: Python<'_>,
        secret: &Arc<keys::SecretKey>,
        callback: Option<Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let secret = Arc::clone(secret);
        let progress = Progress { callback, total: keys::CloudKey::rows(secret.parameters()) };
        let work =
            move |control: &_| Ok(keys::CloudKey::generate_with(&secret, SecretSeed::from_os()?, control)?);
        Ok(Self(Arc::new(run(py, &progress, work)?)))
    }

    fn bytes(&self, py: Python<'_>) -> PyResult<Vec<u8>> {
        let key = Arc::clone(&self.0);
        run(py, &Progress::none(), move |_| Ok(serial::to_bytes(&*key, NO_CONTEXT)?.to_vec()))
    }
}

#[pymethods]
impl CloudKey {
    /// Makes the cloud key of a secret key, on all threads.
    ///
    /// Args:
    ///     secret_key: The secret key.
    ///     progress: Called with the rows that are done, and their number.
    #[staticmethod]
    #[pyo3(signature = (secret_key, *, progress = None))]
    fn generate(
        py: Python<'_>,
        secret_key: &SecretKey,
        progress: Option<Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        Self::make(py, &secret_key.0, progress)
    }

    /// Reads a key from its bytes.
    #[staticmethod]
    fn from_bytes(py: Python<'_>, data: PyBackedBytes) -> PyResult<Self> {
        let read = move |_: &_| Ok(serial::from_bytes::<keys::CloudKey>(&data)?.content);
        Ok(Self(Arc::new(run(py, &Progress::none(), read)?)))
    }

    /// Reads a key from a file.
    #[staticmethod]
    fn load(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        let read = move |_: &_| Ok(files::load(&path, serial::from_bytes::<keys::CloudKey>)?.content);
        Ok(Self(Arc::new(run(py, &Progress::none(), read)?)))
    }

    /// Its bytes: 28.4 MB of FUNCTIONAL_1024.
    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        Ok(PyBytes::new(py, &self.bytes(py)?))
    }

    /// Makes a file of it; one that is there stays, and FileExistsError is raised.
    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        files::write(&path, &self.bytes(py)?)
    }

    /// The identity of its secret key: 32 hexadecimal digits.
    #[getter]
    fn id(&self) -> String {
        self.0.id().to_string()
    }

    /// The name of the parameter set.
    #[getter]
    fn parameters(&self) -> &'static str {
        self.0.parameters().name()
    }

    fn __repr__(&self) -> String {
        format!("CloudKey(id={}, parameters={})", self.id(), self.parameters())
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<files::Reduced<'py>> {
        files::reduce("CloudKey", self.to_bytes(py)?.into_any())
    }
}
