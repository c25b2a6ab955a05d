//! The engines that are open on this thread: all handles of one name share one.

use crate::engine::{Engine, Settings};
use crate::error::Result;
use crate::storage::{self, Storage};
use futures_util::lock::{Mutex, OwnedMutexGuard};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

/// An open engine, and how many handles use it.
pub(super) struct SharedEngine {
    pub(super) engine: Engine,
    handles: Cell<usize>,
}

impl SharedEngine {
    /// An engine with one handle.
    pub(super) fn alone(engine: Engine) -> Rc<Self> {
        Rc::new(Self { engine, handles: Cell::new(1) })
    }
}

/// What is known of one name. Locked while it is opened, closed or destroyed, so that these happen one after another.
type Slot = Arc<Mutex<Option<Rc<SharedEngine>>>>;

thread_local! {
    static SLOTS: RefCell<HashMap<String, Slot>> = RefCell::default();
}

async fn lock(name: &str, adapter: &str) -> OwnedMutexGuard<Option<Rc<SharedEngine>>> {
    let slot = SLOTS.with_borrow_mut(|slots| slots.entry(format!("{adapter}/{name}")).or_default().clone());
    slot.lock_owned().await
}

/// The engine of a name, opened if this is its first handle.
pub(super) async fn acquire(name: &str, wanted: Option<&str>) -> Result<Rc<SharedEngine>> {
    let adapter = storage::choose_adapter(wanted)?;
    let mut slot = lock(name, adapter.kind()).await;
    if let Some(shared) = slot.as_ref().filter(|shared| shared.engine.ended().is_none()) {
        shared.handles.set(shared.handles.get() + 1);
        return Ok(shared.clone());
    }
    let storage: Box<dyn Storage> = adapter.open(name).await?;
    let engine = Engine::open(storage, Settings::default()).await?;
    let shared = SharedEngine::alone(engine);
    slot.replace(shared.clone());
    Ok(shared)
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
