//! Everything that reads a file, as fuzz targets: functions of the file's bytes that panic where a reader does wrong.
//!
//! A target asks more than that nothing panics. What was read is written again and must be the same bytes, or read as the
//! same; and the memory that a reader takes stays below a bound that each target states ([`memory::bounded`]). Where a
//! checksum or a compression would stop a fuzzer at the door, the target goes in a second time with it made right.
//!
//! `cargo fuzz run NAME` explores ([`TARGETS`] has the names); `tests/replay.rs` runs what was found again.

#![forbid(unsafe_code)]

pub mod memory;
pub mod tfhe_lib;
pub mod toy;

mod bristol;
pub mod client_specification;
mod idx;
mod image;
mod model_folder;
mod native;
mod onnx;
pub mod saved_run;

/// What reads `data` as a file of one kind.
pub type Target = fn(data: &[u8]);

/// Every target, by its name and that of its corpus.
pub const TARGETS: [(&str, Target); 13] = [
    ("native_secret_key", native::secret_key),
    ("native_cloud_key", native::cloud_key),
    ("native_seeded", native::seeded),
    ("native_packed", native::packed),
    ("native_list", native::list),
    ("tfhe_lib", tfhe_lib::tfhe_lib),
    ("saved_run", saved_run::saved_run),
    ("bristol", bristol::bristol),
    ("client_specification", client_specification::client_specification),
    ("model_folder", model_folder::model_folder),
    ("onnx", onnx::onnx),
    ("idx", idx::idx),
    ("image", image::image),
];

/// The target of this name.
///
/// # Panics
/// If there is none.
pub fn target(name: &str) -> Target {
    let found = TARGETS.iter().find(|(known, _)| *known == name);
    found.unwrap_or_else(|| panic!("no target {name:?}")).1
}
