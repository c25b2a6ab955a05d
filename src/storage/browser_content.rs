//! Contents that stay the browser's: a Blob, whose bytes may be on the disk, or a Uint8Array.

use super::local_storage::platform_error;
use super::{Content, StorageError, StorageResult};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use js_sys::{Array, Uint8Array};
use std::ops::Range;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::Blob;

/// Smaller ones are kept as bytes: each Blob is a file of its own in the browser's storage.
const LEAST_BLOB: u64 = 64 << 10;

/// A Blob or a Uint8Array.
#[derive(Debug, Clone, PartialEq)]
pub struct BrowserContent(JsValue);

impl Eq for BrowserContent {}

impl BrowserContent {
    /// `value`, if it is one.
    pub fn new(value: JsValue) -> Option<Self> {
        (value.is_instance_of::<Blob>() || value.is_instance_of::<Uint8Array>()).then_some(Self(value))
    }

    /// The Blob or Uint8Array.
    pub fn value(&self) -> &JsValue {
        &self.0
    }

    pub(super) fn length(&self) -> u64 {
        match self.0.dyn_ref::<Blob>() {
            Some(blob) => blob.size() as u64,
            None => self.0.dyn_ref::<Uint8Array>().map_or(0, |array| array.length().into()),
        }
    }

    pub(super) async fn read(&self, range: Range<u64>) -> StorageResult<Vec<u8>> {
        match self.0.dyn_ref::<Blob>() {
            Some(blob) => Ok(array_of(blob, range).await?.to_vec()),
            None => {
                let array = self.0.unchecked_ref::<Uint8Array>();
                Ok(array.subarray(range.start as u32, range.end as u32).to_vec())
            }
        }
    }

    /// A Blob of its text in base64, made of so many bytes at a time: a multiple of three.
    pub(super) async fn to_base64(&self, piece: u64) -> StorageResult<Self> {
        let blob_of =
            |parts: &Array| Blob::new_with_u8_array_sequence(parts).map_err(|error| platform_error(&error));
        let parts = Array::new();
        let length = self.length();
        let mut start = 0;
        while start < length {
            let end = (start + piece).min(length);
            let text = STANDARD.encode(self.read(start..end).await?);
            // A Blob each, because these need not be in the page's memory.
            parts.push(blob_of(&Array::of1(&Uint8Array::from(text.as_bytes())))?.as_ref());
            start = end;
        }
        Ok(Self(blob_of(&parts)?.into()))
    }

    /// What IndexedDB keeps of it.
    ///
    /// WebKit gets arrays: it refuses Blobs in private windows, and has lost others. What is small is kept as bytes by all.
    pub(super) async fn to_kept(&self) -> StorageResult<Self> {
        match self.0.dyn_ref::<Blob>() {
            Some(blob) if self.length() < LEAST_BLOB || is_webkit() => {
                Ok(Self(array_of(blob, 0..self.length()).await?.into()))
            }
            _ => Ok(self.clone()),
        }
    }
}

impl Content {
    /// A Blob or a Uint8Array.
    pub fn to_js(&self) -> JsValue {
        match self {
            Self::Bytes(bytes) => Uint8Array::from(bytes.as_ref()).into(),
            Self::Browser(content) => content.value().clone(),
        }
    }
}

async fn array_of(blob: &Blob, range: Range<u64>) -> StorageResult<Uint8Array> {
    let read = async {
        let part = blob.slice_with_f64_and_f64(range.start as f64, range.end as f64)?;
        JsFuture::from(part.array_buffer()).await
    };
    let array = Uint8Array::new(&read.await.map_err(|error| platform_error(&error))?);
    if u64::from(array.length()) != range.end - range.start {
        let problem = "an attachment ends before its length";
        return Err(StorageError::Platform { name: "NotReadableError".into(), message: problem.into() });
    }
    Ok(array)
}

fn is_webkit() -> bool {
    let get = |object: &JsValue, name: &str| js_sys::Reflect::get(object, &name.into()).ok();
    let agent =
        get(&js_sys::global(), "navigator").and_then(|navigator| get(&navigator, "userAgent")?.as_string());
    agent.is_some_and(|agent| agent.contains("AppleWebKit/") && !agent.contains("Chrome/"))
}
