//! Document ids and their order.
//!
//! PouchDB orders ids as IndexedDB does, by UTF-16 code unit; UTF-8's byte order differs from that where a character is
//! beyond the basic plane (U+FFFF sorts after U+10000). Keys are therefore in CESU-8: as UTF-8, but a character beyond
//! the basic plane is its two surrogates, three bytes each. Its byte order is that of the code units.

use crate::error::{Error, ErrorKind, Result};
use bytes::Bytes;

/// What a local document's id starts with.
pub const LOCAL_PREFIX: &str = "_local/";
/// What a design document's id starts with.
pub const DESIGN_PREFIX: &str = "_design/";

/// Whether the id is a local document's, which is neither replicated nor listed.
pub fn is_local(id: &str) -> bool {
    id.starts_with(LOCAL_PREFIX)
}

/// Refuses what PouchDB's `invalidIdError` refuses.
///
/// # Errors
/// [`ErrorKind::MissingId`] for an empty id, [`ErrorKind::ReservedId`] for an underscore that starts neither a design
/// nor a local document's id.
pub fn check_id(id: &str) -> Result<()> {
    if id.is_empty() {
        return Err(Error::new(ErrorKind::MissingId));
    }
    if id.starts_with('_') && !is_local(id) && !id.starts_with(DESIGN_PREFIX) {
        return Err(Error::new(ErrorKind::ReservedId));
    }
    Ok(())
}

/// The key that sorts as PouchDB sorts the id.
pub fn id_key(id: &str) -> Bytes {
    // Four-byte sequences, and only they, start with 0xf0 or more.
    if id.bytes().all(|byte| byte < 0xf0) {
        return Bytes::copy_from_slice(id.as_bytes());
    }
    let mut key = Vec::with_capacity(id.len() + 8);
    let mut buffer = [0; 4];
    for character in id.chars() {
        let mut units = [0; 2];
        match character.encode_utf16(&mut units) {
            [high, low] => {
                for unit in [*high, *low] {
                    key.extend([
                        0xe0 | (unit >> 12) as u8,
                        0x80 | (unit >> 6 & 0x3f) as u8,
                        0x80 | (unit & 0x3f) as u8,
                    ]);
                }
            }
            _ => key.extend(character.encode_utf8(&mut buffer).bytes()),
        }
    }
    key.into()
}

/// The id that a key stands for; what is no key of [`id_key`] is read as well as it can be.
pub fn id_from_key(key: &[u8]) -> String {
    let text = match std::str::from_utf8(key) {
        Ok(text) => return text.to_owned(),
        Err(_) => key,
    };
    let mut units = Vec::with_capacity(text.len());
    let mut rest = text;
    loop {
        rest = match rest {
            [] => break,
            [one @ 0..=0x7f, rest @ ..] => {
                units.push(u16::from(*one));
                rest
            }
            [one @ 0xc0..=0xdf, two, rest @ ..] => {
                units.push(u16::from(one & 0x1f) << 6 | u16::from(two & 0x3f));
                rest
            }
            [one @ 0xe0..=0xef, two, three, rest @ ..] => {
                units.push(u16::from(one & 0xf) << 12 | u16::from(two & 0x3f) << 6 | u16::from(three & 0x3f));
                rest
            }
            [_, rest @ ..] => {
                units.push(0xfffd);
                rest
            }
        };
    }
    String::from_utf16_lossy(&units)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn keys_sort_as_code_units_do(left in "\\PC{0,6}|[a\u{7f}\u{d7ff}\u{e000}\u{ffff}\u{10000}\u{10ffff}]{0,4}",
                                      right in "\\PC{0,6}|[a\u{7f}\u{d7ff}\u{e000}\u{ffff}\u{10000}\u{10ffff}]{0,4}") {
            let units = |id: &str| id.encode_utf16().collect::<Vec<_>>();
            prop_assert_eq!(id_key(&left).cmp(&id_key(&right)), units(&left).cmp(&units(&right)));
        }

        #[test]
        fn a_key_gives_its_id_back(id: String) {
            prop_assert_eq!(id_from_key(&id_key(&id)), id);
        }

        #[test]
        fn any_key_is_read_without_panic(key: Vec<u8>) {
            id_from_key(&key);
        }
    }

    #[test]
    fn reserved_ids_are_refused() {
        for (id, name) in
            [("", "missing_id"), ("_a", "bad_request"), ("_localx", "bad_request"), ("_", "bad_request")]
        {
            assert_eq!(check_id(id).unwrap_err().name(), name, "{id:?}");
        }
        for id in ["a", "_design/a", "_local/a", "a_", "-"] {
            assert_eq!(check_id(id), Ok(()), "{id:?}");
        }
    }
}
