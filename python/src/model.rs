//! Models: networks in integers.

use std::{path::PathBuf, sync::Arc};

use bnn::{
    client::{EncodedImage, Scores},
    engine::{self, Cost, Engine, functional::Plan},
    import::{self, MOST_ONNX_BYTES, PixelScale, RealNetwork},
    model::{self, ModelFile, ModelFiles},
};
use numpy::PyArrayDyn;
use pyo3::{
    prelude::*,
    pybacked::PyBackedBytes,
    types::{PyBytes, PyDict, PyList, PyTuple},
};
use rayon::prelude::*;
use tfhe_core::{control::Control, serial};

use crate::{
    compute::{Progress, run},
    fault::{Fault, about, input},
    files::{self, Source},
    keys::hex,
    pictures::{Pictures, Shape, pictures, scores_array, shape_of},
    specification::ClientSpecification,
};

/// The two files of a model that ships.
macro_rules! shipped {
    ($name:literal) => {
        (
            $name,
            include_bytes!(concat!("../../models/", $name, "/manifest.toml")).as_slice(),
            include_bytes!(concat!("../../models/", $name, "/weights.safetensors")).as_slice(),
        )
    };
}

/// The models that ship, with their files.
const SHIPPED: [(&str, &[u8], &[u8]); 5] = [
    shipped!("binarized-cnn"),
    shipped!("binarized-perceptron"),
    shipped!("hybrid-cnn"),
    shipped!("perceptron"),
    shipped!("sign-cnn"),
];

/// Simulated evaluations of a picture.
const ONCE: u32 = 1;

/// The names of the models that ship with this package, for Model.shipped.
#[pyfunction]
pub(crate) fn shipped_models() -> Vec<&'static str> {
    SHIPPED.iter().map(|&(name, ..)| name).collect()
}

/// A network in exact integers, which both engines run on ciphertexts.
#[pyclass(frozen, module = "bnn_tfhe")]
#[derive(Clone)]
pub(crate) struct Model {
    pub(crate) model: Arc<model::Model>,
    files: Arc<ModelFiles>,
    imported: Option<Arc<Imported>>,
}

/// How a network was imported.
struct Imported {
    weight_bits: Vec<u32>,
    pictures: usize,
    compared: usize,
    integer_equal: usize,
    /// Right labels in floating point and in integers, where the labels were given.
    correct: Option<(usize, usize)>,
}

impl Model {
    fn of(files: ModelFiles) -> Result<Self, bnn::Error> {
        Ok(Self { model: Arc::new(files.model()?), files: Arc::new(files), imported: None })
    }

    fn shape(&self) -> Shape {
        shape_of(self.model.input())
    }

    /// Scores of pictures, each by `score` from its encoding and its place.
    fn scores<'py>(
        &self,
        py: Python<'py>,
        images: &Bound<'py, PyAny>,
        progress: Option<Bound<'py, PyAny>>,
        score: impl Fn(&EncodedImage, usize, &Control) -> Result<Scores, bnn::Error> + Send + Sync + 'static,
    ) -> PyResult<Bound<'py, PyArrayDyn<f64>>> {
        let Pictures { images, is_one } = pictures(images, self.shape())?;
        let model = Arc::clone(&self.model);
        let progress = Progress { callback: progress, total: images.len() };
        let scores = run(py, &progress, move |control| {
            let one = |(index, image): (usize, &bnn::data::Image)| {
                control.check()?;
                let encoded = model
                    .input()
                    .encode(image)
                    .map_err(|error| about(format_args!("image {index}"), &error))?;
                let scores = score(&encoded, index, control)?;
                control.advance(1);
                Ok(scores)
            };
            images.par_iter().enumerate().map(one).collect::<Result<Vec<_>, Fault>>()
        })?;
        scores_array(py, &scores, self.model.classes(), is_one)
    }
}

