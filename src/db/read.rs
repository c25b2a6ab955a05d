//! Many documents, and what is missing of them.

use super::open::Database;
use crate::doc::{Rev, json_text};
use crate::edit::StoredDocument;
use crate::engine::Snapshot;
use crate::error::Result;
use crate::query::{
    AllDocs, AllDocsOptions, Changes, ChangesOptions, ChangesPage, Conflicts, ConflictsOptions,
};
use std::collections::BTreeMap;

/// Revisions by document, as `_revs_diff` takes and gives them.
pub type Revs = BTreeMap<String, Vec<String>>;

impl Database {
    /// The answer of `allDocs`, as JSON text.
    ///
    /// # Errors
    /// A storage error where what is stored cannot be read.
    pub async fn all_docs(&self, options: &AllDocsOptions) -> Result<String> {
        let answer = self.engine()?.read_in_steps(|| AllDocs::new(options), AllDocs::step).await?;
        Ok(answer.into_text())
    }

    /// A page of changes.
    ///
    /// # Errors
    /// A storage error where what is stored cannot be read.
    pub async fn changes(&self, options: &ChangesOptions) -> Result<ChangesPage> {
        let page = self.engine()?.read_in_steps(|| Changes::new(options), Changes::step).await?;
        Ok(page.into_page())
    }

    /// A page of the documents that have conflicts, as JSON text: `{results, last_seq}`.
    ///
    /// # Errors
    /// A storage error where what is stored cannot be read.
    pub async fn conflicts(&self, options: &ConflictsOptions) -> Result<String> {
        let page = self.engine()?.read_in_steps(|| Conflicts::new(options), Conflicts::step).await?;
        Ok(page.into_text())
    }

    /// Which of the revisions are not stored, by document. Documents of which all are stored are left out; one that is not
    /// there is named also where none of its revisions was asked for, as in PouchDB.
    ///
    /// # Errors
    /// A storage error where what is stored cannot be read.
    pub async fn missing_revs(&self, revs: &Revs) -> Result<Revs> {
        self.engine()?.read(|snapshot| Self::missing_from(snapshot, revs)).await
    }

    fn missing_from(snapshot: &Snapshot, revs: &Revs) -> Result<Revs> {
        let mut missing = Revs::new();
        for (id, revs) in revs {
            let Some(document) = StoredDocument::find(snapshot, id)? else {
                missing.insert(id.clone(), revs.clone());
                continue;
            };
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
    pub async fn revs_diff(&self, revs: &Revs) -> Result<String> {
        let missing = self.missing_revs(revs).await?;
        let entries =
            missing.iter().map(|(id, revs)| format!("{}:{{\"missing\":{}}}", json_text(id), json_text(revs)));
        Ok(format!("{{{}}}", entries.collect::<Vec<_>>().join(",")))
    }
}
