use crate::storage::Durability;
use serde::Deserialize;

/// How a database is opened.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct DatabaseOptions {
    /// `idb` or `indexeddb` (the same), `localstorage`, `memory`, or `None` for the best that the platform does not refuse.
    pub adapter: Option<String>,
    /// What an acknowledged write survives. Handles of one name share an engine: that of the first one holds for all.
    pub durability: Durability,
    /// How many generations of a branch are kept.
    pub revs_limit: usize,
    /// Whether a revision's hash follows from the edit; else it is random.
    pub deterministic_revs: bool,
    /// Whether a document loses the bodies of all revisions but its leaves as it is written.
    pub auto_compaction: bool,
    /// How many purges `_local/purges` lists.
    pub purged_infos_limit: usize,
}

impl Default for DatabaseOptions {
    fn default() -> Self {
        Self {
            adapter: None,
            durability: Durability::default(),
            revs_limit: 1000,
            deterministic_revs: true,
            auto_compaction: false,
            purged_infos_limit: 1000,
        }
    }
}

impl DatabaseOptions {
    /// A database in memory.
    pub fn in_memory() -> Self {
        Self { adapter: Some("memory".to_owned()), ..Self::default() }
    }
}
