//! Errors of one operation, in torus units, and their statistics.

/// A sample of errors whose mean should be zero.
#[derive(Debug, Clone, Default)]
pub struct Errors(Vec<f64>);

impl Errors {
    /// Adds errors.
    pub fn extend(&mut self, errors: impl IntoIterator<Item = f64>) {
        self.0.extend(errors);
    }

    /// How many there are.
    pub fn count(&self) -> f64 {
        self.0.len() as f64
    }

    /// Their mean.
    pub fn mean(&self) -> f64 {
        self.0.iter().sum::<f64>() / self.count()
    }

    /// The mean of their squares: their variance about zero.
    pub fn variance(&self) -> f64 {
        self.0.iter().map(|x| x * x).sum::<f64>() / self.count()
    }

    /// The mean in units of its standard error, if so many of the errors are independent.
    pub fn standard_errors(&self, independent: f64) -> f64 {
        self.mean() / (self.variance() / independent).sqrt()
    }

    /// How many are beyond so many standard deviations.
    pub fn beyond(&self, bound: f64) -> f64 {
        let limit = bound * self.variance().sqrt();
        self.0.iter().filter(|x| x.abs() > limit).count() as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_are_those_of_the_sample() {
        let mut errors = Errors::default();
        errors.extend([1.0, -1.0, 3.0, -3.0, 0.0]);
        assert_eq!((errors.count(), errors.mean(), errors.variance()), (5.0, 0.0, 4.0));
        assert_eq!((errors.beyond(1.0), errors.beyond(0.4), errors.standard_errors(5.0)), (2.0, 4.0, 0.0));
    }
}
