//! Pictures and data sets as they lie on disk.
//!
//! ```
//! use bnn::data::GreyImage;
//! let cross = vec![0, 255, 0, 255, 255, 255, 0, 255, 0];
//! let image = GreyImage::new("a cross".into(), 3, 3, cross)?;
//! println!("{}:\n{}", image.origin(), image.to_half_blocks());
//! assert!(GreyImage::new("a cross".into(), 3, 4, image.pixels().to_vec()).is_err());
//! # Ok::<(), bnn::Error>(())
//! ```

mod idx;
mod image;

pub use idx::{IdxImages, IdxLabels};
pub use image::GreyImage;
