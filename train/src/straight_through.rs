//! Discrete functions of a latent real number, with a gradient that looks straight through them.
//!
//! The derivative of a sign or a rounding is zero almost everywhere, so training would stand still. The
//! straight-through estimator (Bengio, Léonard and Courville, arXiv:1308.3432; used for binarized networks by
//! Courbariaux et al., arXiv:1602.02830, and Hubara et al., arXiv:1609.07061) takes that of the "hard tanh" instead:
//! 1 where the argument lies within a window around zero, 0 where the outcome is settled already.

use candle_core::{CpuStorage, CustomOp1, DType, Layout, Result, Shape, Tensor, bail};

/// `sign(x)` in {+1, -1}, with `sign(0) = 1`; the gradient passes where `|x| <= window`.
pub(crate) fn sign(x: &Tensor, window: f32) -> Result<Tensor> {
    discrete(x, window, |x| if x >= 0.0 { 1.0 } else { -1.0 })
}

/// The integer in `[-limit, limit]` nearest to `x`; the gradient passes where `|x| <= limit`.
pub(crate) fn round(x: &Tensor, limit: i32) -> Result<Tensor> {
    let window = limit as f32;
    discrete(x, window, move |x| x.round().clamp(-window, window))
}

/// The integer at or below `x`; the gradient always passes.
pub(crate) fn floor(x: &Tensor) -> Result<Tensor> {
    discrete(x, f32::INFINITY, f32::floor)
}

/// `forward` of every element; the gradient passes where `|x| <= window`.
pub(crate) fn discrete(
    x: &Tensor,
    window: f32,
    forward: impl Fn(f32) -> f32 + Send + Sync + 'static,
) -> Result<Tensor> {
    x.apply_op1(StraightThrough { forward, window })
}

/// `forward` of every element; backward, the identity within the window and zero outside.
struct StraightThrough<F> {
    forward: F,
    window: f32,
}

impl<F: Fn(f32) -> f32> CustomOp1 for StraightThrough<F> {
    fn name(&self) -> &'static str {
        "straight-through estimator"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (CpuStorage::F32(values), Some((start, end))) = (storage, layout.contiguous_offsets()) else {
            bail!("the {} takes contiguous f32", self.name())
        };
        let outcome = values[start..end].iter().map(|&x| (self.forward)(x)).collect();
        Ok((CpuStorage::F32(outcome), layout.shape().clone()))
    }

    fn bwd(&self, x: &Tensor, _outcome: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let passes = x.abs()?.le(self.window)?.to_dtype(DType::F32)?;
        Ok(Some((gradient * passes)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{Device, Var};

    fn outcome_and_gradient(x: &[f32], op: impl Fn(&Tensor) -> Result<Tensor>) -> (Vec<f32>, Vec<f32>) {
        let run = || -> Result<_> {
            let x = Var::new(x, &Device::Cpu)?;
            let outcome = op(&x)?;
            let gradients = outcome.sum_all()?.backward()?;
            let gradient = gradients.get(&x).map_or(Ok(vec![]), Tensor::to_vec1)?;
            Ok((outcome.to_vec1()?, gradient))
        };
        run().expect("an element-wise operation on a vector")
    }

    #[test]
    fn sign_passes_the_gradient_inside_its_window() {
        let (outcome, gradient) = outcome_and_gradient(&[-3.0, -0.5, 0.0, 2.0, 2.5], |x| sign(x, 2.0));
        assert_eq!(outcome, [-1.0, -1.0, 1.0, 1.0, 1.0]);
        assert_eq!(gradient, [0.0, 1.0, 1.0, 1.0, 0.0]);
    }

    #[test]
    fn round_passes_the_gradient_inside_its_limit() {
        let (outcome, gradient) = outcome_and_gradient(&[-9.0, -1.6, 0.2, 6.7, 8.0], |x| round(x, 7));
        assert_eq!(outcome, [-7.0, -2.0, 0.0, 7.0, 7.0]);
        assert_eq!(gradient, [0.0, 1.0, 1.0, 1.0, 0.0]);
    }
}
