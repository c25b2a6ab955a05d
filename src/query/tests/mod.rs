//! Tests of listings and changes, by PouchDB's rules.

mod all_docs;
mod changes;
mod conflicts;

use crate::edit::{Bulk, EditOptions};
use crate::engine::{Engine, Settings, Snapshot, Step};
use crate::env::block_on;
use crate::error::Result;
use crate::storage::memory::MemoryStorage;
use serde_json::{Value, json};
use std::rc::Rc;

struct Store(Engine);

impl Store {
    fn new() -> Self {
        let storage = MemoryStorage::on(Rc::default());
        Self(block_on(Engine::open(Box::new(storage), Settings::default())).unwrap())
    }

    fn snapshot(&self) -> Snapshot {
        self.0.snapshot().unwrap()
    }

    fn in_steps<P>(&self, begin: impl Fn() -> P, step: impl FnMut(&mut P, &Snapshot) -> Result<Step>) -> P {
        block_on(self.0.read_in_steps(begin, step)).unwrap()
    }

    /// Writes new edits; none may be refused.
    fn edit(&self, docs: Value) -> Vec<Value> {
        self.write(docs, EditOptions::default())
    }

    fn replicate(&self, docs: Value) {
        self.write(docs, EditOptions { new_edits: false, ..EditOptions::default() });
    }

    fn write(&self, docs: Value, options: EditOptions) -> Vec<Value> {
        let texts: Vec<_> = docs.as_array().unwrap().iter().map(Value::to_string).collect();
        let bulk = Bulk::prepare(texts.iter().map(String::as_str), &[], options).unwrap();
        let results = block_on(self.0.commit(move |overlay| bulk.plan(overlay))).unwrap();
        let results: Vec<_> = results.iter().map(|result| serde_json::to_value(result).unwrap()).collect();
        assert!(results.iter().all(|result| result["ok"] == true), "{results:?}");
        results
    }
}

/// The documents a, b, c (deleted), d, U+FFFF and U+10000, written in this order, c deleted last.
fn alphabet() -> Store {
    let store = Store::new();
    let ids = ["a", "b", "c", "d", "\u{ffff}", "\u{10000}"];
    let docs: Vec<_> = ids.iter().map(|id| json!({"_id": id, "name": id})).collect();
    let results = store.edit(json!(docs));
    store.edit(json!([{"_id": "c", "_rev": results[2]["rev"], "_deleted": true}]));
    store
}
