//! A network, read from its two files.

use std::{collections::BTreeMap, sync::Arc};

use sha2::{Digest, Sha256};

use super::{
    chain::Chain,
    fault::{ModelFault, ModelFile},
    manifest::{LayerEntry, Manifest},
    summary::LayerSummary,
    weights::Weights,
};
use crate::{
    client::{encoding::input::InputEncoding, encrypted::EncryptedImage, interface::Interface, shape::Shape},
    error::{Error, Result},
    layer::{
        activation::{Clip, Relu, Sign, Table},
        add::Add,
        binary_dense::BinaryDense,
        convolution::Convolution,
        dense::Dense,
        kind::Layer,
        pool::Pool,
        scale::Scale,
        xnor_convolution::XnorConvolution,
    },
};

/// A network, checked: layers whose shapes chain, the last of which gives scores.
#[derive(Debug, Clone)]
pub struct Model {
    interface: Interface,
    description: String,
    /// With the shapes of their inputs.
    layers: Vec<(Layer, Shape)>,
    /// For each layer the one whose values it reads: the one before it, or another; none for the picture.
    reads: Vec<Option<usize>>,
    /// For each layer the least and the greatest of its sums on calibration pictures, if they are known.
    calibrated: Vec<Option<(i64, i64)>>,
    label_changes: Option<f64>,
}

impl Model {
    /// The model of a manifest and its weights.
    ///
    /// # Errors
    /// [`Error::Model`], where a file is too large or ill-formed, or the two do not describe one network.
    pub fn from_bytes(manifest_bytes: &[u8], weights_bytes: &[u8]) -> Result<Self> {
        let in_manifest = |fault| Error::Model { file: ModelFile::Manifest, fault };
        let in_weights = |fault| Error::Model { file: ModelFile::Weights, fault };
        check_size(ModelFile::Manifest, manifest_bytes)?;
        let manifest = Manifest::parse(manifest_bytes).map_err(in_manifest)?;
        check_size(ModelFile::Weights, weights_bytes)?;
        let mut weights = Weights::parse(weights_bytes).map_err(in_weights)?;

        // What there is before the first layer, and behind each.
        let mut chains = vec![Chain::new(&manifest.input)];
        let (mut layers, mut reads) = (Vec::new(), Vec::new());
        let mut places = BTreeMap::new();
        for (index, entry) in manifest.layers.into_iter().enumerate() {
            let from = place_of(&entry, &places).map_err(in_manifest)?;
            let is_added = matches!(entry, LayerEntry::Add { .. });
            let read = from.filter(|_| !is_added).or(index.checked_sub(1));
            let mut chain = chains[read.map_or(0, |layer| layer + 1)].clone();
            let shape = chain.check(&entry).map_err(in_manifest)?;
            places.insert(entry.name().to_owned(), index);
            let layer = read_layer(entry, (shape, from), &mut weights).map_err(in_weights)?;
            chain.push(&layer, &chains[1..]).map_err(in_manifest)?;
            chains.push(chain);
            layers.push((layer, shape));
            reads.push(read);
        }
        check_read(&layers, &reads).map_err(in_manifest)?;
        let fraction_bits = chains.pop().expect("invariant: what there is before the first layer").finish();
        weights.finish().map_err(in_weights)?;

        let digest = Sha256::new().chain_update(manifest_bytes).chain_update(weights_bytes).finalize().into();
        let interface = Interface { name: manifest.name, digest, input: manifest.input, fraction_bits };
        Ok(Self {
            interface,
            description: manifest.description,
            layers,
            reads,
            calibrated: manifest.sums,
            label_changes: manifest.label_changes,
        })
    }

    /// The model's name, one line.
    pub fn name(&self) -> &str {
        &self.interface.name
    }

    /// What the model is, one line.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// How the model reads pictures.
    pub fn input(&self) -> &InputEncoding {
        &self.interface.input
    }

    /// The layers from the first to the last.
    pub fn layers(&self) -> impl ExactSizeIterator<Item = LayerSummary> {
        self.layers.iter().zip(&self.reads).enumerate().map(|(index, ((layer, shape), &read))| {
            let other = layer.added().or(read.filter(|read| read + 1 != index));
            let from = other.map(|layer| self.layers[layer].0.name().to_owned());
            LayerSummary::new(layer.clone(), *shape, from)
        })
    }

    /// Refuses an image that was encrypted for another model; for whoever wants to know before long work.
    ///
    /// # Errors
    /// [`Error::OtherModel`].
    pub fn check_image(&self, image: &EncryptedImage) -> Result<()> {
        image.check_model(&self.interface)
    }

    /// What a client must know of the model on any engine.
    pub(crate) fn interface(&self) -> &Interface {
        &self.interface
    }

    /// The layers, each with the shape of its inputs: for an XNOR convolution, that of the picture.
    pub(crate) fn layers_and_shapes(&self) -> &[(Layer, Shape)] {
        &self.layers
    }

    /// The layer whose values a layer reads (and adds others to, if it is an addition); none for the picture.
    pub(crate) fn reads(&self, layer: usize) -> Option<usize> {
        self.reads[layer]
    }

    /// Whether a layer's values are read by another layer than the next, or added.
    pub(crate) fn is_kept(&self, layer: usize) -> bool {
        let mut readers = self.layers.iter().zip(&self.reads).enumerate();
        readers.any(|(index, ((reader, _), &read))| {
            reader.added() == Some(layer) || read == Some(layer) && index != layer + 1
        })
    }

    /// The share of labels that noise is expected to change on the functional engine, as simulated on calibration pictures when the
    /// model was made, if the manifest gives it.
    pub fn label_changes(&self) -> Option<f64> {
        self.label_changes
    }

