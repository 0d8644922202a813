//! What a layer is, without its numbers.

use crate::{client::shape::Shape, layer::kind::Layer};

/// A layer of a model: its name and kind, and how many values it reads and gives.
#[derive(Debug, Clone)]
pub struct LayerSummary {
    layer: Layer,
    input: Shape,
}

impl LayerSummary {
    pub(super) fn new(layer: Layer, input: Shape) -> Self {
        Self { layer, input }
    }

    /// The layer's name in the manifest.
    pub fn name(&self) -> &str {
        self.layer.name()
    }

    /// What kind it is, as the manifest says.
    pub fn kind(&self) -> &'static str {
        self.layer.kind()
    }

    /// The values that it reads. (An XNOR convolution reads the pixels' signs, beside which come the windows' means.)
    pub fn inputs(&self) -> usize {
        self.input.values()
    }

    /// The values that it gives.
    pub fn outputs(&self) -> usize {
        self.layer.output(self.input).values()
    }
}
