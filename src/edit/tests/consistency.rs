use crate::doc::{id_from_key, id_key};
use crate::edit::stored::body_key;
use crate::edit::{Counters, SequenceEntry, StoredDocument, read_local};
use crate::engine::{Engine, Keyspace, Snapshot, View};
use crate::varint;
use bytes::Bytes;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

/// Panics unless everything in a database fits together: counters, sequence, trees and bodies, with nothing left over.
pub(crate) fn check_consistency(snapshot: &Snapshot) {
    let mut alive = 0;
    let mut seqs = BTreeMap::new();
    let mut bodies = BTreeSet::new();
    for (key, stored) in all(snapshot, Keyspace::Document) {
        let id = id_from_key(&key);
        assert_eq!(id_key(&id), key, "the key of {id:?}");
        let document = StoredDocument::decode(&key, stored.clone()).unwrap();
        let head = StoredDocument::encode_head(document.seq, &document.tree, document.body.is_some());
        assert_eq!(
            [&head, document.body.as_deref().unwrap_or_default()].concat(),
            stored,
            "{id:?} is stored otherwise than it would be now"
        );
        assert_eq!(
            seqs.insert(document.seq, [&SequenceEntry::encode_head(&document.tree), key.as_ref()].concat()),
            None,
            "two documents have the seq {}",
            document.seq
        );
        let winner = document.tree.winner().unwrap_or_else(|| panic!("{id:?} has no revision"));
        alive += u64::from(!winner.deleted);
        check_bodies(snapshot, &key, &document, &mut bodies);
    }
    let counters = Counters::read(snapshot);
    assert_eq!(counters.doc_count, alive, "doc_count");
    assert_eq!(counters.update_seq, seqs.last_key_value().map_or(0, |(seq, _)| *seq), "update_seq");
    let sequence = all(snapshot, Keyspace::Sequence)
        .map(|(seq, key)| (u64::from_be_bytes(seq.as_ref().try_into().unwrap()), key.to_vec()));
    assert_eq!(sequence.collect::<BTreeMap<_, _>>(), seqs, "the sequence is not that of the documents");
    let found: BTreeSet<_> = all(snapshot, Keyspace::Body).map(|(key, _)| key.clone()).collect();
    assert_eq!(found, bodies, "there are other bodies apart than there should be");
    for (key, _) in all(snapshot, Keyspace::Local) {
        let document = read_local(snapshot, &id_from_key(&key)).expect("a local document cannot be read");
        check_is_object(&document.body);
    }
    if let Some(value) = snapshot.get(Keyspace::Metadata, b"counters") {
        let mut rest: &[u8] = &value;
        assert!(varint::read(&mut rest).is_some() && varint::read(&mut rest).is_some() && rest.is_empty());
    }
}

/// Every available revision has a body, and no other has one; collects the keys of those that are kept apart.
fn check_bodies(snapshot: &Snapshot, key: &Bytes, document: &StoredDocument, apart: &mut BTreeSet<Bytes>) {
    let winner = document.tree.winner().map(|winner| winner.rev.clone());
    for (rev, status) in document.tree.revs() {
        let name = format!("{} {rev}", id_from_key(key));
        assert!(status.available || !status.leaf, "the leaf {name} has no body");
        let body = document.body_of(snapshot, key, rev);
        assert_eq!(body.is_some(), status.available, "{name} has a body or is available, not both");
        let Some(body) = body else { continue };
        check_is_object(&body);
        let is_kept_with_document = winner.as_ref() == Some(rev) && StoredDocument::is_inline(&body);
        assert_eq!(
            is_kept_with_document,
            document.body.is_some() && winner.as_ref() == Some(rev),
            "the body of {name} is in the wrong place"
        );
        if !is_kept_with_document {
            apart.insert(body_key(key, rev).into());
        }
    }
}

fn check_is_object(body: &[u8]) {
    let value: Value = serde_json::from_slice(body).expect("a body is no JSON text");
    assert!(value.is_object(), "a body is no object");
}

/// [`check_consistency`] of what an engine has.
pub(crate) async fn check_engine(engine: &Engine) {
    let check = |snapshot: &Snapshot| {
        let keyspaces = [Keyspace::Document, Keyspace::Sequence, Keyspace::Body, Keyspace::Local];
        let count: usize = keyspaces.into_iter().map(|keyspace| all(snapshot, keyspace).count()).sum();
        if !snapshot.lacks_blocks() {
            check_consistency(snapshot);
        }
        Ok(count)
    };
    engine.read(check).await.unwrap();
}

fn all(snapshot: &Snapshot, keyspace: Keyspace) -> impl Iterator<Item = (Bytes, Bytes)> + '_ {
    snapshot.scan(keyspace, (Bound::Unbounded, Bound::Unbounded), false)
}
