//! Pictures and data sets.
//!
//! ```
//! use bnn::data::GreyImage;
//! let cross = vec![0, 255, 0, 255, 255, 255, 0, 255, 0];
//! let image = GreyImage::new(3, 3, cross)?;
//! assert_eq!((image.width(), image.height()), (3, 3));
//! assert!(GreyImage::new(3, 4, image.pixels().to_vec()).is_err());
//! # Ok::<(), bnn::Error>(())
//! ```

pub(crate) mod fault;
pub(crate) mod grey_image;
#[cfg(feature = "images")]
mod gzip;
#[cfg(feature = "images")]
pub(crate) mod idx;
#[cfg(feature = "images")]
pub(crate) mod picture;
#[cfg(feature = "images")]
mod transparency;

pub use self::{
    fault::{IdxFault, PictureFault},
    grey_image::GreyImage,
};
#[cfg(feature = "images")]
pub use self::{
    idx::{IdxImages, IdxLabels},
    picture::Picture,
};
