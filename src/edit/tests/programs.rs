//! Random programs of edits, on the engine and on the model.

use super::check_consistency;
use super::model::{Edit, Model, Rules};
use crate::doc::{Rev, RevHash, id_key, json_text};
use crate::edit::{
    Bulk, CompactionSlice, Counters, DocumentResult, EditOptions, StoredDocument, compact_document,
    compacted_until, purge, read_local,
};
use crate::engine::{Engine, Settings, Snapshot};
use crate::env::block_on;
use crate::storage::memory::{MemoryDisk, MemoryStorage};
use crate::tree::RevPath;
use proptest::prelude::*;
use std::rc::Rc;

const IDS: [&str; 4] = ["a", "b", "\u{10000}", "\u{ffff}\"\u{0}"];
const LOCAL_IDS: [&str; 2] = ["_local/a", "_local/b"];

/// Which of the revisions there are an edit names, by a number that is taken as it comes.
#[derive(Debug, Clone, Copy)]
enum Parent {
    None,
    Winner,
    Known(u8),
    Unknown(u8),
}

#[derive(Debug, Clone)]
enum Step {
    /// Edits in one bulk.
    Edits(Vec<(u8, Parent, bool, u16)>, bool),
    /// Revisions made elsewhere, in one bulk: a document, the known revision they stand on, hashes upon it, and how
    /// many of the ancestors are told.
    Revisions(Vec<(u8, Parent, Vec<u8>, u8)>),
    Local(u8, Option<u8>, bool),
    Compact,
    CompactDocument(u8, u8),
    /// A document's revision, a leaf or not.
    Purge(u8, Parent),
    Reopen,
}

