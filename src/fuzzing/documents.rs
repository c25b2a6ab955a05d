use crate::db::{Database, DatabaseOptions};
use crate::edit::{SequenceEntry, StoredDocument};
use crate::env::{block_on, uuid};
use crate::query::AllDocsOptions;
use bytes::Bytes;
use serde::de::IgnoredAny;

/// Documents as an application gives them: a byte of options, then the text of a list.
pub fn documents(data: &[u8]) {
    let Some((flags, text)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let options = DatabaseOptions {
        revs_limit: if flags & 1 == 0 { 1000 } else { 2 },
        auto_compaction: flags & 2 != 0,
        ..DatabaseOptions::in_memory()
    };
    let edits = if flags & 4 == 0 { "{}" } else { r#"{"new_edits":false}"# };
    block_on(async {
        let database = Database::open(&uuid(), options).await.expect("memory can be opened");
        // The second time everything is there already.
        for _ in 0..2 {
            if let Ok(results) = database.bulk_docs(text, edits).await {
                assert!(is_json(&results));
            }
        }
        in_order(&database).await;
        database.destroy().await.expect("memory can be destroyed");
    });
}

/// Everything fits together, and all documents can be read.
pub(super) async fn in_order(database: &Database) {
    let report = database.check().await.expect("memory can be read");
    assert_eq!(report.problems, []);
    let options = AllDocsOptions { include_docs: true, conflicts: true, ..AllDocsOptions::default() };
    assert!(is_json(&database.all_docs(&options).await.expect("what was written can be read")));
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// What is stored of a document, and under a seq.
pub fn stored_documents(data: &[u8]) {
    let bytes = Bytes::copy_from_slice(data);
    if let Ok(document) = StoredDocument::decode(b"key", bytes.clone()) {
        super::tree(&{
            let mut encoded = Vec::new();
            document.tree.encode(&mut encoded);
            encoded
        });
    }
    if let Ok(entry) = SequenceEntry::decode(1, &bytes) {
        assert!(entry.key.len() <= data.len());
        entry.winner.winner();
    }
}
