//! Which backend a database gets.

#[cfg(target_arch = "wasm32")]
use super::indexed_db::IndexedDb;
#[cfg(target_arch = "wasm32")]
use super::local_storage;
use super::memory::MemoryStorage;
use super::{Durability, Storage, StorageError, StorageResult};

/// A kind of backend, by the name that PouchDB gives its adapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adapter {
    /// IndexedDB, under the name of the adapter that was asked for.
    IndexedDb(&'static str),
    /// localStorage.
    LocalStorage,
    /// Memory.
    Memory,
}

impl Adapter {
    /// The one that an application asks for.
    ///
    /// # Errors
    /// [`StorageError::Platform`] for a name that is not known.
    pub fn named(name: &str) -> StorageResult<Self> {
        match name {
            "idb" => Ok(Self::IndexedDb("idb")),
            "indexeddb" => Ok(Self::IndexedDb("indexeddb")),
            "localstorage" => Ok(Self::LocalStorage),
            "memory" => Ok(Self::Memory),
            other => Err(StorageError::Platform {
                name: "NotSupportedError".into(),
                message: format!(
                    "there is no adapter {other:?}; there are idb, indexeddb, localstorage and memory"
                ),
            }),
        }
    }

    /// Those that the platform has, the best one first. The last one, memory, refuses nobody.
    pub fn by_preference() -> Vec<Self> {
        #[cfg(target_arch = "wasm32")]
        let kept = [
            has_indexed_db().then_some(Self::IndexedDb("idb")),
            local_storage::is_there().then_some(Self::LocalStorage),
        ];
        #[cfg(not(target_arch = "wasm32"))]
        let kept = [None];
        kept.into_iter().flatten().chain([Self::Memory]).collect()
    }

    /// One name for each kind, whatever it was asked for by.
    pub fn kind(self) -> &'static str {
        match self {
            Self::IndexedDb(_) => "idb",
            Self::LocalStorage => "localstorage",
            Self::Memory => "memory",
        }
    }

    /// Opens a database. `durability` is for IndexedDB, the others have no choice.
    ///
    /// # Errors
    /// [`StorageError::Platform`] where the platform refuses; see [`StorageError::is_refusal`].
    pub async fn open(self, name: &str, durability: Durability) -> StorageResult<Box<dyn Storage>> {
        match self {
            #[cfg(target_arch = "wasm32")]
            Self::IndexedDb(adapter) => Ok(Box::new(IndexedDb::open(name, adapter, durability).await?)),
            #[cfg(target_arch = "wasm32")]
            Self::LocalStorage => Ok(Box::new(local_storage::open(name).await?)),
            #[cfg(not(target_arch = "wasm32"))]
            Self::IndexedDb(_) | Self::LocalStorage => {
                let _ = durability;
                Err(StorageError::Platform {
                    name: "NotSupportedError".into(),
                    message: format!("the adapter {:?} needs a browser", self.kind()),
                })
            }
            Self::Memory => Ok(Box::new(MemoryStorage::open(name))),
        }
    }
}

#[cfg(target_arch = "wasm32")]
fn has_indexed_db() -> bool {
    let found = js_sys::Reflect::get(&js_sys::global(), &wasm_bindgen::JsValue::from_str("indexedDB"));
    found.is_ok_and(|factory| factory.is_object())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_can_be_asked_for_by_its_name() {
        for name in ["idb", "localstorage", "memory"] {
            assert_eq!(Adapter::named(name).unwrap().kind(), name);
        }
        assert_eq!(Adapter::named("indexeddb").unwrap().kind(), "idb");
        assert!(Adapter::named("websql").unwrap_err().to_string().contains("websql"));
    }

    #[test]
    fn outside_a_browser_there_is_memory() {
        assert_eq!(Adapter::by_preference(), [Adapter::Memory]);
    }
}
