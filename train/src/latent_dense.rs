//! The real numbers behind a dense layer of integers: what training moves.
//!
//! ```text
//! w = step grid(unit W)                         weights, [outputs, inputs]
//! b = round(bias_unit B - w mu / 2^shift)       biases, [outputs]
//! y = floor(w x / 2^shift) + b                  with straight-through gradients
//! ```
//!
//! `mu` is the input the bias is learnt relative to: the mean one, or zero.

use candle_core::{D, Device, Result, Tensor, Var};
use rand::{Rng, RngExt};

use crate::dense::Dense;
use crate::grid::Grid;
use crate::straight_through::{floor, round};

/// The integers a layer may have, and how the real numbers stand for them.
#[derive(Clone, Debug)]
pub(crate) struct Form {
    /// What the weights may be, in steps.
    pub(crate) grid: Grid,
    /// Integer units to a step.
    pub(crate) step: i32,
    /// Bits dropped from the product.
    pub(crate) shift: u32,
    /// Steps to one unit of a latent weight: the optimiser's steps are of one size for every latent number.
    pub(crate) unit: f64,
    /// Integer units to one unit of a latent bias.
    pub(crate) bias_unit: f64,
    /// Largest magnitude of a bias, at most 2^24.
    pub(crate) bias_limit: i32,
}

/// The latent numbers of a layer.
pub(crate) struct LatentDense {
    form: Form,
    /// `mu`, `[inputs, 1]`.
    centre: Var,
    weights: Var,
    biases: Var,
}

impl LatentDense {
    /// Latent weights uniform within `bound` of zero, latent biases all `bias`. `centre` is `mu`, `[inputs]`.
    pub(crate) fn new(
        form: Form,
        centre: &[f32],
        outputs: usize,
        bound: f32,
        bias: f32,
        generator: &mut impl Rng,
    ) -> Result<Self> {
        let inputs = centre.len();
        let mut uniform = || bound * (2.0 * generator.random::<f32>() - 1.0);
        let weights: Vec<f32> = (0..outputs * inputs).map(|_| uniform()).collect();
        Ok(Self {
            form,
            centre: Var::from_tensor(&Tensor::new(centre, &Device::Cpu)?.unsqueeze(1)?)?,
            weights: Var::from_vec(weights, (outputs, inputs), &Device::Cpu)?,
            biases: Var::from_vec(vec![bias; outputs], outputs, &Device::Cpu)?,
        })
    }

    /// Moves `mu` a `share` of the way to `mean`, `[inputs]`.
    pub(crate) fn recentre(&self, mean: &Tensor, share: f64) -> Result<()> {
        let centre = self.centre.as_detached_tensor();
        self.centre.set(&(&centre + ((mean.unsqueeze(1)? - &centre)? * share)?)?)
    }

    /// What the optimiser moves.
    pub(crate) fn variables(&self) -> [Var; 2] {
        [self.weights.clone(), self.biases.clone()]
    }

    /// Outputs `[batch, outputs]`, integers, of `[batch, inputs]` integers.
    pub(crate) fn of(&self, x: &Tensor) -> Result<Tensor> {
        let weights = self.weights()?;
        let product = x.matmul(&weights.t()?)?;
        // A product that loses no bits is an integer already.
        let product = if self.form.shift == 0 { product } else { floor(&self.shifted(&product)?)? };
        product.broadcast_add(&self.biases(&weights)?)
    }

    /// The sum of the latent weights' magnitudes. In the loss it draws weights that matter little to zero, where they
    /// cost nothing.
    pub(crate) fn magnitude(&self) -> Result<Tensor> {
        self.weights.abs()?.sum_all()
    }

    /// Brings the latent weights back to where their gradient passes, after an optimiser's step.
    pub(crate) fn clip(&self) -> Result<()> {
        let limit = f64::from(self.form.grid.largest()) / self.form.unit;
        self.weights.set(&self.weights.clamp(-limit, limit)?)
    }

    /// The integer layer these numbers stand for.
    pub(crate) fn integers(&self) -> Result<Dense> {
        // Exact casts: every value is an integer of at most 24 bits.
        let integers = |tensor: Tensor| -> Result<Vec<i32>> {
            Ok(tensor.flatten_all()?.to_vec1::<f32>()?.into_iter().map(|value| value as i32).collect())
        };
        let weights = self.weights()?;
        let biases = integers(self.biases(&weights)?)?;
        Ok(Dense { weights: integers(weights)?, biases, shift: self.form.shift })
    }

    /// Weights `w`, `[outputs, inputs]`.
    fn weights(&self) -> Result<Tensor> {
        self.form.grid.nearest(&(&*self.weights * self.form.unit)?)? * f64::from(self.form.step)
    }

    /// Biases `b`, `[outputs]`, for `weights`.
    fn biases(&self, weights: &Tensor) -> Result<Tensor> {
        let centre = self.shifted(&weights.matmul(&self.centre.as_detached_tensor())?.squeeze(D::Minus1)?)?;
        round(&((&*self.biases * self.form.bias_unit)? - centre)?, self.form.bias_limit)
    }

    /// `product / 2^shift`
    fn shifted(&self, product: &Tensor) -> Result<Tensor> {
        product * f64::from(self.form.shift).exp2().recip()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::randomness::{Purpose, Randomness};

    #[test]
    fn the_integers_compute_what_training_computes() -> Result<()> {
        let form =
            Form { grid: Grid::new(15, 2), step: 4, shift: 3, unit: 30.0, bias_unit: 16.0, bias_limit: 500 };
        let generator = &mut Randomness::new(1).stream(Purpose::Initialisation, 0, 0);
        let centre: Vec<f32> = (0..40).map(|input| input as f32 / 10.0).collect();
        let layer = LatentDense::new(form, &centre, 6, 0.6, 1.5, generator)?;
        let x: Vec<i32> = (0..40).map(|input| input * 17 % 23).collect();
        let reals: Vec<f32> = x.iter().map(|&x| x as f32).collect();
        let computed = layer.of(&Tensor::from_vec(reals, (1, 40), &Device::Cpu)?)?.squeeze(0)?;
        let integers = layer.integers()?;
        let expected: Vec<f32> = integers.of(&x).iter().map(|&y| y as f32).collect();
        assert_eq!(computed.to_vec1::<f32>()?, expected);
        assert!(integers.weights.iter().all(|weight| weight % 4 == 0) && integers.largest_weight() > 40);
        Ok(())
    }
}
