//! localStorage as a page has it, with what the page's neighbours are told and tell.

use super::map::StringMap;
use super::names::Names;
use super::turn::{self, Turn};
use super::{LocalStorage, Origin, passed_since};
use crate::env::{self, Millis};
use crate::storage::notices::Notices;
use crate::storage::web_locks::{Held, WebLocks};
use crate::storage::{Listener, Notice, StorageError, StorageResult};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::Either;
use js_sys::{Object, Reflect};
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use web_sys::{DomException, EventTarget, StorageEvent};

/// How often, and for how long, a page looks for a removal that it was told of.
const PAUSE: Millis = Millis(25);
const PATIENCE: Millis = Millis(1000);

/// Whether there is a localStorage that this page may use.
pub(crate) fn is_there() -> bool {
    find().is_ok()
}

/// Opens the database, new and empty if there is none of this name.
///
/// # Errors
/// [`StorageError::Platform`] where localStorage is missing, denied or full.
pub(crate) async fn open(name: &str) -> StorageResult<LocalStorage<Page>> {
    let map: Rc<dyn StringMap> = Rc::new(PageMap { storage: find()? });
    let names = Rc::new(Names::new(name));
    // Not the channel of an IndexedDB database of the same name.
    let notices = Rc::new(Notices::new(&format!("potoroo-localstorage:{name}")));
    let locks = WebLocks::find(names.prefix()).await;
    let watch = Watch::new(map.clone(), names.clone(), notices.clone());
    LocalStorage::over(name, Page { map, names, notices, locks, watch }).await
}

fn find() -> StorageResult<web_sys::Storage> {
    let global = js_sys::global();
    let missing = |message: &str| StorageError::Platform {
        name: "NotSupportedError".into(),
        message: format!("the adapter \"localstorage\" needs a page with localStorage; {message}"),
    };
    // Node has a localStorage of its own that is no page's.
    let document = Reflect::get(&global, &"document".into()).map_err(|error| platform_error(&error))?;
    if !document.is_object() {
        return Err(missing("workers have none"));
    }
    let storage = Reflect::get(&global, &"localStorage".into()).map_err(|error| platform_error(&error))?;
    if storage.is_object() { Ok(storage.unchecked_into()) } else { Err(missing("this one has none")) }
}

/// What the platform has thrown.
pub(in crate::storage) fn platform_error(error: &JsValue) -> StorageError {
    let (name, message) = match (error.dyn_ref::<DomException>(), error.dyn_ref::<js_sys::Error>()) {
        (Some(exception), _) => (exception.name(), exception.message()),
        (None, Some(error)) => (error.name().into(), error.message().into()),
        (None, None) => ("UnknownError".to_owned(), format!("{error:?}")),
    };
    // Firefox's own name of old.
    let name = if name == "NS_ERROR_DOM_QUOTA_REACHED" { "QuotaExceededError".to_owned() } else { name };
    StorageError::Platform { name, message }
}

struct PageMap {
    storage: web_sys::Storage,
}

impl StringMap for PageMap {
    fn get(&self, key: &str) -> StorageResult<Option<String>> {
        self.storage.get_item(key).map_err(|error| platform_error(&error))
    }

    fn set(&self, key: &str, text: &str) -> StorageResult<()> {
        self.storage.set_item(key, text).map_err(|error| platform_error(&error))
    }

    fn remove(&self, key: &str) -> StorageResult<()> {
        self.storage.remove_item(key).map_err(|error| platform_error(&error))
    }

    fn keys(&self, prefix: &str) -> StorageResult<Vec<String>> {
        // All at once: by index it takes many times as long.
        let keys = Object::keys(&self.storage).into_iter().filter_map(|key| key.as_string());
        Ok(keys.filter(|key| key.starts_with(prefix)).collect())
    }
}

/// What lies beneath a connection in a page.
pub(crate) struct Page {
    map: Rc<dyn StringMap>,
    names: Rc<Names>,
    notices: Rc<Notices>,
    /// None where the platform has none that answer.
    locks: Option<WebLocks>,
    watch: Watch,
}

