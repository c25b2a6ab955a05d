//! Several tabs, step by step.

use super::*;
use crate::engine::Step;
use crate::env::{Millis, block_on, sleep};
use crate::storage::faulty::{Random, take_turns};
use crate::storage::{Notice, Read, Space, Storage as _};
use futures_util::future::{join, join_all};
use futures_util::lock::Mutex;
use std::cell::Cell;
use std::sync::Arc;

#[test]
fn a_commit_another_tab_won_is_replanned() {
    block_on(async {
        let disk = Rc::default();
        let (left, right) = (Tab::open_silent(&disk).await, Tab::open_silent(&disk).await);
        assert_eq!(left.append("left").await, Ok(0));
        let planned: Rc<Cell<u32>> = Rc::default();
        let count = planned.clone();
        let plan = move |overlay: &mut Overlay| {
            count.set(count.get() + 1);
            Ok(append(overlay, "right"))
        };
        assert_eq!(right.engine.commit(plan).await, Ok(1));
        assert_eq!(planned.get(), 2);
        assert_eq!(right.read(list), ["left", "right"]);
        left.engine.refresh().await.unwrap();
        assert_eq!(left.contents(), right.contents());
    });
}

#[test]
fn a_tab_that_missed_many_commits_gets_its_own_in() {
    block_on(async {
        let disk = Rc::default();
        let (left, right) = (Tab::open_silent(&disk).await, Tab::open_silent(&disk).await);
        for number in 0..700 {
            assert_eq!(left.append("left").await, Ok(number));
        }
        assert_eq!(right.append("right").await, Ok(700));
        assert_eq!(count(&right.engine.snapshot().unwrap(), Keyspace::Sequence), 701);
    });
}

#[test]
fn a_notice_brings_the_other_tabs_up_to_date() {
    block_on(async {
        let disk = Rc::default();
        let (left, right) = (Tab::open(&disk).await, Tab::open(&disk).await);
        let told: Rc<Cell<u32>> = Rc::default();
        let count = told.clone();
        right.engine.subscribe(Rc::new(move |_| count.set(count.get() + 1)));
        left.put("a", "1").await.unwrap();
        take_turns(10).await;
        assert_eq!(right.get("a").as_deref(), Some("1"));
        assert_eq!(told.get(), 1);
        let operations = right.faults.operations();
        assert_eq!(left.engine.commit(|_| Err::<(), _>(refusal())).await, Err(refusal()));
        take_turns(10).await;
        assert_eq!((told.get(), right.faults.operations()), (1, operations), "a refusal was announced");
    });
}

#[test]
fn a_short_record_is_told_and_nothing_is_read() {
    block_on(async {
        let disk = Rc::default();
        let (left, right) = (Tab::open(&disk).await, Tab::open(&disk).await);
        let operations = right.faults.operations();
        left.put("a", "1").await.unwrap();
        take_turns(10).await;
        assert_eq!((right.get("a").as_deref(), right.faults.operations()), (Some("1"), operations));
        left.append(&"long".repeat(10_000)).await.unwrap();
        take_turns(10).await;
        assert_eq!(right.contents(), left.contents());
        assert_eq!(right.faults.operations(), operations + 1);
        // The next one goes where the others ended.
        assert_eq!(right.append("right").await, Ok(1));
        assert_eq!(right.faults.operations(), operations + 2);
        assert_eq!(left.read(list).len(), 2);
    });
}

#[test]
fn what_is_told_after_something_that_was_not_heard_waits_for_that() {
    block_on(async {
        let disk = Rc::default();
        let (left, right) = (Tab::open_silent(&disk).await, Tab::open(&disk).await);
        left.append("lost").await.unwrap();
        let third = Tab::open(&disk).await;
        assert_eq!(third.append("told").await, Ok(1));
        take_turns(10).await;
        assert_eq!(right.read(list), ["lost", "told"]);
        assert_eq!(left.read(list), ["lost", "told"]);
    });
}

#[test]
fn what_is_told_of_a_database_made_anew_is_not_taken_for_the_old_one() {
    block_on(async {
        let disk: Rc<MemoryDisk> = Rc::default();
        let (old, anew) = (Tab::open(&disk).await, Rc::<MemoryDisk>::default());
        let other = Tab::open(&anew).await;
        other.put("a", "other").await.unwrap();
        let at = |space| Read::One(space, 1_u64.into());
        let stored = MemoryStorage::on(anew.clone()).read(&[at(Space::Log)]).await.unwrap();
        let record = stored.into_iter().flatten().next().unwrap();
        let told = [other.engine.instance().as_bytes(), &record].concat();
        MemoryStorage::on(disk.clone()).announce(Notice::Committed(1, told.into()));
        take_turns(10).await;
        assert_eq!(old.get("a"), None);
        let told = [old.engine.instance().as_bytes(), b"no record"].concat();
        MemoryStorage::on(disk.clone()).announce(Notice::Committed(1, told.into()));
        take_turns(10).await;
        assert_eq!(old.put("a", "old").await, Ok(()));
        assert_eq!(found_on(&disk).await.get("a").as_deref(), Some("old"));
    });
}

