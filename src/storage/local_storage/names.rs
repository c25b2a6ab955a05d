//! Under which keys of localStorage a database keeps what.
//!
//! `potoroo:NAME/log/7` is a record under a number, `potoroo:NAME/meta/'header` one under a text; `potoroo:NAME/root` and
//! its like are the backend's own. A `/` or `%` in the database's name is escaped, so that no name begins another's keys.

use crate::storage::{Key, Space};

/// What stands before the text of a key, which numbers do not begin with.
const TEXT: char = '\'';

/// The keys of one database.
pub(super) struct Names {
    prefix: String,
}

impl Names {
    pub(super) fn new(database: &str) -> Self {
        Self { prefix: format!("potoroo:{}/", database.replace('%', "%25").replace('/', "%2F")) }
    }

    /// What every key of the database begins with.
    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The key of what has a name within the database.
    pub(super) fn full(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// Which write was the last, and what is left to do of it.
    pub(super) fn root(&self) -> String {
        self.full("root")
    }

    /// Whose turn it is to write, where the platform has no locks.
    pub(super) fn turn(&self) -> String {
        self.full("turn")
    }

    /// The newest notice, where the platform has no channel.
    #[cfg(target_arch = "wasm32")]
    pub(super) fn notice(&self) -> String {
        self.full("notice")
    }
}

/// A record's name within the database.
pub(super) fn record(space: Space, key: &Key) -> String {
    match key {
        Key::Number(number) => format!("{}/{number}", space.name()),
        Key::Text(text) => format!("{}/{TEXT}{text}", space.name()),
    }
}

/// The number in the name of a record of the space that has one.
pub(super) fn number(space: Space, name: &str) -> Option<u64> {
    name.strip_prefix(space.name())?.strip_prefix('/')?.parse().ok()
}

/// The text in the name of a record of the space that has one.
pub(super) fn text(space: Space, name: &str) -> Option<&str> {
    name.strip_prefix(space.name())?.strip_prefix('/')?.strip_prefix(TEXT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_is_read_back_and_nothing_else_is_one() {
        assert_eq!(record(Space::Log, &7.into()), "log/7");
        assert_eq!(number(Space::Log, "log/7"), Some(7));
        for other in ["block/7", "log/'7", "log", "log/", "logs/7", "root"] {
            assert_eq!(number(Space::Log, other), None, "{other}");
        }
        assert_eq!(text(Space::Log, &record(Space::Log, &"7'/".into())), Some("7'/"));
        assert_eq!(text(Space::Log, "log/7"), None);
    }

    #[test]
    fn no_name_begins_the_keys_of_another() {
        let names = ["a", "a/log", "a%2Flog", "a%252Flog", ""].map(Names::new);
        for (index, one) in names.iter().enumerate() {
            for other in names.iter().skip(index + 1) {
                assert!(!one.root().starts_with(other.prefix()) && !other.root().starts_with(one.prefix()));
            }
        }
    }
}
