//! Pictures and data sets.
//!
//! ```
//! use bnn::data::Image;
//! let cross = vec![0, 255, 0, 255, 255, 255, 0, 255, 0];
//! let image = Image::grey(3, 3, cross)?;
//! assert_eq!((image.width(), image.height()), (3, 3));
//! assert!(Image::grey(3, 4, image.pixels().to_vec()).is_err());
//! # Ok::<(), bnn::Error>(())
//! ```

pub(crate) mod fault;
#[cfg(feature = "images")]
mod gzip;
#[cfg(feature = "images")]
pub(crate) mod idx;
pub(crate) mod image;
#[cfg(feature = "images")]
pub(crate) mod picture;
#[cfg(feature = "images")]
mod transparency;

pub use self::{
    fault::{IdxFault, PictureFault},
    image::Image,
};
#[cfg(feature = "images")]
pub use self::{
    idx::{IdxImages, IdxLabels},
    picture::Picture,
};
