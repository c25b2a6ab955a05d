//! Merging: what is added, and what that is called.

use super::model::{Facts, facts, merge_simply, revs_of};
use super::*;
use std::collections::BTreeSet;

proptest! {
    #[test]
    fn a_merge_does_what_its_words_say(told in telling(), limit in limits()) {
        let mut tree = RevTree::default();
        let mut expected = Facts::new();
        for (path, deleted) in told {
            let stemmed = tree.merge(&path, deleted, limit).stemmed;
            let dropped = merge_simply(&mut expected, &(path, deleted), limit);
            prop_assert_eq!(&facts(&tree), &expected);
            prop_assert_eq!(stemmed.len(), dropped.len());
            prop_assert_eq!(stemmed.into_iter().collect::<BTreeSet<_>>(), dropped);
            arranged(&tree)?;
        }
    }

    #[test]
    fn the_order_of_merges_does_not_matter((told, shuffled) in telling().prop_flat_map(|told| {
        (Just(told.clone()), Just(told).prop_shuffle())
    })) {
        let [tree, other] = [merge_all(&told, NO_LIMIT), merge_all(&shuffled, NO_LIMIT)];
        prop_assert_eq!(&tree, &other);
        prop_assert_eq!(tree.winner(), other.winner());
        prop_assert_eq!(tree.leaves(), other.leaves());
    }

    #[test]
    fn merging_again_changes_nothing(told in telling(), limit in limits()) {
        let mut tree = merge_all(&told, limit);
        let before = tree.clone();
        let (path, deleted) = told.last().unwrap();
        let merged = tree.merge(path, *deleted, limit);
        prop_assert_eq!(&tree.nodes, &before.nodes);
        prop_assert_eq!(merged.outcome, MergeOutcome::InternalNode);
        prop_assert!(merged.stemmed.iter().all(|rev| !tree.contains(rev)));
    }

    #[test]
    fn a_merge_of_known_revisions_loses_and_adds_none(told in telling(), pick in any::<prop::sample::Index>()) {
        let mut tree = merge_all(&told, NO_LIMIT);
        let before = facts(&tree);
        let known: Vec<Rev> = before.keys().cloned().collect();
        let ancestry = tree.ancestry(pick.get(&known)).unwrap();
        let hashes = ancestry[1..].iter().map(|(rev, _)| rev.hash.clone()).collect::<Vec<_>>();
        let merged = tree.merge(&RevPath::new(pick.get(&known).clone(), hashes), false, NO_LIMIT);
        prop_assert_eq!(merged.outcome, MergeOutcome::InternalNode);
        prop_assert!(facts(&tree).keys().eq(before.keys()));
        arranged(&tree)?;
    }

    #[test]
    fn the_outcome_tells_where_the_leaf_went(told in telling()) {
        let mut tree = RevTree::default();
        for (path, deleted) in told {
            let before = tree.clone();
            let revs = revs_of(&path);
            let base = revs.iter().find(|rev| before.contains(rev));
            let expected = match base {
                None if before.is_empty() => MergeOutcome::NewLeaf,
                Some(base) if base == path.leaf() => MergeOutcome::InternalNode,
                Some(base) if before.is_leaf(base) => MergeOutcome::NewLeaf,
                Some(_) => MergeOutcome::NewBranch,
                None => MergeOutcome::InternalNode,
            };
            prop_assert_eq!(tree.merge(&path, deleted, NO_LIMIT).outcome, expected);
            prop_assert!(expected == MergeOutcome::InternalNode || tree.is_leaf(path.leaf()));
        }
    }

    /// Hashes of two letters, so that paths contradict each other about parents all the time.
    #[test]
    fn histories_that_contradict_each_other_leave_a_tree(
        paths in prop::collection::vec((1..6u64, "[ab]{1,6}", any::<bool>()), 1..12),
        limit in limits(),
    ) {
        let mut tree = RevTree::default();
        for (generation, hashes, deleted) in paths {
            let mut hashes = hashes.chars().map(|letter| RevHash::new(&letter.to_string()));
            let leaf = Rev { generation, hash: hashes.next().unwrap() };
            tree.merge(&RevPath::new(leaf.clone(), hashes), deleted, limit);
            arranged(&tree)?;
            prop_assert!(tree.contains(&leaf));
            prop_assert_eq!(facts(&tree).len(), tree.len(), "a revision is there twice");
            for leaf in tree.leaves() {
                prop_assert!(tree.status(leaf.rev).unwrap().available, "nobody wrote {}", leaf.rev);
            }
        }
    }
}

#[test]
fn trees_are_equal_in_all_but_the_order_in_which_roots_came() {
    let first = tree(&["1-a", "1-b", "2-c 1-a"]);
    assert_eq!(first, tree(&["1-b", "2-c 1-a", "1-a"]));
    let mut deleted = tree(&["1-a", "1-b"]);
    deleted.merge(&path("2-c 1-a"), true, NO_LIMIT);
    let others =
        [tree(&["1-a", "1-b"]), tree(&["1-b", "1-a", "2-c 1-b"]), tree(&["1-b", "2-c 1-a"]), deleted];
    assert!(others.iter().all(|other| *other != first));
}

