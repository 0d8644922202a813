//! The server: whoever holds the model and a client's cloud key.

use std::{env, sync::Arc};

use bnn::{circuit::Style, engine};
use pyo3::prelude::*;
use rayon::prelude::*;
use tfhe_core::{backend::Backend, evaluator};

use crate::{
    ciphertexts::{EncryptedImage, EncryptedScores},
    client::{OneOrList, one_or_list},
    compute::{Progress, run},
    fault::{Fault, about},
    keys::CloudKey,
    model::Model,
};

/// The variable of the environment that names a backend, as for the command.
const BACKEND: &str = "TFHE_BACKEND";

/// A cloud key, expanded in memory for computing: 85.9 MB of FUNCTIONAL_1024. Several servers and circuits may share one.
///
/// Args:
///     cloud_key: The client's cloud key.
///     backend: "portable", "avx2" or "avx512"; by default what TFHE_BACKEND names, or the fastest of this CPU.
#[pyclass(frozen, module = "bnn_tfhe")]
pub(crate) struct Evaluator(pub(crate) Arc<evaluator::Evaluator>);

impl Evaluator {
    fn expand(py: Python<'_>, key: &CloudKey, backend: Option<&str>) -> PyResult<Self> {
        let of_environment = env::var(BACKEND).ok();
        let backend = match backend.or(of_environment.as_deref()) {
            Some(name) => name.parse::<Backend>().and_then(Backend::checked).map_err(Fault::from)?,
            None => Backend::fastest(),
        };
        let key = Arc::clone(&key.0);
        let expand = move |_: &_| Ok(evaluator::Evaluator::new(&key, backend)?);
        Ok(Self(Arc::new(run(py, &Progress::none(), expand)?)))
    }
}

#[pymethods]
impl Evaluator {
    #[new]
    #[pyo3(signature = (cloud_key, *, backend = None))]
    fn new(py: Python<'_>, cloud_key: &CloudKey, backend: Option<&str>) -> PyResult<Self> {
        Self::expand(py, cloud_key, backend)
    }

    /// The identity of the key.
    #[getter]
    fn key_id(&self) -> String {
        self.0.key_id().to_string()
    }

    /// The name of the parameter set.
    #[getter]
    fn parameters(&self) -> String {
        self.0.parameters().name().into()
    }

    /// The backend in use.
    #[getter]
    fn backend(&self) -> String {
        self.0.backend().to_string()
    }

    /// Bytes of the expanded key in memory.
    #[getter]
    fn memory_bytes(&self) -> usize {
        self.0.key_bytes()
    }

    fn __repr__(&self) -> String {
        format!("Evaluator(key_id={}, parameters={})", self.key_id(), self.parameters())
    }
}

/// A model that is ready to run under one client's cloud key, on the engine for which the key was made.
///
/// Args:
///     model: The model.
///     key: The client's cloud key, or what it was expanded to before.
///
/// Raises:
///     InputError: The engine of the key's parameter set does not run the model.
#[pyclass(frozen, module = "bnn_tfhe")]
pub(crate) struct Server {
    server: engine::Server,
    model: Model,
    evaluator: Arc<evaluator::Evaluator>,
    bootstraps: usize,
}

/// A cloud key, expanded or not.
#[derive(FromPyObject)]
enum Key<'py> {
    Expanded(PyRef<'py, Evaluator>),
    Cloud(PyRef<'py, CloudKey>),
}

#[pymethods]
impl Server {
    #[new]
    fn new(py: Python<'_>, model: &Model, key: Key<'_>) -> PyResult<Self> {
        let evaluator = match key {
            Key::Expanded(evaluator) => Arc::clone(&evaluator.0),
            Key::Cloud(key) => Evaluator::expand(py, &key, None)?.0,
        };
        let (network, shared) = (Arc::clone(&model.model), Arc::clone(&evaluator));
        let plan = move |_: &_| {
            let server = engine::Server::new(network, shared, Style::Optimized)?;
            let bootstraps = server.bootstraps()?;
            Ok((server, bootstraps))
        };
        let (server, bootstraps) = run(py, &Progress::none(), plan)?;
        Ok(Self { server, model: model.clone(), evaluator, bootstraps })
    }

    /// The model.
    #[getter]
    fn model(&self) -> Model {
        self.model.clone()
    }

    /// The expanded key, for other servers of the same client.
    #[getter]
    fn evaluator(&self) -> Evaluator {
        Evaluator(Arc::clone(&self.evaluator))
    }

    /// The engine for which the key was made: "functional" or "gates".
    #[getter]
    fn engine(&self) -> String {
        self.server.engine().to_string()
    }

    /// Bootstraps of one picture.
    #[getter]
    fn bootstraps(&self) -> usize {
        self.bootstraps
    }

    /// Evaluates the model on encrypted pictures, side by side on all threads.
    ///
    /// Args:
    ///     images: An encrypted picture, or a list.
    ///     progress: Called with the bootstraps that are done, and their number.
    ///
    /// Returns:
    ///     EncryptedScores of one picture, a list of several in their order.
    ///
    /// Raises:
    ///     PeerError: A picture for another model, key or parameter set; it is named before any work.
    #[pyo3(signature = (images, *, progress = None))]
    fn infer<'py>(
        &self,
        py: Python<'py>,
        images: &Bound<'py, PyAny>,
        progress: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let OneOrList { items, is_one } = OneOrList::<EncryptedImage>::of(images, "EncryptedImage")?;
        let images: Vec<_> = items.iter().map(|image| Arc::clone(&image.get().0)).collect();
        let server = self.server.clone();
        let progress = Progress { callback: progress, total: self.bootstraps * images.len() };
        let scores = run(py, &progress, move |control| {
            let name = |index: usize, error: bnn::Error| match (is_one, &error) {
                (true, _) | (_, bnn::Error::Cancelled) => Fault::from(error),
                _ => about(format_args!("image {index}"), &error).into(),
            };
            for (index, image) in images.iter().enumerate() {
                server.start(image).map_err(|error| name(index, error))?;
            }
            let one = |(index, image): (usize, &Arc<bnn::client::EncryptedImage>)| {
                let scores = server.infer(image, control).map_err(|error| name(index, error))?;
                Ok(EncryptedScores(Arc::new(scores)))
            };
            images.par_iter().enumerate().map(one).collect::<Result<Vec<_>, Fault>>()
        })?;
        one_or_list(py, scores, is_one)
    }

    fn __repr__(&self) -> String {
        format!(
            "Server(model={:?}, engine={:?}, bootstraps={})",
            self.model.model.name(),
            self.engine(),
            self.bootstraps
        )
    }
}
