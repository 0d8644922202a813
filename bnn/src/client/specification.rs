//! What a client needs of a model besides its key: [`ClientSpecification`](content::ClientSpecification), and its JSON.

pub(crate) mod content;
mod document;
pub(crate) mod fault;
