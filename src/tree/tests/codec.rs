//! The binary form.

use super::*;
use crate::tree::DecodeError;

fn encoded(tree: &RevTree) -> Vec<u8> {
    let mut bytes = Vec::new();
    tree.encode(&mut bytes);
    bytes
}

fn decode(mut bytes: &[u8]) -> Result<RevTree, DecodeError> {
    RevTree::decode(&mut bytes)
}

proptest! {
    #[test]
    fn a_tree_reads_back_as_it_was_written(told in telling(), limit in limits(), behind in any::<[u8; 3]>()) {
        let tree = merge_all(&told, limit);
        let mut bytes = encoded(&tree);
        bytes.extend(behind);
        let mut rest = &bytes[..];
        let back = RevTree::decode(&mut rest).unwrap();
        prop_assert_eq!(back.nodes, tree.nodes);
        prop_assert_eq!(rest, behind);
    }

    #[test]
    fn a_tree_cut_short_is_refused(told in telling(), cut in any::<prop::sample::Index>()) {
        let bytes = encoded(&merge_all(&told, NO_LIMIT));
        prop_assert_eq!(decode(&bytes[..cut.index(bytes.len())]), Err(DecodeError::Truncated));
    }

    #[test]
    fn a_damaged_tree_is_refused_or_is_another_tree(
        told in telling(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = encoded(&merge_all(&told, NO_LIMIT));
        for (place, byte) in damage {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if let Ok(mut tree) = decode(&bytes) {
            arranged(&tree)?;
            for (path, deleted) in told {
                tree.merge(&path, deleted, 3);
                arranged(&tree)?;
            }
        }
    }

    #[test]
    fn any_bytes_are_refused_or_are_a_tree(count in 1..5u8, bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for bytes in [bytes.clone(), [&[count], &bytes[..]].concat()] {
            if let Ok(tree) = decode(&bytes) {
                arranged(&tree)?;
                prop_assert!(tree.len() <= bytes.len());
                prop_assert_eq!(decode(&encoded(&tree)).unwrap().nodes, tree.nodes);
            }
        }
    }
}

#[test]
fn the_bytes_are_those_of_the_layout() {
    let md5 = |byte: u8| RevHash::Md5([byte; 16]);
    let rev = |generation, byte| Rev { generation, hash: md5(byte) };
    let mut tree = RevTree::default();
    assert_eq!(encoded(&tree), [0]);
    tree.merge(&RevPath::single(rev(1, 7)), false, NO_LIMIT);
    assert_eq!(encoded(&tree), [&[1, 2 << 3, 1][..], &[7; 16]].concat());
    // An available revision upon another goes into the same segment.
    tree.merge(&RevPath::new(rev(2, 8), [md5(7)]), false, NO_LIMIT);
    assert_eq!(encoded(&tree), [&[1, 1 << 5 | 2 << 3, 1][..], &[7; 16], &[8; 16]].concat());
    // A deleted one begins another, and so do a missing one, a branch, a text and a root.
    tree.merge(&RevPath::new(rev(4, 10), [md5(9), md5(8)]), true, NO_LIMIT);
    tree.merge(&RevPath::new(rev(3, 11), [md5(8)]), false, NO_LIMIT);
    tree.merge(&RevPath::single(Rev::new(300, "é")), true, NO_LIMIT);
    let expected = [
        &[5, 1 << 5 | 2 << 3, 1][..],
        &[7; 16],
        &[8; 16],
        &[0b10],
        &[9; 16],
        &[0b01],
        &[10; 16],
        &[1 << 3, 1],
        &[11; 16],
        &[2 << 3 | 0b101, 0xac, 0x02, 2, 0xc3, 0xa9],
    ];
    assert_eq!(encoded(&tree), expected.concat());
    assert_eq!(decode(&expected.concat()).unwrap().nodes, tree.nodes);
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let md5 = |byte: u8| [byte; 16];
    let root = [&[2, 2 << 3, 5][..], &md5(5)].concat();
    let with = |segment: &[u8]| decode(&[&root[..], segment].concat());
    for (segment, error) in [
        (&[3 << 3, 0][..], DecodeError::Malformed),
        (&[1 << 3, 0], DecodeError::Malformed),
        (&[1 << 3, 9], DecodeError::Malformed),
        (&[2 << 3, 4], DecodeError::Malformed),
        (&[1 << 2, 2, 0xc3, 0x28], DecodeError::NotText),
        (&[0x80; 10], DecodeError::Truncated),
        (&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2], DecodeError::Truncated),
        (&[0x80], DecodeError::Truncated),
    ] {
        assert_eq!(with(segment), Err(error), "{segment:x?}");
    }
    assert_eq!(decode(&[&[1, 0][..], &md5(1)].concat()), Err(DecodeError::Malformed), "a child of nothing");
    let siblings = |last| [&[3, 2 << 3, 1][..], &md5(1), &[0], &md5(4), &[1 << 3, 0], &md5(last)].concat();
    assert_eq!(decode(&siblings(3)), Err(DecodeError::Malformed), "siblings in the wrong order");
    assert_eq!(decode(&siblings(4)), Err(DecodeError::Malformed), "one sibling twice");
}

#[test]
fn a_length_beyond_the_bytes_allocates_nothing() {
    let longest = [0xe0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
    for flags in [2u8 << 3, 2 << 3 | 1 << 2] {
        let mut bytes = [&[1][..], &longest, &[1, 0, 0, 0]].concat();
        bytes[1] |= flags;
        assert_eq!(decode(&bytes), Err(DecodeError::Truncated));
    }
    assert_eq!(decode(&longest), Err(DecodeError::Truncated));
}
