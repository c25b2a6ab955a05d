//! Bloom filters: whether a segment may have a key, without a look at its blocks.

use xxhash_rust::xxh64::xxh64;

/// Bits for each key: one key in a hundred that is not there is taken for one that may be.
const BITS_PER_KEY: usize = 10;
/// Bits that each key sets.
const PROBES: u64 = 7;

/// The places of a key's bits, by double hashing (Kirsch and Mitzenmacher, 2006).
fn places(key_hash: u64, bits: u64) -> impl Iterator<Item = u64> {
    let step = key_hash.rotate_left(32) | 1;
    (0..PROBES).map(move |probe| key_hash.wrapping_add(step.wrapping_mul(probe)) % bits)
}

pub(super) fn hash(key: &[u8]) -> u64 {
    xxh64(key, 0)
}

/// The filter of keys with these hashes.
pub(super) fn build(hashes: &[u64]) -> Vec<u8> {
    let mut filter = vec![0; (hashes.len() * BITS_PER_KEY).div_ceil(8)];
    let bits = filter.len() as u64 * 8;
    for hash in hashes {
        for place in places(*hash, bits) {
            if let Some(byte) = filter.get_mut((place / 8) as usize) {
                *byte |= 1 << (place % 8);
            }
        }
    }
    filter
}

/// Whether the key may be one of the filter's.
pub(super) fn may_have(filter: &[u8], key: &[u8]) -> bool {
    let bits = filter.len() as u64 * 8;
    bits != 0
        && places(hash(key), bits)
            .all(|place| filter.get((place / 8) as usize).is_some_and(|byte| byte & 1 << (place % 8) != 0))
}
