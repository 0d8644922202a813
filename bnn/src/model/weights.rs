//! `weights.safetensors`: the tensors that the manifest names, in the safetensors format
//! (<https://github.com/huggingface/safetensors>: a JSON header, then little-endian numbers).

use std::{collections::BTreeMap, sync::Arc};

use safetensors::{Dtype, SafeTensors, tensor::TensorView};

use super::fault::ModelFault;
use crate::{content, layer::matrix::Matrix, text::one_line};

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
        let file = SafeTensors::deserialize(content).map_err(|fault| match content::recognise(content) {
            Some(found) => ModelFault::Foreign { found },
            None => ModelFault::SafeTensors { reason: one_line(fault) },
        })?;
        Ok(Self { tensors: file.tensors().into_iter().collect() })
    }

    /// The `i8` or `i32` tensor of this name and shape, whose first dimension are the rows of a matrix. That of filters
    /// on one channel, `[filters, size, size]`, may be `[filters, 1, size, size]`.
    pub(super) fn take_matrix(&mut self, tensor: &str, shape: &[usize]) -> Result<Matrix> {
        let columns = shape[1..].iter().product();
        let (dtype, bytes) = self.take(tensor, &[Dtype::I8, Dtype::I32], shape)?;
        let entries = match dtype {
            Dtype::I32 => words(bytes),
            _ => bytes.iter().map(|&byte| byte.cast_signed().into()).collect(),
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

    /// The `i32` tensor of this name and of shape `[length]` or `[1, length]`.
    pub(super) fn take_biases(&mut self, tensor: &str, length: usize) -> Result<Arc<[i32]>> {
        Ok(words(self.take(tensor, &[Dtype::I32], &[length])?.1))
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

    /// As [`take_biases`](Self::take_biases), with no entry less than the one before it.
    pub(super) fn take_rising(&mut self, tensor: &str, length: usize) -> Result<Arc<[i32]>> {
        let entries = self.take_biases(tensor, length)?;
        match entries.windows(2).position(|pair| pair[0] > pair[1]) {
            Some(before) => Err(ModelFault::FallingEntries { tensor: tensor.into(), index: before + 1 }),
            None => Ok(entries),
        }
    }

    /// Checks that every tensor has been taken.
    pub(super) fn finish(mut self) -> Result<()> {
        match self.tensors.pop_first() {
            None => Ok(()),
            Some((tensor, _)) => Err(ModelFault::TensorUnused { tensor }),
        }
    }

    /// The type of a tensor, one of `dtypes`, and its bytes, as many as type and shape have: the parser has checked that.
    fn take(&mut self, tensor: &str, dtypes: &[Dtype], shape: &[usize]) -> Result<(Dtype, &'a [u8])> {
        let Some(view) = self.tensors.remove(tensor) else {
            return Err(ModelFault::TensorMissing { tensor: tensor.into() });
        };
        if !dtypes.contains(&view.dtype()) {
            return Err(ModelFault::TensorType {
                tensor: tensor.into(),
                found: view.dtype().to_string(),
                expected: dtypes.iter().map(Dtype::to_string).collect::<Vec<_>>().join(" or "),
            });
        }
        if !fits(view.shape(), shape) {
            return Err(ModelFault::TensorShape {
                tensor: tensor.into(),
                found: view.shape().into(),
                expected: shape.into(),
            });
        }
        Ok((view.dtype(), view.data()))
    }
}

/// Whether a shape is the one expected, or one that frameworks give the same numbers: a row for a vector, and filters with
/// their one channel.
fn fits(found: &[usize], expected: &[usize]) -> bool {
    match (found, expected) {
        (&[1, length], &[vector]) => length == vector,
        (&[filters, 1, height, width], &[_, _, _]) => [filters, height, width] == expected,
        _ => found == expected,
    }
}

/// Little-endian words.
fn words(bytes: &[u8]) -> Arc<[i32]> {
    bytes.as_chunks().0.iter().map(|&word| i32::from_le_bytes(word)).collect()
}
