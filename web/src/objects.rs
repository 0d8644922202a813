//! What lives in the module's memory between two calls, each thing under its handle.
//!
//! Handles count up from 1 and are not used again, so that the handle of a thing that was released is known to be wrong.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use bnn::client::{Client, ClientSpecification};
use tfhe_core::keys::SecretKey;
use tfhe_core::serial::CloudKeyPieces;
use zeroize::Zeroizing;

use crate::fault::{Fault, Result};

/// The name of a thing, which JavaScript holds; 0 is none.
pub(crate) type Handle = u32;

/// Bytes that JavaScript reads and writes; overwritten when they are released.
pub(crate) type Buffer = Zeroizing<Vec<u8>>;

/// A thing of the module.
pub(crate) enum Object {
    Buffer(Buffer),
    SecretKey(Arc<SecretKey>),
    CloudKey(Box<CloudKeyPieces>),
    Specification(Arc<ClientSpecification>),
    Client(Client),
}

#[derive(Default)]
struct Objects {
    last: Handle,
    by_handle: HashMap<Handle, Object>,
}

thread_local! {
    static OBJECTS: RefCell<Objects> = RefCell::default();
}

/// Keeps a thing, and names it.
pub(crate) fn keep(object: Object) -> Handle {
    OBJECTS.with_borrow_mut(|objects| {
        objects.last =
            objects.last.checked_add(1).expect("invariant: fewer than 2^32 things in a module's life");
        objects.by_handle.insert(objects.last, object);
        objects.last
    })
}

/// Forgets a thing, and overwrites what is secret in it. A handle of nothing is passed over.
pub(crate) fn release(handle: Handle) {
    drop(OBJECTS.with_borrow_mut(|objects| objects.by_handle.remove(&handle)));
}

/// The place of a buffer in memory, and its length; both stay the same until it is released.
pub(crate) fn buffer_place(handle: Handle) -> Result<(*mut u8, usize)> {
    inspect(handle, "a buffer", |object| match object {
        Object::Buffer(bytes) => Some((bytes.as_mut_ptr(), bytes.len())),
        _ => None,
    })
}

/// Takes a buffer away from its handle.
pub(crate) fn take_buffer(handle: Handle) -> Result<Buffer> {
    let taken = OBJECTS.with_borrow_mut(|objects| match objects.by_handle.remove(&handle) {
        Some(Object::Buffer(bytes)) => Some(bytes),
        Some(other) => {
            objects.by_handle.insert(handle, other);
            None
        }
        None => None,
    });
    taken.ok_or_else(|| wrong(handle, "a buffer"))
}

/// A secret key.
pub(crate) fn secret_key(handle: Handle) -> Result<Arc<SecretKey>> {
    inspect(handle, "a secret key", |object| match object {
        Object::SecretKey(key) => Some(Arc::clone(key)),
        _ => None,
    })
}

/// A client specification.
pub(crate) fn specification(handle: Handle) -> Result<Arc<ClientSpecification>> {
    inspect(handle, "a client specification", |object| match object {
        Object::Specification(specification) => Some(Arc::clone(specification)),
        _ => None,
    })
}

/// A client of a model.
pub(crate) fn client(handle: Handle) -> Result<Client> {
    inspect(handle, "a client", |object| match object {
        Object::Client(client) => Some(client.clone()),
        _ => None,
    })
}

/// Does something with a cloud key that is being made.
pub(crate) fn with_cloud_key<T>(handle: Handle, work: impl FnOnce(&mut CloudKeyPieces) -> T) -> Result<T> {
    inspect(handle, "a cloud key", |object| match object {
        Object::CloudKey(pieces) => Some(work(pieces)),
        _ => None,
    })
}

fn inspect<T>(handle: Handle, kind: &str, look: impl FnOnce(&mut Object) -> Option<T>) -> Result<T> {
    let found = OBJECTS.with_borrow_mut(|objects| objects.by_handle.get_mut(&handle).and_then(look));
    found.ok_or_else(|| wrong(handle, kind))
}

fn wrong(handle: Handle, kind: &str) -> Fault {
    Fault::caller(format!("{handle} is not the handle of {kind}, or it was released"))
}
