//! Compaction and purge.

use super::RevTree;
use crate::doc::Rev;

/// Why a leaf could not be removed. The texts are PouchDB's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RemoveLeafError {
    /// The tree does not know the revision.
    #[error("The requested revision does not exist")]
    NotFound,
    /// Another revision was made upon it.
    #[error("The requested revision is not a leaf")]
    NotALeaf,
}

impl RevTree {
    /// Notes that the bodies of the revisions further than `max_height` generations from all leaves are not stored any
    /// more, and returns those of which they were. With 0, only leaves keep theirs.
    pub fn compact(&mut self, max_height: usize) -> Vec<Rev> {
        let heights = self.heights();
        let mut dropped = Vec::new();
        for (node, height) in self.nodes.iter_mut().zip(heights) {
            if node.available && height > max_height {
                node.available = false;
                dropped.push(node.rev.clone());
            }
        }
        dropped
    }

    /// Makes the tree say of which revisions there are bodies, where it may be wrong about that: of leaves always. Gives the
    /// leaves of which there are none.
    pub fn settle_bodies(&mut self, has_body: impl Fn(&Rev) -> bool) -> Vec<Rev> {
        let mut lacking = Vec::new();
        for index in 0..self.nodes.len() {
            let is_leaf = self.is_leaf_at(index);
            let node = self.node_mut(index);
            let is_there = has_body(&node.rev);
            if is_leaf && !is_there {
                lacking.push(node.rev.clone());
            }
            node.available = is_leaf || node.available && is_there;
        }
        lacking
    }

    /// Forgets the leaf `rev` as if it had never been, with those of its ancestors upon which nothing else was made,
    /// and returns them, the leaf first. Purging the last leaf leaves the tree empty.
    pub fn remove_leaf(&mut self, rev: &Rev) -> Result<Vec<Rev>, RemoveLeafError> {
        let leaf = self.find(rev).ok_or(RemoveLeafError::NotFound)?;
        if !self.is_leaf_at(leaf) {
            return Err(RemoveLeafError::NotALeaf);
        }
        // In the nodes' order the branch ends at its leaf. An ancestor belongs to it alone if it stands directly
        // before it and what follows the leaf is not its child too.
        let next_parent = self.nodes.get(leaf + 1).and_then(|next| next.parent).map(|parent| parent as usize);
        let mut first = leaf;
        while let Some(parent) = self.parent_of(first).filter(|parent| parent + 1 == first)
            && next_parent != Some(parent)
        {
            first = parent;
        }
        let kept: Vec<bool> = (0..self.len()).map(|index| !(first..=leaf).contains(&index)).collect();
        let mut removed = self.retain(&kept);
        removed.reverse();
        Ok(removed)
    }
}
