//! The engines that are open on this thread: all handles of one name share one.

use super::options::DatabaseOptions;
use super::own_edits::OwnEdits;
use crate::engine::{Engine, Origin};
use crate::error::{Error, ErrorKind, Result};
use crate::storage::{Adapter, Storage};
use futures_util::lock::{Mutex, OwnedMutexGuard};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

/// An open engine, and how many handles use it.
pub(super) struct SharedEngine {
    pub(super) engine: Engine,
    pub(super) own_edits: RefCell<OwnEdits>,
    handles: Cell<usize>,
}

impl SharedEngine {
    /// An engine with one handle.
    pub(super) fn alone(engine: Engine) -> Rc<Self> {
        Rc::new(Self { engine, own_edits: RefCell::default(), handles: Cell::new(1) })
    }
}

/// What is known of one name. Locked while it is opened, closed or destroyed, so that these happen one after another.
type Slot = Arc<Mutex<Option<Rc<SharedEngine>>>>;

thread_local! {
    static SLOTS: RefCell<HashMap<String, Slot>> = RefCell::default();

    /// Where a database of which the application did not say it was opened. It stays there for the life of the page: what
    /// is refused now and not a minute later must not become two databases of one name.
    static CHOSEN: RefCell<HashMap<String, Adapter>> = RefCell::default();
}

async fn lock(name: &str, adapter: &str) -> OwnedMutexGuard<Option<Rc<SharedEngine>>> {
    let slot = SLOTS.with_borrow_mut(|slots| slots.entry(format!("{adapter}/{name}")).or_default().clone());
    slot.lock_owned().await
}

/// The engine of a name, opened if this is its first handle. Without a wanted adapter, the best one that opens it. A new
/// database of IndexedDB begins as `origin` says.
pub(super) async fn acquire(
    name: &str,
    options: &DatabaseOptions,
    mut origin: Option<Origin>,
) -> Result<Rc<SharedEngine>> {
    let wanted = options.adapter.as_deref();
    let mut refusal = None;
    for adapter in candidates(wanted)? {
        let mut slot = lock(name, adapter.kind()).await;
        if wanted.is_none() && chosen(name).is_some_and(|chosen| chosen != adapter) {
            continue;
        }
        if let Some(shared) = slot.as_ref().filter(|shared| shared.engine.ended().is_none()) {
            shared.handles.set(shared.handles.get() + 1);
            return Ok(shared.clone());
        }
        let storage: Box<dyn Storage> = match adapter.open(name, options.durability).await {
            Err(error) if error.is_refusal() => {
                refusal = Some(error);
                continue;
            }
            opened => opened?,
        };
        let origin = origin.take().filter(|_| matches!(adapter, Adapter::IndexedDb(_)));
        let engine = Engine::open_from(storage, options.settings(), origin).await?;
        let shared = SharedEngine::alone(engine);
        slot.replace(shared.clone());
        if wanted.is_none() {
            CHOSEN.with_borrow_mut(|chosen| chosen.insert(name.to_owned(), adapter));
        }
        return Ok(shared);
    }
    Err(refusal.map_or_else(|| Error::new(ErrorKind::NotOpen), Error::from))
}

/// The storage that the engine of a name is opened on, where no engine can be.
pub(super) async fn open_storage(name: &str, options: &DatabaseOptions) -> Result<Box<dyn Storage>> {
    let mut refusal = None;
    for adapter in candidates(options.adapter.as_deref())? {
        match adapter.open(name, options.durability).await {
            Err(error) if error.is_refusal() => refusal = Some(error),
            opened => return Ok(opened?),
        }
    }
    Err(refusal.map_or_else(|| Error::new(ErrorKind::NotOpen), Error::from))
}

fn candidates(wanted: Option<&str>) -> Result<Vec<Adapter>> {
    Ok(match wanted {
        Some(wanted) => vec![Adapter::named(wanted)?],
        None => Adapter::by_preference(),
    })
}

fn chosen(name: &str) -> Option<Adapter> {
    CHOSEN.with_borrow(|chosen| chosen.get(name).copied())
}

/// Gives a handle back; the last one closes the engine.
pub(super) async fn release(name: &str, adapter: &str, shared: &Rc<SharedEngine>) {
    let mut slot = lock(name, kind_of(adapter)).await;
    shared.handles.set(shared.handles.get().saturating_sub(1));
    if shared.handles.get() == 0 {
        shared.engine.close().await;
        if slot.as_ref().is_some_and(|current| Rc::ptr_eq(current, shared)) {
            slot.take();
        }
    }
}

/// Destroys the database; whoever opens the name waits until that is done.
pub(super) async fn destroy(name: &str, adapter: &str, shared: &Rc<SharedEngine>) -> Result<()> {
    let mut slot = lock(name, kind_of(adapter)).await;
    let outcome = shared.engine.destroy().await;
    if slot.as_ref().is_some_and(|current| Rc::ptr_eq(current, shared)) {
        slot.take();
    }
    outcome
}

/// `idb` and `indexeddb` are two names of one thing.
fn kind_of(adapter: &str) -> &str {
    if adapter == "indexeddb" { "idb" } else { adapter }
}
