//! Writing documents.

use super::contents::digest_of;
use super::open::Database;
use super::options::DatabaseOptions;
use crate::doc::{ContentInfo, json_text};
use crate::edit::{Adoption, Bulk, DocumentResult, EditOptions, Supplied, adoption_mark};
use crate::engine::Overlay;
use crate::error::{Error, ErrorKind, Result};
use crate::storage::Content;
use serde::Deserialize;
use serde_json::value::RawValue;

/// PouchDB's options of `bulkDocs`, and what `remove` adds.
#[derive(Deserialize)]
#[serde(default)]
struct BulkDocsOptions {
    new_edits: bool,
    atomic: bool,
    was_delete: bool,
}

impl Default for BulkDocsOptions {
    fn default() -> Self {
        Self { new_edits: true, atomic: false, was_delete: false }
    }
}

impl Database {
    /// Writes documents, given as the JSON text of an array: all in one commit. Contents of attachments that are not in the
    /// documents as base64 come beside them, and have their index as `data`. The answer is the JSON text of an array:
    /// `{"ok": true, "id", "rev"}` or an error for each document, in the order given; with `new_edits: false` only errors.
    ///
    /// # Errors
    /// What PouchDB refuses a whole call for, and [`ErrorKind::Storage`]: then nothing is written.
    pub async fn bulk_docs_with(&self, docs: &str, contents: Vec<Content>, options: &str) -> Result<String> {
        let options: BulkDocsOptions = serde_json::from_str(options).unwrap_or_default();
        let docs: Vec<&RawValue> =
            serde_json::from_str(docs).map_err(|_| Error::new(ErrorKind::MissingBulkDocs))?;
        let options = EditOptions {
            new_edits: options.new_edits,
            atomic: options.atomic,
            was_delete: options.was_delete,
            deterministic_revs: self.options().deterministic_revs,
            revs_limit: self.options().revs_limit,
            auto_compaction: self.options().auto_compaction,
        };
        let results = self.write(docs.iter().map(|doc| doc.get()), contents, options).await?;
        Ok(json_text(&results))
    }

    /// [`Database::bulk_docs_with`] no contents beside the documents.
    ///
    /// # Errors
    /// The same.
    pub async fn bulk_docs(&self, docs: &str, options: &str) -> Result<String> {
        self.bulk_docs_with(docs, Vec::new(), options).await
    }

    /// Stores revisions made elsewhere, given as JSON texts with `_revisions`: all in one commit. Contents come as in
    /// [`Database::bulk_docs_with`]; attachments without one, stubs, must be there already. Gives the errors of
    /// those that are refused.
    ///
    /// # Errors
    /// As [`Database::bulk_docs`].
    pub async fn write_revisions(
        &self,
        docs: impl IntoIterator<Item = &str>,
        contents: Vec<Content>,
    ) -> Result<Vec<Error>> {
        let DatabaseOptions { revs_limit, auto_compaction, .. } = *self.options();
        let options = EditOptions { new_edits: false, revs_limit, auto_compaction, ..EditOptions::default() };
        let results = self.write(docs, contents, options).await?;
        let refused = results.into_iter().filter_map(|result| match result {
            DocumentResult::Refused(error) => Some(error),
            DocumentResult::Written { .. } => None,
        });
        Ok(refused.collect())
    }

    /// Writes a piece of another database that this one takes the place of; see [`Adoption::prepare`] for its form. Gives the
    /// mark from then on; `None` where the last piece is written, by this call or another tab.
    ///
    /// # Errors
    /// Those of [`Adoption::prepare`], and [`ErrorKind::Storage`]: then nothing of the piece is written.
    pub async fn adopt(&self, piece: &str, contents: Vec<Content>) -> Result<Option<String>> {
        let beside = self.supplied(contents).await?;
        let adoption = Adoption::prepare(piece, &beside)?;
        self.engine()?.commit(move |overlay| adoption.plan(overlay)).await
    }

    /// The mark of a database that has to be filled from another one before it is used; `None` where it is whole.
    ///
    /// # Errors
    /// [`ErrorKind::Closed`] and [`ErrorKind::Destroyed`].
    pub fn adoption_mark(&self) -> Result<Option<String>> {
        self.engine()?.peek(adoption_mark)
    }

    /// Contents that come beside documents, with what is known of them.
    async fn supplied(&self, contents: Vec<Content>) -> Result<Vec<Supplied>> {
        let engine = self.engine()?;
        let mut beside = Vec::with_capacity(contents.len());
        for content in contents {
            let info = ContentInfo { digest: digest_of(&content).await?, length: content.length() };
            beside.push(Supplied { info, content: engine.hold(content).await? });
        }
        Ok(beside)
    }

    async fn write<'a>(
        &self,
        docs: impl IntoIterator<Item = &'a str>,
        contents: Vec<Content>,
        options: EditOptions,
    ) -> Result<Vec<DocumentResult>> {
        let beside = self.supplied(contents).await?;
        let bulk = Bulk::prepare(docs, &beside, options)?;
        let shared = self.shared().clone();
        let plan = move |overlay: &mut Overlay| {
            let results = bulk.plan(overlay)?;
            // Known before any feed hears of them; one that is not written after all is in no feed.
            shared.own_edits.borrow_mut().note(&results);
            Ok(results)
        };
        self.engine()?.commit(plan).await
    }

    /// Whether the revision is an edit that was made here lately, by whichever handle on this page or worker, and not one
    /// that came from elsewhere.
    pub fn is_own_edit(&self, id: &str, rev: &str) -> bool {
        self.shared().own_edits.borrow().contains(id, rev)
    }
}
