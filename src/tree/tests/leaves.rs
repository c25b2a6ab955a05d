//! The winner and its rivals.

use super::*;
use crate::tree::Leaf;
use std::collections::BTreeSet;

/// Whether `leaf` wins over `rival`, said as CouchDB's documentation says it.
fn wins(leaf: &Leaf<'_>, rival: &Leaf<'_>) -> bool {
    if leaf.deleted != rival.deleted {
        return rival.deleted;
    }
    if leaf.rev.generation != rival.rev.generation {
        return leaf.rev.generation > rival.rev.generation;
    }
    leaf.rev.hash.to_string() > rival.rev.hash.to_string()
}

proptest! {
    #[test]
    fn the_winner_wins_over_every_other_leaf(told in telling()) {
        let tree = merge_all(&told, NO_LIMIT);
        let leaves = tree.leaves();
        prop_assert_eq!(tree.winner(), leaves.first().copied());
        for (place, leaf) in leaves.iter().enumerate() {
            for rival in &leaves[place + 1..] {
                prop_assert!(wins(leaf, rival) && !wins(rival, leaf));
            }
        }
    }

    #[test]
    fn leaves_are_the_revisions_that_are_no_parent(told in telling(), limit in limits()) {
        let tree = merge_all(&told, limit);
        let parents: BTreeSet<_> = tree.revs().filter_map(|(rev, _)| tree.parent(rev)).collect();
        let expected: BTreeSet<_> = tree.revs().map(|(rev, _)| rev).filter(|rev| !parents.contains(rev)).collect();
        let leaves: Vec<_> = tree.leaves().iter().map(|leaf| leaf.rev).collect();
        prop_assert_eq!(leaves.len(), expected.len());
        prop_assert!(leaves.iter().all(|leaf| expected.contains(leaf) && tree.is_leaf(leaf)));
        prop_assert!(parents.iter().all(|parent| !tree.is_leaf(parent)));
    }

    #[test]
    fn each_leaf_is_the_winner_or_a_conflict_or_a_deleted_conflict(told in telling()) {
        let tree = merge_all(&told, NO_LIMIT);
        let mut sorted: Vec<_> = tree.winner().map(|leaf| leaf.rev).into_iter().collect();
        sorted.extend(tree.conflicts());
        sorted.extend(tree.deleted_conflicts());
        prop_assert!(tree.conflicts().iter().all(|rev| !tree.status(rev).unwrap().deleted));
        prop_assert!(tree.deleted_conflicts().iter().all(|rev| tree.status(rev).unwrap().deleted));
        let mut open = tree.open_revs();
        prop_assert!(open.windows(2).all(|pair| pair[0].generation >= pair[1].generation));
        sorted.sort();
        open.sort();
        prop_assert_eq!(sorted, open);
    }

    #[test]
    fn the_latest_of_a_revision_is_a_leaf_upon_it(told in telling(), limit in limits()) {
        let tree = merge_all(&told, limit);
        for (rev, _) in tree.revs() {
            let latest = tree.latest(rev).unwrap();
            prop_assert!(tree.is_leaf(latest));
            let line = tree.ancestry(latest).unwrap();
            prop_assert!(line.iter().any(|(ancestor, _)| *ancestor == rev));
        }
    }

    #[test]
    fn an_ancestry_leads_to_a_root_without_a_gap(told in telling(), limit in limits()) {
        let tree = merge_all(&told, limit);
        for (rev, _) in tree.revs() {
            let line = tree.ancestry(rev).unwrap();
            prop_assert_eq!(line[0].0, rev);
            prop_assert!(line.windows(2).all(|pair| tree.parent(pair[0].0) == Some(pair[1].0)));
            prop_assert!(line.iter().all(|(ancestor, status)| tree.status(ancestor) == Some(*status)));
            prop_assert_eq!(line.last().and_then(|(root, _)| tree.parent(root)), None);
        }
    }
}

#[test]
fn what_is_not_deleted_wins_then_the_longer_history_then_the_greater_hash() {
    let mut rivals = tree(&["1-a", "2-b 1-a", "2-c 1-a"]);
    assert_eq!(rivals.winner().unwrap().rev, &rev("2-c"));
    rivals.merge(&path("3-a 2-b"), false, NO_LIMIT);
    assert_eq!(rivals.winner().unwrap().rev, &rev("3-a"));
    rivals.merge(&path("4-z 3-a"), true, NO_LIMIT);
    assert_eq!(rivals.winner().unwrap().rev, &rev("2-c"));
    rivals.merge(&path("3-d 2-c"), true, NO_LIMIT);
    assert_eq!(rivals.winner(), Some(Leaf { rev: &rev("4-z"), deleted: true }));
    assert_eq!(
        (texts(rivals.conflicts()), texts(rivals.deleted_conflicts())),
        (vec![], vec!["3-d".to_owned()])
    );
}

#[test]
fn conflicts_are_listed_as_pouchdb_lists_them() {
    let rivals = tree(&["1-z", "1-m", "3-c 2-b 1-m", "2-y 1-z", "2-a 1-z", "2-x 1-m", "1-k", "1-c"]);
    assert_eq!(rivals.winner().unwrap().rev, &rev("3-c"));
    assert_eq!(texts(rivals.conflicts()), ["2-a", "2-y", "2-x", "1-k", "1-c"]);
}

#[test]
fn the_latest_follows_the_greatest_hash() {
    let forked = tree(&["4-d 3-c 2-a 1-r", "2-b 1-r", "1-q"]);
    assert_eq!(forked.latest(&rev("1-r")), Some(&rev("2-b")));
    assert_eq!(forked.latest(&rev("2-a")), Some(&rev("4-d")));
    assert_eq!(forked.latest(&rev("2-b")), Some(&rev("2-b")));
    assert_eq!(forked.latest(&rev("2-x")), None);
}

#[test]
fn an_empty_tree_has_no_leaf() {
    let empty = RevTree::default();
    assert_eq!((empty.winner(), empty.leaves(), empty.conflicts()), (None, vec![], vec![]));
    assert!(empty.is_empty() && !empty.contains(&rev("1-a")) && !empty.is_leaf(&rev("1-a")));
    assert_eq!((empty.status(&rev("1-a")), empty.ancestry(&rev("1-a"))), (None, None));
}
