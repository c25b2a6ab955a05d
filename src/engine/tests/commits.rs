//! One tab: commits, groups and refusals.

use super::*;
use crate::env::{block_on, spawn};
use crate::storage::faulty::{Random, take_turns};
use futures_util::future::{join, join_all};
use std::cell::{Cell, RefCell};

#[test]
fn commits_survive_reopening() {
    block_on(async {
        let disk = Rc::default();
        let tab = Tab::open(&disk).await;
        tab.put("a", "1").await.unwrap();
        tab.put("b", "2").await.unwrap();
        tab.put("a", "3").await.unwrap();
        let delete = |overlay: &mut Overlay| {
            overlay.delete(Keyspace::Document, "b");
            Ok(())
        };
        tab.engine.commit(delete).await.unwrap();
        tab.engine.close().await;
        let again = found_on(&disk).await;
        assert_eq!(again.get("a").as_deref(), Some("3"));
        assert_eq!(again.get("b"), None);
        assert_eq!(again.engine.instance(), tab.engine.instance());
    });
}

#[test]
fn more_commits_than_are_read_at_once_survive_reopening() {
    block_on(async {
        let disk = Rc::default();
        let tab = Tab::open(&disk).await;
        for number in 0..600 {
            assert_eq!(tab.append(&number.to_string()).await, Ok(number));
        }
        let again = found_on(&disk).await;
        assert_eq!(again.contents(), tab.contents());
        assert_eq!(again.append("last").await, Ok(600));
    });
}

#[test]
fn a_thousand_commits_at_once_are_one_write() {
    block_on(async {
        let disk = Rc::default();
        let tab = Tab::open(&disk).await;
        let before = tab.faults.operations();
        let names: Vec<_> = (0..1000).map(|number| number.to_string()).collect();
        let places = join_all(names.iter().map(|name| tab.append(name))).await;
        assert_eq!(tab.faults.operations() - before, 1);
        // Each saw the ones before it.
        assert_eq!(places, (0..1000).map(Ok).collect::<Vec<_>>());
        assert_eq!(found_on(&disk).await.read(list), names);
    });
}

#[test]
fn commits_that_come_during_a_write_share_the_next() {
    block_on(async {
        let disk = Rc::default();
        let tab = Tab::open(&disk).await;
        tab.faults.take_turns(Random::new(1));
        let before = tab.faults.writes();
        let late = async {
            while tab.faults.writes() == before {
                take_turns(1).await;
            }
            join_all((0..100).map(|_| tab.append("late"))).await
        };
        let (first, late) = join(tab.append("first"), late).await;
        assert_eq!(first, Ok(0));
        assert_eq!(late, (1..=100).map(Ok).collect::<Vec<_>>());
        assert_eq!(tab.faults.writes() - before, 2);
    });
}

#[test]
fn a_group_takes_no_more_than_a_transaction_carries_well() {
    block_on(async {
        let disk = Rc::default();
        let tab = Tab::open(&disk).await;
        let before = tab.faults.writes();
        let megabyte = Bytes::from(vec![7; 1 << 20]);
        let plans = (0..10_u8).map(|number| {
            let megabyte = megabyte.clone();
            tab.engine.commit(move |overlay| {
                overlay.put(Keyspace::Body, vec![number], megabyte.clone());
                Ok(())
            })
        });
        assert!(join_all(plans).await.iter().all(Result::is_ok));
        assert_eq!(tab.faults.writes() - before, 3);
        assert_eq!(found_on(&disk).await.contents(), tab.contents());
    });
}

#[test]
fn what_a_refused_plan_wrote_does_not_count_against_its_group() {
    block_on(async {
        let tab = Tab::open(&Rc::default()).await;
        let before = tab.faults.operations();
        let megabyte = Bytes::from(vec![7; 1 << 20]);
        let refused = (0..10).map(|_| {
            let megabyte = megabyte.clone();
            tab.engine.commit(move |overlay| {
                overlay.put(Keyspace::Body, "a", megabyte.clone());
                Err::<u64, _>(refusal())
            })
        });
        let (outcomes, last) = join(join_all(refused), tab.append("last")).await;
        assert!(outcomes.iter().all(|outcome| *outcome == Err(refusal())));
        assert_eq!(last, Ok(0));
        assert_eq!(tab.faults.operations() - before, 1);
    });
}

