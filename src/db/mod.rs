//! The local database: what the API and replication call, over an engine that all handles of one name share.
//!
//! ```
//! # potoroo::env::block_on(async {
//! use potoroo::db::{Database, DatabaseOptions};
//! let db = Database::open("notes", DatabaseOptions::in_memory()).await?;
//! let results = db.bulk_docs(r#"[{"_id":"a","title":"Milk"}]"#, r#"{"new_edits":true}"#).await?;
//! assert!(results.starts_with(r#"[{"ok":true,"id":"a","rev":"1-"#));
//! # Ok::<(), potoroo::Error>(()) }).unwrap();
//! ```

mod check;
mod compact;
mod contents;
mod get;
mod open;
mod options;
mod own_edits;
mod read;
mod shared;
#[cfg(test)]
mod tests;
mod write;

pub use crate::edit::WITH_ATTACHMENTS;
pub use check::CheckReport;
pub use compact::CompactionStep;
pub use contents::{Answer, Attachment, digest_of};
pub use get::{BulkGetRequest, GetOptions};
pub use open::{Database, DatabaseEvent, DatabaseInfo};
pub use options::DatabaseOptions;
