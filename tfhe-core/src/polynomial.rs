//! Polynomials mod X^N + 1, by their coefficients.

use zeroize::Zeroize;

use crate::torus::Torus;

/// N coefficients, in ascending powers of X.
#[derive(Clone, Debug, PartialEq, Eq, Zeroize)]
pub(crate) struct Polynomial<C: Zeroize>(pub Vec<C>);

impl<T: Torus> Polynomial<T> {
    /// The product with X^`power` mod X^N + 1; any integer power.
    pub(crate) fn rotate(&self, power: i64) -> Self {
        let size = self.0.len() as i64;
        let coefficient = |j: i64| {
            let from = (j - power).rem_euclid(2 * size);
            if from < size { self.0[from as usize] } else { -self.0[(from - size) as usize] }
        };
        Self((0..size).map(coefficient).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::torus::Torus32;

    #[test]
    fn rotation_is_negacyclic() {
        let p = Polynomial(vec![Torus32(1), Torus32(2), Torus32(3), Torus32(4)]);
        assert_eq!(p.rotate(1).0, [-Torus32(4), Torus32(1), Torus32(2), Torus32(3)]);
        assert_eq!(p.rotate(4).0, p.0.iter().map(|&x| -x).collect::<Vec<_>>());
        assert_eq!(p.rotate(-3).rotate(3), p);
        assert_eq!(p.rotate(8), p);
    }
}
