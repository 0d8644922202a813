//! The vector backends: the kernels, once for every instruction set, on registers of [`lanes`].

mod avx2;
mod avx512;
mod complex;
mod decompose;
pub(super) mod dispatch;
mod lanes;
pub(super) mod pairs;
mod step;
mod streams;
mod transform;
mod twiddles;
