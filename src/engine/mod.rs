//! An ordered key-value engine with a log: commits by exclusive append, group commit, several tabs at once.
//!
//! - A **commit** is one log record, added under the next position. Adding fails if another tab took the position:
//!   that failure is the lock. The engine then applies what it missed, plans again and tries the next position.
//! - **Group commit**: plans that arrive while a commit is in flight share the next one.
//! - A **plan** is a synchronous function of an [`Overlay`] (what is there, and what the plans before it in the group
//!   write); it may be called again, after another tab's commit.
//! - The **memtable** is the log replayed. It holds the whole database for now; flushing it into sorted runs comes next,
//!   and finds its place in [`Storage`](crate::storage::Storage) ready.

mod batch;
mod group;
mod header;
mod keyspace;
mod memtable;
mod open;
mod record;
#[cfg(test)]
mod tests;

pub use batch::{Overlay, View};
pub use keyspace::Keyspace;
pub use memtable::Snapshot;
pub use open::{Ended, Engine};
