//! Records that are not what was written.

use super::*;
use crate::engine::header::{FLOOR_KEY, HEADER_KEY};
use crate::engine::record::FORMAT;
use crate::engine::runs::{BlockNumber, BlockRecord, MANIFEST_KEY};
use crate::engine::{Problem, check_records};
use crate::env::block_on;
use crate::storage::faulty::take_turns;
use crate::storage::{Key, Space};

/// A small database: the meta records and three commits.
async fn small_database() -> Rc<MemoryDisk> {
    let disk = Rc::default();
    let tab = Tab::open(&disk).await;
    tab.put("a", "1").await.unwrap();
    tab.put("b", "").await.unwrap();
    let delete = |overlay: &mut Overlay| {
        overlay.delete(Keyspace::Document, "a");
        Ok(())
    };
    tab.engine.commit(delete).await.unwrap();
    disk
}

fn copy(records: &[((Space, Key), Bytes)]) -> Rc<MemoryDisk> {
    let disk: Rc<MemoryDisk> = Rc::default();
    for ((space, key), content) in records {
        disk.tamper(*space, key.clone(), Some(content.clone()));
    }
    disk
}

fn name_of(space: Space, key: &Key) -> String {
    match key {
        Key::Number(number) => format!("{}/{number}", space.name()),
        Key::Text(text) => format!("{}/{text}", space.name()),
    }
}

/// Where a record has its format.
fn format_offset(key: &Key) -> Option<usize> {
    match key {
        Key::Text(text) if text == HEADER_KEY || text == MANIFEST_KEY => Some(7),
        Key::Text(_) => None,
        Key::Number(_) => Some(0),
    }
}

/// A database with two runs of some blocks, and a commit in the log.
async fn flushed_database() -> Rc<MemoryDisk> {
    let disk = Rc::default();
    // So many runs are never merged.
    let settings = Settings { fan_in: 99, ..Settings::tiny() };
    let tab = Tab::open_with_settings(&disk, Rc::default(), settings).await.unwrap();
    while tab.engine.inner.state.borrow().manifest.runs.len() < 2 {
        tab.append("somebody's name").await.unwrap();
        take_turns(20).await;
    }
    tab.put("a", "1").await.unwrap();
    disk
}

/// What is said at opening, or when everything is read.
async fn error_of(disk: &Rc<MemoryDisk>) -> Option<Error> {
    match Tab::open_with(disk, Rc::default()).await {
        Ok(tab) => tab.engine.read(|snapshot| Ok(contents(snapshot))).await.err(),
        Err(error) => Some(error),
    }
}

/// What a look at all records finds.
async fn problems_of(disk: &Rc<MemoryDisk>) -> Vec<Problem> {
    let mut problems = Vec::new();
    check_records(&MemoryStorage::on(disk.clone()), &mut problems).await.unwrap();
    problems
}

#[test]
fn any_changed_byte_is_an_error_that_names_the_record() {
    block_on(async {
        let records = small_database().await.records();
        assert_eq!(records.len(), 5);
        check_changed_bytes(&records).await;
        let records = flushed_database().await.records();
        let blocks = records.iter().filter(|((space, _), _)| *space == Space::Block).count();
        // Two indexes, and two blocks behind each.
        assert!(blocks >= 6, "{blocks} blocks");
        check_changed_bytes(&records).await;
    });
}

async fn check_changed_bytes(records: &[((Space, Key), Bytes)]) {
    for ((space, key), content) in records {
        let name = name_of(*space, key);
        for index in 0..content.len() {
            for mask in [1, 0x80, 0xff] {
                let disk = copy(records);
                let mut changed = content.to_vec();
                changed[index] ^= mask;
                disk.tamper(*space, key.clone(), Some(changed.into()));
                let before = disk.records();
                let error = error_of(&disk).await;
                let error = error.unwrap_or_else(|| panic!("byte {index} of {name} changed by {mask:#x}"));
                assert_eq!(error.kind(), ErrorKind::Storage);
                let is_format = format_offset(key) == Some(index) && FORMAT ^ mask != 0;
                let reason = if is_format { "VersionError" } else { "DataError" };
                assert_eq!(error.reason(), Some(reason), "byte {index} of {name}: {error}");
                assert!(is_format || error.message().contains(&name), "{name}: {error}");
                let problems = problems_of(&disk).await;
                assert!(problems.iter().any(|problem| problem.record == name), "{name}: {problems:?}");
                assert_eq!(disk.records(), before, "a damaged database was written to");
            }
        }
    }
}

