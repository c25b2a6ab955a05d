//! Looking at everything that is stored.

use super::contents::check_contents;
use super::open::Database;
use super::options::DatabaseOptions;
use super::shared;
use crate::edit::{ContentsCheck, StoredContents};
use crate::engine::{Problem, StoredRecords, check_records};
use crate::error::{ErrorKind, Result};
use serde::Serialize;

/// What a check has found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckReport {
    /// Whether there is no problem.
    pub ok: bool,
    /// What is in the database; nothing where it cannot be opened or read as a whole.
    #[serde(flatten)]
    pub contents: Option<StoredContents>,
    /// What is stored.
    #[serde(flatten)]
    pub records: StoredRecords,
    /// What is wrong.
    pub problems: Vec<Problem>,
}

impl CheckReport {
    fn new(contents: Option<StoredContents>, records: StoredRecords, problems: Vec<Problem>) -> Self {
        Self { ok: problems.is_empty(), contents, records, problems }
    }
}

impl Database {
    /// Reads every record that is stored, and whether what is in them fits together. Others may go on meanwhile.
    ///
    /// # Errors
    /// A storage error where the platform fails; damage is none here.
    pub async fn check(&self) -> Result<CheckReport> {
        let engine = self.engine()?;
        let mut problems = Vec::new();
        let records = engine.check_records(&mut problems).await?;
        let contents = match engine.read_in_steps(ContentsCheck::default, ContentsCheck::step).await {
            Ok(check) => {
                check_contents(engine, check.attachments(), &mut problems).await?;
                let (contents, found) = check.into_parts();
                problems.extend(found);
                Some(contents)
            }
            // What cannot be read was noted with the records.
            Err(error) if error.kind() == ErrorKind::Storage && !problems.is_empty() => None,
            Err(error) => return Err(error),
        };
        Ok(CheckReport::new(contents, records, problems))
    }

    /// Reads every record of a database that cannot be opened.
    ///
    /// # Errors
    /// A storage error where the platform fails, or the format is a newer one.
    pub async fn check_unopened(name: &str, options: &DatabaseOptions) -> Result<CheckReport> {
        let storage = shared::open_storage(name, options).await?;
        let mut problems = Vec::new();
        let records = check_records(&*storage, &mut problems).await;
        storage.close();
        Ok(CheckReport::new(None, records?, problems))
    }

    /// Removes a database that cannot be opened; those who have it open all the same are told.
    ///
    /// # Errors
    /// A storage error where the platform refuses.
    pub async fn destroy_unopened(name: &str, options: &DatabaseOptions) -> Result<()> {
        let storage = shared::open_storage(name, options).await?;
        Ok(storage.destroy().await?)
    }
}
