//! The windows of a picture as the rows of a matrix, so that a convolution is a product of matrices.
//!
//! ```text
//! rows[p, (u, v, c)] = x[s i + u, s j + v, c]   window p = (i, j), s the stride
//! ```
//!
//! Training keeps the channels of a pixel together, because that is how a product of such rows with filters leaves
//! them: what one layer gives, `[batch, positions, filters]`, is what the next one's windows are cut from. A manifest
//! keeps the pixels of a channel together; [`Geometry::channels_first`] says where its weights are here.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

/// A picture and the windows that filters look at: square, and wholly inside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Geometry {
    /// Channels of the picture.
    pub(crate) channels: usize,
    /// Pixels on its side.
    pub(crate) side: usize,
    /// Pixels on a window's side, at most `side`.
    pub(crate) size: usize,
    /// Pixels from a window to the next.
    pub(crate) stride: usize,
}

impl Geometry {
    /// Windows on a side.
    pub(crate) const fn across(self) -> usize {
        (self.side - self.size) / self.stride + 1
    }

    /// Windows of a picture.
    pub(crate) const fn positions(self) -> usize {
        self.across() * self.across()
    }

    /// Values in a window.
    pub(crate) const fn taps(self) -> usize {
        self.channels * self.size * self.size
    }

    /// Values of a picture.
    pub(crate) const fn values(self) -> usize {
        self.channels * self.side * self.side
    }

    /// For each tap in the order (channel, row, column), its place in a row of [`Self::rows`].
    pub(crate) fn channels_first(self) -> impl Iterator<Item = usize> {
        let (pixels, channels) = (self.size * self.size, self.channels);
        (0..channels).flat_map(move |channel| (0..pixels).map(move |pixel| pixel * channels + channel))
    }

    /// The windows, `[batch * positions, taps]`, of pictures `[batch, values]`.
    pub(crate) fn rows(self, pictures: &Tensor) -> Result<Tensor> {
        pictures.apply_op1(Cut(self))
    }

    /// Where in a picture the rows of window `position` begin, each a run of `size * channels` neighbours.
    fn runs(self, position: usize) -> impl Iterator<Item = usize> {
        let (row, column) =
            (self.stride * (position / self.across()), self.stride * (position % self.across()));
        (0..self.size).map(move |down| ((row + down) * self.side + column) * self.channels)
    }
}

/// Cuts pictures into windows.
struct Cut(Geometry);

/// Adds windows up to pictures where they overlap: what is added where they were cut from.
struct Paste(Geometry);

impl CustomOp1 for Cut {
    fn name(&self) -> &'static str {
        "cut into windows"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let geometry = self.0;
        let pictures = contiguous(self.name(), storage, layout)?;
        let (run, window) = (geometry.size * geometry.channels, geometry.positions() * geometry.taps());
        let batch = pictures.len() / geometry.values();
        let mut rows = vec![0.0; batch * window];
        rows.par_chunks_exact_mut(window).zip(pictures.par_chunks_exact(geometry.values())).for_each(
            |(rows, picture)| {
                for (position, row) in rows.chunks_exact_mut(geometry.taps()).enumerate() {
                    for (to, from) in row.chunks_exact_mut(run).zip(geometry.runs(position)) {
                        to.copy_from_slice(&picture[from..from + run]);
                    }
                }
            },
        );
        Ok((CpuStorage::F32(rows), (batch * geometry.positions(), geometry.taps()).into()))
    }

    fn bwd(&self, _pictures: &Tensor, _rows: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        Ok(Some(gradient.contiguous()?.apply_op1_no_bwd(&Paste(self.0))?))
    }
}

impl CustomOp1 for Paste {
    fn name(&self) -> &'static str {
        "paste windows"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let geometry = self.0;
        let rows = contiguous(self.name(), storage, layout)?;
        let (run, window) = (geometry.size * geometry.channels, geometry.positions() * geometry.taps());
        let batch = rows.len() / window;
        let mut pictures = vec![0.0; batch * geometry.values()];
        pictures.par_chunks_exact_mut(geometry.values()).zip(rows.par_chunks_exact(window)).for_each(
            |(picture, rows)| {
                for (position, row) in rows.chunks_exact(geometry.taps()).enumerate() {
                    for (from, to) in row.chunks_exact(run).zip(geometry.runs(position)) {
                        picture[to..to + run].iter_mut().zip(from).for_each(|(sum, x)| *sum += x);
                    }
                }
            },
        );
        Ok((CpuStorage::F32(pictures), (batch, geometry.values()).into()))
    }
}

/// The numbers of a contiguous tensor of `f32`.
fn contiguous<'a>(name: &str, storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    let (CpuStorage::F32(values), Some((start, end))) = (storage, layout.contiguous_offsets()) else {
        bail!("{name} takes contiguous f32")
    };
    Ok(&values[start..end])
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Var};

    use super::*;

    const GEOMETRY: Geometry = Geometry { channels: 2, side: 7, size: 3, stride: 2 };

    fn pictures() -> Tensor {
        let values: Vec<f32> = (0..3 * GEOMETRY.values()).map(|at| (at * 37 % 101) as f32).collect();
        Tensor::from_vec(values, (3, GEOMETRY.values()), &Device::Cpu).expect("three pictures")
    }

    #[test]
    fn a_row_holds_its_window() -> Result<()> {
        assert_eq!((GEOMETRY.across(), GEOMETRY.positions(), GEOMETRY.taps()), (3, 9, 18));
        let rows = GEOMETRY.rows(&pictures())?.to_vec2::<f32>()?;
        let pictures = pictures().to_vec2::<f32>()?;
        for (index, row) in rows.iter().enumerate() {
            let (picture, i, j) = (index / 9, index % 9 / 3, index % 3);
            for (tap, &found) in row.iter().enumerate() {
                let (u, v, channel) = (tap / 6, tap / 2 % 3, tap % 2);
                assert_eq!(found, pictures[picture][((2 * i + u) * 7 + 2 * j + v) * 2 + channel]);
            }
        }
        Ok(())
    }

    #[test]
    fn the_gradient_adds_what_windows_share() -> Result<()> {
        // Rows are linear in the pictures: <gradient of <t, rows>, d> = <t, rows of d> for every direction d.
        let pictures = Var::from_tensor(&pictures())?;
        let towards = (GEOMETRY.rows(&pictures)?.detach() * 0.7)?.sin()?;
        let direction = (pictures.detach() * 1.3)?.cos()?;
        let gradients = (GEOMETRY.rows(&pictures)? * &towards)?.sum_all()?.backward()?;
        let gradient = gradients.get(&pictures).expect("a gradient");
        let found = (gradient * &direction)?.sum_all()?.to_scalar::<f32>()?;
        let expected = (GEOMETRY.rows(&direction)? * towards)?.sum_all()?.to_scalar::<f32>()?;
        assert!((found - expected).abs() < 1e-3 * expected.abs().max(1.0), "{found} and {expected}");
        Ok(())
    }

    #[test]
    fn channels_come_first_in_a_manifest() {
        let order: Vec<usize> =
            Geometry { channels: 2, side: 2, size: 2, stride: 1 }.channels_first().collect();
        assert_eq!(order, [0, 2, 4, 6, 1, 3, 5, 7]);
    }
}
