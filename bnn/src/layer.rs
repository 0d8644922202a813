//! The kinds of layer, over exact integers, and how large their values can become.
//!
//! A network's values between layers are integers: pixels, sums, fixed-point numbers whose point the model knows. What
//! each layer makes of them is defined here exactly; engines must give the same, bit for bit or up to a stated noise.
//! How large values can become decides the width of a circuit's words and the scale of sums on the torus.
//!
//! Layers are cheap to clone: their numbers are shared.

pub(crate) mod activation;
pub(crate) mod add;
pub(crate) mod binary_dense;
pub(crate) mod convolution;
pub(crate) mod dense;
pub(crate) mod kind;
pub(crate) mod matrix;
pub(crate) mod pool;
pub(crate) mod scale;
pub(crate) mod xnor_convolution;