fn parent() -> impl Strategy<Value = Parent> {
    prop_oneof![
        2 => Just(Parent::None),
        4 => Just(Parent::Winner),
        3 => any::<u8>().prop_map(Parent::Known),
        1 => (0..3_u8).prop_map(Parent::Unknown),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    // Few bodies, so that edits are made twice; some too long to be kept with the document.
    let size = prop_oneof![4 => 0..3_u16, 1 => 8_180..8_200_u16];
    let edit = (0..4_u8, parent(), prop::bool::weighted(0.25), size);
    let revision = (0..4_u8, parent(), prop::collection::vec(0..8_u8, 1..4), 0..5_u8);
    prop_oneof![
        6 => (prop::collection::vec(edit, 1..4), any::<bool>()).prop_map(|(edits, was)| Step::Edits(edits, was)),
        5 => prop::collection::vec(revision, 1..4).prop_map(Step::Revisions),
        2 => (0..2_u8, prop::option::of(0..3_u8), prop::bool::weighted(0.3))
            .prop_map(|(id, rev, deleted)| Step::Local(id, rev, deleted)),
        1 => Just(Step::Compact),
        1 => (0..4_u8, 0..3_u8).prop_map(|(id, height)| Step::CompactDocument(id, height)),
        2 => (0..4_u8, parent()).prop_map(|(id, leaf)| Step::Purge(id, leaf)),
        1 => Just(Step::Reopen),
    ]
}

fn body(size: u16) -> String {
    if size == 0 { "{}".to_owned() } else { format!("{{\"text\":\"{}\"}}", "x".repeat(size.into())) }
}

fn find_parent(model: &Model, id: &str, parent: Parent) -> Option<Rev> {
    let tree = model.documents.get(id).map(|document| &document.tree);
    match parent {
        Parent::None => None,
        Parent::Winner => tree.and_then(|tree| tree.winner().map(|winner| winner.rev.clone())),
        Parent::Known(number) => tree
            .and_then(|tree| tree.revs().nth(usize::from(number) % tree.len()).map(|(rev, _)| rev.clone())),
        Parent::Unknown(generation) => Some(Rev::new(u64::from(generation), "unknown")),
    }
}

fn new_edit(model: &Model, (id, parent, deleted, size): (u8, Parent, bool, u16)) -> Edit {
    let id = IDS[usize::from(id)].to_owned();
    let rev = find_parent(model, &id, parent);
    let body = body(size);
    let mut text = format!("{{\"_id\":{}", json_text(&id));
    if let Some(rev) = &rev {
        text.push_str(&format!(",\"_rev\":\"{rev}\""));
    }
    if deleted {
        text.push_str(",\"_deleted\":true");
    }
    if size > 0 {
        text.push_str(&format!(",{}", body.trim_start_matches('{').trim_end_matches('}')));
    }
    text.push('}');
    Edit { id, rev, deleted, body, text }
}

/// A revision's path; whether it is a deletion, and its body, follow from its id, as they do in life.
fn new_revision(model: &Model, id: &str, parent: Parent, hashes: &[u8], told: u8) -> (RevPath, bool, String) {
    let parent = find_parent(model, id, parent);
    let mut ancestors: Vec<RevHash> = match (&parent, model.documents.get(id)) {
        (Some(parent), Some(document)) => document
            .tree
            .ancestry(parent)
            .map(|ancestry| ancestry.into_iter().map(|(rev, _)| rev.hash.clone()).collect())
            .unwrap_or_else(|| vec![parent.hash.clone()]),
        (Some(parent), None) => vec![parent.hash.clone()],
        (None, _) => Vec::new(),
    };
    ancestors.truncate(usize::from(told));
    let mut generation = parent.map_or(0, |parent| parent.generation);
    let mut names: Vec<String> = Vec::new();
    for hash in hashes {
        generation += 1;
        names.insert(0, format!("{}{generation}", char::from(b'a' + hash)));
    }
    let leaf = Rev::new(generation, &names[0]);
    let new = names[1..].iter().map(|name| RevHash::new(name));
    let path = RevPath::new(leaf.clone(), new.chain(ancestors).collect::<Vec<_>>());
    let deleted = names[0].starts_with(['a', 'b']);
    let size = if names[0].starts_with('c') { 9_000 } else { 3 };
    (path, deleted, body(size).replacen("text", &leaf.to_string(), 1))
}

async fn commit(engine: &Engine, texts: &[String], options: EditOptions) -> Vec<DocumentResult> {
    let bulk = Bulk::prepare(texts.iter().map(String::as_str), &[], options).unwrap();
    engine.commit(move |overlay| bulk.plan(overlay)).await.unwrap()
}

fn open(disk: &Rc<MemoryDisk>) -> Engine {
    block_on(Engine::open(Box::new(MemoryStorage::on(disk.clone())), Settings::default())).unwrap()
}

fn compact(engine: &Engine) {
    let until = engine.peek(Counters::read).unwrap().update_seq;
    let mut since = engine.peek(compacted_until).unwrap();
    while since < until {
        let begin = || CompactionSlice::new(since, until);
        let slice = block_on(engine.read_in_steps(begin, CompactionSlice::step)).unwrap();
        since = slice.last_seq();
        if !slice.is_void() {
            block_on(engine.commit(move |overlay| slice.plan(overlay))).unwrap();
        }
    }
}

fn run_step(engine: &Engine, model: &mut Model, step: &Step) -> Result<(), TestCaseError> {
    let Rules { revs_limit, auto_compaction } = model.rules;
    let options = EditOptions { revs_limit, auto_compaction, ..EditOptions::default() };
    match step {
        Step::Edits(edits, was_delete) => {
            // What they name is what is there before the bulk.
            let edits: Vec<_> = edits.iter().map(|edit| new_edit(model, *edit)).collect();
            let texts: Vec<_> = edits.iter().map(|edit| edit.text.clone()).collect();
            let options = EditOptions { was_delete: *was_delete, ..options };
            let results = block_on(commit(engine, &texts, options));
            prop_assert_eq!(results.len(), edits.len());
            for (edit, result) in edits.iter().zip(results) {
                let id = edit.id.clone();
                let expected = match model.edit(edit, *was_delete) {
                    Ok(rev) => DocumentResult::Written { ok: true, id, rev: rev.to_string() },
                    Err(error) => DocumentResult::Refused(error.with_doc_id(id)),
                };
                prop_assert_eq!(result, expected, "{:?}", edit);
            }
        }
        Step::Revisions(revisions) => {
            let mut given: Vec<_> = revisions
                .iter()
                .map(|(id, parent, hashes, told)| {
                    let id = IDS[usize::from(*id)];
                    (id, new_revision(model, id, *parent, hashes, *told))
                })
                .collect();
            let texts: Vec<_> = given
                .iter()
                .map(|(id, (path, deleted, body))| {
                    let ids: Vec<_> = std::iter::once(&path.leaf().hash).chain(path.ancestors()).collect();
                    let ids: Vec<_> = ids.iter().map(ToString::to_string).collect();
                    format!(
                        "{{\"_id\":{},\"_deleted\":{deleted},\"_revisions\":{{\"start\":{},\"ids\":{}}},{}",
                        json_text(id),
                        path.leaf().generation,
                        json_text(&ids),
                        body.trim_start_matches('{')
                    )
                })
                .collect();
            let results = block_on(commit(engine, &texts, EditOptions { new_edits: false, ..options }));
            prop_assert_eq!(results, vec![]);
            given.sort_by_key(|(id, (path, ..))| (id_key(id), path.leaf().generation));
            for (id, (path, deleted, body)) in given {
                model.replicate(id, &path, deleted, &body);
            }
        }
        Step::Local(id, rev, deleted) => {
            let id = LOCAL_IDS[usize::from(*id)];
            let rev = rev.map(u64::from);
            let mut text = format!("{{\"_id\":\"{id}\",\"n\":{}", model.update_seq);
            if let Some(rev) = rev {
                text.push_str(&format!(",\"_rev\":\"0-{rev}\""));
            }
            text.push_str(if *deleted { ",\"_deleted\":true}" } else { "}" });
            let result = block_on(commit(engine, &[text], options)).remove(0);
            let body = format!("{{\"n\":{}}}", model.update_seq);
            let expected = match model.edit_local(id, rev, *deleted, &body) {
                Ok(rev) => DocumentResult::Written { ok: true, id: id.to_owned(), rev },
                Err(error) => DocumentResult::Refused(error.with_doc_id(id)),
            };
            prop_assert_eq!(result, expected);
        }
        Step::Compact => {
            compact(engine);
            model.compact();
        }
        Step::CompactDocument(id, height) => {
            let (id, height) = (IDS[usize::from(*id)], usize::from(*height));
            let found =
                block_on(engine.commit(move |overlay| compact_document(overlay, id, height))).unwrap();
            prop_assert_eq!(found.is_some(), model.documents.contains_key(id));
            if let Some(document) = model.documents.get_mut(id) {
                document.compact(height);
            }
        }
        Step::Purge(id, rev) => {
            let id = IDS[usize::from(*id)];
            let rev = find_parent(model, id, *rev).unwrap_or(Rev::new(1, "none"));
            let before = model.documents.get(id).cloned();
            let text = rev.to_string();
            let purged = block_on(engine.commit(move |overlay| purge(overlay, id, &text, 3)));
            prop_assert_eq!(purged.is_ok(), model.purge(id, &rev), "{:?}", purged);
            if let (Ok(purged), Some(before)) = (purged, before) {
                let after = model.documents.get(id);
                prop_assert_eq!(purged.document_was_removed_completely, after.is_none());
                let is_gone = |rev: &Rev| after.is_none_or(|after| !after.tree.contains(rev));
                let gone = before.tree.revs().filter(|(rev, _)| is_gone(rev)).count();
                prop_assert_eq!(purged.deleted_revs.len(), gone);
                prop_assert!(purged.deleted_revs.iter().all(is_gone));
            }
        }
        Step::Reopen => {}
    }
    Ok(())
}

fn check(snapshot: &Snapshot, model: &Model) -> Result<(), TestCaseError> {
    check_consistency(snapshot);
    let expected = Counters { update_seq: model.update_seq, doc_count: model.doc_count() };
    prop_assert_eq!(Counters::read(snapshot), expected);
    for id in IDS {
        let found = StoredDocument::find(snapshot, id).unwrap();
        prop_assert_eq!(found.is_some(), model.documents.contains_key(id));
        let (Some(found), Some(expected)) = (found, model.documents.get(id)) else { continue };
        prop_assert_eq!(found.seq, expected.seq);
        prop_assert_eq!(&found.tree, &expected.tree);
        for (rev, _) in expected.tree.revs() {
            let body = found.body_of(snapshot, &id_key(id), rev);
            let body = body.map(|body| String::from_utf8(body.to_vec()).unwrap());
            prop_assert_eq!(body.as_ref(), expected.bodies.get(rev), "{} {}", id, rev);
        }
    }
    for id in LOCAL_IDS {
        let found = read_local(snapshot, id);
        let found = found.map(|found| (found.number, String::from_utf8(found.body.to_vec()).unwrap()));
        prop_assert_eq!(found.as_ref(), model.local.get(id));
    }
    let purges = read_local(snapshot, "_local/purges").map(|found| found.number);
    prop_assert_eq!(purges.unwrap_or_default(), model.purges);
    Ok(())
}

proptest! {
    #[test]
    fn programs_of_edits_do_what_the_model_does(steps in prop::collection::vec(step(), 1..25),
                                                revs_limit in prop_oneof![Just(1_usize), 2..5_usize, Just(1000)],
                                                auto_compaction in any::<bool>()) {
        let disk = Rc::default();
        let mut engine = open(&disk);
        let mut model = Model { rules: Rules { revs_limit, auto_compaction }, ..Model::default() };
        for step in &steps {
            if let Step::Reopen = step {
                engine = open(&disk);
            }
            run_step(&engine, &mut model, step)?;
            check(&engine.snapshot().unwrap(), &model)?;
        }
        check(&open(&disk).snapshot().unwrap(), &model)?;
    }
}
