//! A tensor of integers as a model folder holds it: named in the manifest, its values in the safetensors file.

use std::fmt::Debug;

use safetensors::SafeTensorError;
use safetensors::tensor::{Dtype, TensorView};

/// A dimension's name and size.
pub(crate) type Dimension = (&'static str, usize);

/// Integers of a layer.
#[derive(Clone, Debug)]
pub(crate) struct Tensor {
    /// What they are to their layer, as a manifest calls it.
    part: &'static str,
    kind: Dtype,
    dimensions: Vec<Dimension>,
    /// What else the manifest says of them.
    remark: &'static str,
    /// Little-endian, row-major.
    data: Vec<u8>,
}

impl Tensor {
    /// Weights that an `i8` holds each.
    pub(crate) fn weights<T: Copy + TryInto<i8, Error: Debug>>(
        dimensions: &[Dimension],
        values: &[T],
    ) -> Self {
        let narrow = |&value: &T| value.try_into().expect("invariant: a grid of at most 127").to_le_bytes();
        Self::new("weights", Dtype::I8, dimensions, values.iter().flat_map(narrow).collect())
    }

    /// Weights of `i32`.
    pub(crate) fn wide_weights(dimensions: &[Dimension], values: &[i32]) -> Self {
        Self::words("weights", dimensions, values)
    }

    /// Scales of `i32`, one for each of the `outputs`, which is the dimension's name.
    pub(crate) fn scales(outputs: &'static str, values: &[i32]) -> Self {
        Self::words("scales", &[(outputs, values.len())], values)
    }

    /// Biases of `i32`, one for each of the `outputs`, which is the dimension's name.
    pub(crate) fn biases(outputs: &'static str, values: &[i32]) -> Self {
        Self::words("biases", &[(outputs, values.len())], values)
    }

    /// The same tensor with a remark on its values, for the manifest.
    pub(crate) fn remarked(self, remark: &'static str) -> Self {
        Self { remark, ..self }
    }

    fn words(part: &'static str, dimensions: &[Dimension], values: &[i32]) -> Self {
        let data = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Self::new(part, Dtype::I32, dimensions, data)
    }

    fn new(part: &'static str, kind: Dtype, dimensions: &[Dimension], data: Vec<u8>) -> Self {
        Self { part, kind, dimensions: dimensions.to_vec(), remark: "", data }
    }

    /// What the integers are to their layer: `weights`, `scales` or `biases`.
    pub(crate) fn part(&self) -> &'static str {
        self.part
    }

    /// Names and sizes, the outermost first.
    pub(crate) fn dimensions(&self) -> &[Dimension] {
        &self.dimensions
    }

    /// Type and dimensions for a reader of the manifest, such as `i8 [outputs, inputs]`.
    pub(crate) fn description(&self) -> String {
        let kind = if self.kind == Dtype::I8 { "i8" } else { "i32" };
        let names: Vec<_> = self.dimensions.iter().map(|&(name, _)| name).collect();
        format!("{kind} [{}]{}", names.join(", "), self.remark)
    }

    /// The tensor for a safetensors file.
    pub(crate) fn view(&self) -> Result<TensorView<'_>, SafeTensorError> {
        TensorView::new(self.kind, self.dimensions.iter().map(|&(_, size)| size).collect(), &self.data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_holds_the_integers() -> Result<(), SafeTensorError> {
        let weights = Tensor::weights(&[("outputs", 2), ("inputs", 3)], &[1, -1, -1, 1, 0, 7]);
        assert_eq!(weights.description(), "i8 [outputs, inputs]");
        let view = weights.view()?;
        assert_eq!((view.dtype(), view.shape()), (Dtype::I8, &[2, 3][..]));
        assert_eq!(view.data(), [1, 255, 255, 1, 0, 7]);
        let biases = Tensor::biases("outputs", &[5, -64]).remarked(", at most 5");
        assert_eq!((biases.part(), biases.description()), ("biases", "i32 [outputs], at most 5".to_owned()));
        assert_eq!(biases.view()?.data(), [5, 0, 0, 0, 192, 255, 255, 255]);
        Ok(())
    }

    #[test]
    fn values_that_do_not_fill_the_dimensions_are_refused() {
        assert!(Tensor::weights(&[("outputs", 2), ("inputs", 3)], &[1, -1, -1, 1, 0]).view().is_err());
    }
}
