//! PouchDB's and CouchDB's answers, read: the same JSON from a server and from a database written in JavaScript.

use super::peer::{Cause, Doc, DocRevs, Got, Missing, WriteFailure};
use crate::error::{Error, Result};
use crate::http;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::rc::Rc;

/// Reads an answer; see [`http::parse_answer`].
pub(super) fn parse<T: DeserializeOwned>(answer: &[u8]) -> Result<T> {
    http::parse_answer(answer)
}

/// The request of `_revs_diff`: `{id: [rev]}`.
pub(super) fn revs_diff_request(revs: &[DocRevs]) -> String {
    let mut text = String::from("{");
    for (index, DocRevs { id, revs, .. }) in revs.iter().enumerate() {
        text.push_str(if index == 0 { "" } else { "," });
        text.push_str(&json(&**id));
        text.push(':');
        text.push_str(&json(revs));
    }
    text + "}"
}

/// The answer of `_revs_diff`: `{id: {missing: [rev], possible_ancestors?}}`.
pub(super) fn missing_revs(answer: &[u8]) -> Result<HashMap<String, Missing>> {
    parse(answer)
}

/// The `docs` of `_bulk_get`: `[{id, rev}]`.
pub(super) fn bulk_get_docs(wanted: &[DocRevs]) -> String {
    #[derive(Serialize)]
    struct Wanted<'a> {
        id: &'a str,
        rev: &'a str,
    }
    let each = wanted.iter().flat_map(|doc| doc.revs.iter().map(|rev| Wanted { id: &doc.id, rev }));
    json(&each.collect::<Vec<_>>())
}

/// `{ok}`, `{missing}` or `{error}`.
#[derive(Deserialize)]
struct Info {
    #[serde(default)]
    ok: Option<Box<RawValue>>,
    #[serde(default)]
    error: Option<Value>,
}

impl Info {
    fn read(self, id: &Rc<str>, ancestors: &Rc<[String]>) -> Got {
        if let Some(body) = self.ok.filter(|body| body.get() != "null") {
            return Got::Doc(Rc::new(Doc { id: id.clone(), body, ancestors: ancestors.clone() }));
        }
        match self.error {
            None | Some(Value::Null | Value::Bool(false)) => Got::Missing { id: id.clone() },
            Some(error) => Got::Failed { id: id.clone(), error: named(&error, id) },
        }
    }
}

/// The error, if it has a name by which a database would have meant this document.
fn named(error: &Value, id: &str) -> Option<Error> {
    let members = error.as_object()?;
    let is_named = members.get("error").is_some_and(Value::is_string)
        || members.get("status").and_then(Value::as_u64).is_some_and(|status| status >= 400);
    is_named.then(|| error_from(members).with_doc_id(id))
}

/// The answer of `_bulk_get` to the question for these.
pub(super) fn bulk_get_results(answer: &[u8], wanted: &[DocRevs]) -> Result<Vec<Got>> {
    #[derive(Deserialize)]
    struct Answer {
        results: Vec<Entry>,
    }
    #[derive(Deserialize)]
    struct Entry {
        id: Rc<str>,
        docs: Vec<Info>,
    }
    let Answer { results } = parse(answer)?;
    let with_ancestors = wanted.iter().filter(|doc| !doc.ancestors.is_empty());
    let ancestors: HashMap<&str, &Rc<[String]>> =
        with_ancestors.map(|doc| (&*doc.id, &doc.ancestors)).collect();
    let none = Rc::default();
    let mut all = Vec::with_capacity(results.len());
    for Entry { id, docs } in results {
        let ancestors = ancestors.get(&*id).copied().unwrap_or(&none);
        all.extend(docs.into_iter().map(|info| info.read(&id, ancestors)));
    }
    Ok(all)
}

/// The answer of a `GET` with `open_revs`.
pub(super) fn open_revs_results(wanted: &DocRevs, answer: &[u8]) -> Result<Vec<Got>> {
    let infos: Vec<Info> = parse(answer)?;
    Ok(infos.into_iter().map(|info| info.read(&wanted.id, &wanted.ancestors)).collect())
}

/// The `docs` of `_bulk_docs`.
pub(super) fn bulk_docs_docs<'a>(docs: impl Iterator<Item = &'a str> + Clone) -> String {
    let length: usize = docs.clone().map(|doc| doc.len() + 1).sum();
    let mut text = String::with_capacity(length + 2);
    text.push('[');
    for (index, doc) in docs.enumerate() {
        text.push_str(if index == 0 { "" } else { "," });
        text.push_str(doc);
    }
    text.push(']');
    text
}

/// The answer of `_bulk_docs` with `new_edits: false`: errors, and perhaps `{ok: true}` between them.
pub(super) fn write_failures(answer: &[u8]) -> Result<Vec<WriteFailure>> {
    let results: Vec<Map<String, Value>> = parse(answer)?;
    let is_failure = |result: &Map<String, Value>| {
        result.get("error").is_some_and(|error| !matches!(error, Value::Null | Value::Bool(false)))
    };
    let text = |result: &Map<String, Value>, name: &str| result.get(name)?.as_str().map(str::to_owned);
    let failures = results.iter().filter(|result| is_failure(result)).map(|result| WriteFailure {
        id: text(result, "id"),
        rev: text(result, "rev"),
        error: error_from(result),
        cause: Cause::Target,
    });
    Ok(failures.collect())
}

/// The revision of a document that was written: of `{ok, id, rev}`.
pub(super) fn written_rev(answer: &[u8]) -> Result<String> {
    #[derive(Deserialize)]
    struct Written {
        rev: String,
    }
    parse(answer).map(|Written { rev }| rev)
}

pub(super) fn error_from(members: &Map<String, Value>) -> Error {
    let status = members.get("status").and_then(Value::as_u64).and_then(|status| u16::try_from(status).ok());
    http::error_from_members(status.unwrap_or(0), members)
}

pub(super) fn json<T: Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).expect("BUG: strings can always be written as JSON")
}
