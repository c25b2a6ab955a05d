//! Selectors: what Mango (`_find`, the filter `_selector`) says of a document. Pure.
//!
//! A selector means here what it means in `pouchdb-selector-core`, with three exceptions, where that loses a part of it and
//! CouchDB does not: members beside `$and` count, what `$and` says of one field twice must both hold, and an array in
//! the place of a condition is a value to be equal to. Of fields that a document does not have, PouchDB's rules hold:
//! `$ne` and `$not` let them pass.

mod condition;
mod field;
mod parse;
#[cfg(test)]
mod tests;

use crate::doc::Members;
use condition::Condition;
use serde_json::Value;
use std::rc::Rc;

/// A selector, taken apart.
#[derive(Debug, Clone)]
pub struct Selector(Rc<Condition>);

impl Selector {
    /// Reads a selector.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(selector: &Value) -> Result<Self, String> {
        parse::selector(selector).map(|condition| Self(Rc::new(condition)))
    }

    /// Whether the document with this JSON text is one of those meant. A text that is no object is none of them.
    pub fn matches(&self, text: &str) -> bool {
        Members::parse(text).is_ok_and(|members| self.0.holds_for(condition::Subject::Document(&members)))
    }
}
