//! Pictures from arrays, and scores as arrays.

use bnn::{
    client::{InputEncoding, Scores},
    data::Image,
};
use numpy::{
    IntoPyArray, PyArrayDyn, PyReadonlyArrayDyn, PyUntypedArray, PyUntypedArrayMethods,
    ndarray::{ArrayD, ArrayViewD, Axis, IxDyn},
};
use pyo3::prelude::*;

use crate::fault::{Fault, input};

/// Channels, rows and columns of the pictures that a network reads.
pub(crate) type Shape = (usize, usize, usize);

/// The shape of the pictures of an encoding.
pub(crate) fn shape_of(input: &InputEncoding) -> Shape {
    (input.channels(), input.height(), input.width())
}

/// Pictures of an array.
pub(crate) struct Pictures {
    pub(crate) images: Vec<Image>,
    /// Whether the array is one picture, and no list of them.
    pub(crate) is_one: bool,
}

/// The pictures of an array of `uint8`, 0 for black to 255: `(h, w)` or `(n, h, w)` for a network of one channel, `(c, h, w)` for one of
/// several, `(n, c, h, w)` for either. However its values lie in memory, they are read where they belong.
pub(crate) fn pictures(array: &Bound<'_, PyAny>, (channels, height, width): Shape) -> PyResult<Pictures> {
    let expected = || {
        let one = if channels == 1 {
            format!("({height}, {width})")
        } else {
            format!("({channels}, {height}, {width})")
        };
        let many = if channels == 1 { format!("(n, {height}, {width}) or ") } else { String::new() };
        format!(
            "the network reads arrays of uint8 of the shape {one}, {many}(n, {channels}, {height}, {width})"
        )
    };
    let Ok(untyped) = array.cast::<PyUntypedArray>() else {
        return Err(input(format!("no numpy array but {}: {}", array.get_type().name()?, expected())));
    };
    let Ok(array) = array.extract::<PyReadonlyArrayDyn<'_, u8>>() else {
        return Err(input(format!("an array of {}: {}", untyped.dtype(), expected())));
    };
    let view = array.as_array();
    let is_one = match *view.shape() {
        [h, w] if (channels, height, width) == (1, h, w) => true,
        [_, h, w] if (channels, height, width) == (1, h, w) => false,
        [c, h, w] if channels > 1 && (channels, height, width) == (c, h, w) => true,
        [_, c, h, w] if (channels, height, width) == (c, h, w) => false,
        _ => return Err(input(format!("an array of the shape {:?}: {}", view.shape(), expected()))),
    };
    let image = |view: ArrayViewD<'_, u8>| {
        Image::new(channels, width, height, view.iter().copied().collect()).map_err(Fault::from)
    };
    let images = if is_one {
        vec![image(view)?]
    } else {
        view.axis_iter(Axis(0)).map(image).collect::<Result<_, Fault>>()?
    };
    Ok(Pictures { images, is_one })
}

/// Scores as an array of floating point, `(n, classes)`, or `(classes,)` of one picture. (The integers of the network over a power of
/// two, exactly.)
pub(crate) fn scores_array<'py>(
    py: Python<'py>,
    scores: &[Scores],
    classes: usize,
    is_one: bool,
) -> PyResult<Bound<'py, PyArrayDyn<f64>>> {
    let values: Vec<f64> = scores.iter().flat_map(Scores::reals).collect();
    let shape = if is_one { vec![classes] } else { vec![scores.len(), classes] };
    let array = ArrayD::from_shape_vec(IxDyn(&shape), values);
    let array = array.map_err(|error| input(format!("scores of another number of classes: {error}")))?;
    Ok(array.into_pyarray(py))
}
