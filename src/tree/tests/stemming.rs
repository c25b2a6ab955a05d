//! Stemming: what is forgotten, and what never is.

use super::model::facts;
use super::*;
use std::collections::{BTreeMap, BTreeSet};

fn leaf_revs(tree: &RevTree) -> BTreeSet<Rev> {
    tree.leaves().iter().map(|leaf| leaf.rev.clone()).collect()
}

/// How many revisions lead to each leaf.
fn lengths(tree: &RevTree) -> BTreeMap<Rev, usize> {
    leaf_revs(tree).into_iter().map(|leaf| (leaf.clone(), tree.ancestry(&leaf).unwrap().len())).collect()
}

proptest! {
    #[test]
    fn stemming_beyond_the_deepest_branch_changes_nothing(told in telling()) {
        let tree = merge_all(&told, NO_LIMIT);
        let deepest = lengths(&tree).into_values().max().unwrap();
        let mut stemmed = tree.clone();
        prop_assert_eq!(stemmed.stem(deepest), vec![]);
        prop_assert_eq!(stemmed.nodes, tree.nodes);
    }

    #[test]
    fn stemming_takes_away_what_it_reports_and_nothing_else(told in telling(), limit in 1..10usize) {
        let tree = merge_all(&told, NO_LIMIT);
        let mut stemmed = tree.clone();
        let reported: BTreeSet<Rev> = stemmed.stem(limit).into_iter().collect();
        let (gone, kept): (BTreeSet<Rev>, BTreeSet<Rev>) =
            facts(&tree).into_keys().partition(|rev| reported.contains(rev));
        prop_assert_eq!(gone, reported);
        prop_assert_eq!(facts(&stemmed).into_keys().collect::<BTreeSet<_>>(), kept);
        arranged(&stemmed)?;
    }

    #[test]
    fn all_leaves_outlive_stemming(told in telling(), limit in limits()) {
        let tree = merge_all(&told, NO_LIMIT);
        let mut stemmed = tree.clone();
        stemmed.stem(limit);
        prop_assert_eq!(stemmed.leaves(), tree.leaves());
        let stemmed_at_each_merge = merge_all(&told, limit);
        prop_assert!(tree.leaves().iter().all(|leaf| stemmed_at_each_merge.is_leaf(leaf.rev)));
    }

    #[test]
    fn no_branch_grows_by_stemming_and_none_loses_its_newest(told in telling(), limit in limits()) {
        let tree = merge_all(&told, NO_LIMIT);
        let mut stemmed = tree.clone();
        stemmed.stem(limit);
        let before = lengths(&tree);
        for (leaf, length) in lengths(&stemmed) {
            prop_assert!(length <= before[&leaf]);
            prop_assert!(length >= limit.min(before[&leaf]));
        }
    }

    #[test]
    fn a_document_without_conflicts_is_stemmed_to_the_limit(depth in 1..200u64, limit in 1..20usize) {
        let mut tree = RevTree::default();
        for generation in 1..=depth {
            let hash = |generation: u64| RevHash::new(&generation.to_string());
            let leaf = Rev { generation, hash: hash(generation) };
            let merged = tree.merge(&RevPath::new(leaf, [hash(generation - 1)]), false, limit);
            prop_assert_eq!(merged.outcome, MergeOutcome::NewLeaf);
            let oldest = generation.saturating_sub(limit as u64);
            prop_assert_eq!(merged.stemmed, Vec::from_iter((oldest > 0).then(|| Rev { generation: oldest, hash: hash(oldest) })));
        }
        prop_assert_eq!(tree.len(), limit.min(depth as usize));
    }
}

#[test]
fn a_branch_keeps_the_ancestors_that_a_shorter_one_needs() {
    let mut forked = tree(&["4-d 3-c 2-b 1-a", "3-e 2-b"]);
    assert_eq!(texts(&forked.stem(2)), ["1-a"]);
    assert_eq!(
        texts(forked.ancestry(&rev("4-d")).unwrap().iter().map(|(rev, _)| *rev)),
        ["4-d", "3-c", "2-b"]
    );
}

#[test]
fn a_branch_too_long_for_its_fork_stands_alone() {
    let mut forked = tree(&["6-f 5-e 4-d 3-c 2-b 1-a", "2-z 1-a"]);
    assert_eq!(texts(&forked.stem(2)), ["2-b", "3-c", "4-d"]);
    assert_eq!(forked.parent(&rev("5-e")), None);
    assert_eq!(forked.parent(&rev("2-z")), Some(&rev("1-a")));
    arranged(&forked).unwrap();
}

#[test]
fn what_a_path_brings_beyond_the_limit_is_reported_too() {
    let mut tree = RevTree::default();
    let merged = tree.merge(&path("5-e 4-d 3-c 2-b 1-a"), false, 3);
    assert_eq!(texts(&merged.stemmed), ["1-a", "2-b"]);
    assert_eq!(tree.len(), 3);
}

#[test]
fn a_limit_of_zero_keeps_the_leaves() {
    let mut tree = tree(&["3-c 2-b 1-a", "2-x 1-a"]);
    tree.merge(&path("4-d 3-c"), false, 0);
    assert_eq!(texts(tree.revs().map(|(rev, _)| rev)), ["2-x", "4-d"]);
}
