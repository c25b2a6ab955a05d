//! What a database should be, in the plainest way: a map of documents, each a tree and the bodies of its revisions.

use crate::doc::{Rev, RevHash, json_text, md5};
use crate::error::{Error, ErrorKind};
use crate::tree::{RevPath, RevTree};
use std::collections::{BTreeMap, HashMap};

#[derive(Debug, Clone, Default)]
pub(super) struct ModelDocument {
    pub(super) tree: RevTree,
    pub(super) seq: u64,
    pub(super) bodies: HashMap<Rev, String>,
}

#[derive(Debug, Default)]
pub(super) struct Model {
    pub(super) documents: BTreeMap<String, ModelDocument>,
    pub(super) local: BTreeMap<String, (u64, String)>,
    pub(super) update_seq: u64,
    /// How much is kept of each document that is written.
    pub(super) rules: Rules,
    /// How many leaves were purged.
    pub(super) purges: u64,
}

/// How much is kept.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Rules {
    pub(super) revs_limit: usize,
    pub(super) auto_compaction: bool,
}

/// An edit as a person makes it.
#[derive(Debug, Clone)]
pub(super) struct Edit {
    pub(super) id: String,
    pub(super) rev: Option<Rev>,
    pub(super) deleted: bool,
    /// The members without underscore, as JSON text.
    pub(super) body: String,
    /// All members, in the order of the text that is hashed.
    pub(super) text: String,
}

impl Model {
    pub(super) fn doc_count(&self) -> u64 {
        let alive = self.documents.values().filter(|document| !document.is_deleted());
        alive.count() as u64
    }

    /// A new edit, by PouchDB's rules.
    pub(super) fn edit(&mut self, edit: &Edit, was_delete: bool) -> Result<Rev, Error> {
        let conflict = Error::new(ErrorKind::Conflict);
        let hash = RevHash::Md5(md5(&edit.text));
        let upon = |parent: &Rev, hash| Rev { generation: parent.generation + 1, hash };
        let first = |hash| Rev { generation: 1, hash };
        let (parent, rev) = match (self.documents.get(&edit.id), &edit.rev) {
            (None, _) if edit.deleted && was_delete => return Err(Error::deleted()),
            (None, Some(_)) => return Err(conflict),
            (None, None) => (None, first(hash)),
            // A document that is there, or a deletion of a deletion: only upon a leaf.
            (Some(document), rev) if !document.is_deleted() || edit.deleted => match rev {
                Some(parent) if document.tree.is_leaf(parent) => {
                    let new = upon(parent, hash);
                    if document.tree.contains(&new) {
                        // Made before, and its parent forgotten and told anew since.
                        return Err(conflict);
                    }
                    (rev.clone(), new)
                }
                _ => return Err(conflict),
            },
            // A deleted document is written anew: upon its deletion, with what goes into the hash put in another order.
            (Some(document), rev) if rev.as_ref().is_none_or(|rev| rev.generation == 0) => {
                let parent = document.tree.winner().unwrap().rev.clone();
                let members = edit.body.trim_end_matches('}');
                let comma = if members == "{" { "" } else { "," };
                let text = format!("{members}{comma}\"_rev\":\"{parent}\",\"_id\":{}}}", json_text(&edit.id));
                let rev = upon(&parent, RevHash::Md5(md5(&text)));
                (Some(parent), rev)
            }
            // Upon whatever revision is asked for, but where that would make a branch of what is known.
            (Some(document), rev) => {
                let parent = rev.as_ref().unwrap();
                let rev = upon(parent, hash);
                let is_free = document.tree.is_leaf(parent)
                    || !document.tree.contains(parent) && !document.tree.contains(&rev)
                    || document.tree.parent(&rev) == Some(parent);
                if !is_free {
                    return Err(conflict);
                }
                (Some(parent.clone()), rev)
            }
        };
        let path = RevPath::new(rev.clone(), parent.map(|parent| parent.hash));
        self.store(&edit.id, &path, edit.deleted, &edit.body);
        Ok(rev)
    }

    /// A revision made elsewhere.
    pub(super) fn replicate(&mut self, id: &str, path: &RevPath, deleted: bool, body: &str) {
        let is_known = self.documents.get(id).is_some_and(|document| document.tree.contains(path.leaf()));
        if !is_known {
            self.store(id, path, deleted, body);
        }
    }

    fn store(&mut self, id: &str, path: &RevPath, deleted: bool, body: &str) {
        self.update_seq += 1;
        let document = self.documents.entry(id.to_owned()).or_default();
        document.seq = self.update_seq;
        document.tree.merge(path, deleted, self.rules.revs_limit);
        document.bodies.insert(path.leaf().clone(), body.to_owned());
        let tree = &document.tree;
        document.bodies.retain(|rev, _| tree.contains(rev));
        if self.rules.auto_compaction {
            document.compact(0);
        }
    }

    pub(super) fn compact(&mut self) {
        self.documents.values_mut().for_each(|document| document.compact(0));
    }

    /// Forgets a leaf, with those of its ancestors that stand under no other.
    pub(super) fn purge(&mut self, id: &str, leaf: &Rev) -> bool {
        let Some(document) = self.documents.get_mut(id) else { return false };
        if document.tree.remove_leaf(leaf).is_err() {
            return false;
        }
        self.purges += 1;
        self.update_seq += 1;
        document.seq = self.update_seq;
        let tree = &document.tree;
        document.bodies.retain(|rev, _| tree.contains(rev));
        if tree.is_empty() {
            self.documents.remove(id);
        }
        true
    }

    pub(super) fn edit_local(
        &mut self,
        id: &str,
        rev: Option<u64>,
        deleted: bool,
        body: &str,
    ) -> Result<String, Error> {
        let found = self.local.get(id).map(|(number, _)| *number);
        match (deleted, found, rev) {
            (true, Some(found), Some(rev)) if found == rev => {
                self.local.remove(id);
                Ok("0-0".to_owned())
            }
            (true, _, _) => Err(Error::missing()),
            (false, found, rev) if found == rev => {
                let number = found.unwrap_or_default() + 1;
                self.local.insert(id.to_owned(), (number, body.to_owned()));
                Ok(format!("0-{number}"))
            }
            _ => Err(Error::new(ErrorKind::Conflict)),
        }
    }
}

impl ModelDocument {
    pub(super) fn compact(&mut self, max_height: usize) {
        for rev in self.tree.compact(max_height) {
            self.bodies.remove(&rev);
        }
    }

    fn is_deleted(&self) -> bool {
        self.tree.winner().is_some_and(|winner| winner.deleted)
    }
}
