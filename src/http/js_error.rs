//! Errors that JavaScript threw.

use crate::error::Error;
use js_sys::{JSON, Reflect};
use serde_json::{Map, Value};
use wasm_bindgen::{JsCast as _, JsValue};

/// The crate's error for whatever was thrown or rejected with.
///
/// An object with an HTTP `status` and a `name`, as PouchDB's errors are, keeps both; anything else, such as the
/// `TypeError` of a `fetch` without a network, is an error worth another try, with the message it came with.
pub fn error_from_js(thrown: &JsValue) -> Error {
    let text = |name: &str| Reflect::get(thrown, &name.into()).ok().and_then(|value| value.as_string());
    if !thrown.is_object() {
        return Error::network(thrown.as_string().unwrap_or_else(|| format!("{thrown:?}")));
    }
    let status =
        Reflect::get(thrown, &"status".into()).ok().and_then(|value| value.as_f64()).unwrap_or_default();
    let mut members = own_members(thrown);
    // `name` and `message` of an Error are not enumerable.
    for name in ["name", "message", "reason"] {
        if let Some(value) = text(name) {
            members.insert(name.into(), value.into());
        }
    }
    if status > 0.0 || members.get("name").is_some_and(is_refusal) {
        let error = super::error::from_members(status as u16, &members);
        // Beside a reason PouchDB's errors have a message of their own.
        return match text("message").filter(|message| !message.is_empty()) {
            Some(message) => error.with_message(message),
            None => error,
        };
    }
    Error::network(text("message").or_else(|| text("reason")).unwrap_or_else(|| "unknown error".into()))
}

fn is_refusal(name: &Value) -> bool {
    name.as_str().is_some_and(|name| {
        name.eq_ignore_ascii_case("unauthorized") || name.eq_ignore_ascii_case("forbidden")
    })
}

fn own_members(thrown: &JsValue) -> Map<String, Value> {
    let text = JSON::stringify(thrown).ok().and_then(|text| text.dyn_into::<js_sys::JsString>().ok());
    text.and_then(|text| serde_json::from_str(&String::from(text)).ok()).unwrap_or_default()
}
