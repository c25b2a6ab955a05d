//! Contents that come in pieces.

use crate::storage::Content;
use bytes::BytesMut;
#[cfg(target_arch = "wasm32")]
use {crate::storage::BrowserContent, js_sys::Array, js_sys::Uint8Array, web_sys::Blob};

/// Less than this is kept in our memory: the browser would only be asked for it again.
#[cfg(target_arch = "wasm32")]
const LEAST_BLOB: u64 = 64 << 10;

/// One content of these pieces. Of much it is a Blob of the browser's, in whose memory the pieces stay.
#[cfg(target_arch = "wasm32")]
pub(super) fn joined(pieces: &[Content]) -> Content {
    let length: u64 = pieces.iter().map(Content::length).sum();
    if length >= LEAST_BLOB {
        let parts: Array = pieces.iter().map(Content::to_js).collect();
        if let Some(blob) =
            Blob::new_with_u8_array_sequence(&parts).ok().and_then(|blob| BrowserContent::new(blob.into()))
        {
            return Content::Browser(blob);
        }
    }
    let mut whole = BytesMut::new();
    for piece in pieces {
        match piece {
            Content::Bytes(bytes) => whole.extend_from_slice(bytes),
            Content::Browser(content) => whole.extend_from_slice(&Uint8Array::new(content.value()).to_vec()),
        }
    }
    Content::Bytes(whole.freeze())
}

/// One content of these pieces.
#[cfg(not(target_arch = "wasm32"))]
pub(super) fn joined(pieces: &[Content]) -> Content {
    match pieces {
        [one] => one.clone(),
        _ => {
            let mut whole = BytesMut::new();
            pieces.iter().filter_map(Content::bytes).for_each(|bytes| whole.extend_from_slice(bytes));
            Content::Bytes(whole.freeze())
        }
    }
}
