//! The service as clients see it, over loopback.

#![allow(clippy::unwrap_used)]

mod access;
mod connections;
mod inference;
mod jobs;
mod party;
mod running;
mod trouble;
mod uploads;
mod work;
