//! Attachments and their bytes.

use super::{Call, Client};
use crate::env;
use crate::error::{Error, Result};
use crate::http::error;
use crate::http::multipart::{Document, Documents, Malformed, Segment, related};
use crate::http::params::Query;
use crate::http::transport::{Method, Payload};
use crate::http::url::{encode_attachment_name, encode_doc_id};
use crate::storage::Content;
use std::fmt::Write as _;

/// What stands around the attachments in a multipart answer, at the most: headers, and the document itself.
const AROUND_A_DOCUMENT: u64 = 1 << 20;

/// An attachment to be sent: its name, type and bytes.
pub(crate) type Outgoing = (String, String, Content);

impl Client {
    /// The bytes of an attachment of that revision, which has no more than `most`.
    pub(crate) async fn attachment(&self, id: &str, rev: &str, name: &str, most: u64) -> Result<Content> {
        let mut query = Query::default();
        query.add("rev", rev);
        let path = format!("{}/{}{}", encode_doc_id(id), encode_attachment_name(name), query.finish());
        let call = Call { accept: "*/*", ..Call::get(self.in_db(&path)) };
        let (response, patience) = self.open(call).await?;
        patience.content(response.body, most).await
    }

    /// Writes a document with the revision it has and the attachments that it says to follow, in the order in which it
    /// names them. Whether the server says that it has written this very revision: others take it for an edit.
    pub(crate) async fn put_with_attachments(
        &self,
        id: &str,
        rev: &str,
        document: &str,
        attachments: Vec<Outgoing>,
    ) -> Result<bool> {
        #[derive(serde::Deserialize)]
        struct Written {
            rev: String,
        }
        let attachments = attachments
            .into_iter()
            .map(|(name, content_type, content)| (name, content_type, content.length(), content));
        let (content_type, segments) = related(&boundary(), document, attachments);
        let pieces = segments.into_iter().map(|segment| match segment {
            Segment::Text(text) => Content::Bytes(text.into()),
            Segment::Content(content) => content,
        });
        let url = self.in_db(&format!("{}?new_edits=false", encode_doc_id(id)));
        let body = Some(Payload::Pieces(pieces.collect()));
        let content_type = content_type.into();
        let call = Call { body, content_type, is_repeatable: true, ..Call::new(Method::Put, url) };
        let written = error::parse::<Written>(&self.call(call).await?);
        Ok(written.is_ok_and(|written| written.rev == rev))
    }

    /// Documents with their attachments, as `_bulk_get` gives them in one message; `docs` is the JSON of what is wanted,
    /// `count` how many these are, and `length` what the attachments have together. `None` where the server answers
    /// something else than such a message.
    pub(crate) async fn bulk_get_with_attachments(
        &self,
        docs: &str,
        count: usize,
        length: u64,
    ) -> Result<Option<Vec<Document>>> {
        let url = self.in_db("_bulk_get?revs=true&attachments=true");
        // CouchDB answers in JSON to whoever takes that as well.
        let call = Call { accept: "multipart/mixed", ..Call::ask(url, format!(r#"{{"docs":{docs}}}"#)) };
        let (mut response, patience) = self.open(call).await?;
        let most = length.saturating_add(AROUND_A_DOCUMENT.saturating_mul(count as u64));
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let content_type = response.header("content-type").unwrap_or_default();
        let Ok(mut documents) = Documents::new(content_type, most) else { return Ok(None) };
        let mut read = Vec::new();
        while let Some(chunk) = patience.bound(response.body.next_chunk()).await? {
            documents.feed(&chunk).map_err(unreadable)?;
            while let Some(document) = documents.next().map_err(unreadable)? {
                read.push(document);
            }
        }
        documents.finish().map_err(unreadable)?;
        Ok(Some(read))
    }
}

fn unreadable(malformed: Malformed) -> Error {
    Error::network(format!("The server's answer is not what CouchDB sends: {malformed}"))
}

/// One that nothing contains: nobody can know it before.
fn boundary() -> String {
    let mut boundary = String::new();
    for byte in env::random_bytes::<16>() {
        // Writing to a String can't fail.
        let _ = write!(boundary, "{byte:02x}");
    }
    boundary
}
