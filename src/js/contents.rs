//! Contents of attachments on their way in and out: a Blob or a Uint8Array each, beside the texts.

use super::options_of;
use crate::db::{Answer, Attachment, Database};
use crate::error::{Error, ErrorKind, Result};
use crate::storage::{BrowserContent, Content};
use js_sys::{Array, Uint8Array};
use serde::Deserialize;
use wasm_bindgen::JsValue;

/// How the contents of attachments are wanted.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Wanted {
    attachments: bool,
    binary: bool,
}

/// The contents that come beside documents.
///
/// # Errors
/// [`ErrorKind::BadArgument`] for one that is neither a Blob nor a Uint8Array.
pub(super) fn contents_of(values: Option<Array>) -> Result<Vec<Content>> {
    let content = |value| BrowserContent::new(value).map(Content::Browser);
    let contents = values.iter().flat_map(Array::iter).map(content).collect::<Option<_>>();
    contents
        .ok_or_else(|| Error::new(ErrorKind::BadArgument).with_reason("an attachment is no binary object"))
}

/// A content as JavaScript gets it.
fn value_of(content: &Content) -> JsValue {
    match content {
        Content::Bytes(bytes) => Uint8Array::from(bytes.as_ref()).into(),
        Content::Browser(content) => content.value().clone(),
    }
}

/// The text that `ask` answers, or an array of it and the contents beside it; whether there may be some, the options say.
pub(super) async fn answer_of(
    database: &Database,
    options: &str,
    ask: impl AsyncFn() -> Result<String>,
) -> Result<JsValue> {
    let Wanted { attachments, binary } = options_of(options)?;
    if !attachments {
        return ask().await.map(JsValue::from);
    }
    let Answer { text, contents } = database.with_contents(binary, ask).await?;
    if contents.is_empty() {
        return Ok(text.into());
    }
    Ok(std::iter::once(text.into()).chain(contents.iter().map(value_of)).collect::<Array>().into())
}

/// An array of an attachment's content and its `content_type`.
pub(super) fn attachment_value(attachment: &Attachment) -> JsValue {
    let Attachment { content_type, content } = attachment;
    Array::of2(&value_of(content), &content_type.as_deref().map_or(JsValue::UNDEFINED, JsValue::from_str))
        .into()
}
