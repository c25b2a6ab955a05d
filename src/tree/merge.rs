//! Merging a path into a tree.

use super::{Node, RevPath, RevTree, as_parent};
use crate::doc::Rev;

/// What a merge did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merged {
    /// Where the path's leaf went.
    pub outcome: MergeOutcome,
    /// The revisions that are not known any more, those among them that came with this very path: their bodies can go.
    pub stemmed: Vec<Rev>,
}

/// Where the leaf of a merged path went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MergeOutcome {
    /// Upon a leaf, or into an empty tree: no conflict.
    NewLeaf,
    /// Upon a revision that has a child already.
    NewBranch,
    /// It was there already; or the path shares no revision with the tree and became a tree of its own.
    ///
    /// That the latter is named so is PouchDB's doing, which by it lets a deleted document be written again upon a
    /// revision that it never had. (CouchDB calls it a new branch.)
    InternalNode,
}

impl RevTree {
    /// Adds the revisions of `path`, then forgets those further than `limit` revisions from all leaves.
    ///
    /// The path's leaf becomes available, and `deleted` if that was not known of it; the ancestors that were not known
    /// are added as missing. Merging a path again changes nothing. A `limit` of 0 counts as 1: a leaf is never
    /// forgotten.
    pub fn merge(&mut self, path: &RevPath, deleted: bool, limit: usize) -> Merged {
        let known = self.locate(path);
        let newest = known.iter().position(Option::is_some);
        let base = newest.and_then(|age| known.get(age).copied().flatten());
        let outcome = match (newest, base) {
            (None, _) if self.is_empty() => MergeOutcome::NewLeaf,
            (Some(1..), Some(base)) if self.is_leaf_at(base) => MergeOutcome::NewLeaf,
            (Some(1..), _) => MergeOutcome::NewBranch,
            (None | Some(0), _) => MergeOutcome::InternalNode,
        };
        // A known path may bring back ancestors that were forgotten, only to have them forgotten again.
        let before = (newest == Some(0) && known.contains(&None)).then(|| self.clone());
        let appended = base.map_or(0, |base| base + 1) == self.len();
        self.add_descendants(path, newest.unwrap_or(path.len()), base, deleted);
        let joined = match (newest, base) {
            (Some(age), Some(base)) => self.add_ancestors(path, &known, age, base),
            _ => false,
        };
        if joined || (newest != Some(0) && !appended) {
            self.arrange();
        }
        let stemmed = self.stem(limit);
        if let Some(before) = before
            && *self == before
        {
            // Equal, but roots of one generation may have changed places, as if they had come in another order.
            *self = before;
        }
        Merged { outcome, stemmed }
    }

    /// Where each revision of `path` is in the tree, newest first.
    fn locate(&self, path: &RevPath) -> Vec<Option<usize>> {
        let mut known = vec![None; path.len()];
        for (index, node) in self.nodes.iter().enumerate() {
            let age = path.leaf().generation.checked_sub(node.rev.generation);
            let age = age.and_then(|age| usize::try_from(age).ok());
            if let Some(age) = age.filter(|age| path.hash_at(*age) == Some(&node.rev.hash))
                && let Some(place) = known.get_mut(age)
            {
                *place = Some(index);
            }
        }
        known
    }

    /// Puts the `count` newest revisions of `path` upon `base`, oldest first; if there are none, they are known
    /// already and `base` is the path's leaf.
    fn add_descendants(&mut self, path: &RevPath, count: usize, base: Option<usize>, deleted: bool) {
        let mut parent = base;
        for age in (0..count).rev() {
            parent = Some(self.push(path, age, parent));
        }
        let leaf = self.node_mut(parent.expect("BUG: a path without a leaf"));
        if !leaf.available {
            leaf.available = true;
            leaf.deleted = deleted;
        }
    }

    /// Goes on from the revision of `path` at `age`, which is `child` in the tree, to those older than it, and adds
    /// what the tree does not know of its history. Returns whether there was anything.
    fn add_ancestors(&mut self, path: &RevPath, known: &[Option<usize>], age: usize, child: usize) -> bool {
        let mut child = child;
        let mut joined = false;
        for (age, known) in known.iter().copied().enumerate().skip(age + 1) {
            child = match self.parent_of(child) {
                // Two histories of one revision: an ancestor added here would be a leaf that nobody wrote.
                Some(parent) if known != Some(parent) => break,
                Some(parent) => parent,
                None => {
                    let parent = known.unwrap_or_else(|| self.push(path, age, None));
                    self.node_mut(child).parent = Some(as_parent(parent));
                    joined = true;
                    parent
                }
            };
        }
        joined
    }

    /// Appends the revision of `path` at `age` as missing, for `arrange` to put it where it belongs.
    fn push(&mut self, path: &RevPath, age: usize, parent: Option<usize>) -> usize {
        let hash = path.hash_at(age).expect("BUG: an age beyond the path's end").clone();
        let rev = Rev { generation: path.leaf().generation - age as u64, hash };
        self.nodes.push(Node { rev, parent: parent.map(as_parent), deleted: false, available: false });
        self.nodes.len() - 1
    }
}
