//! A short run of what `fuzz/` does for as long as one likes: valid input, changed in some places.

use super::{adoption, documents, multipart, server, stored_documents, stored_records, tree};
use crate::db::{Database, DatabaseOptions};
use crate::engine::{Engine, Settings};
use crate::env::block_on;
use crate::storage::memory::{MemoryDisk, MemoryStorage};
use proptest::prelude::*;
use std::rc::Rc;

const DOCUMENTS: [&str; 5] = [
    r#"[{"_id":"a","n":1},{"_id":"a","_rev":"1-b","x":[null]},{"_id":"_local/a","_rev":"0-1"}]"#,
    r#"[{"_id":"\u00e9","_rev":"3-c","_revisions":{"start":3,"ids":["c","b","a"]},"_deleted":true}]"#,
    r#"[{"_id":"_design/d","_attachments":{"a":{"stub":true}},"_conflicts":[],"_access":["x"],"":{}}]"#,
    r#"[{"_id":"a","_attachments":{"x":{"content_type":"text/plain","data":"Zm9v"},"y":{"data":""}}}]"#,
    r#"[{"_id":"a","_rev":"18446744073709551615-a"},{"_id":"b","_revisions":{"start":0,"ids":[]}}]"#,
];

const ANSWERS: [&str; 8] = [
    r#"{"db_name":"db","update_seq":"7-g1A","doc_count":2,"instance_start_time":"0","uuid":"x"}"#,
    r#"{"results":[{"seq":"1-a","id":"a","changes":[{"rev":"2-b"}]}],"last_seq":"1-a","pending":0}"#,
    r#"{"results":[{"id":"a","docs":[{"ok":{"_id":"a","_rev":"2-b","_revisions":{"start":2,"ids":["b","a"]}}}]}]}"#,
    r#"[{"ok":{"_id":"a","_rev":"2-b"}},{"missing":"1-a"},{"id":"a","error":"conflict","reason":"x"}]"#,
    r#"{"a":{"missing":["1-a"]},"session_id":"x","source_last_seq":3,"history":[{"session_id":"x","last_seq":3}]}"#,
    r#"{"error":"not_found","reason":"missing"}"#,
    r#"{"results":[{"id":"a","docs":[{"ok":{"_id":"a","_rev":"2-b","_attachments":{"x":{"revpos":2,"length":3,"stub":true}}}}]}]}"#,
    "--b\r\n\r\n{\"_id\":\"a\",\"_rev\":\"2-b\",\"_attachments\":{\"x\":{\"follows\":true,\"length\":3}}}\r\n--b--",
];

/// Of databases of PouchDB's; but for the first, each may follow itself.
const PIECES_OF_POUCHDB: [&str; 3] = [
    include_str!("../../fuzz/seeds/adoption/0"),
    include_str!("../../fuzz/seeds/adoption/1"),
    include_str!("../../fuzz/seeds/adoption/2"),
];

/// As CouchDB sends them, with the content type before them.
const MESSAGES: [&[u8]; 2] =
    [include_bytes!("../../fuzz/seeds/multipart/0"), include_bytes!("../../fuzz/seeds/multipart/1")];

/// What may stand in the place of some bytes.
const PIECES: [&str; 19] = [
    "", "\"", "{", "}", "[", "]", ",", ":", "null", "-1", "1e400", "\\ud800", "\u{0}", "true", "\"_id\"",
    "😀", "\r\n--b", "--in", "\r\n\r\n",
];

type Edits = Vec<(prop::sample::Index, u8, usize)>;

fn edits() -> impl Strategy<Value = Edits> {
    prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..PIECES.len() + 8), 0..6)
}

