//! What a layer is, without its numbers.

use crate::{client::shape::Shape, layer::kind::Layer};

/// A layer of a model: its name and kind, and how many values it reads and gives.
#[derive(Debug, Clone)]
pub struct LayerSummary {
    layer: Layer,
    input: Shape,
    from: Option<String>,
}

impl LayerSummary {
    pub(super) fn new(layer: Layer, input: Shape, from: Option<String>) -> Self {
        Self { layer, input, from }
    }

    /// The layer's name in the manifest.
    pub fn name(&self) -> &str {
        self.layer.name()
    }

    /// What kind it is, as the manifest says.
    pub fn kind(&self) -> &'static str {
        self.layer.kind()
    }

    /// The layer whose values it reads in place of the one before it, or adds to what that gives; none where there is no such layer.
    pub fn from(&self) -> Option<&str> {
        self.from.as_deref()
    }

    /// Channels, rows and columns of what it gives; of a vector, its length, 1 and 1.
    pub fn shape(&self) -> [usize; 3] {
        let Shape { channels, height, width } = self.layer.output(self.input);
        [channels, height, width]
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