    /// The least and the greatest of a layer's sums on calibration pictures, bias included and before bits are dropped, if the
    /// manifest gives them.
    pub(crate) fn calibrated(&self, layer: usize) -> Option<(i64, i64)> {
        self.calibrated[layer]
    }

    /// The number of classes.
    pub fn classes(&self) -> usize {
        let (layer, input) = self.layers.last().expect("invariant: a model has a layer");
        layer.output(*input).values()
    }

    /// Fraction bits of the scores.
    pub(crate) fn fraction_bits(&self) -> u32 {
        self.interface.fraction_bits
    }

    /// The SHA-256 of the manifest followed by the weights, by which results name the model that made them:
    /// `cat manifest.toml weights.safetensors | sha256sum`.
    ///
    /// No other model has the same bytes split elsewhere. The first eight bytes of the weights are a length below
    /// 2^32, hence end in zeros, and a manifest has no zeros; nor can the weights start later, because then bytes of
    /// their header, which is text, would stand in those zeros' place.
    pub fn digest(&self) -> [u8; 32] {
        self.interface.digest
    }
}

/// Refuses a file that is larger than what is read.
fn check_size(file: ModelFile, bytes: &[u8]) -> Result<()> {
    let limit = file.most_bytes();
    if bytes.len() <= limit {
        Ok(())
    } else {
        Err(Error::Model { file, fault: ModelFault::TooLarge { limit } })
    }
}

/// The place of the layer that an entry names as the one whose values it reads or adds, of those before it.
fn place_of(entry: &LayerEntry, places: &BTreeMap<String, usize>) -> Result<Option<usize>, ModelFault> {
    let place = |name: &str| {
        places.get(name).copied().ok_or_else(|| ModelFault::LayerFit {
            place: format!("layer {:?}", entry.name()),
            reason: format!("`from` names {name:?}, which is no layer before it"),
        })
    };
    entry.from().map(place).transpose()
}

/// Refuses a layer, other than the last, whose values nothing reads.
fn check_read(layers: &[(Layer, Shape)], reads: &[Option<usize>]) -> Result<(), ModelFault> {
    let mut is_read = vec![false; layers.len()];
    for ((layer, _), &read) in layers.iter().zip(reads) {
        read.into_iter().chain(layer.added()).for_each(|layer| is_read[layer] = true);
    }
    is_read.pop();
    match is_read.iter().zip(layers).find(|(is_read, _)| !**is_read) {
        None => Ok(()),
        Some((_, (layer, _))) => Err(ModelFault::LayerFit {
            place: format!("layer {:?}", layer.name()),
            reason: "nothing reads what it gives".into(),
        }),
    }
}

/// The layer of an entry that fits values of shape `input`, and reads or adds those of the layer `from`.
fn read_layer(
    entry: LayerEntry,
    (input, from): (Shape, Option<usize>),
    weights: &mut Weights,
) -> Result<Layer, ModelFault> {
    let name: Arc<str> = entry.name().into();
    Ok(match entry {
        LayerEntry::BinaryDense { inputs, outputs, weights: w, biases, .. } => {
            let matrix = weights.take_binary_matrix(&w, &[outputs, inputs])?;
            Layer::BinaryDense(BinaryDense::new(name, matrix, weights.take_biases(&biases, outputs)?))
        }
        LayerEntry::Dense { inputs, outputs, shift, bits, fraction_bits, weights: w, biases, .. } => {
            let matrix = weights.take_matrix(&w, &[outputs, inputs])?;
            let biases = weights.take_biases(&biases, outputs)?;
            Layer::Dense(Dense { name, weights: matrix, biases, shift, bits, fraction_bits })
        }
        LayerEntry::Convolution {
            filters, size, stride, padding, groups, shift, weights: w, biases, ..
        } => {
            let channels = input.channels / groups;
            // One channel needs no dimension of its own.
            let dimensions =
                if channels == 1 { vec![filters, size, size] } else { vec![filters, channels, size, size] };
            let matrix = weights.take_matrix(&w, &dimensions)?;
            let biases = weights.take_biases(&biases, filters)?;
            Layer::Convolution(Convolution {
                name,
                size,
                stride,
                padding,
                groups,
                shift,
                weights: matrix,
                biases,
            })
        }
        LayerEntry::XnorConvolution {
            filters,
            size,
            fraction_bits,
            bits,
            weights: w,
            scales,
            biases,
            ..
        } => {
            let matrix = weights.take_binary_matrix(&w, &[filters, size, size])?;
            let scales = weights.take_scales(&scales, filters)?;
            let biases = weights.take_biases(&biases, filters)?;
            Layer::XnorConvolution(XnorConvolution {
                name,
                size,
                fraction_bits,
                bits,
                weights: matrix,
                scales,
                biases,
            })
        }
        LayerEntry::Add { factor, .. } => {
            let from = from.expect("invariant: the layer that an addition names was found");
            Layer::Add(Add { name, from, factor: factor as i32 })
        }
        LayerEntry::Scale { shift, scales, .. } => {
            Layer::Scale(Scale { name, scales: weights.take_scales(&scales, input.channels)?, shift })
        }
        LayerEntry::Relu { .. } => Layer::Relu(Relu { name }),
        LayerEntry::Clip { least, most, .. } => Layer::Clip(Clip { name, least, most }),
        LayerEntry::Table { least, count, entries, .. } => {
            let entries = weights.take_rising(&entries, count)?;
            Layer::Table(Table { name, least, entries })
        }
        LayerEntry::MaxPool { size, .. } => Layer::MaxPool(Pool { name, size }),
        LayerEntry::SumPool { size, .. } => Layer::SumPool(Pool { name, size }),
        LayerEntry::Sign { .. } => Layer::Sign(Sign { name }),
    })
}
