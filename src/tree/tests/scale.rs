//! Trees far deeper and wider than usual: nothing recurses, and nothing takes quadratic time.

use super::*;

fn hash(branch: u32, generation: u64) -> RevHash {
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&branch.to_be_bytes());
    bytes[8..].copy_from_slice(&generation.to_be_bytes());
    RevHash::Md5(bytes)
}

/// A path of the branch `branch` from generation 2 up to `depth`, upon the first revision of branch 0.
fn branch(branch: u32, depth: u64) -> RevPath {
    let leaf = Rev { generation: depth, hash: hash(branch, depth) };
    let upper = (2..depth).rev().map(|generation| hash(branch, generation));
    RevPath::new(leaf, upper.chain([hash(0, 1)]))
}

/// Writes and reads the tree in both forms.
fn comes_back(tree: &RevTree) {
    let mut bytes = Vec::new();
    tree.encode(&mut bytes);
    assert!(bytes.len() <= 16 * tree.len() + 8 * tree.leaves().len() + 8);
    assert_eq!(RevTree::decode(&mut &bytes[..]).unwrap().nodes, tree.nodes);
    assert_eq!(RevTree::from_pouch_json(&tree.to_pouch_json()).unwrap().nodes, tree.nodes);
}

#[test]
fn a_branch_may_be_fifty_thousand_revisions_deep() {
    const DEPTH: u64 = 50_000;
    let mut tree = RevTree::default();
    tree.merge(&branch(1, DEPTH), false, usize::MAX);
    tree.merge(&branch(2, DEPTH), false, usize::MAX);
    assert_eq!(tree.len() as u64, 2 * DEPTH - 1);
    let winner = tree.winner().unwrap().rev.clone();
    assert_eq!(winner, Rev { generation: DEPTH, hash: hash(2, DEPTH) });
    assert_eq!(tree.ancestry(&winner).unwrap().len() as u64, DEPTH);
    assert_eq!(tree.latest(&Rev { generation: 1, hash: hash(0, 1) }), Some(&winner));
    comes_back(&tree);
    assert_eq!(tree.stem(1000).len() as u64, 2 * (DEPTH - 1000) - 1);
    assert_eq!(tree.remove_leaf(&winner).unwrap().len(), 1000);
    assert_eq!(tree.len(), 1000);
}

#[test]
fn a_document_may_have_hundreds_of_branches() {
    let mut tree = RevTree::default();
    // Not in the order of their hashes.
    for number in 0..200 {
        let merged = tree.merge(&branch(1 + number * 7 % 200, 60), number % 2 == 0, 1000);
        assert_eq!(merged.outcome == MergeOutcome::NewLeaf, number == 0);
    }
    assert_eq!((tree.len(), tree.leaves().len()), (200 * 59 + 1, 200));
    assert_eq!((tree.conflicts().len(), tree.deleted_conflicts().len()), (99, 100));
    arranged(&tree).unwrap();
    comes_back(&tree);
}

#[test]
fn thousands_of_edits_of_one_document_keep_the_newest_thousand() {
    let mut tree = RevTree::default();
    for generation in 1..=3000 {
        let path = RevPath::new(Rev { generation, hash: hash(0, generation) }, [hash(0, generation - 1)]);
        assert_eq!(tree.merge(&path, false, 1000).outcome, MergeOutcome::NewLeaf);
    }
    assert_eq!(tree.len(), 1000);
    comes_back(&tree);
}
