//! Compaction and purge.

use super::model::facts;
use super::*;
use crate::tree::RemoveLeafError;
use std::collections::BTreeSet;

proptest! {
    #[test]
    fn compaction_leaves_the_bodies_of_leaves(told in telling()) {
        let mut tree = merge_all(&told, NO_LIMIT);
        let before = tree.clone();
        let dropped = tree.compact(0);
        prop_assert_eq!(tree.compact(0), Vec::<Rev>::new());
        prop_assert_eq!(tree.leaves(), before.leaves());
        for (rev, status) in before.revs() {
            prop_assert_eq!(tree.status(rev).unwrap().available, status.available && !dropped.contains(rev));
            prop_assert_eq!(dropped.contains(rev), status.available && !status.leaf);
        }
    }

    #[test]
    fn removing_a_leaf_takes_what_belongs_to_no_other(told in telling(), pick in any::<prop::sample::Index>()) {
        let mut tree = merge_all(&told, NO_LIMIT);
        let before = tree.clone();
        let leaf = pick.get(&before.leaves()).rev.clone();
        let removed = tree.remove_leaf(&leaf).unwrap();
        let others = before.leaves().into_iter().map(|other| other.rev).filter(|other| **other != leaf);
        let needed: BTreeSet<&Rev> =
            others.flat_map(|other| before.ancestry(other).unwrap()).map(|(rev, _)| rev).collect();
        let line = before.ancestry(&leaf).unwrap();
        let expected = line.into_iter().map(|(rev, _)| rev).filter(|rev| !needed.contains(rev));
        prop_assert!(removed.iter().eq(expected));
        prop_assert!(facts(&tree).keys().eq(needed));
        arranged(&tree)?;
    }
}

#[test]
fn compaction_keeps_what_is_near_a_leaf() {
    let forked = tree(&["1-a", "2-b 1-a", "3-c 2-b", "4-d 3-c", "3-x 2-b"]);
    let compacted = |max_height| texts(&forked.clone().compact(max_height));
    assert_eq!(compacted(0), ["1-a", "2-b", "3-c"]);
    assert_eq!(compacted(1), ["1-a"]);
    assert_eq!(compacted(2), Vec::<String>::new());
}

#[test]
fn removing_needs_a_leaf() {
    let mut edited = tree(&["2-b 1-a"]);
    assert_eq!(edited.remove_leaf(&rev("1-a")), Err(RemoveLeafError::NotALeaf));
    assert_eq!(edited.remove_leaf(&rev("2-x")), Err(RemoveLeafError::NotFound));
    assert_eq!(edited, tree(&["2-b 1-a"]));
}

#[test]
fn removing_the_only_leaf_leaves_nothing() {
    let mut edited = tree(&["3-c 2-b 1-a"]);
    assert_eq!(texts(&edited.remove_leaf(&rev("3-c")).unwrap()), ["3-c", "2-b", "1-a"]);
    assert!(edited.is_empty());
}

#[test]
fn removing_a_branch_stops_at_the_fork() {
    let forked = ["4-d 3-c 2-b 1-a", "4-e 3-x 2-b"];
    let mut left = tree(&forked);
    assert_eq!(texts(&left.remove_leaf(&rev("4-d")).unwrap()), ["4-d", "3-c"]);
    assert_eq!(texts(left.revs().map(|(rev, _)| rev)), ["1-a", "2-b", "3-x", "4-e"]);
    let mut right = tree(&forked);
    assert_eq!(texts(&right.remove_leaf(&rev("4-e")).unwrap()), ["4-e", "3-x"]);
    assert_eq!(texts(right.revs().map(|(rev, _)| rev)), ["1-a", "2-b", "3-c", "4-d"]);
}
