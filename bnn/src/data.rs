//! Pictures and data sets as they lie on disk.

mod idx;
mod image;

pub use idx::{IdxImages, IdxLabels};
pub use image::GreyImage;
