//! Forgetting old revisions.

use super::{RevTree, as_parent};
use crate::doc::Rev;

impl RevTree {
    /// Forgets what is not among the newest `limit` revisions of any branch, and returns it.
    ///
    /// As in CouchDB, an ancestor that a short branch keeps is kept for all branches upon it:
    ///
    /// ```text
    /// 1-a ── 2-b ── 3-c ── 4-d         with a limit of 2 loses 1-a only, as 3-e keeps 2-b,
    ///          └─── 3-e                and 3-c keeps its parent with it
    /// ```
    ///
    /// (PouchDB would hold 3-c with 4-d alone, and elsewhere may come to hold a revision twice, under two roots.)
    pub(super) fn stem(&mut self, limit: usize) -> Vec<Rev> {
        let limit = limit.max(1);
        if self.len() <= limit {
            return Vec::new();
        }
        let kept: Vec<bool> = self.heights().into_iter().map(|height| height < limit).collect();
        self.retain(&kept)
    }

    /// How many generations the nearest leaf upon each node is away from it.
    pub(super) fn heights(&self) -> Vec<usize> {
        let mut heights = vec![usize::MAX; self.len()];
        for index in (0..self.len()).rev() {
            let height = if self.is_leaf_at(index) {
                0
            } else {
                heights.get(index).copied().expect("BUG: not a node")
            };
            *heights.get_mut(index).expect("BUG: not a node") = height;
            if let Some(below) = self.parent_of(index).and_then(|parent| heights.get_mut(parent)) {
                *below = (*below).min(height + 1);
            }
        }
        heights
    }

    /// Drops the nodes that are not `kept` and returns their revisions. Their children become roots.
    pub(super) fn retain(&mut self, kept: &[bool]) -> Vec<Rev> {
        let mut dropped = Vec::new();
        if kept.iter().all(|kept| *kept) {
            return dropped;
        }
        let mut places: Vec<Option<u32>> = Vec::with_capacity(self.len());
        for (mut node, kept) in std::mem::take(&mut self.nodes).into_iter().zip(kept) {
            if !kept {
                places.push(None);
                dropped.push(node.rev);
                continue;
            }
            let parent = node.parent.and_then(|parent| places.get(parent as usize).copied().flatten());
            node.parent = parent;
            places.push(Some(as_parent(self.nodes.len())));
            self.nodes.push(node);
        }
        // What lost its parent has become a root, which may have to move. One tree alone has lost its beginning only.
        if self.nodes.iter().filter(|node| node.parent.is_none()).nth(1).is_some() {
            self.arrange();
        }
        dropped
    }
}
