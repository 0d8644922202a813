//! `weights.safetensors`: the tensors that the manifest names, in the safetensors format
//! (<https://github.com/huggingface/safetensors>: a JSON header, then little-endian numbers).

use std::{collections::BTreeMap, sync::Arc};

use safetensors::{Dtype, SafeTensors, tensor::TensorView};

use super::fault::ModelFault;
use crate::{layer::matrix::Matrix, text::one_line};

type Result<T> = std::result::Result<T, ModelFault>;

/// The tensors of a file that no layer has taken yet.
///
/// Each can be taken once, so that a model in memory is at most four times its file, and at the end none may be
/// left, so that the file holds the network of the manifest and no other.
pub(super) struct Weights<'a> {
    tensors: BTreeMap<String, TensorView<'a>>,
}

impl<'a> Weights<'a> {
    /// Parses the content of the file.
    pub(super) fn parse(content: &'a [u8]) -> Result<Self> {
        let file = SafeTensors::deserialize(content)
            .map_err(|fault| ModelFault::SafeTensors { reason: one_line(fault) })?;
        Ok(Self { tensors: file.tensors().into_iter().collect() })
    }

    /// The `i8` or `i32` tensor of this name and shape, whose first dimension are the rows of a matrix.
    pub(super) fn take_matrix(&mut self, tensor: &str, shape: &[usize]) -> Result<Matrix> {
        let columns = shape[1..].iter().product();
        let wide = self.tensors.get(tensor).is_some_and(|view| view.dtype() == Dtype::I32);
        let entries = if wide {
            self.take_words(tensor, shape)?
        } else {
            self.take(tensor, Dtype::I8, shape)?.iter().map(|&byte| byte.cast_signed().into()).collect()
        };
        Ok(Matrix::new(columns, entries))
    }

    /// As [`take_matrix`](Self::take_matrix), with entries -1 and +1 only.
    pub(super) fn take_binary_matrix(&mut self, tensor: &str, shape: &[usize]) -> Result<Matrix> {
        let matrix = self.take_matrix(tensor, shape)?;
        let columns = matrix.columns();
        if let Some((index, &value)) =
            matrix.iter().flatten().enumerate().find(|(_, value)| value.unsigned_abs() != 1)
        {
            return Err(ModelFault::BinaryWeight {
                tensor: tensor.into(),
                row: index / columns,
                column: index % columns,
                value,
            });
        }
        Ok(matrix)
    }

    /// The `i32` tensor of this name and of shape `[length]`.
    pub(super) fn take_biases(&mut self, tensor: &str, length: usize) -> Result<Arc<[i32]>> {
        self.take_words(tensor, &[length])
    }

    /// As [`take_biases`](Self::take_biases), with no negative entry.
    pub(super) fn take_scales(&mut self, tensor: &str, length: usize) -> Result<Arc<[i32]>> {
        let scales = self.take_biases(tensor, length)?;
        if let Some(index) = scales.iter().position(|&scale| scale < 0) {
            let (tensor, value) = (tensor.into(), scales[index]);
            return Err(ModelFault::NegativeScale { tensor, index, value });
        }
        Ok(scales)
    }

    fn take_words(&mut self, tensor: &str, shape: &[usize]) -> Result<Arc<[i32]>> {
        let bytes = self.take(tensor, Dtype::I32, shape)?;
        Ok(bytes.as_chunks().0.iter().map(|&word| i32::from_le_bytes(word)).collect())
    }

    /// Checks that every tensor has been taken.
    pub(super) fn finish(mut self) -> Result<()> {
        match self.tensors.pop_first() {
            None => Ok(()),
            Some((tensor, _)) => Err(ModelFault::TensorUnused { tensor }),
        }
    }

    /// The bytes of a tensor, as many as its type and shape have: the parser has checked that.
    fn take(&mut self, tensor: &str, dtype: Dtype, shape: &[usize]) -> Result<&'a [u8]> {
        let Some(view) = self.tensors.remove(tensor) else {
            return Err(ModelFault::TensorMissing { tensor: tensor.into() });
        };
        if view.dtype() != dtype {
            return Err(ModelFault::TensorType {
                tensor: tensor.into(),
                found: view.dtype().to_string(),
                expected: dtype.to_string(),
            });
        }
        if view.shape() != shape {
            return Err(ModelFault::TensorShape {
                tensor: tensor.into(),
                found: view.shape().into(),
                expected: shape.into(),
            });
        }
        Ok(view.data())
    }
}
