//! Operations on constants, which exporters leave in a network: shapes that are computed, weights that are quantised or
//! transposed. Each is computed once and is then a tensor.

use super::{fault::Result, graph::Node, tensor::Tensor};

/// More dimensions than a shape has, of which numbers are put together.
const MOST_DIMS: usize = 64;

/// What a node gives for these inputs; none where the operation is not one that is computed here. An input that was left out is
/// none.
///
/// # Errors
/// [`ImportFault::Node`](super::fault::ImportFault::Node) where the inputs do not fit the operation.
pub(super) fn compute(node: &Node, inputs: &[Option<&Tensor>]) -> Result<Option<Tensor>> {
    let input = |place: usize| {
        inputs.get(place).copied().flatten().ok_or_else(|| node.fault(format!("input {place} is missing")))
    };
    let axes = |place: usize| axes(node, inputs.get(place).copied().flatten());
    Ok(Some(match node.kind.as_str() {
        "Identity" | "Cast" => input(0)?.clone(),
        "Constant" => {
            let value = match node.tensor("value")? {
                Some(tensor) => Some(tensor),
                None => node
                    .ints("value_ints")
                    .map(|ints| Tensor::vector(ints.iter().map(|&int| int as f64).collect())),
            };
            match value.or_else(|| {
                node.floats("value_floats")
                    .map(|floats| Tensor::vector(floats.iter().map(|&float| float.into()).collect()))
            }) {
                Some(value) => value,
                None => Tensor {
                    dims: vec![],
                    data: vec![node.float("value_float", node.int("value_int", 0) as f32)],
                },
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
            Tensor {
                dims: indices.dims.clone(),
                data: data.ok_or_else(|| node.fault("an index is out of range"))?,
            }
        }
        "Concat" => {
            let parts: Option<Vec<&Tensor>> = inputs.iter().copied().collect();
            let parts = parts.ok_or_else(|| node.fault("an input is missing"))?;
            let length: usize = parts.iter().map(|part| part.data.len()).sum();
            if parts.iter().any(|part| part.dims.len() > 1) || length > MOST_DIMS {
                return Ok(None);
            }
            Tensor::vector(parts.iter().flat_map(|part| part.data.iter().copied()).collect())
        }
        "Transpose" => {
            let tensor = input(0)?;
            let order = permutation(node, tensor.dims.len())?;
            let places = transposed(&tensor.dims, &order);
            Tensor {
                dims: order.iter().map(|&axis| tensor.dims[axis]).collect(),
                data: places.into_iter().map(|place| tensor.data[place]).collect(),
            }
        }
        "Add" | "Sub" | "Mul" | "Div" => {
            let (a, b) = (input(0)?, input(1)?);
            let (dims, long, short) =
                if a.data.len() >= b.data.len() { (&a.dims, a, b) } else { (&b.dims, b, a) };
            let places = broadcast(&short.dims, dims)
                .ok_or_else(|| node.fault("its inputs have shapes that do not fit"))?;
            let is_first_short = !std::ptr::eq(long, a);
            let number = |(&long, place): (&f64, usize)| {
                let (a, b) =
                    if is_first_short { (short.data[place], long) } else { (long, short.data[place]) };
                arithmetic(&node.kind, a, b)
            };
            Tensor { dims: dims.clone(), data: long.data.iter().zip(places).map(number).collect() }
        }
        // (x - zero point) scale, for the whole tensor or for each part of one axis.
        "DequantizeLinear" => {
            let (tensor, scale) = (input(0)?, input(1)?);
            let zero = inputs.get(2).copied().flatten();
            let rank = tensor.dims.len() as i64;
            let axis = node.int("axis", 1);
            let axis = usize::try_from(if axis < 0 { axis + rank } else { axis }).unwrap_or_default();
            let after: usize = tensor.dims.iter().skip(axis + 1).product();
            let parts = tensor.dims.get(axis).copied().unwrap_or(1);
            let of = |numbers: &Tensor, place: usize| match numbers.data.len() {
                1 => Some(numbers.data[0]),
                count if count == parts => Some(numbers.data[place / after.max(1) % parts]),
                _ => None,
            };
            let number = |(place, &x): (usize, &f64)| {
                Some((x - zero.map_or(Some(0.0), |zero| of(zero, place))?) * of(scale, place)?)
            };
            let data: Option<Vec<f64>> = tensor.data.iter().enumerate().map(number).collect();
            Tensor {
                dims: tensor.dims.clone(),
                data: data.ok_or_else(|| node.fault("its scales do not fit"))?,
            }
        }
        // QONNX: scale times the nearest integer of so many bits.
        "qonnx.custom_op.general.Quant" | "onnx.brevitas.Quant" | "finn.custom_op.general.Quant" => {
            let (tensor, scale, zero, bits) = (input(0)?, input(1)?, input(2)?, input(3)?);
            let (Some(zero), Some(bits)) = (zero.scalar(), bits.scalar()) else {
                return Err(node.fault("one zero point and one bit width are needed"));
            };
            let places =
                broadcast(&scale.dims, &tensor.dims).ok_or_else(|| node.fault("its scales do not fit"))?;
            let half = (bits - 1.0).exp2();
            let (least, most) = match (node.int("signed", 1) != 0, node.int("narrow", 0) != 0) {
                (true, narrow) => (if narrow { 1.0 - half } else { -half }, half - 1.0),
                (false, _) => (0.0, 2.0 * half - 1.0),
            };
            let number = |(&x, place): (&f64, usize)| {
                let scale = scale.data[place];
                ((x / scale + zero).round_ties_even().clamp(least, most.max(least)) - zero) * scale
            };
            Tensor { dims: tensor.dims.clone(), data: tensor.data.iter().zip(places).map(number).collect() }
        }
        "qonnx.custom_op.general.BipolarQuant"
        | "onnx.brevitas.BipolarQuant"
        | "finn.custom_op.general.BipolarQuant" => {
            let (tensor, scale) = (input(0)?, input(1)?);
            let places =
                broadcast(&scale.dims, &tensor.dims).ok_or_else(|| node.fault("its scales do not fit"))?;
            let number =
                |(&x, place): (&f64, usize)| if x >= 0.0 { scale.data[place] } else { -scale.data[place] };
            Tensor { dims: tensor.dims.clone(), data: tensor.data.iter().zip(places).map(number).collect() }
        }
        _ => return Ok(None),
    }))
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
