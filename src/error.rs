//! The one error type that leaves the crate: PouchDB's status, name, message and reason.
//!
//! The table follows `pouchdb-errors`; applications compare `status` and `name`, so neither may differ.

use serde::ser::{Serialize, SerializeMap, Serializer};
use std::borrow::Cow;
use std::fmt;

/// The result of everything above the storage layer.
pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong, one variant a row of PouchDB's error table, and a few that PouchDB has no row for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// 401: name or password refused.
    Unauthorized,
    /// 400: `bulkDocs` without a list of documents.
    MissingBulkDocs,
    /// 404: no such document or revision.
    NotFound,
    /// 409: the edit's parent is not a leaf.
    Conflict,
    /// 400: `_id` is no string.
    InvalidId,
    /// 412: `put` without `_id`.
    MissingId,
    /// 400: `_id` starts with an underscore.
    ReservedId,
    /// 412: the database is not open.
    NotOpen,
    /// 500: anything without a row of its own.
    Unknown,
    /// 500: an argument of a wrong type.
    BadArgument,
    /// 400: a request that makes no sense.
    InvalidRequest,
    /// 400: options of a query that contradict each other.
    QueryParse,
    /// 500: a member with a leading underscore that is not known.
    DocValidation,
    /// 400: something wrong with the request.
    BadRequest,
    /// 400: the document is no JSON object.
    NotAnObject,
    /// 500: the browser's storage failed; `reason` names its error, such as `QuotaExceededError`.
    Storage,
    /// 403: a validation function refused the document.
    Forbidden,
    /// 400: `_rev` is not `N-hash`.
    InvalidRev,
    /// 412: the database exists.
    FileExists,
    /// 412: an attachment stub whose digest is not known.
    MissingStub,
    /// 413: an address that is not valid.
    InvalidUrl,
    /// The database was closed by this application; a plain error without a status, as PouchDB's.
    Closed,
    /// The database was destroyed, here or in another tab; a plain error without a status, as PouchDB's.
    Destroyed,
    /// The network or the server did not answer as HTTP; worth another try.
    Network,
    /// The server's own error, with its status, name and reason.
    Remote,
    /// 501: a part of PouchDB's API that is not there yet.
    NotYet,
}

impl ErrorKind {
    /// PouchDB's status, name and default message.
    fn row(self) -> (u16, &'static str, &'static str) {
        match self {
            Self::Unauthorized => (401, "unauthorized", "Name or password is incorrect."),
            Self::MissingBulkDocs => (400, "bad_request", "Missing JSON list of 'docs'"),
            Self::NotFound => (404, "not_found", "missing"),
            Self::Conflict => (409, "conflict", "Document update conflict"),
            Self::InvalidId => (400, "bad_request", "_id field must contain a string"),
            Self::MissingId => (412, "missing_id", "_id is required for puts"),
            Self::ReservedId => (400, "bad_request", "Only reserved document ids may start with underscore."),
            Self::NotOpen => (412, "precondition_failed", "Database not open"),
            Self::Unknown => (500, "unknown_error", "Database encountered an unknown error"),
            Self::BadArgument => (500, "badarg", "Some query argument is invalid"),
            Self::InvalidRequest => (400, "invalid_request", "Request was invalid"),
            Self::QueryParse => (400, "query_parse_error", "Some query parameter is invalid"),
            Self::DocValidation => (500, "doc_validation", "Bad special document member"),
            Self::BadRequest => (400, "bad_request", "Something wrong with the request"),
            Self::NotAnObject => (400, "bad_request", "Document must be a JSON object"),
            Self::Storage => (500, "indexed_db_went_bad", "unknown"),
            Self::Forbidden => (403, "forbidden", "Forbidden by design doc validate_doc_update function"),
            Self::InvalidRev => (400, "bad_request", "Invalid rev format"),
            Self::FileExists => {
                (412, "file_exists", "The database could not be created, the file already exists.")
            }
            Self::MissingStub => (412, "missing_stub", "A pre-existing attachment stub wasn't found"),
            Self::InvalidUrl => (413, "invalid_url", "Provided URL is invalid"),
            Self::Closed => (0, "Error", "database is closed"),
            Self::Destroyed => (0, "Error", "database is destroyed"),
            Self::Network => (0, "TypeError", "Failed to fetch"),
            Self::Remote => (500, "unknown_error", "The server answered with an error"),
            Self::NotYet => (501, "not_implemented", "This part of PouchDB's API is not available yet"),
        }
    }
}

