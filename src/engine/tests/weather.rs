//! Several tabs at once, their operations mixed at random and some of them failing.

use super::*;
use crate::env::block_on;
use crate::storage::faulty::{Fault, Random, repeat_randomness, take_turns};
use futures_util::future::{join_all, select};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

const TABS: u64 = 4;
const COMMITS: u64 = 12;

/// A commit's call and its answer, on a clock that all tabs share.
struct Call {
    name: String,
    from: u64,
    /// When it was answered, and with which place; `None` where it never was or its outcome is not known.
    answer: Option<(u64, u64)>,
}

#[derive(Default)]
struct Journal {
    clock: Cell<u64>,
    calls: RefCell<Vec<Call>>,
    /// Names that were refused because they were there already.
    refused: RefCell<Vec<String>>,
}

impl Journal {
    fn now(&self) -> u64 {
        self.clock.replace(self.clock.get() + 1)
    }
}

/// What goes wrong in a run.
#[derive(Debug, Clone, Copy)]
struct Weather {
    notices: bool,
    faults: bool,
    /// Whether tabs flush and merge all the time.
    tiny: bool,
}

/// Appends names of its own and names that others want too; each name may be there once.
async fn life(tab: &Tab, number: u64, random: RefCell<Random>, journal: &Journal, weather: Weather) {
    let commits = (0..COMMITS).map(|index| {
        let random = &random;
        async move {
            let (wait, shared, fault) = {
                let mut random = random.borrow_mut();
                (random.below(40), random.below(4) == 0, random.below(12))
            };
            take_turns(wait).await;
            if weather.faults && fault < 4 {
                let kinds = [Fault::Refuse, Fault::Disconnect, Fault::LoseAnswer, Fault::LoseRequest];
                tab.faults.arm_next(kinds[fault as usize]);
            }
            let name = if shared { format!("shared {index}") } else { format!("{number} {index}") };
            let from = journal.now();
            let call = journal.calls.borrow().len();
            journal.calls.borrow_mut().push(Call { name: name.clone(), from, answer: None });
            let wanted = name.clone();
            let outcome = tab.engine.commit(move |overlay| {
                if text(overlay, &wanted).is_some() {
                    return Err(refusal());
                }
                overlay.put(Keyspace::Document, wanted.clone(), "");
                Ok(append(overlay, &wanted))
            });
            match outcome.await {
                Ok(place) => journal.calls.borrow_mut()[call].answer = Some((journal.now(), place)),
                Err(error) if error == refusal() => journal.refused.borrow_mut().push(name),
                Err(error) => assert!(weather.faults && error.kind() == ErrorKind::Storage, "{error}"),
            }
        }
    });
    join_all(commits).await;
}

fn check(journal: &Journal, found: &[String]) {
    let mut places: BTreeMap<&str, u64> = BTreeMap::new();
    for (place, name) in found.iter().enumerate() {
        assert_eq!(places.insert(name, place as u64), None, "{name} was applied twice");
    }
    let calls = journal.calls.borrow();
    let answered: Vec<_> = calls.iter().filter_map(|call| Some((call, call.answer?))).collect();
    for (call, (_, place)) in &answered {
        assert_eq!(places.get(call.name.as_str()), Some(place), "{} is not where it was told", call.name);
    }
    for name in journal.refused.borrow().iter() {
        assert!(places.contains_key(name.as_str()), "{name} was refused, and nobody else has it");
    }
    for name in places.keys() {
        assert!(calls.iter().any(|call| call.name == *name), "nobody wrote {name}");
    }
    // One order that all agree on: what was answered before another call began comes before it.
    for (earlier, (answered_at, place)) in &answered {
        for (later, (_, later_place)) in &answered {
            if *answered_at < later.from {
                assert!(place < later_place, "{} comes before {}", later.name, earlier.name);
            }
        }
    }
}

fn run(seed: u64, weather: Weather) {
    block_on(async {
        let disk: Rc<MemoryDisk> = Rc::default();
        repeat_randomness(seed);
        let mut random = Random::new(seed);
        let journal = Journal::default();
        let mut tabs = Vec::new();
        for _ in 0..TABS {
            let tab = if weather.tiny { Tab::open_tiny(&disk).await } else { Tab::open(&disk).await };
            tab.faults.take_turns(random.split());
            if !weather.notices {
                tab.faults.lose_notices();
            }
            tabs.push(tab);
        }
        // The last tab is killed somewhere on its way.
        let killed = tabs.last().unwrap();
        killed.faults.arm(
            killed.faults.operations() + random.below(20) as u32,
            if random.below(2) == 0 { Fault::DieBefore } else { Fault::DieAfter },
        );
        let lives = tabs.iter().zip(0..).map(|(tab, number)| {
            let is_killed = number == TABS - 1;
            let weather = Weather { faults: weather.faults && !is_killed, ..weather };
            let life = Box::pin(life(tab, number, RefCell::new(random.split()), &journal, weather));
            select(life, Box::pin(tab.faults.death()))
        });
        join_all(lives).await;
        for tab in tabs.iter().take(TABS as usize - 1) {
            tab.faults.arm(u32::MAX, Fault::Refuse);
        }
        let found = found_on(&disk).await;
        check(&journal, &found.read(list));
        for tab in tabs.iter().take(TABS as usize - 1) {
            tab.engine.refresh().await.unwrap();
            assert_eq!(tab.contents(), found.contents(), "a tab has another state");
        }
    });
}

fn run_many(notices: bool, faults: bool) {
    for seed in 0..150 {
        for tiny in [false, true] {
            let weather = Weather { notices, faults, tiny };
            println!("seed {seed} {weather:?}");
            run(seed, weather);
        }
    }
}

#[test]
fn tabs_agree_on_one_order() {
    run_many(true, false);
}

#[test]
fn tabs_agree_without_any_notice() {
    run_many(false, false);
}

#[test]
fn tabs_agree_when_connections_break_and_storage_refuses() {
    run_many(true, true);
    run_many(false, true);
}