#[test]
fn any_cut_or_lengthened_record_is_an_error_that_names_it() {
    block_on(async {
        let records = small_database().await.records();
        for ((space, key), content) in &records {
            let name = name_of(*space, key);
            let mut longer = content.to_vec();
            longer.push(0);
            let cuts = (0..content.len()).map(|length| content.slice(..length));
            for changed in cuts.chain([Bytes::from(longer)]) {
                let disk = copy(&records);
                disk.tamper(*space, key.clone(), Some(changed.clone()));
                let error = error_of(&disk).await;
                let error = error.unwrap_or_else(|| panic!("{name} with {} bytes", changed.len()));
                assert_eq!(error.reason(), Some("DataError"));
                assert!(error.message().contains(&name), "{name}: {error}");
            }
        }
    });
}

#[test]
fn a_record_that_is_missing_is_named() {
    block_on(async {
        let records = small_database().await.records();
        for ((space, key), name) in [
            ((Space::Meta, Key::from(HEADER_KEY)), "meta/header"),
            ((Space::Meta, Key::from(FLOOR_KEY)), "meta/floor"),
            ((Space::Log, Key::from(1)), "log/1"),
            ((Space::Log, Key::from(2)), "log/2"),
        ] {
            let disk = copy(&records);
            disk.tamper(space, key, None);
            let error = error_of(&disk).await.unwrap_or_else(|| panic!("without {name}"));
            assert!(error.message().contains(name), "without {name}: {error}");
            assert!(problems_of(&disk).await.iter().any(|problem| problem.record == name), "without {name}");
        }
    });
}

#[test]
fn a_look_at_the_records_finds_what_is_missing_and_what_belongs_nowhere() {
    block_on(async {
        let records = flushed_database().await.records();
        assert_eq!(problems_of(&copy(&records)).await, []);
        assert_eq!(problems_of(&Rc::default()).await, [], "of a database that was never written");
        let blocks = records.iter().filter(|((space, _), _)| *space == Space::Block);
        for ((space, key), _) in blocks.clone() {
            let disk = copy(&records);
            disk.tamper(*space, key.clone(), None);
            assert_eq!(problems_of(&disk).await, [Problem::new(name_of(*space, key), "it is missing")]);
            // The record of another one is no better, even if it is whole.
            let other = blocks.clone().find(|((_, other), _)| other != key).unwrap();
            disk.tamper(*space, key.clone(), Some(other.1.clone()));
            let problems = problems_of(&disk).await;
            assert_eq!(
                problems.first().map(|problem| problem.record.as_str()),
                Some(name_of(*space, key).as_str())
            );
        }
        for (stray, (_, content)) in [4095, 1 << 12 | 4095, 99 << 12].into_iter().zip(blocks) {
            let disk = copy(&records);
            let content = BlockRecord::decode(BlockRecord::number(content).unwrap(), content).unwrap();
            let number = BlockNumber(stray);
            disk.tamper(Space::Block, stray, Some(BlockRecord::encode(number, &content)));
            assert_eq!(problems_of(&disk).await, [Problem::new(number.name(), "nothing refers to it")]);
        }
    });
}

#[test]
fn damage_done_while_a_tab_is_open_shows_at_its_next_commit_and_spoils_nothing() {
    block_on(async {
        let disk = small_database().await;
        let tab = Tab::open(&disk).await;
        disk.tamper(Space::Log, 4, Some("rubbish".into()));
        let error = tab.put("c", "3").await.unwrap_err();
        assert_eq!((error.kind(), error.reason()), (ErrorKind::Storage, Some("DataError")));
        assert!(error.message().contains("log/4"), "{error}");
        assert_eq!(tab.get("c"), None);
        assert_eq!(tab.get("b").as_deref(), Some(""));
        assert_eq!(disk.records().len(), 6);
    });
}

#[test]
fn a_newer_format_is_refused_in_words() {
    block_on(async {
        let records = small_database().await.records();
        for ((space, key), content) in &records {
            let Some(offset) = format_offset(key) else { continue };
            let disk = copy(&records);
            let mut newer = content.to_vec();
            newer[offset] = FORMAT + 1;
            disk.tamper(*space, key.clone(), Some(newer.into()));
            let error = error_of(&disk).await.expect("a newer format was read");
            assert_eq!((error.status(), error.reason()), (500, Some("VersionError")));
            assert!(error.message().contains("newer version"), "{error}");
        }
    });
}

#[test]
fn a_tab_that_meets_a_newer_format_later_refuses_it_too() {
    block_on(async {
        let disk = small_database().await;
        let tab = Tab::open(&disk).await;
        disk.tamper(Space::Log, 4, Some(vec![FORMAT + 1; 40].into()));
        let error = tab.put("c", "3").await.unwrap_err();
        assert_eq!(error.reason(), Some("VersionError"));
        assert_eq!(tab.engine.refresh().await.unwrap_err().reason(), Some("VersionError"));
        assert_eq!(tab.get("b").as_deref(), Some(""));
    });
}

