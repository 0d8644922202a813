//! Files: the one place of the command that knows paths, pipes, locks and disks.
//!
//! * [`input`]: what is read, once: a file, a pipe, or standard input by the name `-`;
//! * [`output`]: what is written: a file, a pipe, or standard output by the name `-`;
//! * [`whole`], [`folder`]: atomic writes, and the folders of files;
//! * [`lock`], [`log`]: records that several runs continue;
//! * [`lookup`]: where models, sample digits and vectors are found; [`shipped`]: those inside the command;
//! * [`keys`], [`specification`], [`picture`], [`data_set`], [`encrypted`], [`circuit`], [`model`], [`paper`]: what the
//!   files hold;
//! * [`named`]: a thing with the name of its file.

pub(crate) mod circuit;
pub(crate) mod data_set;
pub(crate) mod encrypted;
pub(crate) mod folder;
pub(crate) mod input;
pub(crate) mod keys;
pub(crate) mod lock;
pub(crate) mod log;
pub(crate) mod lookup;
pub(crate) mod model;
pub(crate) mod named;
pub(crate) mod output;
pub(crate) mod paper;
pub(crate) mod picture;
pub(crate) mod service;
pub(crate) mod shipped;
pub(crate) mod specification;
pub(crate) mod whole;
