//! Operations on constants, which exporters leave in a network: shapes that are computed, weights that are quantised or
//! transposed. Each is computed once and is then a tensor.

use std::collections::BTreeMap;

use super::{
    fault::Result,
    graph::{BIPOLAR_QUANT, Node, QUANT},
    tensor::{MOST_RANK, Tensor, data_type},
};

/// More dimensions than a shape has, of which numbers are put together.
const MOST_DIMS: usize = 64;

/// The types of tensors, by their names, as ONNX numbers them.
pub(super) type Types = BTreeMap<String, i32>;

/// Steps and zero points between numbers and integers: one of each for a tensor, or one for each part of one axis.
struct Steps<'a> {
    steps: &'a Tensor,
    zeros: Option<&'a Tensor>,
    /// Parts along the axis, and numbers of a part that lie together.
    parts: usize,
    together: usize,
}

impl<'a> Steps<'a> {
    /// Those of a node, whose first input is the tensor.
    fn of(node: &Node, inputs: &[Option<&'a Tensor>]) -> Result<Self> {
        let input = |place: usize| inputs.get(place).copied().flatten();
        let (Some(tensor), Some(steps)) = (input(0), input(1)) else {
            return Err(node.fault("its tensor or its scale is missing"));
        };
        let zeros = input(2);
        let count = steps.data.len();
        if steps.dims.len() > 1
            || zeros.is_some_and(|zeros| zeros.data.len() != count)
            || node.int("block_size", 0) != 0
        {
            return Err(node.fault("one scale and zero point, or a list of each along one axis, are read"));
        }
        // The axis counts only where there is a list.
        let axis = if count == 1 { Some(0) } else { resolved(node.int("axis", 1), tensor.dims.len()) };
        let axis = axis.ok_or_else(|| node.fault("its axis is none of the tensor's"))?;
        let together = tensor.dims.iter().skip(axis + 1).product::<usize>().max(1);
        Ok(Self { steps, zeros, parts: tensor.dims.get(axis).copied().unwrap_or(1), together })
    }

    /// The step and the zero point of the number at a place; none where there are not as many as parts.
    fn at(&self, place: usize) -> Option<(f64, f64)> {
        let of = |numbers: &Tensor| match numbers.data.len() {
            1 => Some(numbers.data[0]),
            count if count == self.parts => Some(numbers.data[place / self.together % self.parts]),
            _ => None,
        };
        Some((of(self.steps)?, self.zeros.map_or(Some(0.0), of)?))
    }
}

/// The least and the greatest integer of a node that makes bytes, by the type of its zero point.
///
/// # Errors
/// [`ImportFault::Node`](super::fault::ImportFault::Node) for another type.
pub(super) fn byte_range(node: &Node, types: &Types) -> Result<(f64, f64)> {
    let zero = node.inputs.get(2).filter(|name| !name.is_empty());
    match zero.map(|name| types.get(name)) {
        None | Some(Some(&data_type::UINT8)) => Ok((0.0, 255.0)),
        Some(Some(&data_type::INT8)) => Ok((-128.0, 127.0)),
        Some(_) => Err(node.fault("only a zero point of 8 bits is read, in a tensor of the file")),
    }
}

/// What a node gives for these inputs; none where the operation is not one that is computed here. An input that was left out is
/// none.
///
/// # Errors
/// [`ImportFault::Node`](super::fault::ImportFault::Node) where the inputs do not fit the operation.
pub(super) fn compute(node: &Node, inputs: &[Option<&Tensor>], types: &Types) -> Result<Option<Tensor>> {
    let input = |place: usize| {
        inputs.get(place).copied().flatten().ok_or_else(|| node.fault(format!("input {place} is missing")))
    };
    let axes = |place: usize| axes(node, inputs.get(place).copied().flatten());
    Ok(Some(match node.operation() {
        "Identity" => input(0)?.clone(),
        "Cast" => {
            let (tensor, to) = (input(0)?, node.int("to", 0));
            let is_integer = !is_real(to);
            let number = |&x: &f64| match to as i32 {
                data_type::BOOL => f64::from(u8::from(x != 0.0)),
                _ if is_integer => x.trunc(),
                _ => x,
            };
            Tensor { dims: tensor.dims.clone(), data: tensor.data.iter().map(number).collect(), is_integer }
        }
        "Constant" => {
            let integers = |ints: &[i64]| Tensor::integers(ints.iter().map(|&int| int as f64).collect());
            let scalar = |tensor: Tensor| Tensor { dims: vec![], ..tensor };
            match (node.tensor("value")?, node.ints("value_ints"), node.floats("value_floats")) {
                (Some(tensor), ..) => tensor,
                (_, Some(ints), _) => integers(ints),
                (_, _, Some(floats)) => {
                    let data = floats.iter().map(|&float| float.into()).collect();
                    Tensor { is_integer: false, ..Tensor::integers(data) }
                }
                _ if node.has(&["value_int"]) => scalar(integers(&[node.int("value_int", 0)])),
                _ if node.has(&["value_float"]) => {
                    Tensor { dims: vec![], data: vec![node.float("value_float", 0.0)], is_integer: false }
                }
                _ => return Err(node.fault("its value is neither a tensor nor numbers")),
            }
        }
        "Unsqueeze" => {
            let tensor = input(0)?;
            let dims =
                unsqueezed(&tensor.dims, &axes(1)?).ok_or_else(|| node.fault("its axes do not fit"))?;
            Tensor { dims, ..tensor.clone() }
        }
        "Squeeze" => {
            let tensor = input(0)?;
            let dims = squeezed(&tensor.dims, &axes(1)?).ok_or_else(|| node.fault("its axes do not fit"))?;
            Tensor { dims, ..tensor.clone() }
        }
        "Reshape" => {
            let tensor = input(0)?;
            let dims = reshaped(&tensor.dims, &integers(input(1)?))
                .ok_or_else(|| node.fault("its shape has not as many numbers"))?;
            Tensor { dims, ..tensor.clone() }
        }
        "Gather" if node.int("axis", 0) == 0 && input(0)?.dims.len() == 1 => {
            let (from, indices) = (input(0)?, input(1)?);
            let place = |&index: &f64| {
                let index = if index < 0.0 { index + from.data.len() as f64 } else { index };
                from.data.get(index as usize).filter(|_| index >= 0.0).copied()
            };
            let data: Option<Vec<f64>> = indices.data.iter().map(place).collect();
            let data = data.ok_or_else(|| node.fault("an index is out of range"))?;
            Tensor { dims: indices.dims.clone(), data, is_integer: from.is_integer }
        }
        "Concat" => {
            let parts: Option<Vec<&Tensor>> = inputs.iter().copied().collect();
            let parts = parts.ok_or_else(|| node.fault("an input is missing"))?;
            let length: usize = parts.iter().map(|part| part.data.len()).sum();
            if parts.iter().any(|part| part.dims.len() > 1) || length > MOST_DIMS {
                return Ok(None);
            }
            let is_integer = parts.iter().all(|part| part.is_integer);
            let data = parts.iter().flat_map(|part| part.data.iter().copied()).collect();
            Tensor { is_integer, ..Tensor::integers(data) }
        }
        "Transpose" => {
            let tensor = input(0)?;
            let order = permutation(node, tensor.dims.len())?;
            let places = transposed(&tensor.dims, &order);
            Tensor {
                dims: order.iter().map(|&axis| tensor.dims[axis]).collect(),
                data: places.into_iter().map(|place| tensor.data[place]).collect(),
                is_integer: tensor.is_integer,
            }
        }
        "Add" | "Sub" | "Mul" | "Div" => {
            let (a, b) = (input(0)?, input(1)?);
            let (dims, long, short) =
                if a.data.len() >= b.data.len() { (&a.dims, a, b) } else { (&b.dims, b, a) };
            let places = broadcast(&short.dims, dims)
                .ok_or_else(|| node.fault("its inputs have shapes that do not fit"))?;
            let is_first_short = !std::ptr::eq(long, a);
            let is_integer = a.is_integer && b.is_integer;
            let number = |(&long, place): (&f64, usize)| {
                let (a, b) =
                    if is_first_short { (short.data[place], long) } else { (long, short.data[place]) };
                let result = arithmetic(&node.kind, a, b);
                if is_integer { result.trunc() } else { result }
            };
            Tensor {
                dims: dims.clone(),
                data: long.data.iter().zip(places).map(number).collect(),
                is_integer,
            }
        }
        // (x - zero point) step.
        "DequantizeLinear" => {
            let (tensor, steps) = (input(0)?, Steps::of(node, inputs)?);
            let number = |(place, &x): (usize, &f64)| steps.at(place).map(|(step, zero)| (x - zero) * step);
            let data: Option<Vec<f64>> = tensor.data.iter().enumerate().map(number).collect();
            let data = data.ok_or_else(|| node.fault("its scales do not fit"))?;
            Tensor { dims: tensor.dims.clone(), data, is_integer: false }
        }
        // x / step + zero point, rounded and kept within a byte.
        "QuantizeLinear" => {
            let (tensor, steps) = (input(0)?, Steps::of(node, inputs)?);
            let (least, most) = byte_range(node, types)?;
            if steps.steps.data.contains(&0.0) {
                return Err(node.fault("scales that are not 0 are read"));
            }
            let number = |(place, &x): (usize, &f64)| {
                let (step, zero) = steps.at(place)?;
                Some(((x / step).round_ties_even() + zero).clamp(least, most))
            };
            let data: Option<Vec<f64>> = tensor.data.iter().enumerate().map(number).collect();
            let data = data.ok_or_else(|| node.fault("its scales do not fit"))?;
            Tensor { dims: tensor.dims.clone(), data, is_integer: true }
        }
        QUANT => {
            let (tensor, scale, zero, bits) = (input(0)?, input(1)?, input(2)?, input(3)?);
            let (Some(zero), Some(bits)) = (zero.scalar(), bits.scalar()) else {
                return Err(node.fault("one zero point and one bit width are needed"));
            };
            let (least, most) = quant_range(node, bits)?;
            if scale.data.contains(&0.0) {
                return Err(node.fault("scales that are not 0 are read"));
            }
            let round: fn(f64) -> f64 = match node.text("rounding_mode") {
                b"" | b"ROUND" => f64::round_ties_even,
                b"FLOOR" => f64::floor,
                b"CEIL" => f64::ceil,
                b"ROUND_TO_ZERO" => f64::trunc,
                _ => return Err(node.fault("its rounding is none of ROUND, FLOOR, CEIL and ROUND_TO_ZERO")),
            };
            let places =
                broadcast(&scale.dims, &tensor.dims).ok_or_else(|| node.fault("its scales do not fit"))?;
            let number = |(&x, place): (&f64, usize)| {
                let scale = scale.data[place];
                (round(x / scale + zero).clamp(least, most) - zero) * scale
            };
            let data = tensor.data.iter().zip(places).map(number).collect();
            Tensor { dims: tensor.dims.clone(), data, is_integer: false }
        }
        BIPOLAR_QUANT => {
            let (tensor, scale) = (input(0)?, input(1)?);
            let places =
                broadcast(&scale.dims, &tensor.dims).ok_or_else(|| node.fault("its scales do not fit"))?;
            let number =
                |(&x, place): (&f64, usize)| if x >= 0.0 { scale.data[place] } else { -scale.data[place] };
            let data = tensor.data.iter().zip(places).map(number).collect();
            Tensor { dims: tensor.dims.clone(), data, is_integer: false }
        }
        _ => return Ok(None),
    }))
}

/// The least and the greatest integer of a `Quant` of so many bits.
pub(super) fn quant_range(node: &Node, bits: f64) -> Result<(f64, f64)> {
    let (is_signed, is_narrow) = (node.int("signed", 1) != 0, node.int("narrow", 0) != 0);
    if !(1.0..=32.0).contains(&bits) || is_signed && bits < 2.0 {
        return Err(node.fault("2 to 32 bits are read (1 is BipolarQuant, or without a sign)"));
    }
    let (half, less) = ((bits - 1.0).exp2(), if is_narrow { 1.0 } else { 0.0 });
    Ok(if is_signed { (less - half, half - 1.0) } else { (0.0, 2.0 * half - 1.0 - less) })
}

/// Whether numbers of this type have parts after the point.
pub(super) fn is_real(data_type: i64) -> bool {
    [data_type::FLOAT, data_type::DOUBLE, data_type::FLOAT16].iter().any(|&real| i64::from(real) == data_type)
}

/// Sum, difference, product or quotient, by the name of the operation.
pub(super) fn arithmetic(kind: &str, a: f64, b: f64) -> f64 {
    match kind {
        "Add" => a + b,
        "Sub" => a - b,
        "Mul" => a * b,
        _ => a / b,
    }
}

/// The numbers of a tensor as integers.
pub(super) fn integers(tensor: &Tensor) -> Vec<i64> {
    tensor.data.iter().map(|&number| number as i64).collect()
}

/// The axes of a node: an attribute in older files, an input in newer ones.
pub(super) fn axes(node: &Node, input: Option<&Tensor>) -> Result<Vec<i64>> {
    Ok(match (node.ints("axes"), input) {
        (Some(axes), _) => axes.to_vec(),
        (None, Some(axes)) => integers(axes),
        (None, None) => Vec::new(),
    })
}

/// A shape with ones at these axes of the result.
pub(super) fn unsqueezed(dims: &[usize], axes: &[i64]) -> Option<Vec<usize>> {
    let rank = dims.len() + axes.len();
    if rank > MOST_RANK {
        return None;
    }
    let mut left = dims.iter().copied();
    let axes: Option<Vec<usize>> = axes.iter().map(|&axis| resolved(axis, rank)).collect();
    let axes = axes?;
    (0..rank).map(|axis| if axes.contains(&axis) { Some(1) } else { left.next() }).collect()
}

/// A shape without ones at these axes, or without any where there are none.
pub(super) fn squeezed(dims: &[usize], axes: &[i64]) -> Option<Vec<usize>> {
    if axes.is_empty() {
        return Some(dims.iter().copied().filter(|&dim| dim != 1).collect());
    }
    let axes: Option<Vec<usize>> = axes.iter().map(|&axis| resolved(axis, dims.len())).collect();
    let axes = axes?;
    if axes.iter().any(|&axis| dims[axis] != 1) {
        return None;
    }
    Some(dims.iter().enumerate().filter(|(axis, _)| !axes.contains(axis)).map(|(_, &dim)| dim).collect())
}

/// The shape that `Reshape` gives: 0 keeps a dimension, and -1 is what is left.
pub(super) fn reshaped(dims: &[usize], asked: &[i64]) -> Option<Vec<usize>> {
    let count: usize = dims.iter().product();
    if asked.len() > MOST_RANK {
        return None;
    }
    let known = |(place, &dim): (usize, &i64)| match dim {
        0 => dims.get(place).copied(),
        -1 => Some(1),
        dim => usize::try_from(dim).ok(),
    };
    let mut result: Vec<usize> = asked.iter().enumerate().map(known).collect::<Option<_>>()?;
    if let Some(free) = asked.iter().position(|&dim| dim == -1) {
        let others = result.iter().try_fold(1_usize, |product, &dim| product.checked_mul(dim))?;
        result[free] = count.checked_div(others)?;
    }
    let total = result.iter().try_fold(1_usize, |product, &dim| product.checked_mul(dim))?;
    (total == count).then_some(result)
}

fn resolved(axis: i64, rank: usize) -> Option<usize> {
    let axis = if axis < 0 { axis + rank as i64 } else { axis };
    usize::try_from(axis).ok().filter(|&axis| axis < rank)
}

/// The order of axes that a `Transpose` asks for; by default the reverse.
pub(super) fn permutation(node: &Node, rank: usize) -> Result<Vec<usize>> {
    let order: Option<Vec<usize>> = match node.ints("perm") {
        Some(order) => order.iter().map(|&axis| usize::try_from(axis).ok()).collect(),
        None => Some((0..rank).rev().collect()),
    };
    let is_whole = |order: &Vec<usize>| order.len() == rank && (0..rank).all(|axis| order.contains(&axis));
    order.filter(is_whole).ok_or_else(|| node.fault("its `perm` is no order of the axes"))
}

/// For each number of a transposed tensor its place before.
pub(super) fn transposed(dims: &[usize], order: &[usize]) -> Vec<usize> {
    let strides = strides(dims);
    let (dims, strides): (Vec<usize>, Vec<usize>) =
        order.iter().map(|&axis| (dims[axis], strides[axis])).unzip();
    places(&dims, &strides)
}

/// For each number of a tensor of shape `to` the place of the number of a tensor of shape `from` that meets it; none where the
/// shapes do not fit.
pub(super) fn broadcast(from: &[usize], to: &[usize]) -> Option<Vec<usize>> {
    let missing = to.len().checked_sub(from.len())?;
    let own = strides(from);
    let stride = |(axis, &dim): (usize, &usize)| {
        let Some(axis) = axis.checked_sub(missing) else { return Some(0) };
        if from[axis] == dim {
            Some(own[axis])
        } else if from[axis] == 1 {
            Some(0)
        } else {
            None
        }
    };
    let strides: Vec<usize> = to.iter().enumerate().map(stride).collect::<Option<_>>()?;
    Some(places(to, &strides))
}

fn strides(dims: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; dims.len()];
    for axis in (1..dims.len()).rev() {
        strides[axis - 1] = strides[axis] * dims[axis];
    }
    strides
}

