//! The transform of one backend for one N: planned once, and cheap to clone.

use std::fmt;
use std::sync::Arc;

use super::choice::Backend;
use super::portable::Portable;
use super::transform::{SIZES, Transform};
#[cfg(target_arch = "x86_64")]
use super::vector::dispatch::{Avx2, Avx512};
use crate::error::{Error, Result};

/// Smallest N whose points fill a square of AVX-512 registers; below, that backend's transforms are AVX2's.
#[cfg(target_arch = "x86_64")]
const SMALLEST_AVX512: usize = 128;

/// A backend's transform for one N; cheap to clone.
#[derive(Clone)]
pub(crate) struct Fft {
    size: usize,
    backend: Backend,
    transform: Arc<dyn Transform>,
}

impl fmt::Debug for Fft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fft {{ size: {}, backend: {} }}", self.size, self.backend)
    }
}

impl Fft {
    /// Plans the transform of polynomials of `size` = N coefficients.
    ///
    /// # Errors
    /// [`Error::BackendUnavailable`] if the CPU lacks the backend; [`Error::TransformSize`] unless N is a power of two
    /// in [`SIZES`].
    pub(crate) fn new(size: usize, backend: Backend) -> Result<Self> {
        if !size.is_power_of_two() || !SIZES.contains(&size) {
            return Err(Error::TransformSize { size });
        }
        let transform: Arc<dyn Transform> = match backend.checked()? {
            Backend::Portable => Arc::new(Portable::new(size)),
            #[cfg(target_arch = "x86_64")]
            Backend::Avx512 if size >= SMALLEST_AVX512 => Arc::new(Avx512::new(size)),
            #[cfg(target_arch = "x86_64")]
            Backend::Avx2 | Backend::Avx512 => Arc::new(Avx2::new(size)),
            #[cfg(not(target_arch = "x86_64"))]
            Backend::Avx2 | Backend::Avx512 => {
                return Err(Error::BackendUnavailable { backend: backend.name() });
            }
        };
        Ok(Self { size, backend, transform })
    }

    /// N.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// Transforms N coefficients to points in place.
    ///
    /// # Panics
    /// If `data` has not N elements.
    pub(crate) fn forward(&self, data: &mut [f64]) {
        assert_eq!(data.len(), self.size);
        self.transform.forward(data);
    }

    /// Transforms points back to N coefficients in place.
    ///
    /// # Panics
    /// If `data` has not N elements.
    pub(crate) fn inverse(&self, data: &mut [f64]) {
        assert_eq!(data.len(), self.size);
        self.transform.inverse(data);
        let scale = self.scale();
        data.iter_mut().for_each(|x| *x *= scale);
    }

    /// The product of two real polynomials of N coefficients mod X^N + 1, with floating-point rounding.
    ///
    /// # Panics
    /// If a polynomial has not N coefficients.
    #[cfg(test)]
    pub(crate) fn multiply(&self, x: &[f64], y: &[f64]) -> Vec<f64> {
        let (mut x, mut y) = (x.to_vec(), y.to_vec());
        self.forward(&mut x);
        self.forward(&mut y);
        let mut product = vec![0.0; self.size];
        self.transform.multiply_add(&mut product, &x, &y);
        self.inverse(&mut product);
        product
    }

    /// 1/M, what a round trip through the backend's transforms must be multiplied by.
    pub(crate) fn scale(&self) -> f64 {
        2.0 / self.size as f64
    }

    pub(crate) fn transform(&self) -> &dyn Transform {
        &*self.transform
    }
}
