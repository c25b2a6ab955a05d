//! An ordered key-value engine with a log: commits by exclusive append, group commit, several tabs at once.
//!
//! - A **commit** is one log record, added under the next position. Adding fails if another tab took the position:
//!   that failure is the lock. The engine then applies what it missed, plans again and tries the next position.
//! - **Group commit**: plans that arrive while a commit is in flight share the next one.
//! - A **plan** is a synchronous function of an [`Overlay`] (what is there, and what the plans before it in the group
//!   write); it may be called again, after another tab's commit.
//! - The **memtable** is the log replayed. When the log is long it is **flushed** into a sorted [run](runs), and what is
//!   flushed is retired from the log; runs are **merged** so that there are few. Both happen in the background.
//! - A **read** is a synchronous function of a [`Snapshot`]. Blocks of runs that it needs and that are not in the cache are
//!   loaded, and it is called again. What reads a lot does so in steps, each of which goes on where the last one ended.

mod batch;
mod cache;
mod catch_up;
mod check;
mod contents;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod group;
mod header;
mod keyspace;
mod listing;
mod load;
mod maintain;
mod memtable;
mod notices;
mod open;
mod read;
mod record;
mod runs;
mod scan;
mod settings;
mod snapshot;
#[cfg(test)]
mod tests;

pub use batch::{Overlay, View};
pub use check::{Problem, StoredRecords, check_records};
pub use keyspace::Keyspace;
pub use listing::{Listing, ROWS_AHEAD, Rows, STEP_BYTES};
pub use open::{Beginning, Ended, Engine, Origin};
pub use read::Step;
pub use settings::Settings;
pub use snapshot::Snapshot;
