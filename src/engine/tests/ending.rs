//! Closing and destroying.

use super::*;
use crate::engine::Ended;
use crate::env::{block_on, spawn};
use crate::storage::faulty::{Fault, Random, take_turns};
use futures_util::future::{join, join_all};
use std::cell::{Cell, RefCell};

fn closed() -> Error {
    Error::new(ErrorKind::Closed)
}

fn destroyed() -> Error {
    Error::new(ErrorKind::Destroyed)
}

/// Notes what a listener is told at the end.
fn endings(tab: &Tab) -> Rc<RefCell<Vec<Ended>>> {
    let heard: Rc<RefCell<Vec<_>>> = Rc::default();
    let to_heard = heard.clone();
    tab.engine.subscribe(Rc::new(move |ended| to_heard.borrow_mut().extend(ended)));
    heard
}

#[test]
fn closing_waits_for_the_commits_under_way() {
    for seed in 0..20 {
        block_on(async {
            let disk = Rc::default();
            let tab = Tab::open(&disk).await;
            tab.faults.take_turns(Random::new(seed));
            let writes = join_all((0..10).map(|_| async {
                take_turns(seed % 4).await;
                tab.append("").await
            }));
            let closing = async {
                take_turns(4).await;
                tab.engine.close().await;
            };
            let (places, ()) = join(writes, closing).await;
            assert_eq!(places, (0..10).map(Ok).collect::<Vec<_>>(), "seed {seed}");
            assert_eq!(length(&found_on(&disk).await.engine.snapshot().unwrap()), 10);
        });
    }
}

#[test]
fn a_closed_engine_refuses() {
    block_on(async {
        let disk = Rc::default();
        let tab = Tab::open(&disk).await;
        let heard = endings(&tab);
        tab.put("a", "1").await.unwrap();
        join(tab.engine.close(), tab.engine.close()).await;
        assert_eq!(tab.put("a", "2").await, Err(closed()));
        assert_eq!(tab.engine.snapshot().err(), Some(closed()));
        assert_eq!(tab.engine.refresh().await, Err(closed()));
        assert_eq!(tab.engine.ended(), Some(Ended::Closed));
        assert_eq!(*heard.borrow(), [Ended::Closed]);
        assert_eq!(found_on(&disk).await.get("a").as_deref(), Some("1"));
    });
}

#[test]
fn closing_one_tab_leaves_the_others_at_work() {
    block_on(async {
        let disk = Rc::default();
        let (left, right) = (Tab::open(&disk).await, Tab::open(&disk).await);
        left.engine.close().await;
        right.put("a", "1").await.unwrap();
        assert_eq!(right.get("a").as_deref(), Some("1"));
    });
}

#[test]
fn destroying_ends_all_tabs_and_leaves_nothing() {
    block_on(async {
        let disk: Rc<MemoryDisk> = Rc::default();
        let (left, right) = (Tab::open(&disk).await, Tab::open(&disk).await);
        let (here, there) = (endings(&left), endings(&right));
        left.put("a", "1").await.unwrap();
        left.engine.destroy().await.unwrap();
        assert_eq!((here.take(), there.take()), (vec![Ended::Destroyed], vec![Ended::Destroyed]));
        for tab in [&left, &right] {
            assert_eq!(tab.put("a", "2").await, Err(destroyed()));
            assert_eq!(tab.engine.snapshot().err(), Some(destroyed()));
            tab.engine.close().await;
            assert_eq!(tab.engine.ended(), Some(Ended::Destroyed));
        }
        assert_eq!(disk.records(), []);
        let anew = found_on(&disk).await;
        assert_eq!(anew.contents(), []);
        assert_ne!(anew.engine.instance(), left.engine.instance());
    });
}

#[test]
fn destroying_again_leaves_a_database_made_since_alone() {
    block_on(async {
        let disk: Rc<MemoryDisk> = Rc::default();
        let (left, right) = (Tab::open(&disk).await, Tab::open(&disk).await);
        left.engine.destroy().await.unwrap();
        let anew = Tab::open(&disk).await;
        anew.put("a", "1").await.unwrap();
        left.engine.destroy().await.unwrap();
        right.engine.destroy().await.unwrap();
        assert_eq!(anew.put("b", "2").await, Ok(()));
        assert_eq!(found_on(&disk).await.get("a").as_deref(), Some("1"));
    });
}

