//! Contents of attachments: records of their own, put with the commit that refers to them first and removed with the one
//! that drops the last reference.
//!
//! How often each is referred to stands in [`Keyspace::Content`], so that plans decide it on the state that the log makes
//! of all tabs' commits. What is there is what has an entry: no tab needs to look for what others left behind.

use super::batch::{Overlay, View};
use super::keyspace::Keyspace;
use super::open::Engine;
use crate::error::Result;
use crate::storage::{Change, Content, Space, StorageError};

impl Overlay {
    /// Has a content at hand, to be put if no other commit has, and if its name gets an entry in [`Keyspace::Content`].
    pub fn supply(&mut self, name: &str, content: &Content) {
        self.supplied.insert(name.to_owned(), content.clone());
    }

    /// What is to be done with contents in the transaction of the commit.
    pub(super) fn content_changes(&self) -> Vec<Change> {
        let mut changes = Vec::new();
        for (key, is_there) in self.entries_of(Keyspace::Content) {
            let was_there = self.base().get(Keyspace::Content, key).is_some();
            let Ok(name) = std::str::from_utf8(key) else { continue };
            match (was_there, is_there) {
                (false, true) => match self.supplied.get(name) {
                    Some(content) => changes.push(Change::PutContent(name.to_owned(), content.clone())),
                    // Else what was there could not be looked up, and the plans are called again.
                    None => {
                        assert!(self.base().lacks_blocks(), "BUG: a reference to a content that is nowhere")
                    }
                },
                (true, false) => changes.push(Change::Delete(Space::Attachment, name.into())),
                _ => {}
            }
        }
        changes
    }
}

impl Engine {
    /// What of a content is to be given to [`Overlay::supply`].
    ///
    /// # Errors
    /// [`ErrorKind::Storage`](crate::error::ErrorKind::Storage) where the browser can't read it any more.
    pub async fn hold(&self, content: Content) -> Result<Content> {
        self.inner.check()?;
        Ok(self.inner.storage.hold(content).await?)
    }

    /// Contents by their names; `None` where a commit has removed one, of this tab or of another.
    ///
    /// # Errors
    /// As [`Engine::read`].
    pub async fn read_contents(&self, names: &[String]) -> Result<Vec<Option<Content>>> {
        self.inner.check()?;
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let found = match self.inner.storage.read_contents(names).await {
            Err(StorageError::Closed) => self.inner.storage.read_contents(names).await,
            found => found,
        };
        found.map_err(|error| self.inner.error_of(error))
    }

    /// The names of all contents that are stored, in any order.
    ///
    /// # Errors
    /// As [`Engine::read`].
    pub async fn content_names(&self) -> Result<Vec<String>> {
        self.inner.check()?;
        let found = match self.inner.storage.content_names().await {
            Err(StorageError::Closed) => self.inner.storage.content_names().await,
            found => found,
        };
        found.map_err(|error| self.inner.error_of(error))
    }
}
