//! Every storage operation of some programs with every fault: what was acknowledged is there, and nothing half.

use super::*;
use crate::engine::{Engine, Settings};
use crate::query::{ChangesOptions, Style};
use crate::storage::faulty::{Fault, Faults, FaultyStorage, repeat_randomness, take_turns};
use crate::storage::memory::{MemoryDisk, MemoryStorage};
use futures_util::future::{Either, select};
use std::cell::Cell;
use std::rc::Rc;

/// One write: documents, and whether they are new edits.
type Step = (Value, bool);

const LOCAL_IDS: [&str; 2] = ["_local/one", "_local/two"];

async fn open(disk: &Rc<MemoryDisk>, faults: &Rc<Faults>, settings: Settings) -> Result<Database> {
    let storage = FaultyStorage::new(MemoryStorage::on(disk.clone()), faults.clone());
    let engine = Engine::open(Box::new(storage), settings).await?;
    Ok(Database::over(engine, DatabaseOptions { revs_limit: 4, ..DatabaseOptions::in_memory() }))
}

/// Everything that an application can see.
fn state(db: &Database) -> Value {
    check(db);
    let report = at_once(db.check()).unwrap();
    assert!(report.ok, "{:?}", report.problems);
    let options = ChangesOptions { include_docs: true, style: Style::AllDocs, ..ChangesOptions::default() };
    let changes = at_once(db.changes(&options)).unwrap().results;
    let leaves: Vec<_> = changes
        .iter()
        .map(|change| get(db, &change.id, json!({"open_revs": "all", "revs": true})).unwrap())
        .collect();
    let changes: Vec<_> = changes.iter().map(crate::query::Change::text).collect();
    let all = at_once(db.all_docs(&serde_json::from_value(json!({"include_docs": true})).unwrap())).unwrap();
    let local: Vec<_> = LOCAL_IDS.iter().map(|id| get(db, id, json!({})).ok()).collect();
    let attachments = report.contents.map(|contents| (contents.attachments, contents.attachment_bytes));
    json!([changes, leaves, all, local, counts(db), attachments])
}

async fn run_step(db: &Database, (docs, new_edits): &Step) -> Result<()> {
    let results = db.bulk_docs(&docs.to_string(), &json!({ "new_edits": new_edits }).to_string()).await?;
    assert!(!results.contains("\"error\""), "{results}");
    Ok(())
}

/// Runs the steps, each again where the storage refused it; counts those that are acknowledged.
async fn run(
    disk: &Rc<MemoryDisk>,
    faults: &Rc<Faults>,
    settings: Settings,
    steps: &[Step],
    done: &Cell<usize>,
) -> Database {
    repeat_randomness(0);
    let db = match open(disk, faults, settings).await {
        Ok(db) => db,
        Err(_) => open(disk, faults, settings).await.expect("the fault is over, and opening still fails"),
    };
    for step in steps {
        if run_step(&db, step).await.is_err() {
            run_step(&db, step).await.expect("the fault is over, and the write still fails");
        }
        done.set(done.get() + 1);
    }
    // What is flushed and merged in the background has its faults too.
    take_turns(100).await;
    db
}

/// The states before the first step and after each.
async fn states_of(steps: &[Step]) -> Vec<Value> {
    let db = open(&Rc::default(), &Rc::default(), Settings::default()).await.unwrap();
    let mut states = vec![state(&db)];
    for step in steps {
        run_step(&db, step).await.unwrap();
        states.push(state(&db));
    }
    states
}

fn check_every_operation(steps: &[Step]) {
    for settings in [Settings::default(), Settings::tiny()] {
        check_every_operation_with(steps, settings);
    }
}

fn check_every_operation_with(steps: &[Step], settings: Settings) {
    block_on(async {
        let states = states_of(steps).await;
        let quiet: Rc<Faults> = Rc::default();
        run(&Rc::default(), &quiet, settings, steps, &Cell::new(0)).await;
        assert!(quiet.operations() as usize > steps.len());
        for operation in 0..quiet.operations() {
            for fault in Fault::ALL {
                let context = format!("{fault:?} at operation {operation} of {}", quiet.operations());
                let (disk, faults, done) = (Rc::default(), Rc::<Faults>::default(), Cell::new(0));
                faults.arm(operation, fault);
                let life = Box::pin(run(&disk, &faults, settings, steps, &done));
                let survivor = match select(life, Box::pin(faults.death())).await {
                    Either::Left((db, _)) => Some(db),
                    Either::Right(_) => None,
                };
                assert_eq!(survivor.is_none(), fault.is_fatal(), "{context}");
                let found = state(&open(&disk, &Rc::default(), settings).await.unwrap());
                let next = states.get(done.get() + 1);
                let is_expected = found == states[done.get()] || fault.is_fatal() && Some(&found) == next;
                assert!(is_expected, "{context}: after {} steps there is {found:#}", done.get());
                if let Some(db) = survivor {
                    assert_eq!(state(&db), found, "{context}: the tab has another state than the disk");
                }
            }
        }
    });
}

