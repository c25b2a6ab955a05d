//! Edits: what a bulk write does to the database, as a synchronous function of what is there.
//!
//! [`Bulk::prepare`] reads the documents and draws what is random, once; [`Bulk::plan`] then decides, as often as the
//! engine asks, and writes into an [`Overlay`](crate::engine::Overlay).

mod adopt;
mod attachments;
mod bulk;
mod check;
mod compact;
mod counters;
mod local_document;
mod new_edit;
mod purge;
mod replicated;
mod sequence;
mod stored;
#[cfg(test)]
pub(crate) mod tests;
mod write;

pub use adopt::{Adoption, adoption_mark, first_mark};
pub use attachments::Supplied;
pub use bulk::{Bulk, DocumentResult, EditOptions};
pub use check::{ContentsCheck, StoredContents};
pub use compact::{CompactionSlice, compact_document, compacted_until};
pub use counters::Counters;
pub use local_document::{LocalDocument, WITH_ATTACHMENTS, read_local};
pub use purge::{Purged, purge};
pub use sequence::SequenceEntry;
pub use stored::StoredDocument;
