//! Errors out of answers.

use super::transport::Response;
use crate::error::{Error, Result};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value};

/// What a server says of an answer with an error status: CouchDB's `{error, reason}`, or whatever stood in its way.
pub(super) fn from_answer(status: u16, retry_after: Option<u32>, body: &[u8]) -> Error {
    let error = match serde_json::from_slice::<Map<String, Value>>(body) {
        Ok(members) if members.contains_key("error") || members.contains_key("reason") => {
            from_members(status, &members)
        }
        // A login page in front of CouchDB is still a refusal; any other page may be gone the next time.
        _ if status == 401 => Error::remote(status, "unauthorized", "Name or password is incorrect."),
        _ => Error::remote(status, "unknown_error", format!("The server answered {status}{}", excerpt(body))),
    };
    error.with_retry_after(retry_after)
}

/// What CouchDB says of one document or of a whole request.
///
/// PouchDB gives errors of single documents the status 500 where the server sends none; here they get the one
/// CouchDB answers with when the document is written alone.
pub(crate) fn from_members(status: u16, members: &Map<String, Value>) -> Error {
    let text = |name: &str| match members.get(name) {
        Some(Value::String(text)) => Some(text.clone()),
        None | Some(Value::Null | Value::Bool(_)) => None,
        Some(other) => Some(other.to_string()),
    };
    let name = text("name").or_else(|| text("error")).unwrap_or_else(|| "unknown".into());
    let reason = text("reason").or_else(|| text("message")).unwrap_or_default();
    let status = match (status, name.to_ascii_lowercase().as_str()) {
        (_, "conflict") => 409,
        (0, "unauthorized") => 401,
        (0, "forbidden") => 403,
        (0, "not_found") => 404,
        (0, _) => 500,
        (status, _) => status,
    };
    let error = Error::remote(status, name, reason);
    match members.get("id").and_then(Value::as_str) {
        Some(id) => error.with_doc_id(id),
        None => error,
    }
}

/// The server's wish for a pause: `Retry-After` in seconds.
pub(super) fn retry_after(response: &Response) -> Option<u32> {
    response.header("retry-after")?.trim().parse().ok()
}

/// Reads a JSON answer. One that is no JSON of the kind expected comes from something between here and CouchDB,
/// such as a login page of a public network, and is worth another try.
pub(crate) fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T> {
    serde_json::from_slice(body).map_err(|error| unreadable(body, &error))
}

/// A JSON answer as text, checked to be JSON.
pub(super) fn text(body: Bytes) -> Result<String> {
    if let Err(error) = serde_json::from_slice::<serde::de::IgnoredAny>(&body) {
        return Err(unreadable(&body, &error));
    }
    String::from_utf8(body.into())
        .map_err(|error| Error::network(format!("The server's answer is no UTF-8: {error}")))
}

fn unreadable(body: &[u8], error: &serde_json::Error) -> Error {
    Error::network(format!("The server's answer is not what CouchDB sends ({error}){}", excerpt(body)))
}

fn excerpt(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body.get(..200).unwrap_or(body));
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(80).collect();
    if line.is_empty() { String::new() } else { format!(": {line}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_servers_error_keeps_its_name_and_reason() {
        let error = from_answer(404, None, br#"{"error":"not_found","reason":"deleted"}"#);
        assert_eq!((error.status(), error.name(), error.message()), (404, "not_found", "deleted"));
        let error = from_answer(503, Some(7), br#"{"error":"busy","reason":null}"#);
        assert_eq!((error.status(), error.name(), error.retry_after_seconds()), (503, "busy", Some(7)));
    }

    #[test]
    fn a_page_instead_of_json_says_what_it_is() {
        let error = from_answer(502, None, b"<html>\n<h1>Bad Gateway</h1>");
        assert_eq!(error.message(), "The server answered 502: <html> <h1>Bad Gateway</h1>");
        assert!(from_answer(401, None, b"<html>").is_denied());
        assert!(!from_answer(403, None, b"<html>").is_denied());
        let error = parse::<Map<String, Value>>(b"<html>Log in</html>").unwrap_err();
        assert!(error.message().contains("<html>Log in</html>"), "{error}");
    }

    #[test]
    fn a_documents_error_gets_the_status_of_its_name() {
        for (name, status) in [("forbidden", 403), ("unauthorized", 401), ("conflict", 409), ("odd", 500)] {
            let members =
                serde_json::from_value(serde_json::json!({"id": "a", "error": name, "reason": "r"}));
            let error = from_members(0, &members.unwrap());
            assert_eq!((error.status(), error.name(), error.doc_id()), (status, name, Some("a")));
        }
    }
}
