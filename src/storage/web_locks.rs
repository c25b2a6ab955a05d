//! Web Locks: turns to write, and names of locks that tell numbers.

use super::local_storage::platform_error;
use crate::env::{self, Millis};
use crate::storage::{StorageError, StorageResult};
use futures_channel::oneshot;
use futures_util::future::{Either, select};
use js_sys::{Array, Function, Object, Promise, Reflect};
use std::cell::{Cell, RefCell};
use std::pin::pin;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

/// Where locks have not answered by then they never do, as in some builds of WebKit.
const ANSWER: Millis = Millis(3000);

/// How long a connection that is closed still tells its number: by then, all pages have seen its last write.
const SEEN: Millis = Millis(1000);

/// How long a connection that writes nothing more tells the number of its last write. Pages that hold a lock when they are
/// left are not kept in the back/forward cache, and no event tells that beforehand.
const TOLD: Millis = Millis(2000);

#[wasm_bindgen]
extern "C" {
    // In web-sys they are behind a flag of the compiler.
    type LockManager;
    #[wasm_bindgen(method, catch)]
    fn request(
        this: &LockManager,
        name: &str,
        options: &Object,
        granted: &Function,
    ) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn query(this: &LockManager) -> Result<Promise, JsValue>;
}

/// A lock, or the wish for one; given up when it is dropped.
pub(super) struct Held {
    release: Function,
}

impl Drop for Held {
    fn drop(&mut self) {
        // It resolves a promise.
        let _ = self.release.call0(&JsValue::UNDEFINED);
    }
}

/// The locks of one connection.
pub(super) struct WebLocks {
    manager: LockManager,
    /// The name of the lock of who writes, and what the names of the others begin with.
    name: String,
    /// Tells the number of this connection's last write.
    telling: Rc<RefCell<Option<Held>>>,
    /// When it was told, and whether a task waits for that to be long ago.
    told: Rc<Cell<Millis>>,
    stops: Rc<Cell<bool>>,
}

thread_local! {
    /// Whether locks answer, once that is known.
    static ANSWERS: RefCell<Option<bool>> = const { RefCell::new(None) };
}

impl WebLocks {
    /// The locks; `None` where the platform has none, or none that answer.
    pub(super) async fn find(name: &str) -> Option<Self> {
        let navigator = Reflect::get(&js_sys::global(), &"navigator".into()).ok()?;
        let manager = Reflect::get(&navigator, &"locks".into()).ok().filter(JsValue::is_object)?;
        let locks = Self {
            manager: manager.unchecked_into(),
            name: name.to_owned(),
            telling: Rc::default(),
            told: Rc::default(),
            stops: Rc::default(),
        };
        let known = ANSWERS.with_borrow(|answers| *answers);
        let answers = match known {
            Some(answers) => answers,
            None => {
                let question = format!("potoroo?{}", env::uuid());
                let answers =
                    match select(pin!(locks.hold(&question, "shared")), pin!(env::sleep(ANSWER))).await {
                        Either::Left((held, _)) => held.is_ok(),
                        Either::Right(_) => false,
                    };
                ANSWERS.with_borrow_mut(|known| known.replace(answers));
                answers
            }
        };
        answers.then_some(locks)
    }

    /// Waits until no other connection has the turn.
    pub(super) async fn turn(&self) -> StorageResult<Held> {
        self.hold(&self.name, "exclusive").await
    }

    /// Waits until no other connection has the turn, for so long; gives it, and whether another one had it.
    pub(super) async fn turn_within(&self, patience: Millis) -> Option<(Held, bool)> {
        let asking = async {
            match self.request(&self.name, "exclusive", true).await.ok()? {
                Some(held) => Some((held, false)),
                None => Some((self.turn().await.ok()?, true)),
            }
        };
        match select(pin!(asking), pin!(env::sleep(patience))).await {
            Either::Left((turn, _)) => turn,
            Either::Right(_) => None,
        }
    }

    async fn hold(&self, name: &str, mode: &str) -> StorageResult<Held> {
        // There is one in the end where it need not be available at once.
        self.request(name, mode, false).await?.ok_or(StorageError::Closed)
    }

    /// Asks for a lock; where `if_available`, `None` if it is not at once.
    async fn request(&self, name: &str, mode: &str, if_available: bool) -> StorageResult<Option<Held>> {
        let mut release = None;
        let released = Promise::new(&mut |resolve, _| release = Some(resolve));
        let held = Held { release: release.expect("BUG: a promise that is not made at once") };
        let (sender, granted) = oneshot::channel();
        let on_granted = Closure::once_into_js(move |lock: JsValue| {
            // Nobody waits any more where the wish was given up; then the promise is resolved already.
            let _ = sender.send(lock.is_object());
            released
        });
        let options = Object::new();
        for (option, value) in [("mode", JsValue::from(mode)), ("ifAvailable", JsValue::from(if_available))] {
            Reflect::set(&options, &option.into(), &value).map_err(|error| platform_error(&error))?;
        }
        let over = self
            .manager
            .request(name, &options, on_granted.unchecked_ref())
            .map_err(|error| platform_error(&error))?;
        match select(granted, JsFuture::from(over)).await {
            Either::Left((Ok(is_granted), _)) => Ok(is_granted.then_some(held)),
            Either::Right((Err(error), _)) => Err(platform_error(&error)),
            // It can't be over before it was granted.
            Either::Left((Err(_), _)) | Either::Right((Ok(_), _)) => Err(StorageError::Closed),
        }
    }

    /// Holds a lock whose name tells the number of a database's write.
    pub(super) async fn tell(&self, instance: &str, number: u64) {
        // Where the browser refuses a lock it has just given, others may see this write late.
        if let Ok(held) = self.hold(&format!("{}@{instance}@{number}", self.name), "shared").await {
            self.telling.replace(Some(held));
            self.stop_telling_later();
        }
    }

    /// Tells nothing any more once nothing was told for a while.
    fn stop_telling_later(&self) {
        self.told.set(env::now());
        if self.stops.replace(true) {
            return;
        }
        let (telling, told, stops) = (self.telling.clone(), self.told.clone(), self.stops.clone());
        env::spawn(async move {
            loop {
                let left = (told.get().0 + TOLD.0).saturating_sub(env::now().0);
                if left == 0 {
                    break;
                }
                env::sleep(Millis(left)).await;
            }
            stops.set(false);
            telling.take();
        });
    }

    /// What is told by the names of locks that are held.
    pub(super) async fn told(&self) -> StorageResult<Vec<(String, u64)>> {
        let state = self.manager.query().map_err(|error| platform_error(&error))?;
        let state = JsFuture::from(state).await.map_err(|error| platform_error(&error))?;
        let held = Reflect::get(&state, &"held".into()).map_err(|error| platform_error(&error))?;
        let told = |lock: JsValue| {
            let name = Reflect::get(&lock, &"name".into()).ok()?.as_string()?;
            let (instance, number) = name.strip_prefix(&self.name)?.strip_prefix('@')?.split_once('@')?;
            Some((instance.to_owned(), number.parse().ok()?))
        };
        Ok(Array::from(&held).iter().filter_map(told).collect())
    }

    /// Tells nothing any more, as soon as all have seen what was told.
    pub(super) fn forget(&self) {
        if let Some(held) = self.telling.take() {
            let left = (self.told.get().0 + SEEN.0).saturating_sub(env::now().0);
            if left > 0 {
                env::spawn(async move {
                    env::sleep(Millis(left)).await;
                    drop(held);
                });
            }
        }
    }
}
