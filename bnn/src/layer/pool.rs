//! Pooling: one value of each square of `size` x `size`, the greatest or the sum.
//!
//! An average is a sum whose scale is left to the layer that comes next.

use std::sync::Arc;

use crate::client::shape::Shape;

/// Squares of `size` x `size` side by side; what does not fill a square at the right and at the bottom is dropped.
#[derive(Debug, Clone)]
pub(crate) struct Pool {
    pub(crate) name: Arc<str>,
    pub(crate) size: usize,
}

impl Pool {
    /// The side of a square.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// Values of a square.
    pub(crate) fn cells(&self) -> usize {
        self.size * self.size
    }

    pub(crate) fn output(&self, input: Shape) -> Shape {
        Shape { height: input.height / self.size, width: input.width / self.size, ..input }
    }

    /// The places of the inputs of each output.
    pub(crate) fn windows(&self, input: Shape) -> impl Iterator<Item = Vec<usize>> + '_ {
        let output = self.output(input);
        (0..output.values()).map(move |place| {
            let (row, column) = (place / output.width % output.height, place % output.width);
            let channel = place / (output.width * output.height);
            let cell = |index: usize| {
                let (i, j) = (index / self.size, index % self.size);
                input.place(channel, row * self.size + i, column * self.size + j)
            };
            (0..self.cells()).map(cell).collect()
        })
    }
}
