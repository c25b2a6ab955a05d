//! Handles of one name share an engine; closing, destroying and events.

use super::*;
use crate::db::DatabaseEvent;
use crate::engine::{Engine, Settings};
use crate::error::ErrorKind;
use crate::storage::memory::{MemoryDisk, MemoryStorage};
use futures_util::future::{join, join3};
use std::rc::Rc;

async fn open(name: &str) -> Database {
    Database::open(name, DatabaseOptions::in_memory()).await.unwrap()
}

async fn tab_on(disk: &Rc<MemoryDisk>) -> Database {
    let engine = Engine::open(Box::new(MemoryStorage::on(disk.clone())), Settings::default()).await.unwrap();
    Database::over(engine, DatabaseOptions::in_memory())
}

fn kind<T>(outcome: Result<T>) -> Option<ErrorKind> {
    outcome.err().map(|error| error.kind())
}

#[test]
fn handles_of_one_name_are_one_database() {
    block_on(async {
        let name = uuid();
        let (left, right) = join(open(&name), open(&name)).await;
        let rev = put(&left, json!({"_id": "a"})).await;
        assert_eq!(get(&right, "a", json!({})).unwrap()["_rev"], rev);
        assert!(std::ptr::eq(left.engine().unwrap(), right.engine().unwrap()));
        let elsewhere = open(&uuid()).await;
        assert_eq!(counts(&elsewhere), (0, 0));
        assert_ne!(left.id(), elsewhere.id());
    });
}

#[test]
fn a_closed_handle_refuses_and_the_others_go_on() {
    block_on(async {
        let name = uuid();
        let (left, right) = (open(&name).await, open(&name).await);
        left.close().await;
        left.close().await;
        assert_eq!(kind(left.info()), Some(ErrorKind::Closed));
        assert_eq!(kind(left.bulk_docs("[]", "{}").await), Some(ErrorKind::Closed));
        assert_eq!(kind(left.refresh().await), Some(ErrorKind::Closed));
        assert_eq!(kind(left.destroy().await), Some(ErrorKind::Closed));
        put(&right, json!({"_id": "a"})).await;
        right.close().await;
        assert_eq!(kind(right.info()), Some(ErrorKind::Closed));
        let again = open(&name).await;
        assert_eq!((counts(&again), again.id()), ((1, 1), right.id()));
    });
}

#[test]
fn opening_while_the_last_handle_closes_waits_and_works() {
    block_on(async {
        let name = uuid();
        let first = open(&name).await;
        let ((), second, written) =
            join3(first.close(), open(&name), write_with(&first, json!([{"_id": "a"}]), json!({}))).await;
        assert_eq!(kind(written), Some(ErrorKind::Closed));
        put(&second, json!({"_id": "b"})).await;
        assert_eq!(counts(&second), (1, 1));
    });
}

#[test]
fn a_write_that_was_begun_is_committed_before_its_handle_is_closed() {
    block_on(async {
        let name = uuid();
        let db = open(&name).await;
        let (written, ()) = join(db.bulk_docs(r#"[{"_id":"a"}]"#, "{}"), db.close()).await;
        assert!(written.is_ok());
        assert_eq!(counts(&open(&name).await), (1, 1));
    });
}

#[test]
fn destroying_is_heard_by_all_handles_and_tabs() {
    block_on(async {
        let disk = Rc::default();
        let (left, right) = (tab_on(&disk).await, tab_on(&disk).await);
        put(&left, json!({"_id": "a"})).await;
        let (mut here, mut there) = (left.events(), right.events());
        left.destroy().await.unwrap();
        for events in [&mut here, &mut there] {
            assert_eq!(events.next().await, Some(DatabaseEvent::Destroyed));
            assert_eq!(events.next().await, None);
        }
        for db in [&left, &right] {
            assert_eq!(kind(db.info()), Some(ErrorKind::Destroyed));
            assert_eq!(kind(db.bulk_docs("[]", "{}").await), Some(ErrorKind::Destroyed));
        }
        assert_eq!(counts(&tab_on(&disk).await), (0, 0));
    });
}

#[test]
fn a_database_made_anew_is_empty_and_outlives_the_old_handles() {
    block_on(async {
        let name = uuid();
        let (left, right) = (open(&name).await, open(&name).await);
        put(&left, json!({"_id": "a"})).await;
        let (destroyed, anew) = join(left.destroy(), open(&name)).await;
        destroyed.unwrap();
        assert_eq!(counts(&anew), (0, 0));
        put(&anew, json!({"_id": "b"})).await;
        right.destroy().await.unwrap();
        left.destroy().await.unwrap();
        right.close().await;
        // Who opens it now shares the engine of who has it open.
        let other = open(&name).await;
        assert_eq!(counts(&other), (1, 1));
        assert!(std::ptr::eq(other.engine().unwrap(), anew.engine().unwrap()));
    });
}

#[test]
fn events_tell_of_changes_here_and_in_other_tabs_and_of_the_end() {
    block_on(async {
        let disk = Rc::default();
        let (left, right) = (tab_on(&disk).await, tab_on(&disk).await);
        let mut events = left.events();
        put(&left, json!({"_id": "a"})).await;
        assert_eq!(events.next().await, Some(DatabaseEvent::Changed));
        put(&right, json!({"_id": "b"})).await;
        assert_eq!(events.next().await, Some(DatabaseEvent::Changed));
        assert_eq!(counts(&left), (2, 2));
        drop(left.events());
        left.close().await;
        assert_eq!(events.next().await, Some(DatabaseEvent::Closed));
        assert_eq!(events.next().await, None);
        put(&right, json!({"_id": "c"})).await;
    });
}

#[test]
fn a_refresh_finds_what_no_notice_told() {
    block_on(async {
        let disk: Rc<MemoryDisk> = Rc::default();
        let left = tab_on(&disk).await;
        let copy: Rc<MemoryDisk> = Rc::default();
        for ((space, key), content) in disk.records() {
            copy.tamper(space, key, Some(content));
        }
        let elsewhere = tab_on(&copy).await;
        put(&elsewhere, json!({"_id": "a"})).await;
        for ((space, key), content) in copy.records() {
            disk.tamper(space, key, Some(content));
        }
        assert_eq!(counts(&left), (0, 0));
        left.refresh().await.unwrap();
        assert_eq!(counts(&left), (1, 1));
    });
}

#[test]
fn info_and_adapter_are_as_opened() {
    block_on(async {
        let options = DatabaseOptions { auto_compaction: true, ..DatabaseOptions::in_memory() };
        let db = new_database_with(options).await;
        let info = serde_json::to_value(db.info().unwrap()).unwrap();
        let expected = json!({"doc_count": 0, "update_seq": 0, "auto_compaction": true, "adapter": "memory"});
        assert_eq!((info, db.adapter()), (expected, "memory"));
        for adapter in ["idb", "indexeddb", "rubbish"] {
            let options = DatabaseOptions { adapter: Some(adapter.into()), ..DatabaseOptions::default() };
            let error = Database::open(&uuid(), options).await.err().expect("there is no browser here");
            assert_eq!((error.kind(), error.reason()), (ErrorKind::Storage, Some("NotSupportedError")));
        }
    });
}
