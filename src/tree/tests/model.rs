//! Random histories, and a tree kept as simply as can be to compare with.

use super::*;
use proptest::sample::Index;
use std::collections::{BTreeMap, BTreeSet};

/// One edit of a document's true history.
#[derive(Debug, Clone)]
pub struct Edit {
    pub rev: Rev,
    /// Where its parent is in the history, before it.
    pub parent: Option<usize>,
    pub deleted: bool,
}

/// A path of a history, and whether its leaf is deleted: what one replicated document tells.
pub type Telling = (RevPath, bool);

/// Up to 40 edits, each upon one of those before it, mostly upon the newest, or upon none.
pub fn history() -> impl Strategy<Value = Vec<Edit>> {
    let upon = prop_oneof![6 => Just(None), 4 => any::<Index>().prop_map(Some)];
    let edit = (upon, prop::bool::weighted(0.05), any::<u8>(), prop::bool::weighted(0.2), any::<bool>());
    prop::collection::vec(edit, 1..40).prop_map(|edits| {
        let mut history: Vec<Edit> = Vec::new();
        for (number, (upon, root, byte, textual, deleted)) in edits.into_iter().enumerate() {
            let parent = match upon {
                _ if root || number == 0 => None,
                None => Some(number - 1),
                Some(index) => Some(index.index(number)),
            };
            // The first byte shuffles the order of siblings, the number makes the hash the only one of its kind.
            let hash = if textual {
                RevHash::new(&format!("{byte:02x}é{number}"))
            } else {
                let mut bytes = [0; 16];
                (bytes[0], bytes[15]) = (byte, number as u8);
                RevHash::Md5(bytes)
            };
            let generation = parent.map_or(1, |parent| history[parent].rev.generation + 1);
            history.push(Edit { rev: Rev { generation, hash }, parent, deleted });
        }
        history
    })
}

/// Parts of one history in any order, some of them twice, most without their beginning.
pub fn telling() -> impl Strategy<Value = Vec<Telling>> {
    let parts = prop::collection::vec((any::<Index>(), prop_oneof![1..4usize, Just(NO_LIMIT)]), 1..25);
    (history(), parts).prop_map(|(history, parts)| {
        (parts.into_iter())
            .map(|(index, length)| part(&history, index.index(history.len()), length))
            .collect()
    })
}

/// The edit `number` of a history with as much of its ancestry as makes `length` revisions.
pub fn part(history: &[Edit], number: usize, length: usize) -> Telling {
    let ancestors = std::iter::successors(history[number].parent, |parent| history[*parent].parent);
    let hashes = ancestors.map(|ancestor| history[ancestor].rev.hash.clone()).take(length - 1);
    (RevPath::new(history[number].rev.clone(), hashes), history[number].deleted)
}

/// Limits that matter for such histories.
pub fn limits() -> impl Strategy<Value = usize> {
    prop_oneof![1..10usize, Just(NO_LIMIT)]
}

pub fn merge_all(paths: &[Telling], limit: usize) -> RevTree {
    let mut tree = RevTree::default();
    for (path, deleted) in paths {
        tree.merge(path, *deleted, limit);
    }
    tree
}

/// What is known of a revision: its parent, whether it is deleted, whether it is available.
pub type Facts = BTreeMap<Rev, (Option<Rev>, bool, bool)>;

pub fn facts(tree: &RevTree) -> Facts {
    tree.revs()
        .map(|(rev, status)| (rev.clone(), (tree.parent(rev).cloned(), status.deleted, status.available)))
        .collect()
}

pub fn revs_of(path: &RevPath) -> Vec<Rev> {
    let hashes = std::iter::once(&path.leaf().hash).chain(path.ancestors());
    (hashes.enumerate())
        .map(|(age, hash)| Rev { generation: path.leaf().generation - age as u64, hash: hash.clone() })
        .collect()
}

/// Merges as the words say: all revisions of the path with their parents, then nothing that is `limit` revisions away
/// from every leaf.
pub fn merge_simply(facts: &mut Facts, (path, deleted): &Telling, limit: usize) -> BTreeSet<Rev> {
    let revs = revs_of(path);
    for (age, rev) in revs.iter().enumerate() {
        let known = facts.entry(rev.clone()).or_insert((None, false, false));
        known.0 = known.0.take().or(revs.get(age + 1).cloned());
        if age == 0 && !known.2 {
            (known.1, known.2) = (*deleted, true);
        }
    }
    let parents: BTreeSet<Rev> = facts.values().filter_map(|(parent, ..)| parent.clone()).collect();
    let mut kept = BTreeSet::new();
    for leaf in facts.keys().filter(|rev| !parents.contains(rev)) {
        let line = std::iter::successors(Some(leaf), |rev| facts[rev].0.as_ref());
        kept.extend(line.take(limit).cloned());
    }
    let dropped = facts.keys().filter(|rev| !kept.contains(rev)).cloned().collect();
    facts.retain(|rev, _| kept.contains(rev));
    for (parent, ..) in facts.values_mut() {
        *parent = parent.take().filter(|parent| kept.contains(parent));
    }
    dropped
}

/// Whether the nodes are in the order that `RevTree::nodes` promises.
pub fn arranged(tree: &RevTree) -> Result<(), TestCaseError> {
    let mut line: Vec<usize> = Vec::new();
    let mut last_sibling: BTreeMap<u32, &Rev> = BTreeMap::new();
    let mut last_root = 0;
    for (index, node) in tree.nodes.iter().enumerate() {
        if let Some(parent) = node.parent {
            while line.last().is_some_and(|ancestor| *ancestor != parent as usize) {
                line.pop();
            }
            prop_assert!(!line.is_empty(), "{} is not behind its parent: {tree:?}", node.rev);
            prop_assert_eq!(tree.nodes[parent as usize].rev.generation + 1, node.rev.generation);
            let elder = last_sibling.insert(parent, &node.rev);
            prop_assert!(elder.is_none_or(|elder| elder < &node.rev), "siblings in {tree:?}");
        } else {
            prop_assert!(last_root <= node.rev.generation, "roots in {tree:?}");
            last_root = node.rev.generation;
            line.clear();
        }
        line.push(index);
    }
    Ok(())
}
