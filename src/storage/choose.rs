//! Which backend a database gets.

#[cfg(target_arch = "wasm32")]
use super::indexed_db::IndexedDb;
use super::memory::MemoryStorage;
use super::{Storage, StorageError, StorageResult};

/// A kind of backend, by the name that PouchDB gives its adapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adapter {
    /// IndexedDB, under the name of the adapter that was asked for.
    IndexedDb(&'static str),
    /// Memory.
    Memory,
}

/// The backend of the wanted name; without one, IndexedDB where the platform has it, else memory (as in Node).
///
/// # Errors
/// [`StorageError::Platform`] for a name that is not known.
pub fn choose_adapter(wanted: Option<&str>) -> StorageResult<Adapter> {
    match wanted {
        Some("idb") => Ok(Adapter::IndexedDb("idb")),
        Some("indexeddb") => Ok(Adapter::IndexedDb("indexeddb")),
        Some("memory") => Ok(Adapter::Memory),
        None if has_indexed_db() => Ok(Adapter::IndexedDb("idb")),
        None => Ok(Adapter::Memory),
        Some(other) => Err(StorageError::Platform {
            name: "NotSupportedError".into(),
            message: format!("there is no adapter {other:?}; there are idb, indexeddb and memory"),
        }),
    }
}

#[cfg(target_arch = "wasm32")]
fn has_indexed_db() -> bool {
    let found = js_sys::Reflect::get(&js_sys::global(), &wasm_bindgen::JsValue::from_str("indexedDB"));
    found.is_ok_and(|factory| factory.is_object())
}

#[cfg(not(target_arch = "wasm32"))]
fn has_indexed_db() -> bool {
    false
}

impl Adapter {
    /// One name for each kind, whatever it was asked for by.
    pub fn kind(self) -> &'static str {
        match self {
            Self::IndexedDb(_) => "idb",
            Self::Memory => "memory",
        }
    }

    /// Opens a database.
    ///
    /// # Errors
    /// [`StorageError::Platform`] where the platform refuses.
    pub async fn open(self, name: &str) -> StorageResult<Box<dyn Storage>> {
        match self {
            #[cfg(target_arch = "wasm32")]
            Self::IndexedDb(adapter) => Ok(Box::new(IndexedDb::open(name, adapter).await?)),
            #[cfg(not(target_arch = "wasm32"))]
            Self::IndexedDb(adapter) => Err(StorageError::Platform {
                name: "NotSupportedError".into(),
                message: format!("the adapter {adapter:?} needs a browser"),
            }),
            Self::Memory => Ok(Box::new(MemoryStorage::open(name))),
        }
    }
}
