use crate::storage::StorageError;
use indexed_db_futures::error::{DomException, Error, OpenDbError};
use wasm_bindgen::JsCast;

/// Whether the key of an addition was taken.
pub(super) fn is_constraint(error: &Error) -> bool {
    matches!(error, Error::DomException(DomException::ConstraintError(_)))
}

fn platform(error: &Error) -> StorageError {
    match error {
        Error::DomException(exception) => {
            let exception: web_sys::DomException = exception.clone().into();
            StorageError::Platform { name: exception.name(), message: exception.message() }
        }
        other => StorageError::Platform { name: "UnknownError".into(), message: other.to_string() },
    }
}

/// An error before anything was committed.
pub(super) fn from_idb(error: Error) -> StorageError {
    match &error {
        // What a connection that is closing says to a new transaction.
        Error::DomException(DomException::InvalidStateError(_)) => StorageError::Closed,
        _ => platform(&error),
    }
}

/// An error of the commit itself: unless the platform gives a reason of its own, the outcome is not known.
pub(super) fn from_commit(error: Error) -> StorageError {
    match &error {
        Error::DomException(
            DomException::AbortError(_)
            | DomException::InvalidStateError(_)
            | DomException::TransactionInactiveError(_),
        )
        | Error::MissingData(_) => StorageError::Unknown,
        _ => platform(&error),
    }
}

/// An error of opening or deleting a database.
pub(super) fn from_open(error: OpenDbError) -> StorageError {
    match error {
        OpenDbError::Base(error) => match &error {
            Error::Unknown(unknown) => {
                let value: &wasm_bindgen::JsValue = unknown.as_ref();
                let message = value.dyn_ref::<js_sys::Error>().map(|error| String::from(error.message()));
                StorageError::Platform {
                    name: "UnknownError".into(),
                    message: message.unwrap_or_else(|| format!("{value:?}")),
                }
            }
            _ => platform(&error),
        },
        other => StorageError::Platform { name: "NotSupportedError".into(), message: other.to_string() },
    }
}
