//! One database of the model: revisions as parent links, a feed, local documents.

use super::attachments::{self, Contents};
use bytes::Bytes;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

pub(super) type Members = Map<String, Value>;

/// Leaves by document and revision.
pub(crate) type Leaves = BTreeMap<String, BTreeMap<String, Members>>;

/// A revision: where it comes from, and its body unless only its name is known.
#[derive(Debug, Clone, Default)]
struct Revision {
    parent: Option<String>,
    body: Option<Members>,
}

#[derive(Debug, Clone, Default)]
struct Document {
    revisions: BTreeMap<String, Revision>,
    seq: u64,
}

fn order(rev: &str) -> (u64, &str) {
    let (generation, hash) = rev.split_once('-').unwrap();
    (generation.parse().unwrap(), hash)
}

fn is_deleted(body: &Members) -> bool {
    body.get("_deleted") == Some(&Value::Bool(true))
}

impl Document {
    fn leaves(&self) -> Vec<&str> {
        let is_parent = |rev: &str| self.revisions.values().any(|other| other.parent.as_deref() == Some(rev));
        self.revisions.keys().map(String::as_str).filter(|rev| !is_parent(rev)).collect()
    }

    fn is_deleted(&self, rev: &str) -> bool {
        self.revisions[rev].body.as_ref().is_some_and(is_deleted)
    }

    fn winner(&self) -> &str {
        self.leaves().into_iter().max_by_key(|rev| (!self.is_deleted(rev), order(rev))).unwrap()
    }

    fn history(&self, rev: &str) -> Vec<String> {
        let mut history = vec![rev.to_owned()];
        while let Some(parent) =
            self.revisions.get(history.last().unwrap()).and_then(|rev| rev.parent.clone())
        {
            history.push(parent);
        }
        history
    }

    /// The leaves above a revision, itself among them where it is one.
    fn latest(&self, rev: &str) -> Vec<String> {
        let leaves = self.leaves().into_iter().map(str::to_owned);
        leaves.filter(|leaf| self.history(leaf).iter().any(|known| known == rev)).collect()
    }
}

/// A database: what CouchDB answers to questions about documents.
#[derive(Debug, Clone, Default)]
pub(crate) struct Database {
    docs: BTreeMap<String, Document>,
    local: BTreeMap<String, (u64, Members)>,
    seq: u64,
    contents: Contents,
    /// Whether it takes documents that are `forbidden` as well.
    is_lenient: bool,
}

/// Seqs are opaque: the number is for people.
fn seq_text(seq: u64) -> String {
    format!("{seq}-g1AAA{seq:x}")
}

fn seq_number(text: &str) -> u64 {
    text.split('-').next().unwrap().parse().unwrap()
}

impl Database {
    pub(crate) fn info(&self, name: &str) -> Value {
        let count = self.docs.values().filter(|doc| !doc.is_deleted(doc.winner())).count();
        json!({"db_name": name, "doc_count": count, "update_seq": seq_text(self.seq), "compact_running": false})
    }

    /// An edit as `PUT` makes it, with a rev of its own.
    pub(crate) fn put(&mut self, id: &str, mut doc: Members) -> Result<String, Value> {
        if let Some(local) = id.strip_prefix("_local/") {
            return self.put_local(local, doc);
        }
        let parent = doc.shift_remove("_rev").and_then(|rev| rev.as_str().map(str::to_owned));
        let known = self.docs.get(id);
        let fits = match (&parent, known) {
            (Some(parent), Some(known)) => known.leaves().contains(&parent.as_str()),
            (None, Some(known)) => known.is_deleted(known.winner()),
            (None, None) => true,
            (Some(_), None) => false,
        };
        if !fits {
            return Err(json!({"error": "conflict", "reason": "Document update conflict."}));
        }
        let generation = parent.as_deref().map_or(0, |rev| order(rev).0) + 1;
        let rev = format!("{generation}-{:x}", self.seq * 31 + generation);
        let before =
            parent.as_ref().and_then(|parent| self.docs.get(id)?.revisions.get(parent)?.body.clone());
        attachments::take(&mut doc, generation, before.as_ref(), Vec::new(), &mut self.contents)
            .map_err(|(_, error)| error)?;
        self.insert(id, &rev, parent, Some(doc));
        Ok(rev)
    }

