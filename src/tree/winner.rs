//! Leaves: which wins, which are in conflict with it.

use super::RevTree;
use crate::doc::Rev;
use crate::sort::{sort_by, sort_by_key};
use std::cmp::Reverse;

/// A revision upon which no other was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leaf<'tree> {
    /// Its id.
    pub rev: &'tree Rev,
    /// Whether it deleted its branch.
    pub deleted: bool,
}

impl<'tree> Leaf<'tree> {
    /// What is not deleted wins over what is; then the greater generation; then the greater hash, as text.
    ///
    /// All devices choose alike, whatever order the edits reached them in, so this must never change.
    fn rank(&self) -> (bool, &'tree Rev) {
        (!self.deleted, self.rev)
    }
}

impl RevTree {
    /// The leaf that stands for the document; of an empty tree, nothing.
    pub fn winner(&self) -> Option<Leaf<'_>> {
        self.leaves_in_tree_order().max_by_key(Leaf::rank)
    }

    /// All leaves, the winner first, each before those that it wins over.
    pub fn leaves(&self) -> Vec<Leaf<'_>> {
        let mut leaves: Vec<_> = self.leaves_in_tree_order().collect();
        sort_by(&mut leaves, |left, right| right.rank().cmp(&left.rank()));
        leaves
    }

    /// The leaves but the winner that are not deleted, in the order of PouchDB's `_conflicts`: greater generations
    /// first; in one generation siblings by hash, lesser ones first, and trees in the order in which they came.
    pub fn conflicts(&self) -> Vec<&Rev> {
        self.losers(false)
    }

    /// The deleted leaves but the winner, in the order of [`RevTree::conflicts`].
    pub fn deleted_conflicts(&self) -> Vec<&Rev> {
        self.losers(true)
    }

    /// The revisions of all leaves in the order of PouchDB's `open_revs: 'all'`, which is that of
    /// [`RevTree::conflicts`].
    pub fn open_revs(&self) -> Vec<&Rev> {
        let mut revs: Vec<_> = self.leaves_in_tree_order().map(|leaf| leaf.rev).collect();
        sort_by_key(&mut revs, |rev| Reverse(rev.generation));
        revs
    }

    /// The leaf that PouchDB's `latest` finds for `rev`: at each fork it follows the greatest hash, deleted or not.
    /// Of a revision that is not known, nothing.
    pub fn latest(&self, rev: &Rev) -> Option<&Rev> {
        let index = self.find(rev)?;
        // All that follows up to the next branch or tree was made upon it; the last of that is the leaf looked for.
        let behind = self.nodes.iter().skip(index + 1);
        let descendants =
            behind.take_while(|node| node.parent.is_some() && node.rev.generation > rev.generation).count();
        Some(&self.node(index + descendants).rev)
    }

    fn losers(&self, deleted: bool) -> Vec<&Rev> {
        let winner = self.winner();
        let mut losers: Vec<_> = self
            .leaves_in_tree_order()
            .filter(|leaf| leaf.deleted == deleted && Some(*leaf) != winner)
            .map(|leaf| leaf.rev)
            .collect();
        sort_by_key(&mut losers, |rev| Reverse(rev.generation));
        losers
    }

    fn leaves_in_tree_order(&self) -> impl Iterator<Item = Leaf<'_>> {
        (self.nodes.iter().enumerate())
            .filter(|(index, _)| self.is_leaf_at(*index))
            .map(|(_, node)| Leaf { rev: &node.rev, deleted: node.deleted })
    }
}
