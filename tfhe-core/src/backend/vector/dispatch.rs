//! The vector backends: the kernels compiled for each instruction set, behind safe functions.

#![allow(unsafe_code)] // docs/unsafe.md

use super::avx2::F64x4;
use super::avx512::F64x8;
use super::lanes::Lanes;
use super::twiddles::Twiddles;
use super::{decompose, step, transform};
use crate::backend::transform::{Step, StepShape, Transform};
use crate::gadget::Gadget;

/// A backend made of the vector kernels, compiled for an instruction set.
macro_rules! vector_backend {
    ($name:ident, $lanes:ty, $features:literal) => {
        #[doc = concat!("The vector kernels compiled for `", $features, "`.")]
        pub(in crate::backend) struct $name(Twiddles);

        #[allow(unsafe_code)] // docs/unsafe.md
        impl $name {
            /// Only for a CPU with the features: [`Fft::new`] has checked.
            pub(in crate::backend) fn new(size: usize) -> Self {
                Self(Twiddles::new(size, <$lanes as Lanes>::LANES))
            }

            #[target_feature(enable = $features)]
            fn forward_here(&self, data: &mut [f64]) {
                // SAFETY: the features are enabled in this function.
                unsafe { transform::forward::<$lanes>(&self.0, data) }
            }

            #[target_feature(enable = $features)]
            fn inverse_here(&self, data: &mut [f64]) {
                // SAFETY: the features are enabled in this function.
                unsafe { transform::inverse::<$lanes>(&self.0, data) }
            }

            #[target_feature(enable = $features)]
            fn multiply_add_here(&self, sum: &mut [f64], x: &[f64], y: &[f64]) {
                // SAFETY: the features are enabled in this function.
                unsafe { transform::multiply_add::<$lanes>(&self.0, sum, x, y) }
            }

            #[target_feature(enable = $features)]
            fn decompose_here(&self, gadget: Gadget, polynomial: &[u64], digits: &mut [f64]) {
                // SAFETY: the features are enabled in this function.
                unsafe { decompose::decompose::<$lanes>(gadget, polynomial, digits, polynomial.len()) }
            }

            #[target_feature(enable = $features)]
            fn rotate_here(&self, step: &Step<'_>, acc: &mut [u64], shifts: &[u32], scratch: &mut [f64]) {
                // SAFETY: the features are enabled in this function.
                unsafe { step::rotate_and_add::<$lanes>(&self.0, step, acc, shifts, scratch) }
            }

            #[target_feature(enable = $features)]
            fn transform_digits_here(&self, shape: &StepShape, polynomials: &[u64], digits: &mut [f64]) {
                // SAFETY: the features are enabled in this function.
                unsafe { step::transform_digits::<$lanes>(&self.0, shape, polynomials, digits) }
            }

            #[target_feature(enable = $features)]
            fn multiply_and_add_here(
                &self,
                step: &Step<'_>,
                first: usize,
                polynomials: &mut [u64],
                shifts: &[u32],
                scratch: &mut [f64],
            ) {
                // SAFETY: the features are enabled in this function.
                unsafe {
                    step::multiply_and_add::<$lanes>(&self.0, step, first, polynomials, shifts, scratch)
                }
            }
        }

        #[allow(unsafe_code)] // docs/unsafe.md
        impl Transform for $name {
            fn forward(&self, data: &mut [f64]) {
                // SAFETY: a value of this type exists only where the CPU has the features.
                unsafe { self.forward_here(data) }
            }

            fn inverse(&self, data: &mut [f64]) {
                // SAFETY: as above.
                unsafe { self.inverse_here(data) }
            }

            fn multiply_add(&self, sum: &mut [f64], x: &[f64], y: &[f64]) {
                // SAFETY: as above.
                unsafe { self.multiply_add_here(sum, x, y) }
            }

            fn decompose(&self, gadget: Gadget, polynomial: &[u64], digits: &mut [f64]) {
                // SAFETY: as above.
                unsafe { self.decompose_here(gadget, polynomial, digits) }
            }

            fn arrange_key(&self, shape: &StepShape, key: &mut [f64]) {
                let unit = <$lanes>::fraction_bits(shape.product_bits());
                step::arrange_key(<$lanes>::LANES, unit, self.0.size(), key);
            }

            fn rotate_and_add(&self, step: &Step<'_>, acc: &mut [u64], shifts: &[u32], scratch: &mut [f64]) {
                // SAFETY: as above.
                unsafe { self.rotate_here(step, acc, shifts, scratch) }
            }

            fn transform_digits(&self, shape: &StepShape, polynomials: &[u64], digits: &mut [f64]) {
                // SAFETY: as above.
                unsafe { self.transform_digits_here(shape, polynomials, digits) }
            }

            fn multiply_and_add(
                &self,
                step: &Step<'_>,
                first: usize,
                polynomials: &mut [u64],
                shifts: &[u32],
                scratch: &mut [f64],
            ) {
                // SAFETY: as above.
                unsafe { self.multiply_and_add_here(step, first, polynomials, shifts, scratch) }
            }
        }
    };
}

vector_backend!(Avx2, F64x4, "avx2,fma");
vector_backend!(Avx512, F64x8, "avx512f,avx512dq");