#[test]
fn a_refused_plan_writes_nothing_and_its_group_is_committed() {
    block_on(async {
        let disk = Rc::default();
        let tab = Tab::open(&disk).await;
        tab.put("kept", "old").await.unwrap();
        tab.put("removed", "old").await.unwrap();
        let before = tab.faults.writes();
        let refused = tab.engine.commit(|overlay| {
            overlay.put(Keyspace::Document, "kept", "refused");
            overlay.put(Keyspace::Document, "first", "refused");
            overlay.delete(Keyspace::Document, "removed");
            overlay.put(Keyspace::Document, "only here", "refused");
            Err::<(), _>(refusal())
        });
        let seen = tab
            .engine
            .commit(|overlay| Ok(["kept", "first", "removed", "only here"].map(|key| text(overlay, key))));
        let (first, refused, seen, last) =
            futures_util::join!(tab.put("first", "1"), refused, seen, tab.put("last", "1"));
        assert_eq!((first, refused, last), (Ok(()), Err(refusal()), Ok(())));
        let expected = [Some("old"), Some("1"), Some("old"), None].map(|value| value.map(str::to_owned));
        assert_eq!(seen, Ok(expected.clone()));
        assert_eq!(tab.faults.writes() - before, 1);
        let again = found_on(&disk).await;
        assert_eq!(["kept", "first", "removed", "only here"].map(|key| again.get(key)), expected);
        assert_eq!(again.get("last").as_deref(), Some("1"));
    });
}

#[test]
fn a_plan_that_writes_nothing_leaves_no_record() {
    block_on(async {
        let disk: Rc<MemoryDisk> = Rc::default();
        let tab = Tab::open(&disk).await;
        let before = disk.records();
        assert_eq!(tab.engine.commit(|overlay| Ok(length(overlay))).await, Ok(0));
        assert_eq!(disk.records(), before);
        assert_eq!(tab.faults.writes(), 1, "the header alone");
    });
}

#[test]
fn a_snapshot_stays_as_it_was() {
    block_on(async {
        let tab = Tab::open(&Rc::default()).await;
        tab.put("a", "1").await.unwrap();
        let snapshot = tab.engine.snapshot().unwrap();
        tab.put("a", "2").await.unwrap();
        tab.put("b", "2").await.unwrap();
        assert_eq!(text(&snapshot, "a").as_deref(), Some("1"));
        assert_eq!(count(&snapshot, Keyspace::Document), 1);
        assert_eq!(tab.get("a").as_deref(), Some("2"));
    });
}

#[test]
fn a_commit_that_nobody_waits_for_is_committed() {
    block_on(async {
        let disk = Rc::default();
        let tab = Rc::new(Tab::open(&disk).await);
        tab.faults.take_turns(Random::new(2));
        let writer = tab.clone();
        let (impatient, handle) = futures_util::future::abortable(async move { writer.put("a", "1").await });
        spawn(async move { drop(impatient.await) });
        while tab.faults.writes() < 2 {
            take_turns(1).await;
        }
        handle.abort();
        tab.put("b", "2").await.unwrap();
        assert_eq!(found_on(&disk).await.get("a").as_deref(), Some("1"));
    });
}

#[test]
fn listeners_hear_of_each_commit_until_they_unsubscribe_and_of_nothing_else() {
    block_on(async {
        let tab = Tab::open(&Rc::default()).await;
        let heard: Rc<RefCell<Vec<_>>> = Rc::default();
        let to_heard = heard.clone();
        let number = tab.engine.subscribe(Rc::new(move |ended| to_heard.borrow_mut().push(ended)));
        tab.put("a", "1").await.unwrap();
        assert_eq!(*heard.borrow(), [None]);
        assert_eq!(tab.engine.commit(|_| Err::<(), _>(refusal())).await, Err(refusal()));
        assert_eq!(tab.engine.commit(|_| Ok(())).await, Ok(()));
        assert_eq!(*heard.borrow(), [None], "a commit of nothing was told");
        tab.engine.unsubscribe(number);
        tab.put("a", "2").await.unwrap();
        assert_eq!(*heard.borrow(), [None]);
    });
}

#[test]
fn a_listener_sees_what_it_is_told_of() {
    block_on(async {
        let tab = Rc::new(Tab::open(&Rc::default()).await);
        let seen: Rc<Cell<usize>> = Rc::default();
        let (to_seen, reader) = (seen.clone(), tab.engine.clone());
        tab.engine
            .subscribe(Rc::new(move |_| to_seen.set(count(&reader.snapshot().unwrap(), Keyspace::Document))));
        tab.put("a", "1").await.unwrap();
        assert_eq!(seen.get(), 1);
    });
}

#[test]
fn nothing_of_a_commit_is_left_to_do_once_it_is_answered() {
    // An executor that runs no longer than the commit takes its tasks with it.
    let tab = block_on(Tab::open(&Rc::default()));
    for place in 0..3 {
        let patience = Box::pin(take_turns(1_000));
        let outcome = block_on(futures_util::future::select(Box::pin(tab.append("")), patience));
        assert!(matches!(outcome, futures_util::future::Either::Left((Ok(answer), _)) if answer == place));
    }
}