#[pymethods]
impl Model {
    /// Imports a network in floating point from an ONNX file: makes integers of its weights, and takes the ranges of its values and sums
    /// from pictures.
    ///
    /// Args:
    ///     source: The path of an ONNX file, or its content.
    ///     calibration: Pictures like those that the network is for, an array of uint8 of the shape (n, h, w) or (n, c, h, w); some hundreds
    ///         to some thousands.
    ///     labels: Their labels, by which `imported` tells the accuracy too.
    ///     name: The model's name; by default that of the file.
    ///     black: What the network was trained to read for black.
    ///     white: What the network was trained to read for white.
    ///     weight_bits: Bits of a weight but where pixels are read; or those of each other layer. By default those that are expected to change
    ///         the fewest labels.
    ///     accept_label_changes: The share of labels that noise may be expected to change.
    ///     progress: Called with the attempts that were made, and their greatest number.
    ///
    /// Raises:
    ///     InputError: What is not read of the network, by the name of its node; noise would change too many labels.
    #[staticmethod]
    #[pyo3(signature = (source, calibration, *, labels = None, name = None, black = 0.0, white = 1.0, weight_bits = None,
        accept_label_changes = 0.05, progress = None))]
    #[allow(clippy::too_many_arguments)] // They have names in Python.
    fn from_onnx(
        py: Python<'_>,
        source: Source,
        calibration: &Bound<'_, PyAny>,
        labels: Option<&Bound<'_, PyAny>>,
        name: Option<String>,
        black: f64,
        white: f64,
        weight_bits: Option<Vec<u32>>,
        accept_label_changes: f64,
        progress: Option<Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        if !(black.is_finite() && white.is_finite() && black != white) {
            return Err(input(format!("black {black} and white {white}: give two different numbers")));
        }
        let weight_bits = weight_bits.unwrap_or_default();
        let (bytes, path) = source.read()?;
        let stem =
            path.as_deref().and_then(|path| path.file_stem()).map(|stem| stem.to_string_lossy().into_owned());
        let name = name.or(stem).unwrap_or_else(|| "imported".into());
        let file = path.map_or_else(|| "the ONNX file".into(), |path| path.display().to_string());
        if bytes.len() > MOST_ONNX_BYTES {
            return Err(input(format!("{file}: larger than {MOST_ONNX_BYTES} bytes, the most that is read")));
        }
        let read = move |_: &_| Ok(RealNetwork::from_onnx(&bytes, PixelScale { black, white }));
        let network = run(py, &Progress::none(), read)?.map_err(|error| about(&file, &error))?;
        let (channels, width, height) = network.picture();
        let images = pictures(calibration, (channels, height, width))?.images;
        let labels = labels.map(|labels| labels_of(labels, images.len(), network.classes())).transpose()?;
        let progress = Progress { callback: progress, total: network.attempts(&weight_bits) };
        let made = run(py, &progress, move |control| {
            let source = (&*name, "Imported from ONNX");
            let made = network
                .import(source, &images, &weight_bits, control)
                .map_err(|error| about(&file, &error))?;
            let summary = Imported::of(&made, images.len(), labels.as_deref());
            Ok(Self { imported: Some(Arc::new(summary)), ..Self::of(made.files)? })
        })?;
        match made.model.label_changes().filter(|&changes| changes > accept_label_changes) {
            None => Ok(made),
            Some(changes) => Err(input(format!(
                "noise is expected to change {:.2} % of the labels; accept_label_changes={:.2} takes the network as it is",
                100.0 * changes,
                changes + 0.01
            ))),
        }
    }

    /// A model that ships with this package; shipped_models() lists them.
    #[staticmethod]
    fn shipped(name: &str) -> PyResult<Self> {
        let Some((_, manifest, weights)) = SHIPPED.into_iter().find(|&(known, ..)| known == name) else {
            return Err(input(format!("no model {name:?} ships (known: {})", shipped_models().join(", "))));
        };
        Ok(Self::of(ModelFiles::new(manifest.into(), weights.into())).map_err(Fault::from)?)
    }

    /// Reads a model folder, of two files: manifest.toml and weights.safetensors.
    #[staticmethod]
    fn load(folder: PathBuf) -> PyResult<Self> {
        let [manifest, weights] =
            [ModelFile::Manifest, ModelFile::Weights].map(|file| files::read(&folder.join(file.name())));
        Self::of(ModelFiles::new(manifest?, weights?)).map_err(|error| about(folder.display(), &error))
    }

    /// Reads a model from the contents of its two files.
    #[staticmethod]
    fn from_bytes(manifest: PyBackedBytes, weights: PyBackedBytes) -> PyResult<Self> {
        Ok(Self::of(ModelFiles::new(manifest.to_vec(), weights.to_vec())).map_err(Fault::from)?)
    }

    /// The contents of its two files: the manifest and the weights.
    fn to_bytes<'py>(&self, py: Python<'py>) -> (Bound<'py, PyBytes>, Bound<'py, PyBytes>) {
        (PyBytes::new(py, self.files.manifest()), PyBytes::new(py, self.files.weights()))
    }

    /// Makes a model folder of it; what is there stays, and FileExistsError is raised.
    fn save(&self, folder: PathBuf) -> PyResult<()> {
        let contents =
            [(ModelFile::Weights, self.files.weights()), (ModelFile::Manifest, self.files.manifest())];
        files::write_folder(&folder, &contents.map(|(file, bytes)| (file.name(), bytes)))
    }

    /// The model's name.
    #[getter]
    fn name(&self) -> &str {
        self.model.name()
    }

    /// What the model is, in a line.
    #[getter]
    fn description(&self) -> &str {
        self.model.description()
    }

    /// The digest of its files, in hexadecimal digits, which images and scores name.
    #[getter]
    fn digest(&self) -> String {
        hex(&self.model.digest())
    }

    /// Channels, rows and columns of a picture.
    #[getter]
    fn input_shape(&self) -> Shape {
        self.shape()
    }

    /// The number of classes.
    #[getter]
    fn classes(&self) -> usize {
        self.model.classes()
    }

    /// The share of labels that noise is expected to change, as the manifest states it of pictures like those that the model is for.
    #[getter]
    fn label_changes(&self) -> Option<f64> {
        self.model.label_changes()
    }

    /// What importing found, of a model that from_onnx made: the widths of weights, the pictures, how many of them were compared, and how many
    /// labels of the integers are those in floating point; and how many are right, where labels were given.
    #[getter]
    fn imported<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDict>>> {
        self.imported.as_ref().map(|imported| imported.dict(py)).transpose()
    }

    /// What clients need to know of the model.
    fn client_specification(&self) -> PyResult<ClientSpecification> {
        Ok(ClientSpecification(Arc::new(engine::client_specification(&self.model).map_err(Fault::from)?)))
    }

    /// The same network with the ranges that its sums have on these pictures, which leaves it less noise.
    #[pyo3(signature = (images, *, progress = None))]
    fn calibrate(
        &self,
        py: Python<'_>,
        images: &Bound<'_, PyAny>,
        progress: Option<Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let Pictures { images, .. } = pictures(images, self.shape())?;
        if images.is_empty() {
            return Err(input("no pictures to calibrate on"));
        }
        let (model, files) = (Arc::clone(&self.model), Arc::clone(&self.files));
        run(py, &Progress { callback: progress, total: 1 }, move |control| {
            let encode = |image| model.input().encode(image);
            let encoded: Vec<_> = images.iter().map(encode).collect::<Result<_, _>>()?;
            Ok(Self::of(engine::calibrate(&files, &encoded, control)?)?)
        })
    }

    /// The scores of the exact integers, in the clear.
    ///
    /// Args:
    ///     images: An array of uint8, of the model's shape, one picture or several.
    ///     progress: Called with the pictures that are done, and their number.
    ///
    /// Returns:
    ///     An array of float64, of the shape (n, classes), or (classes,) of one picture.
    #[pyo3(signature = (images, *, progress = None))]
    fn evaluate<'py>(
        &self,
        py: Python<'py>,
        images: &Bound<'py, PyAny>,
        progress: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyArrayDyn<f64>>> {
        let model = Arc::clone(&self.model);
        self.scores(py, images, progress, move |image, _, _| engine::evaluate(&model, image))
    }

    /// The scores that the functional engine would give, with noise that is drawn by the formulas, in the clear: much faster than on
    /// ciphertexts.
    ///
    /// Args:
    ///     images: An array of uint8, of the model's shape, one picture or several.
    ///     seed: The same seed gives the same noise.
    ///     progress: Called with the pictures that are done, and their number.
    ///
    /// Raises:
    ///     InputError: The functional engine does not run the model.
    #[pyo3(signature = (images, *, seed = 0, progress = None))]
    fn simulate<'py>(
        &self,
        py: Python<'py>,
        images: &Bound<'py, PyAny>,
        seed: u64,
        progress: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyArrayDyn<f64>>> {
        let plan = Plan::cheapest(Arc::clone(&self.model)).map_err(Fault::from)?;
        self.scores(py, images, progress, move |image, index, control| {
            let drawn = plan.simulate(image, ONCE, seed.wrapping_add(index as u64), control)?;
            Ok(drawn.into_iter().next().expect("invariant: one trial gives one list of scores"))
        })
    }

    /// What one encrypted picture costs: the engine, the parameter set, bootstraps, bytes in memory and on the wire, and for the functional
    /// engine the noise of each layer.
    fn estimate<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let model = Arc::clone(&self.model);
        let plan = Plan::cheapest(Arc::clone(&model)).ok();
        let engine = if plan.is_some() { Engine::Functional } else { Engine::Gates };
        let set = match &plan {
            Some(plan) => plan.parameters(),
            None => engine.parameters(None).map_err(Fault::from)?,
        };
        let cost = run(py, &Progress::none(), move |_| Ok(Cost::of(&model, set)?))?;
        let dict = PyDict::new(py);
        dict.set_item("engine", engine.to_string())?;
        dict.set_item("parameters", set.name())?;
        dict.set_item("bootstraps", cost.bootstraps)?;
        dict.set_item("ciphertext_bytes", cost.ciphertext_bytes)?;
        dict.set_item("image_bytes", plan.as_ref().map(Plan::image_bytes))?;
        dict.set_item("scores_bytes", plan.as_ref().map(Plan::scores_bytes))?;
        dict.set_item("cloud_key_bytes", serial::cloud_key_bytes(set))?;
        dict.set_item("label_changes", self.model.label_changes())?;
        let layers = PyList::empty(py);
        for margin in plan.iter().flat_map(Plan::margins) {
            let layer = PyDict::new(py);
            layer.set_item("name", &*margin.layer)?;
            layer.set_item("bootstraps", margin.bootstraps)?;
            layer.set_item("sums", margin.range)?;
            layer.set_item("worst_case", margin.worst_case)?;
            layer.set_item("noise_deviation", margin.noise)?;
            layers.append(layer)?;
        }
        dict.set_item("layers", layers)?;
        Ok(dict)
    }

    fn __repr__(&self) -> String {
        let (channels, height, width) = self.shape();
        format!(
            "Model(name={:?}, input_shape=({channels}, {height}, {width}), classes={})",
            self.name(),
            self.classes()
        )
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<files::Reduced<'py>> {
        let (manifest, weights) = self.to_bytes(py);
        files::reduce("Model", PyTuple::new(py, [manifest, weights])?.into_any())
    }
}

