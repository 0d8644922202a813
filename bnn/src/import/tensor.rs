//! Numbers of a network in floating point, with their shape.

use super::{
    fault::{ImportFault, Result},
    protobuf,
};
use crate::text::one_line;

/// More numbers than a tensor has.
const MOST_ELEMENTS: usize = 1 << 26;

/// More dimensions than a tensor has.
pub(super) const MOST_RANK: usize = 8;

/// The types of numbers, as ONNX numbers them.
pub(super) mod data_type {
    pub(in crate::import) const FLOAT: i32 = 1;
    pub(in crate::import) const UINT8: i32 = 2;
    pub(in crate::import) const INT8: i32 = 3;
    pub(in crate::import) const INT32: i32 = 6;
    pub(in crate::import) const INT64: i32 = 7;
    pub(in crate::import) const BOOL: i32 = 9;
    pub(in crate::import) const FLOAT16: i32 = 10;
    pub(in crate::import) const DOUBLE: i32 = 11;
}

/// Numbers in the order of their shape, the last dimension fastest. Integers up to 2^53 are exact.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tensor {
    pub(super) dims: Vec<usize>,
    pub(super) data: Vec<f64>,
    /// Whether they are of a type of integers, whose quotients are cut off.
    pub(super) is_integer: bool,
}

impl Tensor {
    /// A list of integers, such as a shape.
    pub(super) fn integers(data: Vec<f64>) -> Self {
        Self { dims: vec![data.len()], data, is_integer: true }
    }

    /// The tensor of a message.
    ///
    /// # Errors
    /// [`ImportFault::Tensor`] where the numbers are elsewhere, of a type that is not read, or not as many as the shape has.
    pub(super) fn parse(message: protobuf::Tensor) -> Result<Self> {
        let name = one_line(&message.name);
        let fault = |reason: String| ImportFault::Tensor { tensor: name.clone(), reason };
        if message.location != 0 {
            return Err(fault(
                "its numbers are in another file (external data): save the network as one file".into(),
            ));
        }
        let dims: Option<Vec<usize>> = message.dims.iter().map(|&dim| usize::try_from(dim).ok()).collect();
        let dims = dims.ok_or_else(|| fault("a dimension is negative".into()))?;
        if dims.len() > MOST_RANK || dims.contains(&0) {
            return Err(fault(format!("a shape of {} dimensions, or without a number in it", dims.len())));
        }
        let count = dims.iter().try_fold(1_usize, |count, &dim| count.checked_mul(dim));
        let count = count
            .filter(|&count| count <= MOST_ELEMENTS)
            .ok_or_else(|| fault(format!("more than {MOST_ELEMENTS} numbers")))?;
        let raw = &message.raw;
        let ints = || message.ints.iter().map(|&int| int.into()).collect();
        let data: Vec<f64> = match (message.data_type, raw.is_empty()) {
            (data_type::FLOAT, true) => message.floats.iter().map(|&float| float.into()).collect(),
            (data_type::FLOAT, false) => words(raw, |word| f32::from_le_bytes(word).into()),
            (data_type::DOUBLE, true) => message.doubles.clone(),
            (data_type::DOUBLE, false) => words(raw, f64::from_le_bytes),
            (data_type::FLOAT16, true) => {
                message.ints.iter().map(|&bits| half::f16::from_bits(bits as u16).into()).collect()
            }
            (data_type::FLOAT16, false) => words(raw, |word| half::f16::from_le_bytes(word).into()),
            (data_type::INT64, true) => message.longs.iter().map(|&int| int as f64).collect(),
            (data_type::INT64, false) => words(raw, |word| i64::from_le_bytes(word) as f64),
            (data_type::INT32, false) => words(raw, |word| i32::from_le_bytes(word).into()),
            (data_type::INT8, false) => words(raw, |word| i8::from_le_bytes(word).into()),
            (data_type::UINT8 | data_type::BOOL, false) => raw.iter().map(|&byte| byte.into()).collect(),
            (data_type::INT32 | data_type::INT8 | data_type::UINT8 | data_type::BOOL, true) => ints(),
            (other, _) => return Err(fault(format!("numbers of type {other}, which are not read"))),
        };
        if data.len() != count {
            return Err(fault(format!("{} numbers, where its shape has {count}", data.len())));
        }
        if data.iter().any(|number| !number.is_finite()) {
            return Err(fault("a number is infinite or none".into()));
        }
        let is_integer =
            !matches!(message.data_type, data_type::FLOAT | data_type::DOUBLE | data_type::FLOAT16);
        Ok(Self { dims, data, is_integer })
    }

    /// The one number, if it is one.
    pub(super) fn scalar(&self) -> Option<f64> {
        if let [number] = self.data[..] { Some(number) } else { None }
    }
}

/// Little-endian words; what does not fill one is left out, and then missing in the count.
fn words<const N: usize>(raw: &[u8], number: impl Fn([u8; N]) -> f64) -> Vec<f64> {
    raw.as_chunks().0.iter().map(|&word| number(word)).collect()
}
