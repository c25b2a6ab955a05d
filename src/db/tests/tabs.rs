//! Several tabs that write one database at once, some of which fail or die.

use super::*;
use crate::engine::{Engine, Settings};
use crate::error::ErrorKind;
use crate::storage::faulty::{Fault, Faults, FaultyStorage, Random, repeat_randomness, take_turns};
use crate::storage::memory::{MemoryDisk, MemoryStorage};
use futures_util::future::{join_all, select};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

struct Tab {
    db: Database,
    faults: Rc<Faults>,
}

impl Tab {
    async fn open(disk: &Rc<MemoryDisk>) -> Self {
        let faults: Rc<Faults> = Rc::default();
        let storage = FaultyStorage::new(MemoryStorage::on(disk.clone()), faults.clone());
        let engine = Engine::open(Box::new(storage), Settings::default()).await.unwrap();
        Self { db: Database::over(engine, DatabaseOptions::in_memory()), faults }
    }
}

/// What tabs were told: revisions that are written, and bulks that failed.
#[derive(Default)]
struct Told {
    written: RefCell<Vec<(String, String)>>,
    failed: RefCell<Vec<String>>,
    bulks: RefCell<Vec<String>>,
}

/// A bulk of three new documents and an edit of one that all tabs want.
async fn write_bulk(tab: &Tab, name: &str, told: &Told) {
    told.bulks.borrow_mut().push(name.to_owned());
    let common = get(&tab.db, "common", json!({})).ok().map(|doc| doc["_rev"].clone());
    let mut docs: Vec<Value> =
        (0..3).map(|number| json!({"_id": format!("{name} {number}"), "bulk": name})).collect();
    let mut edit = json!({"_id": "common", "by": name});
    if let Some(rev) = common {
        edit["_rev"] = rev;
    }
    docs.insert(1, edit);
    match tab.db.bulk_docs(&json!(docs).to_string(), "{}").await {
        Ok(results) => {
            let results: Vec<Value> = serde_json::from_str(&results).unwrap();
            for result in results {
                match result["rev"].as_str() {
                    Some(rev) => {
                        let written = (result["id"].as_str().unwrap().to_owned(), rev.to_owned());
                        told.written.borrow_mut().push(written);
                    }
                    None => assert_eq!((&result["id"], &result["status"]), (&json!("common"), &json!(409))),
                }
            }
        }
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Storage);
            told.failed.borrow_mut().push(name.to_owned());
        }
    }
}

fn check(db: &Database, told: &Told) {
    super::check(db);
    for (id, rev) in told.written.borrow().iter() {
        assert!(get(db, id, json!({"rev": rev})).is_ok(), "{id} {rev} was acknowledged and is not there");
    }
    let mut found: BTreeMap<String, usize> = BTreeMap::new();
    for change in at_once(db.changes(&Default::default())).unwrap().results {
        if change.id != "common" {
            *found.entry(change.id.rsplit_once(' ').unwrap().0.to_owned()).or_default() += 1;
        }
    }
    for bulk in told.bulks.borrow().iter() {
        let count = found.remove(bulk).unwrap_or_default();
        assert!(count == 0 || count == 3, "half of {bulk} is there");
    }
    assert_eq!(found, BTreeMap::new());
    for bulk in told.failed.borrow().iter() {
        let id = format!("{bulk} 0");
        assert_eq!(error(db, &id, json!({})).status(), 404, "{bulk} failed and is there");
    }
    // Every edit of the common document is made upon the one before it: none was lost, none is in conflict.
    let Ok(common) = get(db, "common", json!({"conflicts": true, "revs": true})) else { return };
    assert_eq!(common.get("_conflicts"), None);
    let generations = common["_revisions"]["start"].as_u64().unwrap() as usize;
    let acknowledged = told.written.borrow().iter().filter(|(id, _)| id == "common").count();
    assert!(generations >= acknowledged, "of {acknowledged} edits {generations} are there");
}

/// How many writes of several documents each tab makes.
const BULKS: usize = 12;

fn run(seed: u64, fault: Option<Fault>) {
    println!("seed {seed} {fault:?}");
    block_on(async {
        let disk: Rc<MemoryDisk> = Rc::default();
        repeat_randomness(seed);
        let mut random = Random::new(seed);
        let tabs = join_all((0..3).map(|_| Tab::open(&disk))).await;
        let told = Told::default();
        for tab in &tabs {
            tab.faults.take_turns(random.split());
        }
        if let Some(fault) = fault {
            // Each write is an operation at least, so it is met on the way.
            let operation = random.below(BULKS as u64) as u32;
            tabs[0].faults.arm(tabs[0].faults.operations() + operation, fault);
        }
        let lives = tabs.iter().zip(0..).map(|(tab, number)| {
            let (mut random, told) = (random.split(), &told);
            let writing = async move {
                for bulk in 0..BULKS {
                    take_turns(random.below(5)).await;
                    write_bulk(tab, &format!("{number}-{bulk}"), told).await;
                }
            };
            select(Box::pin(writing), Box::pin(tab.faults.death()))
        });
        join_all(lives).await;
        let found = Tab::open(&disk).await;
        check(&found.db, &told);
        if fault.is_none() {
            assert_eq!(counts(&found.db).0, 3 * BULKS as u64 * 3 + 1);
        }
        for tab in tabs.iter().skip(usize::from(fault.is_some_and(Fault::is_fatal))) {
            tab.db.refresh().await.unwrap();
            check(&tab.db, &told);
            assert_eq!(counts(&tab.db), counts(&found.db));
        }
    });
}

#[test]
fn tabs_that_write_at_once_lose_nothing() {
    for seed in 0..40 {
        run(seed, None);
    }
}

#[test]
fn a_tab_that_fails_or_dies_among_others_leaves_nothing_half() {
    for seed in 0..20 {
        for fault in Fault::ALL {
            run(seed, Some(fault));
        }
    }
}
