//! Every operation of some commits with every fault.

use super::*;
use crate::env::{Millis, block_on};
use crate::storage::Space;
use crate::storage::faulty::{Fault, Random, repeat_randomness, take_turns};
use futures_util::future::{Either, join_all, select};
use std::cell::RefCell;

/// What became of the appends so far: their names, and their places or errors once answered.
type Answers = Rc<RefCell<Vec<(String, Option<Result<u64>>)>>>;

async fn note(tab: &Tab, name: &str, answers: &Answers) {
    let index = answers.borrow().len();
    answers.borrow_mut().push((name.to_owned(), None));
    let answer = tab.append(name).await;
    answers.borrow_mut()[index].1 = Some(answer);
}

/// Opens, commits alone and together, is refused.
async fn session(disk: &Rc<MemoryDisk>, faults: &Rc<Faults>, answers: &Answers) -> Option<Tab> {
    repeat_randomness(0);
    let mut opened = Tab::open_with(disk, faults.clone()).await;
    if opened.is_err() {
        opened = Tab::open_with(disk, faults.clone()).await;
    }
    let tab = opened.expect("the fault is over, and opening still fails");
    note(&tab, "first", answers).await;
    let together = ["second", "third", "fourth"];
    join_all(together.iter().map(|name| note(&tab, name, answers))).await;
    // Where the storage fails, that is said instead of the refusal.
    assert!(tab.engine.commit(|_| Err::<(), _>(refusal())).await.is_err());
    note(&tab, "last", answers).await;
    Some(tab)
}

/// Runs a session with a fault; gives the tab if it survived.
async fn session_with(
    disk: &Rc<MemoryDisk>,
    operation: u32,
    fault: Fault,
    answers: &Answers,
) -> (Option<Tab>, Rc<Faults>) {
    let faults: Rc<Faults> = Rc::default();
    faults.arm(operation, fault);
    let life = Box::pin(session(disk, &faults, answers));
    let tab = match select(life, Box::pin(faults.death())).await {
        Either::Left((tab, _)) => tab,
        Either::Right(_) => None,
    };
    (tab, faults)
}

fn check_answers(answers: &Answers, list: &[String], context: &str) {
    for (name, answer) in answers.borrow().iter() {
        let place = list.iter().position(|other| other == name).map(|place| place as u64);
        let times = list.iter().filter(|other| *other == name).count();
        assert!(times <= 1, "{context}: {name} was applied twice");
        match answer {
            Some(Ok(given)) => assert_eq!(place, Some(*given), "{context}: {name} is not where it was told"),
            Some(Err(error)) => {
                assert_eq!(error.kind(), ErrorKind::Storage, "{context}: {name}");
                assert_eq!(place, None, "{context}: {name} failed and is there");
            }
            // The tab died before it heard.
            None => {}
        }
    }
}

#[test]
fn whatever_befalls_an_operation_what_was_told_holds() {
    block_on(async {
        let quiet = (Rc::default(), Rc::default(), Answers::default());
        session(&quiet.0, &quiet.1, &quiet.2).await;
        let operations = quiet.1.operations();
        assert!(operations >= 7, "{operations}");
        for operation in 0..operations {
            for fault in Fault::ALL {
                let context = format!("{fault:?} at {operation} of {operations}");
                let (disk, answers) = (Rc::default(), Answers::default());
                let (tab, faults) = session_with(&disk, operation, fault, &answers).await;
                assert!(faults.operations() > operation, "{context} did not happen");
                assert_eq!(tab.is_none(), fault.is_fatal(), "{context}");
                let found = found_on(&disk).await;
                let list = found.read(list);
                check_answers(&answers, &list, &context);
                if let Some(tab) = tab {
                    assert_eq!(tab.append("afterwards").await, Ok(list.len() as u64), "{context}");
                    found.engine.refresh().await.unwrap();
                    assert_eq!(tab.contents(), found.contents(), "{context}");
                }
            }
        }
    });
}

#[test]
fn only_a_refusing_storage_lets_a_commit_fail() {
    block_on(async {
        for fault in [Fault::Disconnect, Fault::LoseAnswer, Fault::LoseRequest] {
            let tab = Tab::open(&Rc::default()).await;
            tab.faults.arm_next(fault);
            assert_eq!(tab.append("a").await, Ok(0), "{fault:?} in a commit");
            tab.faults.arm_next(fault);
            assert_eq!(tab.engine.commit(|_| Err::<(), _>(refusal())).await, Err(refusal()), "{fault:?}");
            tab.faults.arm_next(fault);
            assert_eq!(tab.engine.refresh().await, Ok(()), "{fault:?} in a refresh");
            assert_eq!(tab.read(list), ["a"], "{fault:?}");
        }
    });
}

