//! Expanded cloud keys in memory, up to a bound in bytes. The one that was not used for longest goes first.

use std::{collections::HashMap, io::BufReader, sync::Arc};

use bnn::{circuit::Style, engine::Server};
use tfhe_core::{
    evaluator::Evaluator,
    keys::CloudKey,
    serial::{Frame, cloud_key_bytes},
};

use super::{Shared, order::RunFault};
use crate::{models::Served, store::keys::KeyName};

/// How many times the bytes of its file an expanded key takes at most, for the room that is made before its size is known: its masks are drawn,
/// and the words of its transform are of twice the width. (`FUNCTIONAL_1024`: 3.0; `GATES_DEFAULT`: 5.3.)
pub(crate) const EXPANSION: u64 = 6;

/// A key in memory, with the models that run under it.
#[derive(Debug)]
struct Resident {
    evaluator: Arc<Evaluator>,
    servers: HashMap<String, Server>,
    /// The count of uses when it was used last.
    used: u64,
}

/// The keys in memory.
#[derive(Debug, Default)]
pub(crate) struct Residents {
    keys: HashMap<KeyName, Resident>,
    uses: u64,
}

impl Residents {
    /// Bytes of all keys.
    pub(crate) fn bytes(&self) -> u64 {
        self.keys.values().map(|resident| resident.evaluator.key_bytes() as u64).sum()
    }

    /// Whether a key is in memory.
    pub(crate) fn has(&self, key: &KeyName) -> bool {
        self.keys.contains_key(key)
    }

    /// Bytes that a key will take which is not in memory, about.
    pub(crate) fn room_for(&self, key: &KeyName, shared: &Shared) -> u64 {
        let record = shared.store.key(key).ok().flatten();
        if self.has(key) { 0 } else { record.map_or(0, |record| EXPANSION * record.bytes) }
    }

    /// The key that was not used for longest, beside the one that is needed.
    pub(crate) fn oldest(&self, needed: &KeyName) -> Option<KeyName> {
        let others = self.keys.iter().filter(|(key, _)| *key != needed);
        others.min_by_key(|(_, resident)| resident.used).map(|(key, _)| key.clone())
    }

    /// Takes a key out of memory.
    pub(crate) fn evict(&mut self, key: &KeyName) {
        self.keys.remove(key);
    }

    /// A model under a key, which is expanded if it is not in memory.
    pub(crate) fn server(
        &mut self,
        key: &KeyName,
        served: &Served,
        shared: &Shared,
    ) -> Result<&Server, RunFault> {
        self.uses += 1;
        if !self.has(key) {
            let evaluator = Arc::new(expand(key, shared)?);
            shared.metrics.expanded();
            self.keys.insert(key.clone(), Resident { evaluator, servers: HashMap::new(), used: 0 });
        }
        let resident = self.keys.get_mut(key).expect("invariant: it was there, or was just inserted");
        resident.used = self.uses;
        if !resident.servers.contains_key(&served.name) {
            let (model, evaluator) = (Arc::clone(&served.model), Arc::clone(&resident.evaluator));
            let server = Server::new(model, evaluator, Style::Optimized)?;
            resident.servers.insert(served.name.clone(), server);
        }
        Ok(&resident.servers[&served.name])
    }
}

/// Reads a key and expands it.
fn expand(key: &KeyName, shared: &Shared) -> Result<Evaluator, RunFault> {
    let record = shared.store.key(key)?.filter(|record| record.is_complete()).ok_or(RunFault::NoKey)?;
    let mut source = BufReader::new(shared.store.read_key(key, 0)?);
    let stored = Frame::read(&mut source).and_then(Frame::decode::<CloudKey>).map_err(bnn::Error::from)?;
    debug_assert_eq!(record.bytes, cloud_key_bytes(stored.content.parameters()) as u64);
    Ok(Evaluator::new(&stored.content, shared.bounds.backend).map_err(bnn::Error::from)?)
}
