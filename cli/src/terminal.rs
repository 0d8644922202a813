//! What people and programs see of a command.
//!
//! * [`output`]: sentences or JSON on stdout, and errors on stderr;
//! * [`progress`]: what is shown while work takes its time;
//! * [`units`]: sizes, durations and shares in words;
//! * [`circuit_value`], [`half_blocks`]: values of circuits and pictures as text;
//! * [`description`]: parameter sets, networks and scores in words;
//! * [`line`]: text as one line;
//! * [`interrupt`]: what Ctrl-C and the like do.

pub(crate) mod circuit_value;
pub(crate) mod description;
pub(crate) mod half_blocks;
pub(crate) mod interrupt;
pub(crate) mod line;
pub(crate) mod log;
pub(crate) mod output;
pub(crate) mod pace;
pub(crate) mod progress;
pub(crate) mod units;
