//! The order of a tree's nodes.

use super::{Node, RevTree, as_parent};
use crate::sort::{sort_by, sort_by_key};

impl RevTree {
    /// Puts the nodes into the order that `RevTree::nodes` promises, whatever order they are in.
    ///
    /// Takes time in proportion to their number, but for the sorting of siblings.
    pub(super) fn arrange(&mut self) {
        let children = self.children();
        let mut roots: Vec<usize> =
            (0..self.len()).filter(|index| self.node(*index).parent.is_none()).collect();
        sort_by_key(&mut roots, |index| self.node(*index).rev.generation);

        let mut old: Vec<Option<Node>> = std::mem::take(&mut self.nodes).into_iter().map(Some).collect();
        let mut waiting: Vec<(usize, Option<u32>)> =
            roots.into_iter().rev().map(|root| (root, None)).collect();
        while let Some((index, parent)) = waiting.pop() {
            let node = old.get_mut(index).and_then(Option::take).expect("BUG: a revision with two parents");
            let place = as_parent(self.nodes.len());
            self.nodes.push(Node { parent, ..node });
            waiting.extend(children.of(index).iter().rev().map(|child| (*child, Some(place))));
        }
    }

    /// Who stands directly upon whom, sorted by hash.
    fn children(&self) -> Children {
        let mut starts = vec![0; self.len() + 1];
        for parent in self.nodes.iter().filter_map(|node| node.parent) {
            *starts.get_mut(parent as usize + 1).expect("BUG: a parent that is not in the tree") += 1;
        }
        let mut before = 0;
        for start in &mut starts {
            before += *start;
            *start = before;
        }
        let mut next = starts.clone();
        let mut list = vec![0; before];
        for (index, node) in self.nodes.iter().enumerate() {
            if let Some(parent) = node.parent {
                let place = next.get_mut(parent as usize).expect("BUG: a parent that is not in the tree");
                *list.get_mut(*place).expect("BUG: more children than were counted") = index;
                *place += 1;
            }
        }
        let mut children = Children { starts, list };
        for index in 0..self.len() {
            let siblings = children.of_mut(index);
            sort_by(siblings, |left, right| self.node(*left).rev.hash.cmp(&self.node(*right).rev.hash));
        }
        children
    }
}

/// The children of all nodes, one node's after the other's.
struct Children {
    /// Where the children of each node begin in `list`, and its end.
    starts: Vec<usize>,
    list: Vec<usize>,
}

impl Children {
    fn range(&self, index: usize) -> std::ops::Range<usize> {
        let bound = |at| self.starts.get(at).copied().expect("BUG: not a node");
        bound(index)..bound(index + 1)
    }

    fn of(&self, index: usize) -> &[usize] {
        self.list.get(self.range(index)).expect("BUG: not a node")
    }

    fn of_mut(&mut self, index: usize) -> &mut [usize] {
        let range = self.range(index);
        self.list.get_mut(range).expect("BUG: not a node")
    }
}
