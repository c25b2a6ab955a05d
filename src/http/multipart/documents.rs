//! The documents in a message of CouchDB's.

use super::parser::{Malformed, Parser, Piece, boundary_of};
use crate::http::transport::Headers;
use bytes::{Bytes, BytesMut};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::collections::VecDeque;

/// A document, and the bytes of the attachments that it says to follow, by name. As CouchDB sends them: those with an
/// `encoding` in the document are compressed, and so is what their digest is of.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) body: Box<RawValue>,
    pub(crate) attachments: Vec<(String, Bytes)>,
}

/// The documents in the answer to `_bulk_get` (or `GET` with `open_revs`) as `multipart/mixed`: as JSON or, with
/// attachments, as a `multipart/related` of its own. What says why there is none is passed over.
///
/// Holds one document with its attachments at a time.
#[derive(Debug)]
pub(crate) struct Documents {
    outer: Parser,
    part: Option<Part>,
    room: usize,
}

#[derive(Debug)]
enum Part {
    Json { bytes: BytesMut, is_error: bool },
    Related(Box<Related>),
}

impl Documents {
    /// For an answer of this content type, which may not be longer than `most`.
    pub(crate) fn new(content_type: &str, most: usize) -> Result<Self, Malformed> {
        let boundary = boundary_of(content_type).ok_or(Malformed::NoBoundary)?;
        Ok(Self { outer: Parser::new(&boundary)?, part: None, room: most })
    }

    /// Takes the next bytes of the answer.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Result<(), Malformed> {
        self.room = self.room.checked_sub(bytes.len()).ok_or(Malformed::Parts)?;
        self.outer.feed(bytes);
        Ok(())
    }

    /// The next document, `None` where more bytes are needed for it.
    pub(crate) fn next(&mut self) -> Result<Option<Document>, Malformed> {
        while let Some(piece) = self.outer.next()? {
            match (piece, &mut self.part) {
                (Piece::Part(headers), _) => self.part = Some(Part::new(&headers)?),
                (Piece::Data(data), Some(Part::Json { bytes, .. })) => bytes.extend_from_slice(&data),
                (Piece::Data(data), Some(Part::Related(document))) => document.feed(&data)?,
                (Piece::PartEnd, part) => match part.take() {
                    Some(part) => {
                        if let Some(document) = part.finish()? {
                            return Ok(Some(document));
                        }
                    }
                    None => return Err(Malformed::Parts),
                },
                (Piece::End, _) | (Piece::Data(_), None) => {}
            }
        }
        Ok(None)
    }

    /// The answer has ended: where it breaks off, the documents that it did not come to are missing.
    pub(crate) fn finish(&self) -> Result<(), Malformed> {
        if self.outer.is_untouched() { Ok(()) } else { self.outer.finish() }
    }
}

impl Part {
    fn new(headers: &Headers) -> Result<Self, Malformed> {
        let content_type = headers.iter().find(|(name, _)| name == "content-type");
        let content_type = content_type.map_or("", |(_, value)| value.as_str());
        Ok(match boundary_of(content_type) {
            Some(boundary) => Self::Related(Box::new(Related::new(&boundary)?)),
            None => Self::Json {
                bytes: BytesMut::new(),
                is_error: content_type.replace('"', "").ends_with("error=true"),
            },
        })
    }

    fn finish(self) -> Result<Option<Document>, Malformed> {
        match self {
            Self::Json { is_error: true, .. } => Ok(None),
            Self::Json { bytes, is_error: false } => {
                Ok(Some(Document { body: json(&bytes)?, attachments: Vec::new() }))
            }
            Self::Related(document) => document.finish().map(Some),
        }
    }
}

/// A document and the attachments that follow it.
#[derive(Debug)]
struct Related {
    parser: Parser,
    /// The part that is being read.
    part: BytesMut,
    document: Option<Box<RawValue>>,
    /// Names and lengths of the attachments that are still to come.
    expected: VecDeque<(String, usize)>,
    attachments: Vec<(String, Bytes)>,
}

#[derive(Deserialize)]
struct WithAttachments {
    #[serde(default)]
    _attachments: Map<String, Value>,
}

impl Related {
    fn new(boundary: &str) -> Result<Self, Malformed> {
        Ok(Self {
            parser: Parser::new(boundary)?,
            part: BytesMut::new(),
            document: None,
            expected: VecDeque::new(),
            attachments: Vec::new(),
        })
    }

    fn feed(&mut self, bytes: &[u8]) -> Result<(), Malformed> {
        self.parser.feed(bytes);
        while let Some(piece) = self.parser.next()? {
            self.take(piece)?;
        }
        Ok(())
    }

    fn take(&mut self, piece: Piece) -> Result<(), Malformed> {
        match piece {
            Piece::Data(data) => {
                let room = match (&self.document, self.expected.front()) {
                    (None, _) => usize::MAX,
                    (Some(_), Some((_, length))) => *length,
                    (Some(_), None) => 0,
                };
                self.part.extend_from_slice(&data);
                if self.part.len() > room {
                    return Err(Malformed::Parts);
                }
            }
            Piece::PartEnd => {
                let part = self.part.split().freeze();
                if self.document.is_none() {
                    let document = json(&part)?;
                    self.expected = following(&document)?;
                    self.document = Some(document);
                } else {
                    let (name, length) = self.expected.pop_front().ok_or(Malformed::Parts)?;
                    if part.len() != length {
                        return Err(Malformed::Parts);
                    }
                    self.attachments.push((name, part));
                }
            }
            Piece::Part(_) | Piece::End => {}
        }
        Ok(())
    }

    fn finish(self) -> Result<Document, Malformed> {
        self.parser.finish()?;
        match self.document {
            Some(body) if self.expected.is_empty() => Ok(Document { body, attachments: self.attachments }),
            _ => Err(Malformed::Parts),
        }
    }
}

/// Names of the attachments that follow a document, with the lengths of what is sent.
fn following(document: &RawValue) -> Result<VecDeque<(String, usize)>, Malformed> {
    let WithAttachments { _attachments } =
        serde_json::from_str(document.get()).map_err(|_| Malformed::Document)?;
    let follows = |attachment: &Value| attachment.get("follows") == Some(&Value::Bool(true));
    let each = _attachments.into_iter().filter(|(_, attachment)| follows(attachment));
    let length = |attachment: &Value, member: &str| {
        attachment.get(member).and_then(Value::as_u64).and_then(|length| usize::try_from(length).ok())
    };
    each.map(|(name, attachment)| {
        let length = length(&attachment, "encoded_length").or_else(|| length(&attachment, "length"));
        Ok((name, length.ok_or(Malformed::Parts)?))
    })
    .collect()
}

fn json(bytes: &[u8]) -> Result<Box<RawValue>, Malformed> {
    serde_json::from_slice(bytes).map_err(|_| Malformed::Document)
}
