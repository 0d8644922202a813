//! What a client needs to know of a model.

use std::{path::PathBuf, sync::Arc};

use bnn::{client, engine::Engine};
use pyo3::{prelude::*, pybacked::PyBackedBytes, types::PyBytes};
use tfhe_core::parameters::Parameters;

use crate::{
    fault::Fault,
    files,
    keys::hex,
    pictures::{Shape, shape_of},
};

/// What a client needs to know of a model: the shape and the encoding of pictures, the layout of scores, and the parameter sets that the
/// network runs with. It holds no weights. A server gives it to its clients.
#[pyclass(frozen, module = "bnn_tfhe")]
pub(crate) struct ClientSpecification(pub(crate) Arc<client::ClientSpecification>);

/// The parameter sets with which a model runs, those of the functional engine first, and of each engine the cheapest.
pub(crate) fn sets(specification: &client::ClientSpecification) -> Vec<&'static Parameters> {
    [Engine::Functional, Engine::Gates].map(|engine| specification.parameter_sets(engine)).concat()
}

#[pymethods]
impl ClientSpecification {
    /// Reads it from its bytes.
    ///
    /// Raises:
    ///     PeerError: The bytes are no client specification.
    #[staticmethod]
    fn from_bytes(data: PyBackedBytes) -> PyResult<Self> {
        let read = client::ClientSpecification::from_bytes(&data).map_err(Fault::from)?;
        Ok(Self(Arc::new(read)))
    }

    /// Reads a file.
    #[staticmethod]
    fn load(path: PathBuf) -> PyResult<Self> {
        Ok(Self(Arc::new(files::load(&path, client::ClientSpecification::from_bytes)?)))
    }

    /// Its bytes, a text of JSON.
    fn to_bytes<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.0.to_bytes())
    }

    /// Makes a file of it; one that is there stays, and FileExistsError is raised.
    fn save(&self, path: PathBuf) -> PyResult<()> {
        files::write(&path, &self.0.to_bytes())
    }

    /// The model's name.
    #[getter]
    fn model_name(&self) -> &str {
        self.0.model_name()
    }

    /// The model's digest, in hexadecimal digits, which images and scores name.
    #[getter]
    fn model_digest(&self) -> String {
        hex(&self.0.model_digest())
    }

    /// Channels, rows and columns of a picture.
    #[getter]
    fn input_shape(&self) -> Shape {
        shape_of(self.0.input())
    }

    /// The names of the classes, in the order of the scores.
    #[getter]
    fn labels(&self) -> Vec<String> {
        self.0.labels().to_vec()
    }

    /// The parameter sets with which the model runs: those of the functional engine, the cheapest first, and of the gates.
    #[getter]
    fn parameter_sets(&self) -> Vec<&'static str> {
        sets(&self.0).iter().map(|set| set.name()).collect()
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Self>().is_ok_and(|other| other.get().0 == self.0)
    }

    fn __repr__(&self) -> String {
        format!(
            "ClientSpecification(model_name={:?}, input_shape={:?})",
            self.model_name(),
            self.input_shape()
        )
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<files::Reduced<'py>> {
        files::reduce("ClientSpecification", self.to_bytes(py).into_any())
    }
}
