//! Measures accuracy on a labelled data set.
//!
//! * [`accuracy`]: the command;
//! * [`selection`]: the pictures, and what the integer network says of them;
//! * [`record`]: the finished images, which survive a stop;
//! * [`summary`]: what it comes to.

pub(crate) mod accuracy;
mod record;
pub(crate) mod selection;
mod summary;