#[test]
fn a_tab_that_slept_while_the_log_was_flushed_finds_what_it_missed() {
    block_on(async {
        let disk: Rc<MemoryDisk> = Rc::default();
        let asleep = Tab::open_silent(&disk).await;
        let awake = Tab::open_tiny(&disk).await;
        awake.faults.lose_notices();
        for number in 0..100 {
            awake.append(&format!("awake {number}")).await.unwrap();
            take_turns(20).await;
        }
        assert!(disk.records().iter().any(|((space, _), _)| *space == Space::Block), "nothing was flushed");
        assert!(!disk.records().iter().any(|(key, _)| *key == (Space::Log, 1.into())), "nothing was retired");
        // Its next position is free, below the floor.
        assert_eq!(asleep.append("asleep").await, Ok(100));
        let names = found_on(&disk).await.read(list);
        assert_eq!((names.len(), names.last().map(String::as_str)), (101, Some("asleep")));
        assert_eq!(awake.append("awake").await, Ok(101));
        assert_eq!(asleep.append("asleep").await, Ok(102));
    });
}

#[test]
fn a_tab_that_slept_while_the_log_was_flushed_removes_no_content_by_what_it_knew() {
    block_on(async {
        let disk: Rc<MemoryDisk> = Rc::default();
        let asleep = Tab::open_silent(&disk).await;
        let put = |overlay: &mut Overlay| {
            overlay.put(Keyspace::Content, "content", "1");
            overlay.supply("content", &Bytes::from("bytes").into());
            Ok(())
        };
        asleep.engine.commit(put).await.unwrap();
        let awake = Tab::open_tiny(&disk).await;
        awake.faults.lose_notices();
        awake.put("keep it", "").await.unwrap();
        for number in 0..100 {
            awake.append(&format!("awake {number}")).await.unwrap();
            take_turns(20).await;
        }
        assert!(!disk.records().iter().any(|(key, _)| *key == (Space::Log, 2.into())), "nothing was retired");
        // Its next position is free, below the floor.
        let remove = |overlay: &mut Overlay| {
            if overlay.get(Keyspace::Document, b"keep it").is_none() {
                overlay.delete(Keyspace::Content, "content");
            }
            Ok(())
        };
        asleep.engine.commit(remove).await.unwrap();
        let found = asleep.engine.read_contents(&["content".to_owned()]).await.unwrap();
        assert_eq!(found, [Some(Bytes::from("bytes").into())]);
        asleep.engine.commit(put).await.unwrap();
        let remove = |overlay: &mut Overlay| {
            overlay.delete(Keyspace::Content, "content");
            Ok(())
        };
        asleep.engine.commit(remove).await.unwrap();
        assert_eq!(awake.engine.content_names().await.unwrap(), [""; 0]);
    });
}

async fn salvage(disk: &Rc<MemoryDisk>) -> Tab {
    let settings = Settings { salvage: true, ..Settings::tiny() };
    Tab::open_with_settings(disk, Rc::default(), settings).await.unwrap()
}

#[test]
fn what_is_before_a_damaged_commit_can_be_salvaged_and_nothing_is_written() {
    block_on(async {
        let whole = small_database().await.records();
        let texts = |tab: &Tab| ["a", "b"].map(|key| tab.get(key));
        let before = |position| match position {
            1 => [None, None],
            2 => [Some("1".into()), None],
            _ => [Some("1".into()), Some(String::new())],
        };
        for ((space, key), content) in whole.iter().filter(|((space, _), _)| *space == Space::Log) {
            let Key::Number(position) = key else { panic!("a commit without a position") };
            let disk = copy(&whole);
            let mut changed = content.to_vec();
            *changed.last_mut().unwrap() ^= 1;
            disk.tamper(*space, key.clone(), Some(changed.into()));
            let damaged = disk.records();
            let tab = salvage(&disk).await;
            assert_eq!(texts(&tab), before(*position), "before {position}");
            let name = name_of(*space, key);
            assert!(tab.engine.damage().is_some_and(|damage| damage.message().contains(&name)));
            let error = tab.put("c", "3").await.unwrap_err();
            assert!(error.message().contains(&name), "{error}");
            tab.engine.refresh().await.unwrap();
            assert_eq!(texts(&tab), before(*position), "before {position}, looked at again");
            take_turns(100).await;
            assert_eq!(disk.records(), damaged);
        }
        let tab = salvage(&copy(&whole)).await;
        assert_eq!(tab.engine.damage(), None);
        tab.put("c", "3").await.unwrap();
    });
}

#[test]
fn damage_done_while_a_tab_salvages_is_told_at_its_next_commit() {
    block_on(async {
        let disk = small_database().await;
        let tab = salvage(&disk).await;
        disk.tamper(Space::Log, 4, Some("rubbish".into()));
        for _ in 0..2 {
            let error = tab.put("c", "3").await.unwrap_err();
            assert!(error.message().contains("log/4"), "{error}");
        }
        assert_eq!(tab.get("b").as_deref(), Some(""));
    });
}
