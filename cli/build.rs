//! Says where the models, sample digits and vectors lie that go into the command: in this crate's folder `shipped`, which is a
//! folder in a package and has links to them in the source tree; beside this crate, where links are none (Git on Windows).

use std::{env, path::PathBuf};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let linked = here.join("shipped");
    let shipped = if linked.join("models").is_dir() { linked } else { here.join("..") };
    println!("cargo::rustc-env=BNN_SHIPPED={}", shipped.display());
}