#[test]
fn commits_that_wait_when_the_database_is_destroyed_hear_of_it() {
    for seed in 0..20 {
        block_on(async {
            let disk: Rc<MemoryDisk> = Rc::default();
            let tab = Tab::open(&disk).await;
            let other = Tab::open(&disk).await;
            tab.faults.take_turns(Random::new(seed));
            let writes = join_all((0..10).map(|number| {
                let tab = &tab;
                async move {
                    take_turns(number).await;
                    tab.append("").await
                }
            }));
            let destroying = async {
                take_turns(seed % 8).await;
                if seed % 2 == 0 { &tab } else { &other }.engine.destroy().await.unwrap();
            };
            let (outcomes, ()) = join(writes, destroying).await;
            for outcome in outcomes {
                assert!(outcome.is_ok() || outcome == Err(destroyed()), "seed {seed}: {outcome:?}");
            }
            assert_eq!(disk.records(), [], "seed {seed}");
        });
    }
}

/// Writers of which one has always queued before another's commit is done keep the engine busy for ever.
async fn keep_busy(tab: &Rc<Tab>) -> Rc<Cell<bool>> {
    let stop: Rc<Cell<bool>> = Rc::default();
    for _ in 0..8 {
        let (tab, stop) = (tab.clone(), stop.clone());
        spawn(async move { while !stop.get() && tab.append("").await.is_ok() {} });
        take_turns(1).await;
    }
    stop
}

#[test]
fn a_database_that_is_always_written_can_be_destroyed_and_refreshed() {
    block_on(async {
        let disk: Rc<MemoryDisk> = Rc::default();
        let tab = Rc::new(Tab::open(&disk).await);
        tab.faults.take_turns(Random::new(3));
        let stop = keep_busy(&tab).await;
        let calls = async {
            tab.engine.refresh().await.unwrap();
            tab.engine.destroy().await.unwrap();
        };
        let patience = take_turns(5_000);
        let outcome = futures_util::future::select(Box::pin(calls), Box::pin(patience)).await;
        stop.set(true);
        assert!(matches!(outcome, futures_util::future::Either::Left(_)), "the commits left no room");
        assert_eq!(disk.records(), []);
    });
}

#[test]
fn records_that_the_browser_has_removed_are_a_destroyed_database() {
    block_on(async {
        for commits in [true, false] {
            let disk: Rc<MemoryDisk> = Rc::default();
            let tab = Tab::open(&disk).await;
            tab.put("a", "1").await.unwrap();
            let heard = endings(&tab);
            disk.wipe();
            let outcome = if commits { tab.put("b", "2").await } else { tab.engine.refresh().await };
            assert_eq!(outcome, Err(destroyed()));
            assert_eq!(*heard.borrow(), [Ended::Destroyed]);
            assert_eq!(disk.records(), []);
        }
    });
}

#[test]
fn a_database_made_anew_is_not_written_by_who_knew_the_old_one() {
    block_on(async {
        let disk: Rc<MemoryDisk> = Rc::default();
        let tab = Tab::open_silent(&disk).await;
        for _ in 0..3 {
            tab.append("old").await.unwrap();
        }
        disk.wipe();
        let anew = Tab::open_silent(&disk).await;
        anew.append("new").await.unwrap();
        let before = disk.records();
        // Its next position is free in the new log.
        assert_eq!(tab.append("old").await, Err(destroyed()));
        assert_eq!(disk.records(), before);
        assert_eq!(anew.append("new").await, Ok(1));
        assert_eq!(found_on(&disk).await.read(list), ["new", "new"]);
    });
}

#[test]
fn a_dead_tab_keeps_nobody_from_destroying() {
    block_on(async {
        let disk: Rc<MemoryDisk> = Rc::default();
        let (dead, alive) = (Tab::open(&disk).await, Tab::open(&disk).await);
        dead.faults.arm_next(Fault::DieBefore);
        let last = Box::pin(dead.put("a", "1"));
        futures_util::future::select(last, Box::pin(dead.faults.death())).await;
        alive.engine.destroy().await.unwrap();
        assert_eq!(disk.records(), []);
    });
}
