//! Ids and checkpoints are those of PouchDB 9.0.0: the fixture holds what its browser build gave for these inputs.

use crate::replicate::checkpoint::{advance, common_ancestry, if_marked, marked, position};
use crate::replicate::{LocalDoc, ReplicationOptions, Seq};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Fixture {
    ids: Vec<Id>,
    reads: Vec<Read>,
    writes: Vec<Write>,
}

#[derive(Deserialize)]
struct Id {
    source: String,
    target: String,
    options: String,
    id: String,
}

#[derive(Deserialize)]
struct Read {
    source: LocalDoc,
    target: LocalDoc,
    since: Value,
}

#[derive(Deserialize)]
struct Write {
    found: Option<LocalDoc>,
    seq: Value,
    written: Option<String>,
}

fn fixture() -> Fixture {
    serde_json::from_str(include_str!("pouchdb_9.json")).unwrap()
}

#[test]
fn replication_ids_are_pouchdbs() {
    for Id { source, target, options, id } in fixture().ids {
        let parsed = ReplicationOptions::parse(&options, false).unwrap();
        assert_eq!(parsed.replication_id(&source, &target), id, "{source} {target} {options}");
    }
}

#[test]
fn checkpoints_are_read_as_pouchdb_reads_them() {
    for Read { source, target, since } in fixture().reads {
        assert_eq!(common_ancestry(&source, &target).to_value(), since, "{source:?} {target:?}");
    }
}

#[test]
fn checkpoints_are_written_as_pouchdb_writes_them() {
    for Write { found, seq, written } in fixture().writes {
        let seq = Seq::from_value(&seq).unwrap();
        let doc = advance(found.as_ref(), "_local/x", "me", &seq).map(|doc| Value::Object(doc).to_string());
        assert_eq!(doc, written, "{found:?}");
    }
}

#[test]
fn on_a_target_here_only_those_that_a_build_without_attachments_wrote_do_not_count() {
    let old: LocalDoc = serde_json::from_value(json!({"_id": "_local/x", "last_seq": 3})).unwrap();
    let ours = advance(None, "_local/x", "me", &Seq::from(3)).unwrap();
    let seq_of = |doc: LocalDoc| position(&if_marked(doc));
    assert_eq!(seq_of(old), Seq::from(3));
    assert_eq!(seq_of(ours.clone()), Seq::zero());
    assert_eq!(seq_of(marked(ours)), Seq::from(3));
}
