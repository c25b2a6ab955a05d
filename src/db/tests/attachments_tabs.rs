//! Several tabs that put, keep and drop the same few contents at once, some of which fail or die: what is on the disk is
//! what documents refer to.

use super::*;
use crate::engine::{Engine, Settings};
use crate::error::ErrorKind;
use crate::storage::faulty::{Fault, Faults, FaultyStorage, Random, repeat_randomness, take_turns};
use crate::storage::memory::{MemoryDisk, MemoryStorage};
use futures_util::future::{join_all, select};
use std::rc::Rc;

struct Tab {
    db: Database,
    faults: Rc<Faults>,
}

async fn open(disk: &Rc<MemoryDisk>, settings: Settings, auto_compaction: bool) -> Tab {
    let faults: Rc<Faults> = Rc::default();
    let storage = FaultyStorage::new(MemoryStorage::on(disk.clone()), faults.clone());
    let engine = Engine::open(Box::new(storage), settings).await.unwrap();
    let options = DatabaseOptions { auto_compaction, revs_limit: 4, ..DatabaseOptions::in_memory() };
    Tab { db: Database::over(engine, options), faults }
}

/// An edit that keeps some attachments, changes others, and drops the rest.
fn edit(before: Option<Value>, id: &str, random: &mut Random) -> Value {
    let mut doc = json!({"_id": id, "n": random.below(1000)});
    let mut kept = json!({});
    if let Some(before) = before {
        doc["_rev"] = before["_rev"].clone();
        kept = before["_attachments"].clone();
    }
    let mut attachments = json!({});
    for name in ["x", "y", "z"] {
        match random.below(4) {
            0 if kept[name].is_object() => attachments[name] = kept[name].clone(),
            1 | 2 => {
                let data = ["Zm9v", "YmFy", "YmF6", ""][random.below(4) as usize];
                attachments[name] = json!({"content_type": "text/plain", "data": data});
            }
            _ => {}
        }
    }
    doc["_attachments"] = attachments;
    if random.below(8) == 0 {
        doc["_deleted"] = json!(true);
    }
    doc
}

async fn write_some(tab: &Tab, random: &mut Random) {
    let id = ["a", "b", "c"][random.below(3) as usize];
    let outcome = match random.below(12) {
        0 => tab.db.compact().await,
        1 => match tab.db.get(id, &GetOptions::default()).await {
            Ok(found) => {
                let found: Value = serde_json::from_str(&found).unwrap();
                tab.db.purge(id, found["_rev"].as_str().unwrap()).await.map(drop)
            }
            Err(error) => Err(error),
        },
        2 => {
            let hash = ["x", "y"][random.below(2) as usize];
            let mut doc = edit(None, id, random);
            doc["_revisions"] = json!({"start": 2, "ids": [hash, "z"]});
            tab.db.write_revisions([doc.to_string().as_str()], Vec::new()).await.map(drop)
        }
        _ => return write_edits(tab, random).await,
    };
    if let Err(error) = outcome {
        assert!(error.kind() == ErrorKind::Storage || matches!(error.status(), 404 | 400), "{error}");
    }
}

async fn write_edits(tab: &Tab, random: &mut Random) {
    let mut docs = Vec::new();
    for _ in 0..=random.below(3) {
        let id = ["a", "b", "c"][random.below(3) as usize];
        let before = tab.db.get(id, &GetOptions::default()).await.ok();
        docs.push(edit(before.map(|text| serde_json::from_str(&text).unwrap()), id, random));
    }
    match tab.db.bulk_docs(&json!(docs).to_string(), "{}").await {
        Ok(_) => {}
        // Another tab has dropped what a stub stands for.
        Err(error) if error.kind() == ErrorKind::MissingStub => {}
        Err(error) => assert_eq!(error.kind(), ErrorKind::Storage),
    }
}

async fn check(db: &Database) {
    let report = db.check().await.unwrap();
    assert!(report.ok, "{:?}", report.problems);
    for id in ["a", "b", "c"] {
        let options = GetOptions { attachments: true, ..GetOptions::default() };
        match db.with_contents(false, async || db.get(id, &options).await).await {
            Ok(answer) => assert!(!answer.text.contains("stub")),
            Err(error) => assert_eq!(error.status(), 404, "{error}"),
        }
    }
}

fn run(seed: u64) {
    println!("seed {seed}");
    block_on(async {
        let disk: Rc<MemoryDisk> = Rc::default();
        repeat_randomness(seed);
        let mut random = Random::new(seed);
        let settings = [Settings::tiny(), Settings::default()];
        let auto_compaction = random.below(2) == 0;
        let open_tab = |number: u64| open(&disk, settings[number as usize % 2], auto_compaction);
        let tabs = join_all((0..3).map(open_tab)).await;
        for tab in &tabs {
            tab.faults.take_turns(random.split());
        }
        let fault = Fault::ALL.get(random.below(9) as usize).copied();
        if let Some(fault) = fault {
            tabs[0].faults.arm(tabs[0].faults.operations() + random.below(40) as u32, fault);
        }
        let lives = tabs.iter().map(|tab| {
            let mut random = random.split();
            let writing = async move {
                for step in 0..12 {
                    take_turns(random.below(5)).await;
                    write_some(tab, &mut random).await;
                    if step % 5 == 4 {
                        // Others write meanwhile, and faults may come.
                        match tab.db.check().await {
                            Ok(report) => assert!(report.ok, "{:?}", report.problems),
                            Err(error) => assert_eq!(error.kind(), ErrorKind::Storage),
                        }
                    }
                }
            };
            select(Box::pin(writing), Box::pin(tab.faults.death()))
        });
        join_all(lives).await;
        check(&open(&disk, Settings::tiny(), false).await.db).await;
        for tab in tabs.iter().skip(usize::from(fault.is_some())) {
            tab.db.refresh().await.unwrap();
            check(&tab.db).await;
        }
    });
}

#[test]
fn contents_are_there_exactly_as_long_as_somebody_refers_to_them() {
    for seed in 0..100 {
        run(seed);
    }
}