/// Puts a piece, or a byte, in the place of some bytes, or cuts the rest off.
fn edited(mut bytes: Vec<u8>, edits: Edits) -> Vec<u8> {
    for (place, byte, piece) in edits {
        if bytes.is_empty() {
            break;
        }
        let place = place.index(bytes.len());
        match PIECES.get(piece) {
            Some(piece) => {
                let end = bytes.len().min(place + usize::from(byte % 8));
                bytes.splice(place..end, piece.bytes());
            }
            None if byte == 0 => bytes.truncate(place),
            None => bytes[place] = byte,
        }
    }
    bytes
}

/// All records of a database that has something of everything.
fn records() -> Vec<Vec<u8>> {
    block_on(async {
        let disk: Rc<MemoryDisk> = Rc::default();
        let engine = Engine::open(Box::new(MemoryStorage::on(disk.clone())), Settings::tiny()).await.unwrap();
        let db = Database::over(engine, DatabaseOptions::in_memory());
        for round in 0..4 {
            for docs in DOCUMENTS {
                // One is refused; that does not matter.
                let _ =
                    db.bulk_docs(&docs.replace(":1", &format!(":{round}")), r#"{"new_edits":false}"#).await;
                let _ = db.bulk_docs(docs, "{}").await;
            }
        }
        db.compact().await.unwrap();
        disk.records().into_iter().map(|(_, content)| content.to_vec()).collect()
    })
}

#[test]
fn a_tree_with_one_revision_in_two_places_panics_nowhere() {
    // Root 1-a with the child 2-b, and 1-a once more.
    let segment = |head: u64, start: &[u8], hash: u8| [&[head as u8], start, &[hash; 16]].concat();
    let (root, child) = (|hash| segment(2 << 3, &[1], hash), segment(0, &[], 2));
    tree(&[vec![3], root(1), child.clone(), root(1)].concat());
    tree(&[vec![3], root(1), root(1), child].concat());
}

proptest! {
    #[test]
    fn any_documents_leave_a_database_in_order(flags in any::<u8>(), text in 0..DOCUMENTS.len(), edits in edits()) {
        let changed = edited(DOCUMENTS[text].as_bytes().to_vec(), edits);
        documents(&[&[flags], &changed[..]].concat());
    }

    #[test]
    fn any_piece_of_a_database_of_pouchdb_leaves_one_in_order(piece in 0..PIECES_OF_POUCHDB.len(), edits in edits()) {
        adoption(&edited(PIECES_OF_POUCHDB[piece].as_bytes().to_vec(), edits));
    }

    #[test]
    fn any_answers_leave_a_database_in_order(
        how in any::<u8>(),
        answers in prop::collection::vec((0..ANSWERS.len(), edits()), 1..6),
    ) {
        let bodies: Vec<_> =
            answers.into_iter().map(|(answer, edits)| edited(ANSWERS[answer].as_bytes().to_vec(), edits)).collect();
        server(&[&[how], &bodies.join(&0)[..]].concat());
    }

    #[test]
    fn any_message_is_read_alike_in_whatever_pieces_it_comes(message in 0..MESSAGES.len(), edits in edits(), size in any::<u8>()) {
        let changed = edited(MESSAGES[message][1..].to_vec(), edits);
        multipart(&[&[size], &changed[..]].concat());
    }

    #[test]
    fn any_bytes_are_read_as_records(pick in any::<prop::sample::Index>(), edits in edits(), cut in 0..40_usize) {
        thread_local! {
            static RECORDS: Vec<Vec<u8>> = records();
        }
        let changed = RECORDS.with(|records| edited(pick.get(records).clone(), edits));
        stored_records(&changed);
        // What is in a record begins somewhere.
        for start in [cut, 12, 20, 24] {
            let inner = changed.get(start..).unwrap_or_default();
            stored_records(inner);
            stored_documents(inner);
            tree(inner);
        }
    }

    #[test]
    fn any_bytes_are_read_as_a_tree(bytes in prop::collection::vec(any::<u8>(), 0..120)) {
        tree(&bytes);
        tree(&[&[1, 2 << 3, 1], &bytes[..]].concat());
        stored_documents(&bytes);
    }
}
