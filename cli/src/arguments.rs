//! The command line: what can be asked for, and how it is said.
//!
//! * [`command_line`]: the commands, and what all of them take;
//! * [`shared`]: choices that several commands have;
//! * [`computing`]: what commands compute with;
//! * [`client`], [`server`], [`paper`]: what client and server do, with native files and with those of the paper's system;
//! * [`remote`]: what a client asks of a service;
//! * [`files`]: files and models: what they are, and in another form;
//! * [`import`]: networks of one's own;
//! * [`pages`]: completions and manual pages;
//! * [`trials`]: measurements, circuits and checks.

pub(crate) mod client;
pub(crate) mod command_line;
pub(crate) mod computing;
pub(crate) mod files;
pub(crate) mod import;
pub(crate) mod pages;
pub(crate) mod paper;
pub(crate) mod remote;
pub(crate) mod server;
pub(crate) mod service;
pub(crate) mod shared;
pub(crate) mod trials;
