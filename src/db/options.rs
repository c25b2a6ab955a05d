use serde::Deserialize;

/// How a database is opened.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct DatabaseOptions {
    /// `idb` or `indexeddb` (the same), `memory`, or `None` for the best there is.
    pub adapter: Option<String>,
    /// How many generations of a branch are kept.
    pub revs_limit: usize,
    /// Whether a revision's hash follows from the edit; else it is random.
    pub deterministic_revs: bool,
    /// What the application asked for; told in `info`.
    pub auto_compaction: bool,
}

impl Default for DatabaseOptions {
    fn default() -> Self {
        Self { adapter: None, revs_limit: 1000, deterministic_revs: true, auto_compaction: false }
    }
}

impl DatabaseOptions {
    /// A database in memory.
    pub fn in_memory() -> Self {
        Self { adapter: Some("memory".to_owned()), ..Self::default() }
    }
}
