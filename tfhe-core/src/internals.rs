//! For this project's own tests, benchmarks and vectors. **No promise of stability, and no security.**
//!
//! ```
//! use tfhe_core::{backend::Backend, internals::Part};
//! let mut transform = Part::transform(512, Backend::Portable)?;
//! transform.run(); // to be timed
//! # Ok::<(), tfhe_core::Error>(())
//! ```

mod external_products;
mod parts;
mod trial;
mod worst_gate;

pub use external_products::{
    ProductNoise, external_product_errors, external_product_noise, products_of_a_bootstrap,
};
pub use parts::Part;
pub use trial::Trial;
pub use worst_gate::worst_log2_failure;
