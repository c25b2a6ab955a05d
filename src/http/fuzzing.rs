//! Multipart messages, out of any bytes.

use super::multipart::{Document, Documents, Malformed};
use bytes::Bytes;

type Read = (String, Vec<(String, Bytes)>);

/// An answer of documents with attachments: a byte that says in what pieces it comes, a line with its content type, the
/// message. It is read alike in whatever pieces it comes, and gives no more than there is in it.
pub fn multipart(data: &[u8]) {
    let Some((size, rest)) = data.split_first() else { return };
    let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
    let (content_type, message) = rest.split_at(end);
    let Ok(content_type) = std::str::from_utf8(content_type) else { return };
    let message = message.get(1..).unwrap_or_default();
    let whole = read(content_type, message, message.len().max(1));
    assert_eq!(whole, read(content_type, message, usize::from(*size).max(1)));
    let attachments = whole.iter().flatten().flat_map(|(_, attachments)| attachments);
    assert!(attachments.map(|(_, bytes)| bytes.len()).sum::<usize>() <= message.len());
}

fn read(content_type: &str, message: &[u8], size: usize) -> Result<Vec<Read>, Malformed> {
    let mut documents = Documents::new(content_type, message.len())?;
    let mut read = Vec::new();
    for piece in message.chunks(size) {
        documents.feed(piece)?;
        while let Some(Document { body, attachments }) = documents.next()? {
            read.push((body.get().to_owned(), attachments));
        }
    }
    documents.finish()?;
    Ok(read)
}
