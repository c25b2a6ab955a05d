//! Multipart messages, in which CouchDB gives and takes documents together with their attachments' bytes.
//!
//! [`Parser`] takes one message apart as its bytes come in, [`Documents`] knows what CouchDB puts into one (documents, and
//! for those with attachments a message inside the message), and [`related`] writes a document with its attachments.
//! None of them reads or sends anything, and all of what comes from a server is taken for hostile: what does not hold to
//! the form is a [`Malformed`], and nothing is kept that the caller has not asked for but a line of headers.

mod documents;
mod parser;
mod related;

#[cfg(test)]
mod tests;

pub(crate) use documents::{Document, Documents};
pub(crate) use parser::Malformed;
#[cfg(test)]
pub(crate) use parser::{Parser, Piece, boundary_of};
pub(crate) use related::{Segment, related};
