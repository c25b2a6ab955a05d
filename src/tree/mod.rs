//! The revision tree of a document: merge, stem, winner, leaves. Pure.
//!
//! Every edit names the edit it was made upon, so the edits of a document form a tree; two edits upon the same one,
//! made on devices that did not know of each other, are two branches of it, a conflict:
//!
//! ```text
//! 1-a ── 2-b ── 3-c ── 4-d      the winner: the greatest generation of the leaves that are not deleted
//!          └─── 3-e             a conflict, until somebody deletes it
//! ```
//!
//! Only the last `limit` revisions of each branch are kept (*stemming*). A branch whose beginning is not known stands
//! on a root of its own, so a tree is really a list of trees. Of a revision that came only as somebody's ancestor, or
//! whose body compaction dropped, just the id is known: its status is *missing*.
//!
//! A revision id stands for its whole history, so each revision is in the tree once, and has one parent. Should two
//! histories disagree about a parent, the one that was there first is kept.
//!
//! ```
//! use potoroo::doc::Rev;
//! use potoroo::tree::{MergeOutcome, RevPath, RevTree};
//!
//! let [first, ours, theirs] = [Rev::new(1, "a"), Rev::new(2, "b"), Rev::new(2, "c")];
//! let mut tree = RevTree::default();
//! tree.merge(&RevPath::single(first.clone()), false, 1000);
//! let merged = tree.merge(&RevPath::new(ours.clone(), [first.hash.clone()]), false, 1000);
//! assert_eq!(merged.outcome, MergeOutcome::NewLeaf);
//! let merged = tree.merge(&RevPath::new(theirs.clone(), [first.hash]), false, 1000);
//! assert_eq!(merged.outcome, MergeOutcome::NewBranch);
//! assert_eq!(tree.winner().map(|leaf| leaf.rev), Some(&theirs));
//! assert_eq!(tree.conflicts(), [&ours]);
//! ```
//!
//! # Binary layout
//! See [`RevTree::encode`].

mod arrange;
mod codec;
mod history;
mod merge;
mod path;
mod pouch;
mod remove;
mod stem;
mod winner;

#[cfg(test)]
mod tests;

pub use codec::DecodeError;
pub use history::RevStatus;
pub use merge::{MergeOutcome, Merged};
pub use path::RevPath;
pub use pouch::PouchJsonError;
pub use remove::RemoveLeafError;
pub use winner::Leaf;

use crate::doc::Rev;
use crate::sort::sort_by;
use std::fmt;

/// The revisions of one document.
///
/// Two trees are equal if they hold the same revisions with the same parents and states. The order in which roots of
/// one generation came, which shows in [`RevTree::conflicts`] alone, is not compared.
#[derive(Clone, Default)]
pub struct RevTree {
    /// Each parent directly before its first child and all its descendants behind it without a gap; siblings by hash;
    /// roots by generation, those of one generation in the order of their arrival.
    ///
    /// Hence a node is a leaf exactly if the next one is not its child, and a document without conflicts is the list
    /// of its revisions, oldest first.
    nodes: Vec<Node>,
}

#[derive(Clone, PartialEq, Eq)]
struct Node {
    rev: Rev,
    /// Where its parent is in `nodes`; of a root, nothing.
    parent: Option<u32>,
    deleted: bool,
    available: bool,
}

impl RevTree {
    /// How many revisions are known, those without a body among them.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether no revision is known.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    fn node(&self, index: usize) -> &Node {
        self.nodes.get(index).expect("BUG: a parent that is not in the tree")
    }

    fn node_mut(&mut self, index: usize) -> &mut Node {
        self.nodes.get_mut(index).expect("BUG: a parent that is not in the tree")
    }

    fn parent_of(&self, index: usize) -> Option<usize> {
        self.node(index).parent.map(|parent| parent as usize)
    }

    fn is_leaf_at(&self, index: usize) -> bool {
        self.nodes.get(index + 1).is_none_or(|next| next.parent != Some(as_parent(index)))
    }

    /// The newest are looked for most, and stand behind.
    fn find(&self, rev: &Rev) -> Option<usize> {
        self.nodes.iter().rposition(|node| node.rev == *rev)
    }
}

fn as_parent(index: usize) -> u32 {
    u32::try_from(index).expect("BUG: a tree of more than 2^32 revisions")
}

impl PartialEq for RevTree {
    fn eq(&self, other: &Self) -> bool {
        fn sorted(tree: &RevTree) -> Vec<(&Rev, Option<&Rev>, bool, bool)> {
            let mut facts: Vec<_> = (tree.nodes.iter())
                .map(|node| {
                    let parent = node.parent.map(|parent| &tree.node(parent as usize).rev);
                    (&node.rev, parent, node.deleted, node.available)
                })
                .collect();
            sort_by(&mut facts, Ord::cmp);
            facts
        }
        self.nodes == other.nodes || self.len() == other.len() && sorted(self) == sorted(other)
    }
}

impl Eq for RevTree {}

impl fmt::Debug for RevTree {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(&self.nodes).finish()
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parent = self.parent.map_or("root".to_owned(), |parent| format!("upon node {parent}"));
        let deleted = if self.deleted { ", deleted" } else { "" };
        let missing = if self.available { "" } else { ", missing" };
        write!(formatter, "{} {parent}{deleted}{missing}", self.rev)
    }
}
