use crate::doc::json_text;
use crate::error::{Error, ErrorKind, Result};
use serde::de::DeserializeOwned;
use wasm_bindgen::JsValue;

/// The plain object that stands for an error in JavaScript.
pub(super) fn thrown(error: Error) -> JsValue {
    let text = json_text(&error);
    js_sys::JSON::parse(&text).unwrap_or_else(|_| JsValue::from_str(&text))
}

/// Reads options or a request.
///
/// # Errors
/// [`ErrorKind::BadArgument`] with what is wrong as reason.
pub(super) fn options_of<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text)
        .map_err(|error| Error::new(ErrorKind::BadArgument).with_reason(error.to_string()))
}