#[test]
fn a_history_told_again_that_was_forgotten_leaves_the_order_of_roots() {
    let mut stemmed = RevTree::default();
    stemmed.merge(&path("2-b 1-a"), false, 1);
    stemmed.merge(&path("2-c 1-x"), false, 1);
    let before = stemmed.clone();
    assert_eq!(stemmed.merge(&path("2-b 1-a"), false, 1).stemmed, [rev("1-a")]);
    assert_eq!(stemmed.nodes, before.nodes);
}

#[test]
fn a_first_revision_is_a_new_leaf() {
    let mut tree = RevTree::default();
    let merged = tree.merge(&path("1-a"), false, NO_LIMIT);
    assert_eq!((merged.outcome, merged.stemmed), (MergeOutcome::NewLeaf, vec![]));
    assert_eq!(tree.status(&rev("1-a")).map(|status| (status.available, status.leaf)), Some((true, true)));
}

#[test]
fn an_edit_upon_a_leaf_is_a_new_leaf_and_upon_another_revision_a_new_branch() {
    let mut edited = tree(&["1-a"]);
    assert_eq!(edited.merge(&path("2-b 1-a"), false, NO_LIMIT).outcome, MergeOutcome::NewLeaf);
    assert_eq!(edited.merge(&path("2-a 1-a"), false, NO_LIMIT).outcome, MergeOutcome::NewBranch);
    assert_eq!(edited.merge(&path("4-d 3-c 2-a 1-a"), false, NO_LIMIT).outcome, MergeOutcome::NewLeaf);
    assert_eq!(edited, tree(&["2-b 1-a", "1-a", "2-a 1-a", "4-d 3-c 2-a"]));
}

#[test]
fn a_path_that_shares_nothing_is_a_tree_of_its_own() {
    let mut divided = tree(&["1-a"]);
    assert_eq!(divided.merge(&path("3-c 2-b"), false, NO_LIMIT).outcome, MergeOutcome::InternalNode);
    assert_eq!(texts(divided.leaves().iter().map(|leaf| leaf.rev)), ["3-c", "1-a"]);
    assert_eq!(divided.parent(&rev("2-b")), None);
}

#[test]
fn a_longer_history_joins_trees() {
    let mut divided = tree(&["1-a", "3-c", "5-e 4-x"]);
    assert_eq!(divided.leaves().len(), 3);
    divided.merge(&path("6-f 5-e 4-x 3-c 2-b 1-a"), false, NO_LIMIT);
    assert_eq!(texts(divided.leaves().iter().map(|leaf| leaf.rev)), ["6-f"]);
    assert_eq!(texts(divided.ancestry(&rev("6-f")).unwrap().iter().map(|(rev, _)| *rev)).len(), 6);
}

#[test]
fn ancestors_are_missing_until_their_bodies_come() {
    let mut tree = tree(&["3-c 2-b 1-a"]);
    let available = |tree: &RevTree, text| tree.status(&rev(text)).unwrap().available;
    assert_eq!(["1-a", "2-b", "3-c"].map(|text| available(&tree, text)), [false, false, true]);
    tree.merge(&path("2-b"), true, NO_LIMIT);
    assert_eq!(["1-a", "2-b", "3-c"].map(|text| available(&tree, text)), [false, true, true]);
    assert!(tree.status(&rev("2-b")).unwrap().deleted);
    assert!(!tree.winner().unwrap().deleted);
}

#[test]
fn a_revision_that_is_known_keeps_its_deleted_flag_and_its_parent() {
    let mut known = RevTree::default();
    known.merge(&path("2-b 1-a"), true, NO_LIMIT);
    known.merge(&path("2-b 1-x"), false, NO_LIMIT);
    assert!(known.winner().unwrap().deleted);
    assert_eq!(known.parent(&rev("2-b")), Some(&rev("1-a")));
    assert_eq!(known.len(), 2);
}

#[test]
fn of_a_history_that_contradicts_the_known_one_only_what_is_newer_is_taken() {
    let mut known = tree(&["3-c 2-b"]);
    let merged = known.merge(&path("4-d 3-c 2-x 1-a"), false, NO_LIMIT);
    assert_eq!(merged.outcome, MergeOutcome::NewLeaf);
    assert_eq!(known, tree(&["3-c 2-b", "4-d 3-c"]));
}

#[test]
fn a_path_has_no_revision_below_the_first_generation() {
    let surplus = path("2-b 1-a");
    assert_eq!(surplus, RevPath::new(rev("2-b"), ["a", "x", "y"].map(RevHash::new)));
    assert_eq!((surplus.len(), surplus.parent()), (2, Some(rev("1-a"))));
    assert_eq!(RevPath::new(rev("0-local"), [RevHash::new("a")]), RevPath::single(rev("0-local")));
}
