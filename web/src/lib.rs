//! The client half as a WebAssembly module, for browsers, workers and Node: it draws secret keys, makes cloud keys, encrypts and
//! decrypts. `client.js`, beside this crate's folder `src`, is its JavaScript side, and the only caller that it is written for.
//!
//! | module | what it is |
//! |---|---|
//! | `exports` | the functions that JavaScript calls |
//! | `objects` | what lives in the module's memory between two calls, each thing under a number, its *handle* |
//! | `fault` | the last error, with whose fault it is |
//! | `host` | the functions of JavaScript that the module calls: randomness, and the message of a panic |
//!
//! **Values** cross the border as numbers, or as *buffers*: bytes in the module's memory, under a handle like everything else. A wrong
//! handle is an error and never a wrong address. A function that can fail returns the handle of its result, or 0, and then
//! `error_message` and `error_blame` say why.
//!
//! **Secrets** stay in the module's memory, and are overwritten when their handle is released: keys, seeds, and every buffer.

#![cfg(target_arch = "wasm32")]

mod exports;
mod fault;
mod host;
mod objects;
