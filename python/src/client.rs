//! The client: whoever holds the secret key.

use std::sync::{Arc, Mutex, PoisonError};

use bnn::{client, data::Image};
use numpy::PyArrayDyn;
use pyo3::{PyClass, PyClassInitializer, prelude::*};
use rayon::prelude::*;
use tfhe_core::{keys, random::SecretSeed};

use crate::{
    ciphertexts::{EncryptedImage, EncryptedScores},
    compute::{Progress, run},
    fault::{Fault, about, input},
    keys::{CloudKey, SecretKey, parameter_set},
    pictures::{Pictures, pictures, scores_array, shape_of},
    specification::{ClientSpecification, sets},
};

/// A client of one model: it encrypts pictures and decrypts scores. It needs no model, but what the server tells of it.
///
/// Args:
///     specification: What the server tells of its model.
///     secret_key: The key; one is drawn where none is given.
///     parameters: The parameter set of a key that is drawn: by default that of the functional engine with which the model runs fastest, or
///         the gates' where that engine does not run it.
///
/// Raises:
///     PeerError: The key is of a parameter set with which the model does not run.
#[pyclass(frozen, module = "bnn_tfhe")]
pub(crate) struct Client {
    client: client::Client,
    key: Arc<keys::SecretKey>,
    specification: Arc<client::ClientSpecification>,
    /// Made once: a server refuses another cloud key of the same secret key.
    cloud_key: Mutex<Option<Arc<keys::CloudKey>>>,
}

#[pymethods]
impl Client {
    #[new]
    #[pyo3(signature = (specification, secret_key = None, *, parameters = None))]
    fn new(
        specification: &ClientSpecification,
        secret_key: Option<&SecretKey>,
        parameters: Option<&str>,
    ) -> PyResult<Self> {
        let specification = Arc::clone(&specification.0);
        let key = match (secret_key, parameters) {
            (Some(_), Some(_)) => {
                return Err(input("give a secret key or the parameters of one to draw, and not both"));
            }
            (Some(key), None) => Arc::clone(&key.0),
            (None, name) => {
                let sets = sets(&specification);
                let set = match name {
                    Some(name) => parameter_set(name)?,
                    None => sets.first().ok_or_else(|| input("the specification names no parameter set"))?,
                };
                Arc::new(keys::SecretKey::generate(set, SecretSeed::from_os().map_err(Fault::from)?))
            }
        };
        let client =
            client::Client::new(Arc::clone(&specification), Arc::clone(&key)).map_err(Fault::from)?;
        Ok(Self { client, key, specification, cloud_key: Mutex::new(None) })
    }

    /// What the client knows of the model.
    #[getter]
    fn specification(&self) -> ClientSpecification {
        ClientSpecification(Arc::clone(&self.specification))
    }

    /// The key that encrypts and decrypts.
    #[getter]
    fn secret_key(&self) -> SecretKey {
        SecretKey(Arc::clone(&self.key))
    }

    /// The engine that runs the model with this key: "functional" or "gates".
    #[getter]
    fn engine(&self) -> String {
        self.client.engine().to_string()
    }

