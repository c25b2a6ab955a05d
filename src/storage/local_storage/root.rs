use crate::storage::{Space, StorageError, StorageResult};
use serde::{Deserialize, Serialize};

/// The format of what this backend writes; the format of the records is the engine's.
const FORMAT: u8 = 1;

/// So many units the root takes at least, filled up with spaces. A root with something left to do finds room in its place
/// even where the storage is full, so that records can be deleted then.
const RESERVE: usize = 1024;

/// The one text that decides what is there: which write was the last, and what is left to do of it.
///
/// A write is done at the moment when the root with its number is set. Never is there both something to undo and something
/// to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Root {
    pub(super) format: u8,
    /// Random; a database made anew under the same name has another one.
    pub(super) instance: String,
    /// How many writes there have been.
    pub(super) number: u64,
    /// Names of records that a write has begun to add: they are not there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) undo: Vec<String>,
    /// What the last write has done that is not in its place yet, to be done in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) redo: Vec<Step>,
}

/// A change of records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Step {
    /// No records of the space under the numbers from the first to below the second.
    Range(String, u64, u64),
    /// No record of this name.
    Remove(String),
    /// The record of this name has this text.
    Put(String, String),
}

impl Root {
    /// That of a new database.
    pub(super) fn new(instance: String) -> Self {
        Self { format: FORMAT, instance, number: 0, undo: Vec::new(), redo: Vec::new() }
    }

    /// Whether nothing is left to do.
    pub(super) fn is_settled(&self) -> bool {
        self.undo.is_empty() && self.redo.is_empty()
    }

    pub(super) fn encode(&self) -> String {
        let text = serde_json::to_string(self).expect("BUG: a root that is no JSON");
        format!("{text:RESERVE$}")
    }

    pub(super) fn decode(text: &str) -> StorageResult<Self> {
        #[derive(Deserialize)]
        struct Format {
            format: u8,
        }
        let damaged = |_| StorageError::Damaged { record: "root".into(), problem: "it can't be read" };
        let Format { format } = serde_json::from_str(text).map_err(damaged)?;
        if format > FORMAT {
            return Err(StorageError::NewerFormat { found: format, known: FORMAT });
        }
        serde_json::from_str(text).map_err(damaged)
    }
}

impl Step {
    /// Whether it removes all records of the space under numbers like this one.
    pub(super) fn is_range_over(&self, space: Space, number: u64) -> bool {
        matches!(self, Self::Range(name, start, end) if name == space.name() && (*start..*end).contains(&number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_comes_back() {
        let redo = vec![
            Step::Range("log".into(), 1, 9_007_199_254_740_993),
            Step::Remove("meta/'a\"\\".into()),
            Step::Put("block/1".into(), "\u{3400}\u{b3ff}\u{80}".into()),
        ];
        let root = Root { number: 7, undo: vec!["log/1".into()], redo, ..Root::new("some".into()) };
        assert_eq!(Root::decode(&root.encode()), Ok(root));
    }

    #[test]
    fn a_root_with_a_little_left_to_do_takes_no_more_room() {
        let root = Root::new(crate::env::uuid());
        let retiring = Root { redo: vec![Step::Range("log".into(), 1, u64::MAX)], ..root.clone() };
        assert_eq!(root.encode().chars().count(), RESERVE);
        assert_eq!(retiring.encode().chars().count(), RESERVE);
    }

    #[test]
    fn what_is_no_root_is_refused() {
        for text in ["", "{}", "7", "{\"format\":1}"] {
            assert!(matches!(Root::decode(text), Err(StorageError::Damaged { .. })), "{text}");
        }
        let newer = "{\"format\":2,\"something\":\"else\"}";
        assert_eq!(Root::decode(newer), Err(StorageError::NewerFormat { found: 2, known: 1 }));
    }
}
