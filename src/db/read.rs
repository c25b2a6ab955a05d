//! Many documents, and what is missing of them.

use super::open::Database;
use crate::doc::{Rev, json_text};
use crate::edit::StoredDocument;
use crate::error::Result;
use crate::query::{self, AllDocsOptions, ChangesOptions, ChangesPage};
use std::collections::BTreeMap;

/// Revisions by document, as `_revs_diff` takes and gives them.
pub(super) type Revs = BTreeMap<String, Vec<String>>;

impl Database {
    /// The answer of `allDocs`, as JSON text.
    ///
    /// # Errors
    /// A storage error where what is stored cannot be read.
    pub fn all_docs(&self, options: &AllDocsOptions) -> Result<String> {
        query::all_docs(&self.snapshot()?, options)
    }

    /// A page of changes.
    ///
    /// # Errors
    /// A storage error where what is stored cannot be read.
    pub fn changes(&self, options: &ChangesOptions) -> Result<ChangesPage> {
        query::changes(&self.snapshot()?, options)
    }

    /// Which of the revisions are not stored, by document; documents of which all are stored are left out.
    ///
    /// # Errors
    /// A storage error where what is stored cannot be read.
    pub fn missing_revs(
        &self,
        revs: &BTreeMap<String, Vec<String>>,
    ) -> Result<BTreeMap<String, Vec<String>>> {
        let snapshot = self.snapshot()?;
        let mut missing = Revs::new();
        for (id, revs) in revs {
            let document = StoredDocument::find(&snapshot, id)?.unwrap_or_default();
            let is_missing = |rev: &&String| {
                let status = rev.parse().ok().and_then(|rev: Rev| document.tree.status(&rev));
                !status.is_some_and(|status| status.available)
            };
            let missing_here: Vec<_> = revs.iter().filter(is_missing).cloned().collect();
            if !missing_here.is_empty() {
                missing.insert(id.clone(), missing_here);
            }
        }
        Ok(missing)
    }

    /// [`Database::missing_revs`] as `revsDiff` answers: `{id: {"missing": [rev]}}`.
    ///
    /// # Errors
    /// A storage error where what is stored cannot be read.
    pub fn revs_diff(&self, revs: &BTreeMap<String, Vec<String>>) -> Result<String> {
        let missing = self.missing_revs(revs)?;
        let entries =
            missing.iter().map(|(id, revs)| format!("{}:{{\"missing\":{}}}", json_text(id), json_text(revs)));
        Ok(format!("{{{}}}", entries.collect::<Vec<_>>().join(",")))
    }
}
