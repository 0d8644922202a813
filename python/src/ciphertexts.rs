//! What travels encrypted: pictures and scores of networks, and bits of circuits.

use std::{path::PathBuf, sync::Arc};

use bnn::client;
use pyo3::{prelude::*, pybacked::PyBackedBytes, types::PyBytes};
use tfhe_core::{
    ciphertext::{Ciphertext, CiphertextList, SeededCiphertexts},
    keys::KeyId,
    serial::{self, Frame, Kind, NO_CONTEXT},
};

use crate::{
    fault::{Fault, about},
    files,
    keys::hex,
};

/// An encrypted picture, for one model and one key.
#[pyclass(frozen, module = "bnn_tfhe")]
pub(crate) struct EncryptedImage(pub(crate) Arc<client::EncryptedImage>);

#[pymethods]
impl EncryptedImage {
    /// Reads it from its bytes.
    ///
    /// Raises:
    ///     PeerError: The bytes are damaged, or something else.
    #[staticmethod]
    fn from_bytes(data: PyBackedBytes) -> PyResult<Self> {
        Ok(Self(Arc::new(client::EncryptedImage::from_bytes(&data).map_err(Fault::from)?)))
    }

    /// Reads a file.
    #[staticmethod]
    fn load(path: PathBuf) -> PyResult<Self> {
        let read = client::EncryptedImage::from_bytes(&files::read(&path)?);
        Ok(Self(Arc::new(read.map_err(|error| about(path.display(), &error))?)))
    }

    /// Its bytes: some 170, and 4 a value or bit.
    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        Ok(PyBytes::new(py, &self.0.to_bytes().map_err(Fault::from)?))
    }

    /// Makes a file of it; one that is there stays, and FileExistsError is raised.
    fn save(&self, path: PathBuf) -> PyResult<()> {
        files::write(&path, &self.0.to_bytes().map_err(Fault::from)?)
    }

    /// The identity of the key that it is encrypted with.
    #[getter]
    fn key_id(&self) -> String {
        self.0.key_id().to_string()
    }

    /// The name of the parameter set.
    #[getter]
    fn parameters(&self) -> String {
        self.0.parameters().name().into()
    }

    /// The digest of the model that it is for.
    #[getter]
    fn model_digest(&self) -> String {
        hex(&self.0.model_digest())
    }

    fn __repr__(&self) -> String {
        format!("EncryptedImage(key_id={}, parameters={})", self.key_id(), self.parameters())
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<files::Reduced<'py>> {
        files::reduce("EncryptedImage", self.to_bytes(py)?.into_any())
    }
}

/// Encrypted scores, of one model and one key.
#[pyclass(frozen, module = "bnn_tfhe")]
pub(crate) struct EncryptedScores(pub(crate) Arc<client::EncryptedScores>);

#[pymethods]
impl EncryptedScores {
    /// Reads them from their bytes.
    ///
    /// Raises:
    ///     PeerError: The bytes are damaged, or something else.
    #[staticmethod]
    fn from_bytes(data: PyBackedBytes) -> PyResult<Self> {
        Ok(Self(Arc::new(client::EncryptedScores::from_bytes(&data).map_err(Fault::from)?)))
    }

    /// Reads a file.
    #[staticmethod]
    fn load(path: PathBuf) -> PyResult<Self> {
        let read = client::EncryptedScores::from_bytes(&files::read(&path)?);
        Ok(Self(Arc::new(read.map_err(|error| about(path.display(), &error))?)))
    }

    /// Their bytes: 0.5 to 0.7 MB of a network of ten classes.
    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        Ok(PyBytes::new(py, &self.0.to_bytes().map_err(Fault::from)?))
    }

    /// Makes a file of them; one that is there stays, and FileExistsError is raised.
    fn save(&self, path: PathBuf) -> PyResult<()> {
        files::write(&path, &self.0.to_bytes().map_err(Fault::from)?)
    }

    /// The identity of the key that they are encrypted with.
    #[getter]
    fn key_id(&self) -> String {
        self.0.key_id().to_string()
    }

    /// The name of the parameter set.
    #[getter]
    fn parameters(&self) -> String {
        self.0.parameters().name().into()
    }

    /// The digest of the model that made them.
    #[getter]
    fn model_digest(&self) -> String {
        hex(&self.0.model_digest())
    }

    fn __repr__(&self) -> String {
        format!("EncryptedScores(key_id={}, parameters={})", self.key_id(), self.parameters())
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<files::Reduced<'py>> {
        files::reduce("EncryptedScores", self.to_bytes(py)?.into_any())
    }
}

