//! Circuits as a whole: what is built against integers and Boolean logic, what runs against both, and their files.

#![allow(clippy::unwrap_used)]

mod arithmetic;
mod bristol;
mod program;