/// The places of all numbers of a shape, with these strides.
fn places(dims: &[usize], strides: &[usize]) -> Vec<usize> {
    dims.iter().zip(strides).fold(vec![0], |places, (&dim, &stride)| {
        places.iter().flat_map(|place| (0..dim).map(move |index| place + index * stride)).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_those_of_the_specification() {
        assert_eq!(reshaped(&[1, 16, 5, 5], &[1, -1]), Some(vec![1, 400]));
        assert_eq!(reshaped(&[1, 16, 5, 5], &[0, 0, 25]), Some(vec![1, 16, 25]));
        assert_eq!(reshaped(&[1, 16], &[3, -1]), None);
        assert_eq!(reshaped(&[1, 16], &[0, 0, 0, -1]), None);
        assert_eq!(unsqueezed(&[3, 4], &[0, -1]), Some(vec![1, 3, 4, 1]));
        assert_eq!(squeezed(&[1, 3, 1], &[]), Some(vec![3]));
        assert_eq!(squeezed(&[1, 3, 1], &[1]), None);
    }

    #[test]
    fn places_follow_axes() {
        // Rows of [0 1 2; 3 4 5] become columns.
        assert_eq!(transposed(&[2, 3], &[1, 0]), [0, 3, 1, 4, 2, 5]);
        assert_eq!(broadcast(&[2, 1], &[2, 3]), Some(vec![0, 0, 0, 1, 1, 1]));
        assert_eq!(broadcast(&[3], &[2, 3]), Some(vec![0, 1, 2, 0, 1, 2]));
        assert_eq!(broadcast(&[2], &[2, 3]), None);
    }
}
