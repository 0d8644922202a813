//! The client of `bnn serve`: docs/service.md has its interface.
//!
//! A request of this interface may be sent twice without harm, so that what gets lost on the way is sent again. What comes back is
//! not trusted: every answer is read up to a bound, and its words reach a terminal as one line only.
//!
//! * [`service`]: the requests, one function for each;
//! * [`upload`]: a cloud key in parts, which goes on after an interruption;
//! * [`jobs`]: jobs that were sent, and that are deleted whatever happens;
//! * [`answers`]: what the service says of models, keys and jobs;
//! * [`connection`]: a request and its answer; [`retry`]: when a request is sent again;
//! * [`address`], [`token`], [`authority`]: where the service is, who asks, and who vouches for it.

pub(crate) mod address;
pub(crate) mod answers;
pub(crate) mod authority;
pub(crate) mod connection;
pub(crate) mod jobs;
pub(crate) mod retry;
pub(crate) mod service;
pub(crate) mod token;
pub(crate) mod upload;