    fn put_local(&mut self, id: &str, mut doc: Members) -> Result<String, Value> {
        let current = self.local.get(id).map(|(number, _)| format!("0-{number}"));
        let given = doc.shift_remove("_rev").and_then(|rev| rev.as_str().map(str::to_owned));
        if current != given {
            return Err(json!({"error": "conflict", "reason": "Document update conflict."}));
        }
        let number = self.local.get(id).map_or(0, |(number, _)| *number) + 1;
        self.local.insert(id.to_owned(), (number, doc));
        Ok(format!("0-{number}"))
    }

    pub(super) fn forbids(&self, doc: &Members) -> bool {
        !self.is_lenient && doc.contains_key("forbidden")
    }

    /// From now on it takes everything.
    pub(super) fn relent(&mut self) {
        self.is_lenient = true;
    }

    pub(crate) fn local(&self, id: &str) -> Option<Members> {
        let (number, doc) = self.local.get(id)?;
        let mut doc = doc.clone();
        doc.insert("_id".into(), format!("_local/{id}").into());
        doc.insert("_rev".into(), format!("0-{number}").into());
        Some(doc)
    }

    /// All local documents.
    pub(crate) fn locals(&self) -> Vec<Members> {
        self.local.keys().filter_map(|id| self.local(id)).collect()
    }

    fn insert(&mut self, id: &str, rev: &str, parent: Option<String>, body: Option<Members>) {
        let doc = self.docs.entry(id.to_owned()).or_default();
        let revision = doc.revisions.entry(rev.to_owned()).or_default();
        revision.parent = revision.parent.take().or(parent);
        if revision.body.is_none() && body.is_some() {
            revision.body = body;
            self.seq += 1;
            doc.seq = self.seq;
        }
    }

    /// A revision made elsewhere, with `_revisions`, and contents that came after it. Fails, as CouchDB does with all that
    /// was written at the same time, where it has stubs of what is not there.
    pub(crate) fn graft(&mut self, mut doc: Members, following: Vec<Bytes>) -> Result<(), (u16, Value)> {
        let id = doc.get("_id").unwrap().as_str().unwrap().to_owned();
        let rev = doc.shift_remove("_rev").unwrap().as_str().unwrap().to_owned();
        let history: Vec<String> = match doc.shift_remove("_revisions") {
            Some(revisions) => {
                let start = revisions["start"].as_u64().unwrap();
                let ids = revisions["ids"].as_array().unwrap().iter().enumerate();
                ids.map(|(index, hash)| format!("{}-{}", start - index as u64, hash.as_str().unwrap()))
                    .collect()
            }
            None => vec![rev.clone()],
        };
        let known = self.docs.get(&id);
        let before = history.iter().find_map(|rev| known?.revisions.get(rev)?.body.clone());
        attachments::take(&mut doc, order(&rev).0, before.as_ref(), following, &mut self.contents)?;
        let mut body = Some(doc);
        for (index, rev) in history.iter().enumerate() {
            self.insert(&id, rev, history.get(index + 1).cloned(), body.take());
        }
        Ok(())
    }

    /// The bytes of an attachment.
    pub(crate) fn content(&self, id: &str, rev: Option<&str>, name: &str) -> Option<Bytes> {
        attachments::content(&self.get(id, rev, false)?, name, &self.contents)
    }

    /// Loses all attachments.
    pub(crate) fn forget_attachments(&mut self) {
        for revision in self.docs.values_mut().flat_map(|doc| doc.revisions.values_mut()) {
            if let Some(body) = &mut revision.body {
                body.shift_remove("_attachments");
            }
        }
    }