/// A turn to write, given back when it is dropped.
pub(crate) struct PageTurn {
    _held: Either<Held, Turn>,
}

#[async_trait(?Send)]
impl Origin for Page {
    type Turn = PageTurn;

    fn map(&self) -> &dyn StringMap {
        &*self.map
    }

    async fn turn(&self) -> StorageResult<PageTurn> {
        let Some(locks) = &self.locks else {
            return Ok(PageTurn { _held: Either::Right(turn::take(&self.map, &self.names).await?) });
        };
        let held = locks.turn().await?;
        // Of a page in which locks do not answer.
        turn::wait_for_others(&*self.map, &self.names).await?;
        Ok(PageTurn { _held: Either::Left(held) })
    }

    async fn told(&self) -> StorageResult<Vec<(String, u64)>> {
        match &self.locks {
            Some(locks) => locks.told().await,
            None => Ok(Vec::new()),
        }
    }

    async fn tell(&self, instance: &str, number: u64) {
        if let Some(locks) = &self.locks {
            locks.tell(instance, number).await;
        }
    }

    fn forget(&self) {
        if let Some(locks) = &self.locks {
            locks.forget();
        }
    }

    fn announce(&self, notice: Notice) {
        self.notices.tell_others(notice.clone());
        if let Notice::Committed(position, _) = notice
            && !self.notices.has_channel()
        {
            // A notice may get lost. The random part makes it another text each time, else nobody would be told.
            let _ = self.map.set(&self.names.notice(), &format!("{position} {}", env::uuid()));
        }
    }

    fn listen(&self, listener: Listener) {
        self.notices.listen(listener);
    }

    fn suspend(&self) {
        self.notices.let_go();
        self.forget();
    }

    fn resume(&self) {
        self.notices.take_up();
    }

    fn close(&self) {
        self.notices.close();
        self.watch.end();
        self.forget();
    }
}

/// Tells that there is no root any more. No browser promises that a page sees a change when it is told of it, so it is
/// looked for a while; where there is a root all the while, what was removed is an earlier database.
async fn tell_if_gone(map: Rc<dyn StringMap>, names: Rc<Names>, notices: Rc<Notices>) {
    let began = env::now();
    while !map.get(&names.root()).is_ok_and(|root| root.is_none()) {
        if passed_since(began) >= PATIENCE {
            return;
        }
        env::sleep(PAUSE).await;
    }
    notices.tell_self(Notice::Gone);
}

/// Listens to what other pages do to the map.
struct Watch {
    target: EventTarget,
    on_storage: Closure<dyn Fn(StorageEvent)>,
}

impl Watch {
    fn new(map: Rc<dyn StringMap>, names: Rc<Names>, notices: Rc<Notices>) -> Self {
        let on_storage = Closure::<dyn Fn(StorageEvent)>::new(move |event: StorageEvent| {
            let key = event.key();
            // No key: everything was removed. No new text: this key was.
            if key.is_none() || key == Some(names.root()) && event.new_value().is_none() {
                env::spawn(tell_if_gone(map.clone(), names.clone(), notices.clone()));
            } else if key == Some(names.notice()) && !notices.has_channel() {
                let text = event.new_value().unwrap_or_default();
                if let Some(Ok(position)) = text.split(' ').next().map(str::parse) {
                    notices.tell_self(Notice::Committed(position, Bytes::new()));
                }
            }
        });
        let target: EventTarget = js_sys::global().unchecked_into();
        // A window is an EventTarget, and what can't be listened to is found out at the next write.
        let _ = target.add_event_listener_with_callback("storage", on_storage.as_ref().unchecked_ref());
        Self { target, on_storage }
    }

    fn end(&self) {
        let listener = self.on_storage.as_ref().unchecked_ref();
        let _ = self.target.remove_event_listener_with_callback("storage", listener);
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.end();
    }
}