/// Encrypted bits, that a circuit reads or has brought out.
#[pyclass(frozen, module = "bnn_tfhe")]
pub(crate) struct EncryptedBits(pub(crate) Arc<Bits>);

/// Bits as they were encrypted, with a seed for their masks; or as a circuit brought them out.
pub(crate) enum Bits {
    Fresh(SeededCiphertexts),
    Computed(CiphertextList),
}

impl Bits {
    fn read(bytes: &[u8]) -> tfhe_core::Result<Self> {
        let frame = Frame::read(bytes)?;
        Ok(if frame.header().kind == Kind::SeededCiphertexts {
            Self::Fresh(frame.decode()?.content)
        } else {
            Self::Computed(frame.decode()?.content)
        })
    }

    /// The ciphertexts, with their masks.
    pub(crate) fn ciphertexts(&self) -> Vec<Ciphertext> {
        match self {
            Self::Fresh(bits) => bits.expand(),
            Self::Computed(list) => list.ciphertexts().to_vec(),
        }
    }

    fn to_bytes(&self) -> Result<Vec<u8>, Fault> {
        let bytes = match self {
            Self::Fresh(bits) => serial::to_bytes(bits, NO_CONTEXT),
            Self::Computed(list) => serial::to_bytes(list, NO_CONTEXT),
        };
        Ok(bytes?.to_vec())
    }

    fn key_id(&self) -> KeyId {
        match self {
            Self::Fresh(bits) => bits.key_id(),
            Self::Computed(list) => list.key_id(),
        }
    }

    pub(crate) fn parameters(&self) -> &str {
        match self {
            Self::Fresh(bits) => bits.parameters().name(),
            Self::Computed(list) => list.parameters().name(),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Fresh(bits) => bits.message_count(),
            Self::Computed(list) => list.ciphertexts().len(),
        }
    }
}

#[pymethods]
impl EncryptedBits {
    /// Reads them from their bytes.
    ///
    /// Raises:
    ///     PeerError: The bytes are damaged, or something else.
    #[staticmethod]
    fn from_bytes(data: PyBackedBytes) -> PyResult<Self> {
        Ok(Self(Arc::new(Bits::read(&data).map_err(Fault::from)?)))
    }

    /// Reads a file.
    #[staticmethod]
    fn load(path: PathBuf) -> PyResult<Self> {
        let read = Bits::read(&files::read(&path)?);
        Ok(Self(Arc::new(read.map_err(|error| about(path.display(), &error.into()))?)))
    }

    /// Their bytes: 4 a bit where they were just encrypted, 6 KB a bit that a circuit brought out.
    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        Ok(PyBytes::new(py, &self.0.to_bytes()?))
    }

    /// Makes a file of them; one that is there stays, and FileExistsError is raised.
    fn save(&self, path: PathBuf) -> PyResult<()> {
        files::write(&path, &self.0.to_bytes()?)
    }

    /// The identity of the key that they are encrypted with.
    #[getter]
    fn key_id(&self) -> String {
        self.0.key_id().to_string()
    }

    /// The name of the parameter set.
    #[getter]
    fn parameters(&self) -> String {
        self.0.parameters().into()
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    fn __repr__(&self) -> String {
        format!(
            "EncryptedBits({} bits, key_id={}, parameters={})",
            self.__len__(),
            self.key_id(),
            self.parameters()
        )
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<files::Reduced<'py>> {
        files::reduce("EncryptedBits", self.to_bytes(py)?.into_any())
    }
}
