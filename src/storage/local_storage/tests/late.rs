//! Several processes with one localStorage, each of which sees what the others have set some time later.

use crate::storage::conformance::{self, Connect};
use crate::storage::faulty::Random;
use crate::storage::local_storage::map::StringMap;
use crate::storage::local_storage::{LocalStorage, Origin};
use crate::storage::{Listener, Notice, Storage, StorageError, StorageResult};
use async_trait::async_trait;
use futures_util::lock::{Mutex, OwnedMutexGuard};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::rc::{Rc, Weak};
use std::sync::Arc;

/// A change on its way to another process.
type Change = (String, Option<String>);

/// Whether a connection is open, and its listener.
type Ear = (Rc<Cell<bool>>, Weak<Listener>);

/// What the processes have in common.
#[derive(Default)]
struct Browser {
    processes: RefCell<Vec<Rc<Process>>>,
    turn: Arc<Mutex<()>>,
    numbers: RefCell<HashMap<String, u64>>,
    listeners: RefCell<Vec<Ear>>,
}

/// A process's view of the map.
struct Process {
    browser: Weak<Browser>,
    texts: RefCell<BTreeMap<String, String>>,
    arriving: RefCell<VecDeque<Change>>,
    random: RefCell<Random>,
}

impl Process {
    /// Now and then a change arrives.
    fn wait(&self) {
        while self.random.borrow_mut().below(4) == 0 {
            let Some((key, text)) = self.arriving.borrow_mut().pop_front() else { return };
            self.apply(key, text);
        }
    }

    fn apply(&self, key: String, text: Option<String>) {
        let mut texts = self.texts.borrow_mut();
        match text {
            Some(text) => texts.insert(key, text),
            None => texts.remove(&key),
        };
    }

    fn change(&self, key: &str, text: Option<&str>) {
        let change = (key.to_owned(), text.map(str::to_owned));
        self.apply(change.0.clone(), change.1.clone());
        let Some(browser) = self.browser.upgrade() else { return };
        for other in browser.processes.borrow().iter().filter(|other| !std::ptr::eq(&***other, self)) {
            other.arriving.borrow_mut().push_back(change.clone());
        }
    }
}

impl StringMap for Process {
    fn get(&self, key: &str) -> StorageResult<Option<String>> {
        self.wait();
        Ok(self.texts.borrow().get(key).cloned())
    }

    fn set(&self, key: &str, text: &str) -> StorageResult<()> {
        self.change(key, Some(text));
        Ok(())
    }

    fn remove(&self, key: &str) -> StorageResult<()> {
        self.change(key, None);
        Ok(())
    }

    fn keys(&self, prefix: &str) -> StorageResult<Vec<String>> {
        Ok(self.texts.borrow().keys().filter(|key| key.starts_with(prefix)).cloned().collect())
    }
}

struct LateOrigin {
    browser: Rc<Browser>,
    process: Rc<Process>,
    open: Rc<Cell<bool>>,
    listener: RefCell<Option<Rc<Listener>>>,
    tells: bool,
}

#[async_trait(?Send)]
impl Origin for LateOrigin {
    type Turn = OwnedMutexGuard<()>;

    fn map(&self) -> &dyn StringMap {
        &*self.process
    }

    async fn turn(&self) -> StorageResult<Self::Turn> {
        Ok(self.browser.turn.clone().lock_owned().await)
    }

    async fn newest(&self, instance: &str) -> StorageResult<u64> {
        Ok(self.browser.numbers.borrow().get(instance).copied().unwrap_or_default())
    }

    async fn tell_number(&self, instance: &str, number: u64) {
        if self.tells {
            self.browser.numbers.borrow_mut().insert(instance.to_owned(), number);
        }
    }

    fn announce(&self, notice: Notice) {
        let listeners = self.browser.listeners.borrow().clone();
        for (open, listener) in listeners {
            if open.get()
                && !Rc::ptr_eq(&open, &self.open)
                && let Some(listener) = listener.upgrade()
            {
                listener(notice);
            }
        }
    }

    fn listen(&self, listener: Listener) {
        let listener = Rc::new(listener);
        self.browser.listeners.borrow_mut().push((self.open.clone(), Rc::downgrade(&listener)));
        self.listener.replace(Some(listener));
    }

    fn close(&self) {
        self.open.set(false);
    }
}

/// Runs the suite with so many processes, over which the connections of each case are spread.
fn outcomes(processes: usize, tells: bool, seed: u64) -> Vec<(&'static str, Result<(), String>)> {
    let new_database = |name: &str| -> Connect {
        let name = name.to_owned();
        let browser = Rc::new(Browser::default());
        let mut random = Random::new(seed);
        for _ in 0..processes {
            browser.processes.borrow_mut().push(Rc::new(Process {
                browser: Rc::downgrade(&browser),
                texts: RefCell::default(),
                arriving: RefCell::default(),
                random: RefCell::new(random.split()),
            }));
        }
        let connections = Cell::new(0);
        Rc::new(move || {
            let index = connections.replace(connections.get() + 1) % processes;
            let origin = LateOrigin {
                browser: browser.clone(),
                process: browser.processes.borrow()[index].clone(),
                open: Rc::new(Cell::new(true)),
                listener: RefCell::default(),
                tells,
            };
            let name = name.clone();
            Box::pin(async move {
                let storage = LocalStorage::over(&name, origin).await?;
                Ok::<Box<dyn Storage>, StorageError>(Box::new(storage))
            })
        })
    };
    crate::env::block_on(conformance::run(new_database))
}

fn failures(outcomes: &[(&'static str, Result<(), String>)]) -> Vec<String> {
    assert!(!outcomes.is_empty());
    let failed = outcomes.iter().filter_map(|(case, outcome)| Some((case, outcome.as_ref().err()?)));
    failed.map(|(case, problem)| format!("{case}: {problem}")).collect()
}

#[test]
fn local_storage_conforms() {
    assert_eq!(failures(&outcomes(1, true, 0)), Vec::<String>::new());
}

#[test]
fn local_storage_conforms_in_processes_that_see_each_other_late() {
    for seed in 0..3 {
        assert_eq!(failures(&outcomes(2, true, seed)), Vec::<String>::new(), "seed {seed}");
    }
}

/// What the numbers are for; and that the test before this one would notice.
#[test]
fn without_the_numbers_it_would_not() {
    assert!((0..3).any(|seed| !failures(&outcomes(2, false, seed)).is_empty()));
}