    pub(super) fn contents(&self) -> &Contents {
        &self.contents
    }

    /// Leaves older than one of these, which CouchDB tells as possible ancestors.
    pub(crate) fn possible_ancestors(&self, id: &str, revs: &[String]) -> Vec<String> {
        let newest = revs.iter().map(|rev| order(rev).0).max().unwrap_or_default();
        let leaves = self.docs.get(id).map(Document::leaves).unwrap_or_default();
        leaves.into_iter().filter(|leaf| order(leaf).0 < newest).map(str::to_owned).collect()
    }

    /// The document as it is given for a revision, or without one for the winner.
    pub(crate) fn get(&self, id: &str, rev: Option<&str>, revs: bool) -> Option<Members> {
        let known = self.docs.get(id)?;
        let rev = rev.unwrap_or_else(|| known.winner());
        let mut doc = known.revisions.get(rev)?.body.clone()?;
        doc.insert("_id".into(), id.into());
        doc.insert("_rev".into(), rev.into());
        if revs {
            let history = known.history(rev);
            let ids: Vec<&str> = history.iter().map(|rev| order(rev).1).collect();
            doc.insert("_revisions".into(), json!({"start": order(rev).0, "ids": ids}));
        }
        Some(doc)
    }

    /// `[{ok} | {missing}]`.
    pub(crate) fn open_revs(&self, id: &str, revs: &[String]) -> Vec<Value> {
        let mut entries = Vec::new();
        for rev in revs {
            let latest = self.docs.get(id).map(|doc| doc.latest(rev)).unwrap_or_default();
            if latest.is_empty() {
                entries.push(json!({"missing": rev}));
            }
            for leaf in latest {
                entries.push(json!({"ok": self.get(id, Some(&leaf), true).unwrap()}));
            }
        }
        entries
    }

    pub(crate) fn missing(&self, id: &str, revs: &[String]) -> Vec<String> {
        let is_missing = |rev: &&String| self.docs.get(id).and_then(|doc| doc.revisions.get(*rev)).is_none();
        revs.iter().filter(is_missing).cloned().collect()
    }

    /// A page of the feed; `None` where there is nothing after `since`.
    pub(crate) fn changes(
        &self,
        since: &str,
        limit: usize,
        ids: Option<&[String]>,
        docs: bool,
    ) -> (Value, bool) {
        let since = if since == "now" { self.seq } else { seq_number(since) };
        let mut rows: Vec<_> = self.docs.iter().filter(|(_, doc)| doc.seq > since).collect();
        rows.sort_by_key(|(_, doc)| doc.seq);
        rows.retain(|(id, _)| ids.is_none_or(|ids| ids.contains(id)));
        let page = &rows[..rows.len().min(limit)];
        let last_seq = if page.len() == rows.len() { self.seq } else { page.last().unwrap().1.seq };
        let results = page.iter().map(|(id, doc)| {
            let leaves: Vec<_> = doc.leaves().into_iter().map(|rev| json!({"rev": rev})).collect();
            let mut row = json!({"seq": seq_text(doc.seq), "id": id, "changes": leaves});
            if doc.is_deleted(doc.winner()) {
                row["deleted"] = true.into();
            }
            if docs {
                row["doc"] = self.get(id, None, false).into();
            }
            row
        });
        let results: Vec<Value> = results.collect();
        let is_empty = results.is_empty();
        (
            json!({"results": results, "last_seq": seq_text(last_seq), "pending": rows.len() - page.len()}),
            is_empty,
        )
    }

    /// Everything that replication brings: leaves and their bodies, by document.
    pub(crate) fn leaves(&self) -> Leaves {
        let each = self.docs.iter().map(|(id, doc)| {
            let leaves =
                doc.leaves().into_iter().map(|rev| (rev.to_owned(), self.get(id, Some(rev), true).unwrap()));
            (id.clone(), leaves.collect())
        });
        each.collect()
    }
}