#[test]
fn a_tab_that_only_hears_keeps_no_more_than_others_have_not_flushed() {
    block_on(async {
        let disk = Rc::default();
        let (left, right) = (Tab::open_tiny(&disk).await, Tab::open_tiny(&disk).await);
        for number in 0..100 {
            left.append(&format!("{number}")).await.unwrap();
            take_turns(10).await;
        }
        assert_eq!(right.contents(), left.contents());
        let log_bytes = right.engine.inner.state.borrow().active.log_bytes();
        assert!(log_bytes < 2 * Settings::tiny().flush_bytes, "{log_bytes} bytes of log in memory");
    });
}

/// A plan that writes a key once.
fn once(key: &'static str) -> impl FnMut(&mut Overlay) -> Result<()> {
    move |overlay| {
        if text(overlay, key).is_some() {
            return Err(refusal());
        }
        overlay.put(Keyspace::Document, key, "");
        Ok(())
    }
}

#[test]
fn a_refusal_is_taken_back_when_the_reason_for_it_was_gone() {
    block_on(async {
        let disk = Rc::default();
        let (left, right) = (Tab::open_silent(&disk).await, Tab::open_silent(&disk).await);
        left.put("a", "1").await.unwrap();
        right.engine.refresh().await.unwrap();
        let delete = |overlay: &mut Overlay| {
            overlay.delete(Keyspace::Document, "a");
            Ok(())
        };
        left.engine.commit(delete).await.unwrap();
        assert_eq!(right.get("a").as_deref(), Some("1"));
        assert_eq!(right.engine.commit(once("a")).await, Ok(()));
        assert_eq!(left.engine.commit(once("a")).await, Err(refusal()));
    });
}

#[test]
fn what_a_plan_only_reads_is_up_to_date() {
    block_on(async {
        let disk = Rc::default();
        let (left, right) = (Tab::open_silent(&disk).await, Tab::open_silent(&disk).await);
        left.append("left").await.unwrap();
        assert_eq!(right.engine.commit(|overlay| Ok(length(overlay))).await, Ok(1));
    });
}

#[test]
fn a_refusal_in_a_group_with_commits_is_up_to_date() {
    block_on(async {
        let disk = Rc::default();
        let (left, right) = (Tab::open_silent(&disk).await, Tab::open_silent(&disk).await);
        left.engine.commit(once("a")).await.unwrap();
        let (first, second) = join(right.engine.commit(once("a")), right.put("b", "2")).await;
        assert_eq!((first, second), (Err(refusal()), Ok(())));
    });
}

#[test]
fn tabs_that_open_a_new_database_at_once_share_it() {
    for seed in 0..50 {
        block_on(async {
            let disk = Rc::default();
            let mut random = Random::new(seed);
            let mut paced = || {
                let faults: Rc<Faults> = Rc::default();
                faults.take_turns(random.split());
                Tab::open_with(&disk, faults)
            };
            let (left, right) = join(paced(), paced()).await;
            let (left, right) = (left.unwrap(), right.unwrap());
            assert_eq!(left.engine.instance(), right.engine.instance(), "seed {seed}");
            let (first, second) = join(left.append("left"), right.append("right")).await;
            assert_eq!(first.unwrap() + second.unwrap(), 1, "seed {seed}");
        });
    }
}

#[test]
fn commits_of_another_tab_do_not_disturb_the_opening() {
    for seed in 0..200 {
        block_on(async {
            let disk = Rc::default();
            let writer = Tab::open(&disk).await;
            let mut random = Random::new(seed);
            writer.faults.take_turns(random.split());
            let slow: Rc<Faults> = Rc::default();
            slow.take_turns(random);
            let writing = async {
                for _ in 0..6 {
                    writer.append("").await.unwrap();
                }
            };
            let (opened, ()) = join(Tab::open_with(&disk, slow), writing).await;
            let opened = opened.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
            opened.engine.refresh().await.unwrap();
            assert_eq!(opened.contents(), writer.contents(), "seed {seed}");
        });
    }
}

#[test]
fn who_waited_for_the_turn_in_the_background_does_nothing_twice() {
    block_on(async {
        let disk: Rc<MemoryDisk> = Rc::default();
        let turns = Arc::<Mutex<()>>::default();
        let tabs = [Tab::open_tiny(&disk).await, Tab::open_tiny(&disk).await];
        for tab in &tabs {
            tab.faults.share_turns(&turns);
        }
        let held = turns.lock().await;
        for number in 0..20 {
            tabs[number % 2].append("somebody's name").await.unwrap();
            take_turns(20).await;
        }
        let blocks = |disk: &MemoryDisk| {
            disk.records().iter().filter(|((space, _), _)| *space == Space::Block).count()
        };
        assert_eq!(blocks(&disk), 0, "something was flushed out of turn");
        drop(held);
        take_turns(500).await;
        let writes = tabs.iter().map(|tab| tab.faults.writes()).collect::<Vec<_>>();
        let runs = tabs[0].engine.inner.state.borrow().manifest.runs.len();
        // The header, twenty commits and one flush; the other tab found nothing left to do.
        assert_eq!((writes.iter().sum::<u32>(), runs), (22, 1), "{writes:?}");
        assert!(blocks(&disk) > 0);
        assert_eq!(tabs[1].read(list).len(), 20);
    });
}

