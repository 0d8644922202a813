//! An ONNX file as nodes, tensors, one input and one output.

use std::collections::BTreeMap;

use prost::Message;

use super::{
    fault::{ImportFault, Result},
    protobuf,
    tensor::Tensor,
};
use crate::text::one_line;

/// The largest file that is read, in bytes.
pub(super) const MOST_BYTES: usize = 32 << 20;
/// Nodes, tensors, and attributes of a node, at most.
const MOST_ENTRIES: usize = 1 << 14;
/// The versions of ONNX's operators whose meaning is known here.
const OPSETS: std::ops::RangeInclusive<i64> = 7..=24;

/// The domains in which QONNX's operations are.
const QONNX: [&str; 3] = ["qonnx.custom_op.general", "onnx.brevitas", "finn.custom_op.general"];
/// Scale times the nearest integer of so many bits.
pub(super) const QUANT: &str = "QONNX's Quant";
/// Scale times the sign, which is 1 at 0.
pub(super) const BIPOLAR_QUANT: &str = "QONNX's BipolarQuant";

/// A network as it is in the file.
#[derive(Debug)]
pub(super) struct Graph {
    pub(super) nodes: Vec<Node>,
    pub(super) tensors: BTreeMap<String, Tensor>,
    /// The types of their numbers, as ONNX counts them.
    pub(super) types: BTreeMap<String, i32>,
    pub(super) input: String,
    /// The input's dimensions; 0 where one has no number, as the batch has.
    pub(super) input_dims: Vec<usize>,
    pub(super) output: String,
}

/// An operation.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) kind: String,
    /// Its name, or that of its output where it has none: for messages, and for the layer that comes of it.
    pub(super) name: String,
    /// Names of values; empty for one that was left out.
    pub(super) inputs: Vec<String>,
    pub(super) outputs: Vec<String>,
    attributes: BTreeMap<String, protobuf::Attribute>,
}

impl Graph {
    /// Reads a file.
    ///
    /// # Errors
    /// [`ImportFault`], where it is none, or has parts that no network here has.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self> {
        if bytes.len() > MOST_BYTES {
            return Err(ImportFault::TooLarge { limit: MOST_BYTES });
        }
        let model: protobuf::Model = decode(bytes)?;
        let standard = |opset: &&protobuf::Opset| opset.domain.is_empty() || opset.domain == "ai.onnx";
        let version = model.opsets.iter().find(standard).map(|opset| opset.version);
        let version = version.ok_or_else(|| malformed("it names no version of ONNX's operators"))?;
        if !OPSETS.contains(&version) {
            return Err(ImportFault::Network {
                reason: format!(
                    "operators of version {version}, where {} to {} are read: export the network with another opset",
                    OPSETS.start(),
                    OPSETS.end()
                ),
            });
        }
        let graph = model.graph.ok_or_else(|| malformed("it has no network"))?;
        let graph: protobuf::Graph = decode(&graph)?;
        for (what, count) in [
            ("nodes", graph.nodes.len()),
            ("tensors", graph.initializers.len()),
            ("inputs", graph.inputs.len()),
            ("outputs", graph.outputs.len()),
        ] {
            check_count(what, count)?;
        }
        if !graph.sparse_initializers.is_empty() {
            let reason = "it has sparse tensors: store the weights in full".into();
            return Err(ImportFault::Network { reason });
        }
        let (mut tensors, mut types) = (BTreeMap::new(), BTreeMap::new());
        for initializer in &graph.initializers {
            let message: protobuf::Tensor = decode(initializer)?;
            types.insert(message.name.clone(), message.data_type);
            tensors.insert(message.name.clone(), Tensor::parse(message)?);
        }
        let infos: Vec<protobuf::ValueInfo> =
            graph.inputs.iter().map(|input| decode(input)).collect::<Result<_>>()?;
        // Older files name their weights among the inputs.
        let infos: Vec<_> = infos.into_iter().filter(|info| !tensors.contains_key(&info.name)).collect();
        let [info] = &infos[..] else {
            let reason = format!("{} inputs, where a network that reads one picture is needed", infos.len());
            return Err(ImportFault::Network { reason });
        };
        let shape = info.kind.as_ref().and_then(|kind| kind.tensor.as_ref()?.shape.as_ref());
        let dims = shape.map_or_else(Vec::new, |shape| shape.dims.iter().map(|dim| dim.value).collect());
        let [output] = &graph.outputs[..] else {
            let reason = format!("{} outputs, where one list of scores is needed", graph.outputs.len());
            return Err(ImportFault::Network { reason });
        };
        Ok(Self {
            nodes: graph.nodes.iter().map(|node| Node::parse(node)).collect::<Result<_>>()?,
            tensors,
            types,
            input: info.name.clone(),
            input_dims: dims.into_iter().map(|dim| usize::try_from(dim).unwrap_or_default()).collect(),
            output: decode::<protobuf::ValueInfo>(output)?.name,
        })
    }
}

