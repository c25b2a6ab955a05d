//! The binary form of a tree.

use super::{Node, RevTree, as_parent};
use crate::doc::{Rev, RevHash, varint};
use std::ops::Range;

/// Why bytes are not a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// They end too early, or have a number of more than 64 bits.
    #[error("the revision tree is cut short")]
    Truncated,
    /// A hash is no UTF-8 text.
    #[error("the revision tree has a hash that is no text")]
    NotText,
    /// A segment does not fit to those before it.
    #[error("the revision tree is not well formed")]
    Malformed,
}

const DELETED: u64 = 1;
const MISSING: u64 = 1 << 1;
const TEXT: u64 = 1 << 2;
const START_SHIFT: u32 = 3;
const START_MASK: u64 = 0b11;
const CHILD: u64 = 0;
const BRANCH: u64 = 1;
const ROOT: u64 = 2;
const LENGTH_SHIFT: u32 = 5;

/// The bits of a segment's head that say what all its nodes are.
fn traits(node: &Node) -> u64 {
    let flag = |set: bool, bit: u64| if set { bit } else { 0 };
    let text = matches!(node.rev.hash, RevHash::Text(_));
    flag(node.deleted, DELETED) | flag(!node.available, MISSING) | flag(text, TEXT)
}

impl RevTree {
    /// Appends the tree to `out`. A first revision takes 19 bytes, each further one of a branch 16.
    ///
    /// Numbers are varints (LEB128), see [`varint`].
    ///
    /// ```text
    /// tree    = count of segments, that many segments
    /// segment = head, start, hashes          some generations in a row, each made upon the one before it
    /// head    = bit 0     deleted
    ///           bit 1     missing
    ///           bit 2     hashes are text
    ///           bits 3-4  0: made upon the last revision of the segment before it; start is empty
    ///                     1: made upon an ancestor of that; start is how many generations its first revision is
    ///                        older than that last one
    ///                     2: a root; start is its generation
    ///           bits 5-   how many hashes, less one
    /// hashes  = 16 bytes each: the MD5; or, if text, each its length in bytes and its UTF-8
    /// ```
    ///
    /// The order of revisions is that of the nodes: each parent before its children, siblings by hash, roots by
    /// generation. So `01 10 01` and 16 bytes are a document's first revision.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let starts = self.segment_starts();
        varint::write(out, starts.len() as u64);
        let ends = starts.iter().skip(1).map(|(first, _)| *first).chain([self.len()]);
        for ((first, start), end) in starts.iter().zip(ends) {
            self.write_segment(out, *first..end, *start);
        }
    }

    /// Where in `nodes` each segment begins, and how.
    fn segment_starts(&self) -> Vec<(usize, u64)> {
        let mut starts = Vec::new();
        let mut last = None;
        for (index, node) in self.nodes.iter().enumerate() {
            let traits = traits(node);
            let start = match self.parent_of(index) {
                None => ROOT,
                Some(parent) if parent + 1 == index => CHILD,
                Some(_) => BRANCH,
            };
            if start != CHILD || last != Some(traits) {
                starts.push((index, start));
            }
            last = Some(traits);
        }
        starts
    }

    fn write_segment(&self, out: &mut Vec<u8>, range: Range<usize>, start: u64) {
        let first = self.node(range.start);
        let more = range.len() as u64 - 1;
        varint::write(out, traits(first) | start << START_SHIFT | more << LENGTH_SHIFT);
        match start {
            BRANCH => varint::write(out, self.node(range.start - 1).rev.generation - first.rev.generation),
            ROOT => varint::write(out, first.rev.generation),
            _ => {}
        }
        for node in self.nodes.get(range).unwrap_or_default() {
            match &node.rev.hash {
                RevHash::Md5(bytes) => out.extend_from_slice(bytes),
                RevHash::Text(text) => {
                    varint::write(out, text.len() as u64);
                    out.extend_from_slice(text.as_bytes());
                }
            }
        }
    }

    /// Reads what [`RevTree::encode`] wrote from the front of `bytes`, and moves `bytes` behind it.
    ///
    /// Any bytes may be given: what breaks the order of revisions is refused, and no more memory is taken than a
    /// small multiple of their length. Not looked for is one revision in two places, which takes a broken writer.
    pub fn decode(bytes: &mut &[u8]) -> Result<Self, DecodeError> {
        let mut tree = Self::default();
        let mut last_root: Option<usize> = None;
        for _ in 0..read_varint(bytes)? {
            let head = read_varint(bytes)?;
            let (parent, generation, elder) = match head >> START_SHIFT & START_MASK {
                CHILD => {
                    let parent = tree.len().checked_sub(1).ok_or(DecodeError::Malformed)?;
                    (Some(parent), tree.node(parent).rev.generation.checked_add(1), None)
                }
                BRANCH => {
                    let elder = tree.ancestor_of_last(read_varint(bytes)?).ok_or(DecodeError::Malformed)?;
                    let parent = tree.parent_of(elder).ok_or(DecodeError::Malformed)?;
                    (Some(parent), Some(tree.node(elder).rev.generation), Some(elder))
                }
                ROOT => {
                    let generation = read_varint(bytes)?;
                    if last_root.is_some_and(|root| tree.node(root).rev.generation > generation) {
                        return Err(DecodeError::Malformed);
                    }
                    last_root = Some(tree.len());
                    (None, Some(generation), None)
                }
                _ => return Err(DecodeError::Malformed),
            };
            let generation = generation.ok_or(DecodeError::Malformed)?;
            let first = tree.len();
            tree.read_segment(bytes, head, parent, generation)?;
            if elder.is_some_and(|elder| tree.node(elder).rev.hash >= tree.node(first).rev.hash) {
                return Err(DecodeError::Malformed);
            }
        }
        Ok(tree)
    }

    /// Appends the nodes of a segment whose head is `head`.
    fn read_segment(
        &mut self,
        bytes: &mut &[u8],
        head: u64,
        parent: Option<usize>,
        generation: u64,
    ) -> Result<(), DecodeError> {
        let more = head >> LENGTH_SHIFT;
        let last = generation.checked_add(more).ok_or(DecodeError::Malformed)?;
        let text = head & TEXT != 0;
        if !text {
            // A length is worth believing only as far as there are bytes for it.
            let room = usize::try_from(more + 1).unwrap_or(usize::MAX).min(bytes.len() / 16);
            if self.is_empty() {
                // Most trees are one segment, and many are in memory at once.
                self.nodes.reserve_exact(room);
            } else {
                self.nodes.reserve(room);
            }
        }
        let mut parent = parent.map(as_parent);
        for generation in generation..=last {
            let hash = if text { RevHash::new(read_text(bytes)?) } else { RevHash::Md5(*read_array(bytes)?) };
            let place = u32::try_from(self.len()).map_err(|_| DecodeError::Malformed)?;
            self.nodes.push(Node {
                rev: Rev { generation, hash },
                parent,
                deleted: head & DELETED != 0,
                available: head & MISSING == 0,
            });
            parent = Some(place);
        }
        Ok(())
    }

    /// The ancestor of the last node that is `generations` older, or the node itself for 0.
    fn ancestor_of_last(&self, generations: u64) -> Option<usize> {
        let mut index = self.len().checked_sub(1)?;
        for _ in 0..generations {
            index = self.parent_of(index)?;
        }
        Some(index)
    }
}

fn read_varint(bytes: &mut &[u8]) -> Result<u64, DecodeError> {
    varint::read(bytes).ok_or(DecodeError::Truncated)
}

fn read_array<'bytes>(bytes: &mut &'bytes [u8]) -> Result<&'bytes [u8; 16], DecodeError> {
    let (array, rest) = bytes.split_first_chunk().ok_or(DecodeError::Truncated)?;
    *bytes = rest;
    Ok(array)
}

fn read_text<'bytes>(bytes: &mut &'bytes [u8]) -> Result<&'bytes str, DecodeError> {
    let length = usize::try_from(read_varint(bytes)?).map_err(|_| DecodeError::Truncated)?;
    let (text, rest) = bytes.split_at_checked(length).ok_or(DecodeError::Truncated)?;
    *bytes = rest;
    std::str::from_utf8(text).map_err(|_| DecodeError::NotText)
}