/// An error as PouchDB gives it.
///
/// Serializes to `{status, name, message, error: true, reason?, docId?, id?}`; `status` is left out where it is 0, and a
/// server's errors have their name as `error`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    kind: ErrorKind,
    status: u16,
    name: Cow<'static, str>,
    message: Cow<'static, str>,
    reason: Option<Cow<'static, str>>,
    doc_id: Option<String>,
    retry_after_seconds: Option<u32>,
}

impl Error {
    /// The row of PouchDB's table for `kind`, without a reason.
    pub fn new(kind: ErrorKind) -> Self {
        let (status, name, message) = kind.row();
        Self {
            kind,
            status,
            name: name.into(),
            message: message.into(),
            reason: None,
            doc_id: None,
            retry_after_seconds: None,
        }
    }

    /// A 404 with PouchDB's reason `missing`.
    pub fn missing() -> Self {
        Self::new(ErrorKind::NotFound).with_reason("missing")
    }

    /// A 404 with PouchDB's reason `deleted`.
    pub fn deleted() -> Self {
        Self::new(ErrorKind::NotFound).with_reason("deleted")
    }

    /// What a server answered: its HTTP status and the `error` and `reason` of its JSON body.
    pub fn remote(status: u16, name: impl Into<String>, reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self {
            status,
            name: Cow::Owned(name.into()),
            message: Cow::Owned(reason.clone()),
            reason: Some(Cow::Owned(reason)),
            ..Self::new(ErrorKind::Remote)
        }
    }

    /// A request that got no HTTP answer, with what the platform said of it.
    pub fn network(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Network).with_message(message.into())
    }

    /// The same error with another message.
    pub fn with_message(mut self, message: impl Into<Cow<'static, str>>) -> Self {
        self.message = message.into();
        self
    }

    /// The same error with a reason.
    pub fn with_reason(mut self, reason: impl Into<Cow<'static, str>>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// The same error, about one document.
    pub fn with_doc_id(mut self, id: impl Into<String>) -> Self {
        self.doc_id = Some(id.into());
        self
    }

    /// The same error with the server's wish for a pause, in seconds.
    pub fn with_retry_after(mut self, seconds: Option<u32>) -> Self {
        self.retry_after_seconds = seconds;
        self
    }

    /// What went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// PouchDB's status, which is an HTTP status; 0 where there is none.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// PouchDB's short name, such as `conflict`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The sentence for people.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The detail of it, such as `missing` or `deleted` of a 404.
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// The document it is about.
    pub fn doc_id(&self) -> Option<&str> {
        self.doc_id.as_deref()
    }

    /// How long the server asks to wait before the next try, in seconds.
    pub fn retry_after_seconds(&self) -> Option<u32> {
        self.retry_after_seconds
    }

    /// Whether an edit lost against another one.
    pub fn is_conflict(&self) -> bool {
        self.status == 409
    }

    /// Whether there is no such document, revision or database.
    pub fn is_not_found(&self) -> bool {
        self.status == 404
    }

    /// Whether an attachment comes as a stub of a content that is not there.
    pub fn is_missing_stub(&self) -> bool {
        self.status == 412 && self.name == "missing_stub"
    }

    /// Whether the credentials are refused: 401 or 403, or so named in any case (as PouchDB's replicator reads it).
    pub fn is_denied(&self) -> bool {
        self.name.eq_ignore_ascii_case("unauthorized") || self.name.eq_ignore_ascii_case("forbidden")
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}: {}", self.status, self.name, self.message)?;
        match &self.reason {
            Some(reason) if *reason != self.message => write!(formatter, " ({reason})"),
            _ => Ok(()),
        }
    }
}

impl std::error::Error for Error {}

impl Serialize for Error {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if self.status != 0 {
            map.serialize_entry("status", &self.status)?;
        }
        map.serialize_entry("name", &self.name)?;
        map.serialize_entry("message", &self.message)?;
        // PouchDB passes on what a server says.
        if self.kind == ErrorKind::Remote {
            map.serialize_entry("error", &self.name)?;
        } else if self.status != 0 {
            map.serialize_entry("error", &true)?;
        }
        if let Some(reason) = &self.reason {
            map.serialize_entry("reason", reason)?;
        }
        if let Some(id) = &self.doc_id {
            map.serialize_entry("id", id)?;
            map.serialize_entry("docId", id)?;
        }
        map.end()
    }
}
