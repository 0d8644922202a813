//! The paper's protocol: what client and server do with the files of its system, in the TFHE library's form.

pub(crate) mod decrypt;
pub(crate) mod encrypt;
pub(crate) mod import;
pub(crate) mod infer;
pub(crate) mod keygen;
