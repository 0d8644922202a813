//! Small models in folders, and files of pictures for them.

use std::{fs, path::Path};

use image::GrayImage;
use testkit::toys;
pub(crate) use testkit::toys::{SIDE, SIGN_SIDE, pixels};

/// Writes the model that counts pixels to a new folder; models with another `name` have another digest.
pub(crate) fn write_model(folder: &Path, name: &str) {
    toys::counting(name).write(folder);
}

/// Writes a model that reads pictures as the paper's does.
pub(crate) fn write_sign_model(folder: &Path) {
    toys::signs().write(folder);
}

/// Writes a model that reads three channels of 2 x 2.
pub(crate) fn write_colour_model(folder: &Path) {
    toys::colours().write(folder);
}

/// A picture that is too bright for the model.
pub(crate) fn white() -> Vec<u8> {
    vec![255; SIDE * SIDE]
}

/// Writes a square picture as PNG or BMP, by the name's extension.
pub(crate) fn write_picture(path: &Path, pixels: &[u8]) {
    let side = pixels.len().isqrt() as u32;
    GrayImage::from_raw(side, side, pixels.into()).unwrap().save(path).unwrap();
}

/// Writes pictures as an IDX file.
pub(crate) fn write_idx_images(path: &Path, pictures: &[Vec<u8>]) {
    let side = SIDE as u32;
    let header = [0x803, pictures.len() as u32, side, side].map(u32::to_be_bytes);
    fs::write(path, [header.concat(), pictures.concat()].concat()).unwrap();
}

/// Writes pictures of so many channels of 2 x 2 as an IDX file.
pub(crate) fn write_idx_channels(path: &Path, channels: u32, pictures: &[&[u8]]) {
    let header = [0x804, pictures.len() as u32, channels, 2, 2].map(u32::to_be_bytes);
    fs::write(path, [header.concat(), pictures.concat()].concat()).unwrap();
}

/// Writes labels as an IDX file.
pub(crate) fn write_idx_labels(path: &Path, labels: &[u8]) {
    let header = [0x801, labels.len() as u32].map(u32::to_be_bytes);
    fs::write(path, [&header.concat(), labels].concat()).unwrap();
}
