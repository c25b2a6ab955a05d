use crate::engine::Settings;
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
    /// How many bytes of blocks are kept in memory, at least a little; `None`: 32 MiB. Shared like the durability.
    pub cache_bytes: Option<u64>,
    /// Opens a database whose log has a damaged record as well: it can be read then, as it was before that record, and not be
    /// written. Shared like the durability.
    pub salvage: bool,
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
            cache_bytes: None,
            salvage: false,
            revs_limit: 1000,
            deterministic_revs: true,
            auto_compaction: false,
            purged_infos_limit: 1000,
        }
    }
}

impl DatabaseOptions {
    /// The engine's settings that follow from these options.
    pub(super) fn settings(&self) -> Settings {
        let default = Settings::default();
        let cache_bytes = self.cache_bytes.map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
        // With less than one block nothing could be kept from one call to the next.
        let cache_bytes = cache_bytes.map_or(default.cache_bytes, |bytes| bytes.max(default.block_bytes * 4));
        Settings { cache_bytes, salvage: self.salvage, ..default }
    }

    /// A database in memory.
    pub fn in_memory() -> Self {
        Self { adapter: Some("memory".to_owned()), ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache_bytes_of(options: &str) -> usize {
        serde_json::from_str::<DatabaseOptions>(options).unwrap().settings().cache_bytes
    }

    #[test]
    fn the_cache_has_the_bytes_that_the_application_gives_it_and_room_for_some_blocks() {
        assert_eq!(cache_bytes_of("{}"), 32 << 20);
        assert_eq!(cache_bytes_of(r#"{"cache_bytes": 1000000}"#), 1_000_000);
        assert_eq!(cache_bytes_of(r#"{"cache_bytes": 0}"#), 64 << 10);
    }
}
