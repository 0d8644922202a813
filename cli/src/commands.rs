//! The commands, one file for each. Those with several parts are folders.
//!
//! * [`keygen`], [`encrypt`], [`infer`], [`decrypt`]: client and server; [`demo`] plays both;
//! * [`classify`], [`remote`]: the client of a service;
//! * [`paper`]: the same with the files of the paper's system;
//! * [`convert`], [`inspect`], [`models`], [`calibrate`], [`import`]: files and models;
//! * [`estimate`], [`evaluate`]: what a network costs, and how good it is;
//! * [`agreement`]: how many labels noise changes;
//! * [`completions`]: what shells and manuals want to know of the command line;
//! * [`batch`]: what those on several files have in common;
//! * [`circuit`], [`soak`], [`vectors`]: circuits, trials and known answers.

pub(crate) mod agreement;
pub(crate) mod batch;
pub(crate) mod calibrate;
pub(crate) mod circuit;
pub(crate) mod classify;
pub(crate) mod completions;
pub(crate) mod convert;
pub(crate) mod decrypt;
pub(crate) mod demo;
pub(crate) mod encrypt;
pub(crate) mod estimate;
pub(crate) mod evaluate;
pub(crate) mod import;
pub(crate) mod infer;
pub(crate) mod inspect;
pub(crate) mod keygen;
pub(crate) mod models;
pub(crate) mod paper;
pub(crate) mod remote;
pub(crate) mod serve;
pub(crate) mod soak;
pub(crate) mod token;
pub(crate) mod vectors;
