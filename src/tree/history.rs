//! What a tree knows of one revision.

use super::RevTree;
use crate::doc::Rev;

/// What is known of a revision beside its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RevStatus {
    /// Whether its body should be stored; else it came only as an ancestor, or compaction dropped it.
    pub available: bool,
    /// Whether it deleted its branch. Further edits may have been made upon it.
    pub deleted: bool,
    /// Whether nothing was made upon it.
    pub leaf: bool,
}

impl RevTree {
    /// Whether `rev` is known, with a body or without.
    pub fn contains(&self, rev: &Rev) -> bool {
        self.find(rev).is_some()
    }

    /// Whether `rev` is known and nothing was made upon it.
    pub fn is_leaf(&self, rev: &Rev) -> bool {
        self.find(rev).is_some_and(|index| self.is_leaf_at(index))
    }

    /// What is known of `rev`, if anything.
    pub fn status(&self, rev: &Rev) -> Option<RevStatus> {
        self.find(rev).map(|index| self.status_at(index))
    }

    /// The revision upon which `rev` was made, as far as both are known.
    pub fn parent(&self, rev: &Rev) -> Option<&Rev> {
        self.find(rev).and_then(|index| self.parent_of(index)).map(|parent| &self.node(parent).rev)
    }

    /// `rev` and its ancestors, newest first: what `_revisions` and `_revs_info` list. Of a revision that is not
    /// known, nothing.
    pub fn ancestry(&self, rev: &Rev) -> Option<Vec<(&Rev, RevStatus)>> {
        let newest = self.find(rev)?;
        let indices = std::iter::successors(Some(newest), |index| self.parent_of(*index));
        Some(indices.map(|index| (&self.node(index).rev, self.status_at(index))).collect())
    }

    /// All revisions, each before those made upon it.
    pub fn revs(&self) -> impl Iterator<Item = (&Rev, RevStatus)> {
        self.nodes.iter().enumerate().map(|(index, node)| (&node.rev, self.status_at(index)))
    }

    fn status_at(&self, index: usize) -> RevStatus {
        let node = self.node(index);
        RevStatus { available: node.available, deleted: node.deleted, leaf: self.is_leaf_at(index) }
    }
}
