//! The id under which a replication keeps its checkpoints: PouchDB's, byte for byte.

use crate::sort::sort_by;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::block_api::compress;
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::HashMap;

/// What of a replication's options goes into its id.
#[derive(Debug, Clone, Copy, Default)]
pub struct IdOptions<'a> {
    /// The filter's name, or its function's source text.
    pub filter: Option<&'a str>,
    /// The view to filter with, for the filter `_view`.
    pub view: Option<&'a str>,
    /// The object of query parameters.
    pub query_params: Option<&'a RawValue>,
    /// The list of ids.
    pub doc_ids: Option<&'a [Value]>,
    /// The selector.
    pub selector: Option<&'a RawValue>,
}

/// The id of the checkpoint documents of a replication between the databases with these ids.
pub fn replication_id(source: &str, target: &str, options: &IdOptions<'_>) -> String {
    let mut text = format!("{source}{target}");
    if let Some(filter) = options.filter {
        text.push_str(filter);
        if filter == "_view" {
            text.push_str(options.view.unwrap_or("undefined"));
        }
        if let Some(params) = options.query_params {
            text.push_str(&sorted_members(params));
        }
    }
    if let Some(ids) = options.doc_ids {
        text.push_str(&sorted_list(ids));
    }
    if let Some(selector) = options.selector {
        text.push_str(selector.get());
    }
    let digest = STANDARD.encode(md5_of_units(&text.encode_utf16().collect::<Vec<_>>()));
    format!("_local/{}", digest.replace('/', ".").replace('+', "_"))
}

/// `JSON.stringify` of the object with its members sorted. Whatever the order they were added in, JavaScript lists
/// members that look like array indices first, by value.
fn sorted_members(object: &RawValue) -> String {
    let Ok(members) = serde_json::from_str::<HashMap<String, Box<RawValue>>>(object.get()) else {
        return object.get().to_owned();
    };
    let key = |name: &str| (array_index(name).is_none(), array_index(name), units(name));
    let mut members: Vec<_> = members.into_iter().map(|(name, value)| (key(&name), name, value)).collect();
    sort_by(&mut members, |left, right| left.0.cmp(&right.0));
    let members: Vec<String> = members
        .iter()
        .map(|(_, name, value)| format!("{}:{}", Value::from(name.as_str()), value.get()))
        .collect();
    format!("{{{}}}", members.join(","))
}

fn array_index(name: &str) -> Option<u32> {
    name.parse().ok().filter(|index: &u32| *index != u32::MAX && index.to_string() == name)
}

/// `Array.prototype.toString` of the list in PouchDB's collation: numbers before texts.
pub(super) fn sorted_list(ids: &[Value]) -> String {
    let mut ids: Vec<&Value> = ids.iter().collect();
    sort_by(&mut ids, |left, right| {
        let number = |value: &Value| value.as_f64().unwrap_or_default();
        let rank = |value: &Value| match value {
            Value::Null => 0,
            Value::Bool(_) => 1,
            Value::Number(_) => 2,
            _ => 3,
        };
        rank(left)
            .cmp(&rank(right))
            .then(number(left).total_cmp(&number(right)))
            .then_with(|| units(&text_of(left)).cmp(&units(&text_of(right))))
    });
    ids.into_iter().map(text_of).collect::<Vec<_>>().join(",")
}

fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn units(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

/// The MD5 that PouchDB computes in browsers of a text it takes for binary: one byte is expected of each UTF-16 unit.
///
/// Where a unit is more than a byte, what is too much spills over into its neighbours: added in a full block, or-ed in
/// the last one. Nothing is lost but the name MD5, and checkpoints of such replications are found again.
fn md5_of_units(units: &[u16]) -> [u8; 16] {
    let mut state = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];
    let blocks = units.chunks_exact(64);
    let rest = blocks.remainder();
    for block in blocks {
        compress(&mut state, &[bytes(&words(block, u32::wrapping_add))]);
    }
    let mut tail = words(rest, |left, right| left | right);
    if let Some(word) = tail.get_mut(rest.len() / 4) {
        *word |= 0x80 << (rest.len() % 4 * 8);
    }
    if rest.len() > 55 {
        compress(&mut state, &[bytes(&tail)]);
        tail = [0; 16];
    }
    let bits = (units.len() as u64).wrapping_mul(8);
    let [.., low, high] = &mut tail;
    (*low, *high) = (bits as u32, (bits >> 32) as u32);
    compress(&mut state, &[bytes(&tail)]);
    let mut digest = [0; 16];
    for (bytes, word) in digest.chunks_exact_mut(4).zip(state) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    digest
}

fn words(units: &[u16], join: fn(u32, u32) -> u32) -> [u32; 16] {
    let mut words = [0; 16];
    for (word, units) in words.iter_mut().zip(units.chunks(4)) {
        *word = units
            .iter()
            .enumerate()
            .fold(0, |word, (index, unit)| join(word, u32::from(*unit) << (index * 8)));
    }
    words
}

fn bytes(words: &[u32; 16]) -> [u8; 64] {
    let mut bytes = [0; 64];
    for (bytes, word) in bytes.chunks_exact_mut(4).zip(words) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    bytes
}
