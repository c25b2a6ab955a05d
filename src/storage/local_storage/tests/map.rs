use crate::storage::local_storage::map::StringMap;
use crate::storage::{StorageError, StorageResult};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

/// A map that counts its changes, is full at some length, refuses a certain change, or is dead from one on.
#[derive(Default)]
pub(super) struct TestMap {
    pub(super) texts: RefCell<BTreeMap<String, String>>,
    /// How many changes there have been.
    pub(super) changes: Cell<u32>,
    /// The tab is killed before the change with this index.
    pub(super) killed_before: Cell<Option<u32>>,
    /// There is no room at the change with this index.
    pub(super) refused: Cell<Option<u32>>,
    /// How many units there is room for.
    pub(super) limit: Cell<Option<usize>>,
}

impl TestMap {
    /// What another tab finds.
    pub(super) fn reopened(&self) -> Self {
        Self { texts: self.texts.clone(), limit: self.limit.clone(), ..Self::default() }
    }

    pub(super) fn units(&self) -> usize {
        let length = |text: &String| text.encode_utf16().count();
        self.texts.borrow().iter().map(|(key, text)| length(key) + length(text)).sum()
    }

    fn change(&self) -> StorageResult<u32> {
        let index = self.changes.replace(self.changes.get() + 1);
        if self.killed_before.get().is_some_and(|first| index >= first) {
            return Err(StorageError::Platform { name: "Killed".into(), message: String::new() });
        }
        Ok(index)
    }
}

impl StringMap for TestMap {
    fn get(&self, key: &str) -> StorageResult<Option<String>> {
        Ok(self.texts.borrow().get(key).cloned())
    }

    fn set(&self, key: &str, text: &str) -> StorageResult<()> {
        let index = self.change()?;
        let before = self.texts.borrow_mut().insert(key.to_owned(), text.to_owned());
        let is_longer = before.as_ref().is_none_or(|before| before.chars().count() < text.chars().count());
        let is_full = self.limit.get().is_some_and(|limit| is_longer && self.units() > limit);
        // What is not longer always finds room.
        if is_full || is_longer && self.refused.get() == Some(index) {
            match before {
                Some(before) => self.texts.borrow_mut().insert(key.to_owned(), before),
                None => self.texts.borrow_mut().remove(key),
            };
            return Err(StorageError::Platform { name: "QuotaExceededError".into(), message: "full".into() });
        }
        Ok(())
    }

    fn remove(&self, key: &str) -> StorageResult<()> {
        self.change()?;
        self.texts.borrow_mut().remove(key);
        Ok(())
    }

    fn keys(&self, prefix: &str) -> StorageResult<Vec<String>> {
        Ok(self.texts.borrow().keys().filter(|key| key.starts_with(prefix)).cloned().collect())
    }
}