impl Imported {
    fn of(made: &import::Imported, pictures: usize, labels: Option<&[usize]>) -> Self {
        let correct = |found: &[usize], labels: &[usize]| {
            found.iter().zip(labels).filter(|(found, label)| found == label).count()
        };
        Self {
            weight_bits: made.weight_bits.clone(),
            pictures,
            compared: made.real.len(),
            integer_equal: made.equal(),
            correct: labels.map(|labels| (correct(&made.real, labels), correct(&made.integers, labels))),
        }
    }

    fn dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        dict.set_item("weight_bits", &self.weight_bits)?;
        dict.set_item("pictures", self.pictures)?;
        dict.set_item("compared", self.compared)?;
        dict.set_item("integer_equal", self.integer_equal)?;
        dict.set_item("real_correct", self.correct.map(|(real, _)| real))?;
        dict.set_item("integer_correct", self.correct.map(|(_, integer)| integer))?;
        Ok(dict)
    }
}

/// Labels of so many pictures: whole numbers below the number of classes, in a list or an array.
fn labels_of(labels: &Bound<'_, PyAny>, pictures: usize, classes: usize) -> PyResult<Vec<usize>> {
    let numbers: Vec<usize> = labels
        .try_iter()?
        .map(|label| label?.extract())
        .collect::<PyResult<_>>()
        .map_err(|_| input("labels are whole numbers from 0, in a list or an array of one dimension"))?;
    if numbers.len() != pictures {
        return Err(input(format!("{} labels for {pictures} pictures", numbers.len())));
    }
    match numbers.iter().position(|&label| label >= classes) {
        None => Ok(numbers),
        Some(index) => Err(input(format!(
            "label {} of image {index}, where the network has {classes} classes",
            numbers[index]
        ))),
    }
}
