//! The roots of unity that the transforms multiply by.

use std::f64::consts::PI;

/// w^t for t < 2N, where w = exp(i pi / N) and N = `size`.
pub(super) fn powers_of_root(size: usize) -> Vec<(f64, f64)> {
    let power = |t| {
        let angle = PI * t as f64 / size as f64;
        (angle.cos(), angle.sin())
    };
    (0..2 * size).map(power).collect()
}

/// The heap of the roots r_q for 1 <= q < `points`: r_1 = sqrt(i), and the children of z = r_q^2 are r_q and -r_q.
#[cfg(target_arch = "x86_64")]
pub(super) fn split_twiddles(points: usize) -> Vec<(f64, f64)> {
    // The angle of z at node q, in units of pi / (2 points): exact integers.
    let turn = 4 * points;
    let mut angles = vec![points; points];
    for q in 2..points {
        angles[q] = angles[q / 2] / 2 + (q % 2) * turn / 2;
    }
    let root = |&angle: &usize| {
        let half = PI * angle as f64 / (4 * points) as f64;
        (half.cos(), half.sin())
    };
    angles.iter().map(root).collect()
}
