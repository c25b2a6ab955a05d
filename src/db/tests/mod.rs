//! Tests of the local database, by PouchDB's rules.

mod adoption;
mod attachments;
mod attachments_tabs;
mod bodies;
mod compaction;
mod crash;
mod handles;
mod local;
mod reading;
mod replicated;
mod tabs;
mod writing;

use super::{Database, DatabaseOptions, GetOptions};
use crate::edit::tests::check_engine;
use crate::env::{at_once, block_on, uuid};
use crate::error::{Error, Result};
use serde_json::{Value, json};

/// A database of its own, in memory.
async fn new_database() -> Database {
    new_database_with(DatabaseOptions::in_memory()).await
}

async fn new_database_with(options: DatabaseOptions) -> Database {
    Database::open(&uuid(), options).await.unwrap()
}

/// Panics unless everything fits together.
fn check(db: &Database) {
    at_once(check_engine(db.engine().unwrap()));
}

/// Writes documents, and checks afterwards that everything fits together.
async fn write(db: &Database, docs: Value) -> Vec<Value> {
    write_with(db, docs, json!({})).await.unwrap()
}

async fn write_with(db: &Database, docs: Value, options: Value) -> Result<Vec<Value>> {
    let results = db.bulk_docs(&docs.to_string(), &options.to_string()).await?;
    check(db);
    Ok(serde_json::from_str(&results).unwrap())
}

/// Writes one document and gives its new revision.
async fn put(db: &Database, doc: Value) -> String {
    let results = write(db, json!([doc])).await;
    results[0]["rev"].as_str().unwrap_or_else(|| panic!("{results:?}")).to_owned()
}

/// Writes one document that is refused and gives the error.
async fn refusal(db: &Database, doc: Value) -> Value {
    let results = write(db, json!([doc])).await;
    assert_eq!(results[0]["error"], true, "{results:?}");
    results[0].clone()
}

/// Stores revisions made elsewhere.
async fn replicate(db: &Database, docs: Value) {
    assert_eq!(write_with(db, docs, json!({"new_edits": false})).await.unwrap(), Vec::<Value>::new());
}

fn get(db: &Database, id: &str, options: Value) -> Result<Value> {
    let options: GetOptions = serde_json::from_value(options).unwrap();
    at_once(db.get(id, &options)).map(|text| serde_json::from_str(&text).unwrap())
}

fn error(db: &Database, id: &str, options: Value) -> Error {
    get(db, id, options).unwrap_err()
}

/// doc_count and update_seq.
fn counts(db: &Database) -> (u64, u64) {
    let info = db.info().unwrap();
    (info.doc_count, info.update_seq)
}
