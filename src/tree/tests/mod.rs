//! What must hold for every tree: of random histories told in random parts.

mod codec;
mod leaves;
mod merging;
mod model;
mod pouch;
mod removing;
mod scale;
mod stemming;

use super::{MergeOutcome, RevPath, RevTree};
use crate::doc::{Rev, RevHash};
use model::{arranged, limits, merge_all, telling};
use proptest::prelude::*;

/// More than any history of these tests is deep.
const NO_LIMIT: usize = 1000;

fn rev(text: &str) -> Rev {
    text.parse().unwrap()
}

/// A path, newest first, such as `3-c 2-b 1-a`.
fn path(revs: &str) -> RevPath {
    let mut revs = revs.split(' ').map(rev);
    RevPath::new(revs.next().unwrap(), revs.map(|rev| rev.hash))
}

/// The tree of some paths, none of them deleted.
fn tree(paths: &[&str]) -> RevTree {
    let mut tree = RevTree::default();
    for revs in paths {
        tree.merge(&path(revs), false, NO_LIMIT);
    }
    tree
}

fn texts<'a>(revs: impl IntoIterator<Item = &'a Rev>) -> Vec<String> {
    revs.into_iter().map(Rev::to_string).collect()
}
