//! The compute backends: one transform, one step of blind rotation and one dispatch for each instruction set.
//!
//! [`Backend`] names them; the rest is private. A backend is chosen once, when a key is expanded.
//!
//! ```
//! use tfhe_core::backend::Backend;
//! assert_eq!("portable".parse::<Backend>()?, Backend::Portable);
//! assert!(Backend::Portable.is_available());
//! println!("the fastest of this machine: {}", Backend::fastest());
//! # Ok::<(), tfhe_core::Error>(())
//! ```

pub(crate) mod buffer;
pub(crate) mod cache;
pub(crate) mod choice;
pub(crate) mod fft;
pub(crate) mod matrix;
mod portable;
mod roots;
pub(crate) mod rows;
#[cfg(test)]
mod tests;
pub(crate) mod transform;
#[cfg(target_arch = "x86_64")]
mod vector;

pub use choice::Backend;