fn text(length: usize) -> String {
    "x".repeat(length)
}

fn revision(id: &str, path: &[&str], value: &str) -> Value {
    json!({"_id": id, "_revisions": {"start": path.len(), "ids": path}, "v": value})
}

#[test]
fn puts_survive_any_fault() {
    let steps: Vec<Step> = ["a", "b", "\u{10000}", "d"]
        .iter()
        .map(|id| (json!([{"_id": id, "t": text(id.len() * 4_000)}]), true))
        .collect();
    check_every_operation(&steps);
}

#[test]
fn a_bulk_write_is_whole_or_not_at_all() {
    let docs = |from: usize| -> Value {
        (from..from + 40).map(|number| json!({"_id": format!("{number:03}"), "n": number})).collect()
    };
    check_every_operation(&[(docs(0), true), (docs(40), true)]);
}

#[test]
fn updates_deletions_and_what_comes_after_survive_any_fault() {
    let first = "1-13f945554d76000a9b9966c7f4b2dbb4";
    let second = "2-417f366efaee4b3ed5ddbf57cb78b4b3";
    check_every_operation(&[
        (json!([{"_id": "a"}, {"_id": "b", "t": text(10_000)}]), true),
        (json!([{"_id": "a", "_rev": first, "n": 2}]), true),
        (json!([{"_id": "a", "_rev": second, "_deleted": true}]), true),
        (json!([{"_id": "a", "n": 3}]), true),
    ]);
}

#[test]
fn a_replicated_batch_with_branches_survives_any_fault() {
    let mut deletion = revision("a", &["f", "e", "d", "a"], "f");
    deletion["_deleted"] = json!(true);
    check_every_operation(&[
        (json!([revision("a", &["b", "a"], "b"), revision("c", &["x"], &text(9_000))]), false),
        (
            json!([
                revision("a", &["e", "d", "a"], &text(9_000)),
                revision("a", &["c", "a"], "c"),
                revision("d", &["y"], "")
            ]),
            false,
        ),
        (json!([deletion, revision("c", &["w"], "")]), false),
        // Beyond the limit of revisions.
        (json!([revision("a", &["k", "j", "i", "h", "g", "b", "a"], "k")]), false),
    ]);
}

#[test]
fn local_documents_survive_any_fault() {
    check_every_operation(&[
        (json!([{"_id": "_local/one", "seq": 1}]), true),
        (json!([{"_id": "_local/one", "_rev": "0-1", "seq": 2}, {"_id": "_local/two"}, {"_id": "a"}]), true),
        (json!([{"_id": "_local/one", "_rev": "0-2", "_deleted": true}]), true),
    ]);
}

#[test]
fn contents_of_attachments_come_and_go_with_what_refers_to_them() {
    let doc = |id: &str, path: &[&str], attachments: &[(&str, usize)]| {
        let mut doc = revision(id, path, "");
        for (name, length) in attachments {
            doc["_attachments"][name] = json!({"data": "A".repeat(*length * 4)});
        }
        doc
    };
    check_every_operation(&[
        (json!([doc("a", &["a"], &[("x", 1), ("y", 2000)]), doc("b", &["a"], &[("x", 1)])]), false),
        (json!([doc("a", &["b", "a"], &[("x", 2)])]), false),
        (json!([doc("b", &["c", "b", "a"], &[("x", 1)]), {"_id": "_local/one"}]), false),
        // Beyond the limit of revisions, so that the first ones go.
        (json!([doc("a", &["f", "e", "d", "c", "b", "a"], &[("x", 3)])]), false),
        (json!([doc("b", &["g", "f", "e", "d", "c", "b", "a"], &[])]), false),
    ]);
}