    /// The name of the parameter set.
    #[getter]
    fn parameters(&self) -> &'static str {
        self.client.parameters().name()
    }

    /// The cloud key, which goes to the server. It is made by the first call, and later ones give the same.
    #[pyo3(signature = (*, progress = None))]
    fn cloud_key(&self, py: Python<'_>, progress: Option<Bound<'_, PyAny>>) -> PyResult<CloudKey> {
        let made = || self.cloud_key.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = &*made() {
            return Ok(CloudKey(Arc::clone(key)));
        }
        let key = CloudKey::make(py, &self.key, progress)?.0;
        // Of two threads that made one at the same time, the first's is kept.
        Ok(CloudKey(Arc::clone(made().get_or_insert(key))))
    }

    /// Encrypts pictures, each with randomness of its own, on all threads. They are taken as they are.
    ///
    /// Args:
    ///     images: An array of uint8, of the model's shape: (h, w) or (c, h, w), or several in (n, h, w) or (n, c, h, w). 0 is black.
    ///
    /// Returns:
    ///     An EncryptedImage of one picture, a list of several.
    ///
    /// Raises:
    ///     InputError: The array is of another dtype or shape, or a picture has more contrast than the model accepts.
    fn encrypt<'py>(&self, py: Python<'py>, images: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let Pictures { images, is_one } = pictures(images, shape_of(self.specification.input()))?;
        let client = self.client.clone();
        let encrypted = run(py, &Progress::none(), move |control| {
            let one = |(index, image): (usize, &Image)| {
                control.check()?;
                let encrypt = || client.encrypt(&client.encode(image)?, SecretSeed::from_os()?);
                let encrypted = encrypt().map_err(|error: bnn::Error| match is_one {
                    true => Fault::from(error),
                    false => about(format_args!("image {index}"), &error).into(),
                })?;
                Ok(EncryptedImage(Arc::new(encrypted)))
            };
            images.par_iter().enumerate().map(one).collect::<Result<Vec<_>, Fault>>()
        })?;
        one_or_list(py, encrypted, is_one)
    }

    /// Decrypts scores.
    ///
    /// Args:
    ///     scores: Those of one picture, or a list.
    ///
    /// Returns:
    ///     An array of float64, of the shape (classes,) for one picture and (n, classes) for a list. argmax(-1) is the label.
    ///
    /// Raises:
    ///     PeerError: Scores of another key or model.
    fn decrypt<'py>(
        &self,
        py: Python<'py>,
        scores: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyArrayDyn<f64>>> {
        let OneOrList { items, is_one } = OneOrList::<EncryptedScores>::of(scores, "EncryptedScores")?;
        let lists: Vec<_> = items.iter().map(|scores| Arc::clone(&scores.get().0)).collect();
        let client = self.client.clone();
        let decrypted = run(py, &Progress::none(), move |control| {
            let one = |scores: &Arc<client::EncryptedScores>| {
                control.check()?;
                Ok(client.decrypt(scores)?)
            };
            lists.par_iter().map(one).collect::<Result<Vec<_>, Fault>>()
        })?;
        scores_array(py, &decrypted, self.specification.labels().len(), is_one)
    }

    fn __repr__(&self) -> String {
        format!("Client(model_name={:?}, parameters={})", self.specification.model_name(), self.parameters())
    }
}

/// Things of a class that a caller gave: one, or a list.
pub(crate) struct OneOrList<'py, T: PyClass> {
    pub(crate) items: Vec<Bound<'py, T>>,
    pub(crate) is_one: bool,
}

impl<'py, T: PyClass> OneOrList<'py, T> {
    /// # Errors
    /// `InputError` for anything else than `class`.
    pub(crate) fn of(given: &Bound<'py, PyAny>, class: &str) -> PyResult<Self> {
        if let Ok(one) = given.cast::<T>() {
            return Ok(Self { items: vec![one.clone()], is_one: true });
        }
        let wrong = |found: &Bound<'py, PyAny>| {
            let found =
                found.get_type().name().map_or_else(|_| "something else".into(), |name| name.to_string());
            input(format!("expected {class}, or a list of them, and found {found}"))
        };
        let items = given.try_iter().map_err(|_| wrong(given))?.map(|item| {
            let item = item?;
            item.cast_into::<T>().map_err(|error| wrong(&error.into_inner()))
        });
        Ok(Self { items: items.collect::<PyResult<_>>()?, is_one: false })
    }
}

/// A list for Python, or its only item.
pub(crate) fn one_or_list<'py, T>(
    py: Python<'py>,
    mut items: Vec<T>,
    is_one: bool,
) -> PyResult<Bound<'py, PyAny>>
where
    T: PyClass + Into<PyClassInitializer<T>>,
{
    match items.pop() {
        Some(item) if is_one => Ok(Bound::new(py, item)?.into_any()),
        last => {
            items.extend(last);
            let items = items.into_iter().map(|item| Bound::new(py, item)).collect::<PyResult<Vec<_>>>()?;
            Ok(pyo3::types::PyList::new(py, items)?.into_any())
        }
    }
}
