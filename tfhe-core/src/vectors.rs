//! Known-answer vectors: inputs and outputs of every step, as `vectors/` at the top of the source tree records them.
//!
//! They are made and checked by the same code, which is inside the crate so that it reaches single steps that need not be
//! public for anything else. What is deterministic is recorded as the crate computes it, and compared exactly. What goes
//! through a floating-point transform is recorded as exact integers give it, by schoolbook polynomial arithmetic, and
//! a backend's result is compared with that, within a tolerance that is the transform's error by formula. `vectors/README.md`
//! has the format, from which another implementation can check itself.
//!
//! ```no_run
//! use std::fs;
//! use tfhe_core::{backend::Backend, vectors};
//! for made in vectors::recompute(Backend::fastest())? {
//!     let read = |name| fs::read(format!("vectors/{name}")).expect("a clone of the repository");
//!     let binary = made.binary_name().map_or_else(Vec::new, read);
//!     for row in vectors::compare(&made, &read(made.json_name()), &binary) {
//!         println!("{}: {}", row.name, row.fault.as_deref().unwrap_or("as recorded"));
//!     }
//! }
//! # Ok::<(), tfhe_core::Error>(())
//! ```
//!
//! ```
//! // A long output is recorded as the SHA-256 sum of its bytes, in hexadecimal digits.
//! assert_eq!(tfhe_core::vectors::sum(b"abc")[..16], *"ba7816bf8f01cfea");
//! ```

mod arithmetic;
mod bootstraps;
mod case;
mod comparison;
mod encryption;
mod exact;
mod file;
mod keys;
mod randomness;
mod tolerance;
mod toy;

pub use case::{Case, Vector, hex, sum};
pub use comparison::{Row, compare};
pub use file::VectorFile;

use crate::backend::choice::Backend;
use crate::error::Result;

use keys::Keys;

/// Where the results of steps through a transform come from.
#[derive(Clone, Copy, Debug)]
enum Arithmetic {
    /// Schoolbook polynomial arithmetic on integers: what is recorded.
    Exact,
    /// A backend's transforms and fused kernels: what is checked.
    Transform(Backend),
}

/// Makes the files as they are recorded: minutes, for the schoolbook arithmetic.
///
/// # Errors
/// [`Error::BackendUnavailable`](crate::Error::BackendUnavailable) never in practice: the portable backend is everywhere.
pub fn generate() -> Result<Vec<VectorFile>> {
    files(Arithmetic::Exact)
}

/// Makes what the files hold once more, with a backend: for [`compare`].
///
/// # Errors
/// [`Error::BackendUnavailable`](crate::Error::BackendUnavailable) if the CPU lacks the backend.
pub fn recompute(backend: Backend) -> Result<Vec<VectorFile>> {
    files(Arithmetic::Transform(backend.checked()?))
}

fn files(arithmetic: Arithmetic) -> Result<Vec<VectorFile>> {
    let keys = Keys::default();
    let backend = match arithmetic {
        Arithmetic::Exact => Backend::Portable,
        Arithmetic::Transform(backend) => backend,
    };
    let mut steps = randomness::vectors();
    steps.extend(arithmetic::vectors(backend)?);
    steps.extend(encryption::vectors(&keys, backend)?);
    Ok(vec![
        VectorFile::new("steps", steps),
        VectorFile::new("native-files", vec![encryption::native_files(&keys)]),
        VectorFile::new("toy", toy::vectors(arithmetic)?),
        VectorFile::new("bootstraps", bootstraps::vectors(&keys, arithmetic)?),
    ])
}
