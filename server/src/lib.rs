//! The HTTP service: it evaluates networks on images that clients encrypted.
//!
//! A client uploads a cloud key once, and then sends encrypted images, which are answered with encrypted scores. The service has no secret key,
//! and sees no picture and no score. docs/service.md describes the API and how to run it.
//!
//! | module | what it is |
//! |---|---|
//! | `service` | the service: how it is made, served and stopped |
//! | `api` | the routes |
//! | `access` | tokens, and what each may do |
//! | `models` | what is served |
//! | `work` | the queue, and the thread that evaluates |
//! | `store` | the database |
//! | `connections` | connections, with TLS where it is wanted |
//! | `page` | the page for browsers |
//! | `metrics`, `fault` | numbers, and refusals |
//!
//! Paths, terminals and signals belong to whoever calls; the database's path is all that is given.

mod access;
mod api;
mod connections;
mod fault;
mod metrics;
mod models;
mod page;
mod service;
mod store;
mod work;

pub use access::{
    known::KnownTokens,
    owner::Owner,
    tokens::{Quota, Scope, Token, Tokens, TokensFault},
};
pub use service::{Config, Service, StartError, Stop, Tls};
pub use store::StoreError;
