use crate::storage::StorageError;
use crate::storage::local_storage::platform_error;
use indexed_db_futures::error::{DomException, Error, OpenDbError};
use wasm_bindgen::{JsCast, JsValue};

/// Whether the key of an addition was taken.
pub(super) fn is_constraint(error: &Error) -> bool {
    matches!(error, Error::DomException(DomException::ConstraintError(_)))
}

fn platform(error: &Error) -> StorageError {
    match error {
        Error::DomException(exception) => platform_exception(&exception.clone().into()),
        other => StorageError::Platform { name: "UnknownError".into(), message: other.to_string() },
    }
}

fn platform_exception(exception: &web_sys::DomException) -> StorageError {
    StorageError::Platform { name: exception.name(), message: exception.message() }
}

/// An error before anything was committed.
pub(super) fn from_idb(error: Error) -> StorageError {
    match (&error, platform(&error)) {
        // What a connection that is closing says to a new transaction, and to the requests of one under way.
        (Error::DomException(DomException::InvalidStateError(_) | DomException::AbortError(_)), _) => {
            StorageError::Closed
        }
        (_, StorageError::Platform { message, .. }) if is_lost(&message) => StorageError::Closed,
        (_, error) => error,
    }
}

/// An error of a read: what was thrown, or why its transaction was aborted.
pub(super) fn from_read(error: &JsValue) -> StorageError {
    match platform_error(error) {
        // What a connection that is closing says to a new transaction, and to the requests of one under way.
        StorageError::Platform { name, .. } if name == "InvalidStateError" || name == "AbortError" => {
            StorageError::Closed
        }
        StorageError::Platform { message, .. } if is_lost(&message) => StorageError::Closed,
        error => error,
    }
}

/// Why a transaction was aborted. Without a reason, or where that is only that the connection was closed, the outcome is not
/// known.
pub(super) fn from_abort(cause: Option<web_sys::DomException>) -> StorageError {
    match cause.as_ref().map(platform_exception) {
        Some(StorageError::Platform { name, message }) if name != "AbortError" && !is_lost(&message) => {
            StorageError::Platform { name, message }
        }
        _ => StorageError::Unknown,
    }
}

/// An error of the commit itself. `cause` is why the browser has aborted the transaction: its word that nothing was
/// written. Without one, or where that is only that the connection was closed, the outcome is not known.
pub(super) fn from_commit(error: Error, cause: Option<web_sys::DomException>) -> StorageError {
    match cause {
        Some(_) => from_abort(cause),
        None => match &error {
            Error::DomException(
                DomException::AbortError(_)
                | DomException::InvalidStateError(_)
                | DomException::TransactionInactiveError(_),
            )
            | Error::MissingData(_) => StorageError::Unknown,
            _ => platform(&error),
        },
    }
}

/// Whether WebKit says that it has lost the process behind the connection, as it does while a page sleeps.
fn is_lost(message: &str) -> bool {
    message.contains("Connection to Indexed Database server lost")
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
            // What Chromium says while it removes the data of a site.
            Error::DomException(DomException::AbortError(_)) => StorageError::Closed,
            _ => platform(&error),
        },
        // What the crate makes of whatever `open` throws. The version is never zero; else it throws, by the standard,
        // only where the page may not use IndexedDB.
        OpenDbError::VersionZero => StorageError::Platform {
            name: "SecurityError".into(),
            message: "the browser does not let this page use IndexedDB".into(),
        },
        other => StorageError::Platform { name: "NotSupportedError".into(), message: other.to_string() },
    }
}
