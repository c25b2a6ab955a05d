//! Reading many documents: all of them by id, or by the order of their changes. Synchronous functions of a snapshot.

mod all_docs;
mod attachments;
mod changes;
mod collation;
mod conflicts;
mod document;
mod range;
mod selector;
#[cfg(test)]
mod tests;

pub use all_docs::{AllDocs, AllDocsOptions};
pub use attachments::{fill_marks, marks_of, with_marks};
pub use changes::{Change, Changes, ChangesOptions, ChangesPage, Style, changes_text};
pub use collation::compare;
pub use conflicts::{Conflict, Conflicts, ConflictsOptions};
pub use document::{document_text, text_of};
pub use selector::Selector;