#[test]
fn a_reader_that_merges_disturb_has_the_turn_in_the_end() {
    block_on(async {
        let disk: Rc<MemoryDisk> = Rc::default();
        let turns = Arc::<Mutex<()>>::default();
        let writer = Tab::open_tiny(&disk).await;
        writer.faults.share_turns(&turns);
        for _ in 0..60 {
            writer.append("somebody's name").await.unwrap();
            take_turns(20).await;
        }
        // It keeps nothing in memory, so that all its blocks come from the storage, one at a step.
        let settings = Settings { cache_bytes: 0, flush_bytes: usize::MAX, ..Settings::tiny() };
        let reader = Tab::open_with_settings(&disk, Rc::default(), settings).await.unwrap();
        reader.faults.share_turns(&turns);
        reader.faults.take_turns(Random::new(1));
        let is_over = Cell::new(false);
        let beginnings = Cell::new(0);
        let reading = async {
            let begin = || {
                beginnings.set(beginnings.get() + 1);
                (Bound::Unbounded, 0)
            };
            let step = |(from, count): &mut (Bound<Bytes>, usize), snapshot: &Snapshot| {
                let bounds = (from.as_ref().map(Bytes::as_ref), Bound::Unbounded);
                let Some((key, _)) = snapshot.scan(Keyspace::Sequence, bounds, false).next() else {
                    return Ok(Step::Done);
                };
                *from = Bound::Excluded(key);
                *count += 1;
                Ok(Step::Further)
            };
            let (_, count) = reader.engine.read_in_steps(begin, step).await.unwrap();
            is_over.set(true);
            count
        };
        let writing = async {
            while !is_over.get() {
                writer.append("somebody's name").await.unwrap();
                take_turns(20).await;
            }
        };
        let (count, ()) = join(reading, writing).await;
        assert!(count >= 60, "{count}");
        assert_eq!(beginnings.get(), 3, "it was not disturbed, or too often");
    });
}

#[test]
fn tabs_that_commit_all_the_time_are_not_in_each_others_way() {
    block_on(async {
        let disk: Rc<MemoryDisk> = Rc::default();
        let mut tabs = Vec::new();
        for number in 0..4 {
            let tab = Tab::open(&disk).await;
            tab.faults.take_turns(Random::new(number));
            tabs.push(tab);
        }
        let before: u32 = tabs.iter().map(|tab| tab.faults.writes()).sum();
        let commits = tabs.iter().map(|tab| async {
            for _ in 0..50 {
                tab.append("somebody's name").await.unwrap();
            }
        });
        join_all(commits).await;
        assert_eq!(found_on(&disk).await.read(list).len(), 200);
        let conflicts = tabs.iter().map(|tab| tab.faults.writes()).sum::<u32>() - before - 200;
        assert!(conflicts < 10, "{conflicts} conflicts");
    });
}

#[test]
fn after_a_conflict_what_was_missed_is_found_by_the_write_itself() {
    block_on(async {
        let disk: Rc<MemoryDisk> = Rc::default();
        let (first, second) = (Tab::open_silent(&disk).await, Tab::open_silent(&disk).await);
        first.append("the first one's").await.unwrap();
        assert_eq!(second.append("in conflict").await.unwrap(), 1);
        for place in 2..8 {
            assert_eq!(first.append("the first one's").await.unwrap(), place * 2 - 2);
            let before = second.faults.operations();
            assert_eq!(second.append("the second one's").await.unwrap(), place * 2 - 1);
            assert_eq!(second.faults.operations() - before, 1);
        }
        assert_eq!(second.read(list).len(), 14);
    });
}

#[test]
fn without_turns_the_tab_that_has_the_lease_flushes_unless_the_log_grows_too_long() {
    block_on(async {
        let disk: Rc<MemoryDisk> = Rc::default();
        let settings = Settings { lease: Millis(60_000), fan_in: 99, ..Settings::tiny() };
        let first = Tab::open_with_settings(&disk, Rc::default(), settings).await.unwrap();
        let second = Tab::open_with_settings(&disk, Rc::default(), settings).await.unwrap();
        let flushed = |tab: &Tab| tab.engine.inner.state.borrow().manifest.flushed;
        let log_bytes = |tab: &Tab| tab.engine.inner.state.borrow().active.log_bytes();
        while flushed(&first) == 0 {
            first.append("the first one's").await.unwrap();
            sleep(Millis(2)).await;
        }
        let before = flushed(&first);
        while log_bytes(&second) < settings.flush_bytes * 3 {
            second.append("the second one's").await.unwrap();
            sleep(Millis(2)).await;
        }
        assert_eq!(flushed(&second), before, "flushed in spite of the other one's lease");
        while flushed(&second) == before {
            assert!(log_bytes(&second) < settings.flush_bytes * 9, "nobody flushes");
            second.append("the second one's").await.unwrap();
            // It looks every 100 ms, and a busy machine is late for that.
            sleep(Millis(20)).await;
        }
    });
}