impl Node {
    fn parse(bytes: &[u8]) -> Result<Self> {
        let node: protobuf::Node = decode(bytes)?;
        check_count("attributes", node.attributes.len())?;
        let mut attributes = BTreeMap::new();
        for attribute in &node.attributes {
            let attribute: protobuf::Attribute = decode(attribute)?;
            attributes.insert(attribute.name.clone(), attribute);
        }
        let name =
            if node.name.is_empty() { node.outputs.first().cloned().unwrap_or_default() } else { node.name };
        let kind = match node.domain.as_str() {
            "" | "ai.onnx" => node.kind,
            domain => format!("{domain}.{}", node.kind),
        };
        Ok(Self {
            kind: one_line(kind),
            name: one_line(name),
            inputs: node.inputs,
            outputs: node.outputs,
            attributes,
        })
    }

    /// The operation: its kind, or [`QUANT`] and [`BIPOLAR_QUANT`], which exporters write in several domains.
    pub(super) fn operation(&self) -> &str {
        let qonnx = QONNX.iter().find_map(|domain| self.kind.strip_prefix(domain)?.strip_prefix('.'));
        match qonnx {
            Some("Quant") => QUANT,
            Some("BipolarQuant") => BIPOLAR_QUANT,
            _ => &self.kind,
        }
    }

    /// A fault of this node.
    pub(super) fn fault(&self, reason: impl Into<String>) -> ImportFault {
        ImportFault::Node { node: self.name.clone(), kind: self.kind.clone(), reason: reason.into() }
    }

    /// An integer, or `default` where the node has none of this name.
    pub(super) fn int(&self, name: &str, default: i64) -> i64 {
        self.attributes.get(name).map_or(default, |attribute| attribute.int)
    }

    /// A number, likewise.
    pub(super) fn float(&self, name: &str, default: f32) -> f64 {
        self.attributes.get(name).map_or(default, |attribute| attribute.float).into()
    }

    /// Whether the node has one of these choices.
    pub(super) fn has(&self, names: &[&str]) -> bool {
        names.iter().any(|&name| self.attributes.contains_key(name))
    }

    /// Numbers; none where the node has none of this name.
    pub(super) fn floats(&self, name: &str) -> Option<&[f32]> {
        self.attributes.get(name).map(|attribute| &attribute.floats[..])
    }

    /// Integers; none where the node has none of this name.
    pub(super) fn ints(&self, name: &str) -> Option<&[i64]> {
        self.attributes.get(name).map(|attribute| &attribute.ints[..])
    }

    /// A text; empty where the node has none of this name.
    pub(super) fn text(&self, name: &str) -> &[u8] {
        self.attributes.get(name).map_or(&[], |attribute| &attribute.text)
    }

    /// A tensor; none where the node has none of this name.
    pub(super) fn tensor(&self, name: &str) -> Result<Option<Tensor>> {
        let tensor = self.attributes.get(name).and_then(|attribute| attribute.tensor.clone());
        tensor.map(Tensor::parse).transpose()
    }

    /// The type of the numbers of an attribute that is a tensor, as ONNX numbers them.
    pub(super) fn tensor_type(&self, name: &str) -> Option<i32> {
        self.attributes.get(name)?.tensor.as_ref().map(|tensor| tensor.data_type)
    }
}

fn malformed(reason: impl Into<String>) -> ImportFault {
    ImportFault::Malformed { reason: reason.into() }
}

fn decode<M: Message + Default>(bytes: &[u8]) -> Result<M> {
    M::decode(bytes).map_err(|fault| malformed(one_line(fault)))
}

fn check_count(what: &str, count: usize) -> Result<()> {
    if count <= MOST_ENTRIES {
        Ok(())
    } else {
        Err(malformed(format!("{count} {what}, where {MOST_ENTRIES} are the most")))
    }
}
