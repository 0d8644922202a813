//! What the world does to a command: kills, full disks, closed folders, two of everything, files that change under it.
//! Afterwards every file that was named is whole, old or new, and every label is right; else one line says what is wrong.

#![cfg(unix)]

mod environment;
mod kills;
mod limits;
mod poor;
mod races;
mod room;
mod swaps;

use std::{fs, path::Path, process::Command};

use tfhe_core::keys::KeyId;

use crate::{native, place::Place};

/// The key of a file, which must be whole.
fn key_id(place: &Place, name: &str) -> KeyId {
    native::key_id(&place.path(name))
}

/// Encrypts the picture of a 4 with the pair in `keys`, runs the network, and decrypts a 4.
fn assert_pair_works(place: &Place) {
    place.run("encrypt 4.png --model toy --out pair.enc --force").succeeded();
    place.run("infer pair.enc --model toy --out pair.scores --force").succeeded();
    assert_label(place, "pair.scores --model toy");
}

/// Decrypts scores, of a 4.
fn assert_label(place: &Place, arguments: &str) {
    assert_eq!(place.run(&format!("decrypt {arguments} --json")).json()["decrypted"][0]["label"], 4);
}

/// The names in a folder that writers use until a file is whole.
fn temporaries(folder: &Path) -> usize {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with(".tmp-") && name.ends_with(".bnn-tmp")).count()
}

/// The same command, started by another program.
fn within(outer: &[&str], command: &Command, place: &Place) -> Command {
    let mut started = Command::new(outer[0]);
    started.args(&outer[1..]).arg(command.get_program()).args(command.get_args()).current_dir(place.path(""));
    started
}
