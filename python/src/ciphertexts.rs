//! What travels encrypted: pictures and scores of networks, and bits of circuits.

use std::{path::PathBuf, sync::Arc};

use bnn::client;
use pyo3::{prelude::*, pybacked::PyBackedBytes, types::PyBytes};
use tfhe_core::{
    ciphertext::{Ciphertext, CiphertextList, SeededCiphertexts},
    keys::KeyId,
    serial::{self, Frame, Kind, NO_CONTEXT},
};

use crate::{fault::Fault, files, keys::hex};

/// A class of what travels between client and server of a network. (A class of Python has no type parameters.)
macro_rules! of_a_network {
    ($class:ident, $doc:literal, $bytes:literal) => {
        #[doc = $doc]
        #[pyclass(frozen, module = "bnn_tfhe")]
        pub(crate) struct $class(pub(crate) Arc<client::$class>);

        #[pymethods]
        impl $class {
            /// Reads it from its bytes.
            ///
            /// Raises:
            ///     PeerError: The bytes are damaged, or something else.
            #[staticmethod]
            fn from_bytes(data: PyBackedBytes) -> PyResult<Self> {
                Ok(Self(Arc::new(client::$class::from_bytes(&data).map_err(Fault::from)?)))
            }

            /// Reads a file.
            #[staticmethod]
            fn load(path: PathBuf) -> PyResult<Self> {
                Ok(Self(Arc::new(files::load(&path, client::$class::from_bytes)?)))
            }

            #[doc = $bytes]
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

            /// The digest of the model that it belongs to.
            #[getter]
            fn model_digest(&self) -> String {
                hex(&self.0.model_digest())
            }

            fn __repr__(&self) -> String {
                let class = stringify!($class);
                format!("{class}(key_id={}, parameters={})", self.key_id(), self.parameters())
            }

            fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<files::Reduced<'py>> {
                files::reduce(stringify!($class), self.to_bytes(py)?.into_any())
            }
        }
    };
}

of_a_network!(
    EncryptedImage,
    "An encrypted picture, for one model and one key.",
    "Its bytes: some 170, and 4 a value or bit."
);
of_a_network!(
    EncryptedScores,
    "Encrypted scores, of one model and one key.",
    "Its bytes: 0.5 to 0.7 MB of a network of ten classes."
);

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
        Ok(Self(Arc::new(files::load(&path, Bits::read)?)))
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
