//! What this backend needs of localStorage: texts under texts, one call at a time.

use crate::storage::StorageResult;

/// Texts under texts. Each call happens whole or not at all, and nothing holds several of them together.
pub(crate) trait StringMap {
    /// The text under a key.
    ///
    /// # Errors
    /// [`StorageError::Platform`](crate::storage::StorageError::Platform), as those of the other methods.
    fn get(&self, key: &str) -> StorageResult<Option<String>>;

    /// Sets the text under a key. A text that is not longer than the one in its place must find room.
    fn set(&self, key: &str, text: &str) -> StorageResult<()>;

    /// Removes a key.
    fn remove(&self, key: &str) -> StorageResult<()>;

    /// The keys that begin so, in any order.
    fn keys(&self, prefix: &str) -> StorageResult<Vec<String>>;
}
