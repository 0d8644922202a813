//! What the service says of its own troubles.

use redb::{Database, TableDefinition};
use tempfile::TempDir;

use crate::running::{Running, config, database};

/// A record of the database that cannot be read is the service's fault, of which a client hears that it is, and no more.
#[test]
fn a_damaged_record_is_a_fault_of_the_service() {
    let folder = TempDir::new().unwrap();
    drop(Running::start(config(&folder)));
    let keys: TableDefinition<'_, (&str, &[u8; 16]), &[u8]> = TableDefinition::new("keys");
    let damaged = Database::create(database(&folder)).unwrap();
    let change = damaged.begin_write().unwrap();
    change.open_table(keys).unwrap().insert(("anyone", &[7; 16]), &b"no record"[..]).unwrap();
    change.commit().unwrap();
    drop(damaged);
    let service = Running::start(config(&folder));
    for path in ["/v2/keys", "/v2/keys/07070707070707070707070707070707"] {
        let answer = service.get(path);
        answer.refuses(500, "the service failed; its log says why");
        assert!(!answer.text().contains("record"), "{}", answer.text());
    }
    service.get("/v2/jobs").is(200);
}
