//! MNIST's handwritten digits, read from the gzipped IDX files LeCun, Cortes and Burges distribute.
//!
//! An IDX file is a big-endian header (two zero bytes, the element type, the number of dimensions, then each
//! dimension as `u32`) followed by the elements in row-major order (<http://yann.lecun.com/exdb/mnist/>).

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use flate2::read::GzDecoder;
use rayon::prelude::*;

use crate::error::{Error, Result};

/// Pixels on a side of an image.
pub(crate) const SIDE: usize = 28;
/// Pixels of an image.
pub(crate) const PIXELS: usize = SIDE * SIDE;
/// Digits to tell apart.
pub(crate) const CLASSES: usize = 10;

/// IDX element type of unsigned bytes, the only one MNIST uses.
const UNSIGNED_BYTE: u8 = 8;

/// Which of MNIST's two collections to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Collection {
    /// 60,000 images, for training and for every choice.
    Training,
    /// 10,000 images, for the one measurement at the end.
    Test,
}

impl Collection {
    const fn files(self) -> (&'static str, &'static str) {
        match self {
            Self::Training => ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"),
            Self::Test => ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"),
        }
    }
}

/// Labelled images.
#[derive(Clone, Debug)]
pub(crate) struct Digits {
    /// `[len, 28, 28]` grey values, 0 the paper and 255 the ink.
    pixels: Vec<u8>,
    /// `[len]` digits, 0 to 9.
    labels: Vec<u8>,
}

impl Digits {
    /// Reads one collection from `folder`.
    pub(crate) fn read(folder: &Path, collection: Collection) -> Result<Self> {
        let (images, labels) = collection.files();
        let pixels = read_idx(folder, images, &[SIDE, SIDE])?;
        let labels = read_idx(folder, labels, &[])?;
        if pixels.len() != labels.len() * PIXELS {
            return Err(bad(folder, images, "not as many images as labels"));
        }
        if labels.iter().any(|&label| usize::from(label) >= CLASSES) {
            return Err(bad(folder, images, "a label is not a digit"));
        }
        Ok(Self { pixels, labels })
    }

    /// Splits off the last `count` images: (the others, the last).
    pub(crate) fn split_last(mut self, count: usize) -> Result<(Self, Self)> {
        let rest = self.len().checked_sub(count).filter(|&rest| rest > 0);
        let rest = rest.ok_or(Error::BadSetting("fewer training images than the validation split takes"))?;
        let pixels = self.pixels.split_off(rest * PIXELS);
        let labels = self.labels.split_off(rest);
        Ok((self, Self { pixels, labels }))
    }

    /// Number of images.
    pub(crate) fn len(&self) -> usize {
        self.labels.len()
    }

    /// Grey values of image `index`, `[28, 28]`.
    pub(crate) fn image(&self, index: usize) -> &[u8] {
        &self.pixels[index * PIXELS..][..PIXELS]
    }

    /// Digit of image `index`.
    pub(crate) fn label(&self, index: usize) -> u8 {
        self.labels[index]
    }

    /// Every image with its digit.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&[u8], u8)> {
        self.pixels.chunks_exact(PIXELS).zip(self.labels.iter().copied())
    }

    /// The fraction of images, given with index and label, for which `holds` does.
    pub(crate) fn fraction(&self, holds: impl Fn(usize, &[u8], u8) -> bool + Sync) -> f64 {
        let holds = |&index: &usize| holds(index, self.image(index), self.label(index));
        (0..self.len()).into_par_iter().filter(holds).count() as f64 / self.len() as f64
    }
}

/// Elements of the IDX file `name`, whose items must have the shape `item`.
fn read_idx(folder: &Path, name: &'static str, item: &[usize]) -> Result<Vec<u8>> {
    let path = folder.join(name);
    let file = File::open(&path).map_err(|source| match source.kind() {
        ErrorKind::NotFound => Error::MissingData { file: name, folder: folder.to_owned() },
        _ => Error::Io { file: path.clone(), source },
    })?;
    let mut bytes = Vec::new();
    GzDecoder::new(file)
        .read_to_end(&mut bytes)
        .map_err(|source| Error::Io { file: path.clone(), source })?;
    parse_idx(&bytes, item).map(<[u8]>::to_vec).map_err(|reason| bad(folder, name, reason))
}

/// Elements of an IDX file of unsigned bytes, after its header has been checked.
fn parse_idx<'a>(bytes: &'a [u8], item: &[usize]) -> std::result::Result<&'a [u8], &'static str> {
    let (magic, rest) = bytes.split_first_chunk::<4>().ok_or("too short for an IDX header")?;
    if magic[..3] != [0, 0, UNSIGNED_BYTE] || usize::from(magic[3]) != item.len() + 1 {
        return Err("not an IDX file of unsigned bytes with the dimensions MNIST has");
    }
    let (dimensions, elements) =
        rest.split_at_checked(4 * (item.len() + 1)).ok_or("too short for its dimensions")?;
    let mut dimensions = dimensions.as_chunks::<4>().0.iter().map(|&size| u32::from_be_bytes(size) as usize);
    let count = dimensions.next().unwrap_or_default();
    if !dimensions.eq(item.iter().copied()) {
        return Err("its images are not 28 by 28 pixels");
    }
    let expected = item.iter().try_fold(count, |size, &dimension| size.checked_mul(dimension));
    if expected != Some(elements.len()) {
        return Err("not as many elements as its header says");
    }
    Ok(elements)
}

fn bad(folder: &Path, name: &str, reason: &'static str) -> Error {
    Error::BadData { file: folder.join(name), reason }
}

#[cfg(test)]
impl Digits {
    /// Images easily told apart: digit `d` is a bar at height `2 d + 4`, its length and place varying.
    pub(crate) fn bars(count: usize) -> Self {
        let label = |index: usize| index % CLASSES;
        let grey = |index: usize, pixel: usize| {
            let (row, column) = (pixel / SIDE, pixel % SIDE);
            let bar = row == 2 * label(index) + 4 && (5 + index % 7..15 + index % 9).contains(&column);
            if bar { 255 } else { 0 }
        };
        Self {
            pixels: (0..count * PIXELS).map(|at| grey(at / PIXELS, at % PIXELS)).collect(),
            labels: (0..count).map(|index| label(index) as u8).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_idx_file_is_its_elements() {
        let labels = [0, 0, 8, 1, 0, 0, 0, 3, 7, 2, 1];
        assert_eq!(parse_idx(&labels, &[]), Ok(&[7, 2, 1][..]));
        let images = [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 9, 8, 7, 6];
        assert_eq!(parse_idx(&images, &[1, 2]), Ok(&[9, 8, 7, 6][..]));
    }

    #[test]
    fn what_is_not_mnist_is_refused() {
        let labels = [0, 0, 8, 1, 0, 0, 0, 3, 7, 2, 1];
        assert!(parse_idx(&labels[..10], &[]).is_err(), "an element short");
        assert!(parse_idx(&labels[..6], &[]).is_err(), "header cut");
        assert!(parse_idx(&labels, &[1, 2]).is_err(), "labels taken for images");
    }

    #[test]
    fn a_missing_file_is_named_in_one_line() {
        let error = Digits::read(Path::new("no/such/folder"), Collection::Test).map(|_| ());
        let message = error.expect_err("there is no such folder").to_string();
        assert!(message.contains("t10k-images-idx3-ubyte.gz") && message.contains("no/such/folder"));
        assert_eq!(message.lines().count(), 1);
    }
}
