//! Several processes with one localStorage, each of which sees what the others have set some time later.

use crate::storage::conformance::{self, Connect};
use crate::storage::faulty::Random;
use crate::storage::local_storage::map::StringMap;
use crate::storage::local_storage::{LocalStorage, Origin};
use crate::storage::{Change, Listener, Notice, Read, Space, Storage, StorageError, StorageResult, Write};
use async_trait::async_trait;
use futures_util::lock::{Mutex, OwnedMutexGuard};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::rc::{Rc, Weak};
use std::sync::Arc;

/// A change on its way to another process.
type Arriving = (String, Option<String>);

/// Whether a connection is open, and its listener.
type Ear = (Rc<Cell<bool>>, Weak<Listener>);

/// What the processes have in common.
#[derive(Default)]
struct Browser {
    processes: RefCell<Vec<Rc<Process>>>,
    turn: Arc<Mutex<()>>,
    told: RefCell<HashMap<String, u64>>,
    listeners: RefCell<Vec<Ear>>,
}

/// A process's view of the map.
struct Process {
    browser: Weak<Browser>,
    texts: RefCell<BTreeMap<String, String>>,
    arriving: RefCell<VecDeque<Arriving>>,
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

    async fn told(&self) -> StorageResult<Vec<(String, u64)>> {
        Ok(self.browser.told.borrow().iter().map(|(instance, number)| (instance.clone(), *number)).collect())
    }

    async fn tell(&self, instance: &str, number: u64) {
        if self.tells {
            self.browser.told.borrow_mut().insert(instance.to_owned(), number);
        }
    }

    fn suspend(&self) {}

    fn resume(&self) {}

    fn forget(&self) {
        // Told for ever, which is the worst that can happen.
    }

    fn announce(&self, notice: Notice) {
        let listeners = self.browser.listeners.borrow().clone();
        for (open, listener) in listeners {
            if open.get()
                && !Rc::ptr_eq(&open, &self.open)
                && let Some(listener) = listener.upgrade()
            {
                listener(notice.clone());
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

impl Browser {
    fn new(processes: usize, random: &mut Random) -> Rc<Self> {
        let browser = Rc::new(Self::default());
        for _ in 0..processes {
            browser.processes.borrow_mut().push(Rc::new(Process {
                browser: Rc::downgrade(&browser),
                texts: RefCell::default(),
                arriving: RefCell::default(),
                random: RefCell::new(random.split()),
            }));
        }
        browser
    }

    fn origin(self: &Rc<Self>, process: usize, tells: bool) -> LateOrigin {
        LateOrigin {
            browser: self.clone(),
            process: self.processes.borrow()[process].clone(),
            open: Rc::new(Cell::new(true)),
            listener: RefCell::default(),
            tells,
        }
    }
}

/// Runs the suite with so many processes, over which the connections of each case are spread.
fn outcomes(processes: usize, tells: bool, seed: u64) -> Vec<(&'static str, Result<(), String>)> {
    let new_database = |name: &str| -> Connect {
        let name = name.to_owned();
        let browser = Browser::new(processes, &mut Random::new(seed));
        let connections = Cell::new(0);
        Rc::new(move || {
            let index = connections.replace(connections.get() + 1) % processes;
            let origin = browser.origin(index, tells);
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

#[test]
fn processes_that_open_a_new_database_at_once_have_one() {
    for seed in 0..10 {
        let browser = Browser::new(3, &mut Random::new(seed));
        crate::env::block_on(async {
            let connections =
                (0..3).map(|process| LocalStorage::over("notes", browser.origin(process, true)));
            let connections = futures_util::future::try_join_all(connections).await.unwrap();
            for (number, connection) in (1..).zip(&connections) {
                let add = Change::Add(Space::Log, number.into(), "there".into());
                connection.write(Write { changes: vec![add], ..Write::default() }).await.unwrap();
            }
            for connection in &connections {
                let found = connection.read(&[Read::From(Space::Log, 1, 9)]).await.unwrap();
                assert_eq!(found.concat().len(), 3, "seed {seed}");
            }
        });
    }
}

/// No notice tells it, and it still sees the database.
#[test]
fn a_process_that_has_not_seen_a_destruction_writes_nothing() {
    for seed in 0..10 {
        let browser = Browser::new(2, &mut Random::new(seed));
        crate::env::block_on(async {
            let old = LocalStorage::over("notes", browser.origin(0, true)).await.unwrap();
            let other = LocalStorage::over("notes", browser.origin(1, true)).await.unwrap();
            browser.listeners.borrow_mut().clear();
            let write = |number: u64| Write {
                changes: vec![Change::Add(Space::Log, number.into(), "there".into())],
                ..Write::default()
            };
            old.write(write(1)).await.unwrap();
            other.destroy().await.unwrap();
            let anew = LocalStorage::over("notes", browser.origin(1, true)).await.unwrap();
            assert_eq!(old.write(write(2)).await, Err(StorageError::Closed), "seed {seed}");
            assert_eq!(anew.read(&[Read::From(Space::Log, 0, 9)]).await, Ok(vec![vec![]]));
            anew.write(write(1)).await.unwrap();
        });
    }
}