#[test]
fn a_full_storage_is_named_and_everything_goes_on_when_there_is_room_again() {
    block_on(async {
        let disk = Rc::default();
        let tab = Tab::open(&disk).await;
        tab.append("before").await.unwrap();
        tab.faults.arm_next(Fault::Refuse);
        let outcomes = join_all(["a", "b"].map(|name| tab.append(name))).await;
        for outcome in outcomes {
            let error = outcome.unwrap_err();
            assert_eq!((error.status(), error.name()), (500, "indexed_db_went_bad"));
            assert_eq!(error.reason(), Some("QuotaExceededError"));
            assert!(error.message().contains("no room"), "{error}");
        }
        assert_eq!(tab.append("after").await, Ok(1));
        assert_eq!(found_on(&disk).await.read(list), ["before", "after"]);
    });
}

#[test]
fn an_unknown_outcome_is_settled_whoever_commits_meanwhile() {
    for seed in 0..300 {
        block_on(async {
            let disk = Rc::default();
            let (left, right) = (Tab::open_silent(&disk).await, Tab::open_silent(&disk).await);
            let mut random = Random::new(seed);
            let fault = if random.below(2) == 0 { Fault::LoseAnswer } else { Fault::LoseRequest };
            for tab in [&left, &right] {
                tab.faults.take_turns(random.split());
            }
            left.faults.arm_next(fault);
            let writing = async {
                for _ in 0..4 {
                    right.append("right").await.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
                    take_turns(random.below(3)).await;
                }
            };
            let (place, ()) = futures_util::future::join(left.append("left"), writing).await;
            let place = place.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
            let list = found_on(&disk).await.read(list);
            assert_eq!((list.len(), list[place as usize].as_str()), (5, "left"), "seed {seed}");
        });
    }
}

#[test]
fn a_storage_that_never_works_again_is_given_up() {
    block_on(async {
        for fault in [Fault::Refuse, Fault::Disconnect, Fault::LoseAnswer, Fault::LoseRequest] {
            let disk = Rc::default();
            let faults: Rc<Faults> = Rc::default();
            faults.arm_for_good(fault);
            let opened = Tab::open_with(&disk, faults.clone()).await;
            assert_eq!(opened.err().map(|error| error.kind()), Some(ErrorKind::Storage), "{fault:?}");
            let tab = Tab::open(&disk).await;
            tab.append("before").await.unwrap();
            tab.faults.arm_for_good(fault);
            for _ in 0..2 {
                assert_eq!(tab.append("never").await.unwrap_err().kind(), ErrorKind::Storage, "{fault:?}");
            }
            assert!(tab.faults.operations() < 40, "{fault:?} took {} operations", tab.faults.operations());
            // What has worked is not known where no answer comes; but it goes on from there.
            tab.faults.arm(u32::MAX, Fault::Refuse);
            let place = tab.append("after").await.unwrap();
            let list = found_on(&disk).await.read(list);
            assert_eq!((list[0].as_str(), list[place as usize].as_str()), ("before", "after"), "{fault:?}");
        }
    });
}

#[test]
fn a_full_storage_can_be_read_and_is_flushed_once_there_is_room_though_nothing_is_committed() {
    block_on(async {
        let disk: Rc<MemoryDisk> = Rc::default();
        let settings = Settings { retry_after: Some(Millis(1)), ..Settings::tiny() };
        let tab = Tab::open_with_settings(&disk, Rc::default(), settings).await.unwrap();
        let mut names = Vec::new();
        for _ in 0..5 {
            // For commits, but for no flush.
            tab.faults.leave_room(settings.flush_bytes / 2);
            for _ in 0..40 {
                let name = format!("name {}", names.len());
                assert_eq!(tab.append(&name).await, Ok(names.len() as u64));
                names.push(name);
            }
            tab.faults.leave_room(0);
            assert!(log_bytes(&disk) > settings.flush_bytes);
            for _ in 0..3 {
                let error = tab.append("never").await.unwrap_err();
                assert_eq!(error.reason(), Some("QuotaExceededError"));
                assert!(error.message().contains("no room"), "{error}");
                crate::env::sleep(Millis(3)).await;
            }
            assert_eq!(tab.read(list), names);
            assert_eq!(found_on(&disk).await.read(list), names, "opened while it is full");
            tab.faults.leave_room(None);
            let began = crate::env::now();
            while log_bytes(&disk) >= settings.flush_bytes {
                assert!(crate::env::now().0 < began.0 + 20_000, "it is never flushed");
                crate::env::sleep(Millis(2)).await;
            }
            assert_eq!(tab.read(list), names);
        }
        assert_eq!(found_on(&disk).await.read(list), names);
    });
}

fn log_bytes(disk: &Rc<MemoryDisk>) -> usize {
    disk.records().iter().filter(|((space, _), _)| *space == Space::Log).map(|(_, record)| record.len()).sum()
}
