//! Reading many documents: all of them by id, or by the order of their changes. Synchronous functions of a snapshot.

mod all_docs;
mod changes;
mod document;
mod range;
#[cfg(test)]
mod tests;

pub use all_docs::{AllDocsOptions, all_docs};
pub use changes::{Change, ChangesOptions, ChangesPage, Style, changes, changes_text};
pub use document::{document_text, text_of};
