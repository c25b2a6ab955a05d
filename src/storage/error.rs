use crate::error::{Error, ErrorKind};

/// The result of a storage operation.
pub type StorageResult<T> = Result<T, StorageError>;

/// Why a storage operation failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StorageError {
    /// An expectation did not hold, or the key of an addition was taken. Nothing was written.
    #[error("another connection has written first")]
    Conflict,
    /// The connection is closed, by us or by the platform. Nothing was written.
    #[error("the connection to the storage is closed")]
    Closed,
    /// The connection was closed while a write was under way: it may have happened or not.
    #[error("the connection to the storage was closed in the middle of a write")]
    Unknown,
    /// The platform refused or failed: quota, denied access, an error of the disk. Nothing was written.
    #[error("{name}: {message}")]
    Platform {
        /// The platform's name of the error, such as `QuotaExceededError`.
        name: String,
        /// What the platform said.
        message: String,
    },
    /// A stored record is not what was written.
    #[error("the stored record {record} is damaged: {problem}")]
    Damaged {
        /// Which record, as `space/key`.
        record: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The database was written by a version of the software that this one does not know.
    #[error(
        "the database has the storage format {found}, this version knows formats up to {known}; use a newer version"
    )]
    NewerFormat {
        /// The format found.
        found: u8,
        /// The newest format this code reads.
        known: u8,
    },
}

impl StorageError {
    /// Whether the same transaction may work if it is planned again.
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict)
    }

    /// Whether the platform does not let this page use the storage at all, where it says so at opening.
    ///
    /// `SecurityError` comes where a page has no origin or the person has forbidden storage, `InvalidStateError` in private
    /// windows of Firefox before version 115. `UnknownError` is none: it comes where the browser can't open what lies on
    /// the disk, and an empty database elsewhere would look as if that were lost.
    pub fn is_refusal(&self) -> bool {
        matches!(self.name(), "SecurityError" | "InvalidStateError" | "NotAllowedError")
    }

    /// A name as the platform gives errors.
    pub fn name(&self) -> &str {
        match self {
            Self::Conflict => "ConstraintError",
            Self::Closed | Self::Unknown => "InvalidStateError",
            Self::Platform { name, .. } => name,
            Self::Damaged { .. } => "DataError",
            Self::NewerFormat { .. } => "VersionError",
        }
    }
}

impl From<StorageError> for Error {
    /// PouchDB's `indexed_db_went_bad`, with the platform's name of the error as reason and what to do about it as message.
    fn from(error: StorageError) -> Self {
        let message = match &error {
            StorageError::Platform { name, message } if name == "QuotaExceededError" => {
                let said = if message.is_empty() { String::new() } else { format!(" ({message})") };
                format!(
                    "QuotaExceededError: there is no room{said}. Nothing of this call was written; what is stored can be \
                     read. Destroy databases that are not needed, remove other data of this site or free space on the \
                     disk, then try again"
                )
            }
            StorageError::Closed => {
                "the browser has closed the connection to the storage and lets no other one be opened; \
                                     nothing of this call was written"
                    .to_owned()
            }
            other => other.to_string(),
        };
        Self::new(ErrorKind::Storage).with_reason(error.name().to_owned()).with_message(message)
    }
}
