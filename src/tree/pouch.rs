//! PouchDB's form of a tree, `[{pos, ids: [hash, {status, deleted?}, [children]]}]`.
//!
//! A document edited a thousand times nests two thousand brackets deep, more than serde_json takes; so what nests is
//! read and written here, and serde_json sees the flat pieces in between.

use super::{Node, RevTree, as_parent};
use crate::doc::{Rev, RevHash};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// Text that is not a tree as PouchDB stores it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a revision tree of PouchDB's: {reason} at byte {offset}")]
pub struct PouchJsonError {
    reason: String,
    offset: usize,
}

#[derive(Deserialize)]
struct NodeOptions {
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    deleted: bool,
}

impl RevTree {
    /// The tree as PouchDB stores it, as JSON.
    pub fn to_pouch_json(&self) -> String {
        let mut json = String::from("[");
        let mut open = 0;
        let mut root_generation = 0;
        for (index, node) in self.nodes.iter().enumerate() {
            let generation = node.rev.generation;
            if node.parent.is_none() {
                json.push_str(&closing(open));
                json.push_str(if index > 0 { "," } else { "" });
                json.push_str(&format!("{{\"pos\":{generation},\"ids\":"));
                root_generation = generation;
            } else {
                let depth = generation - root_generation;
                let siblings_and_below = open - depth;
                json.push_str(&"]]".repeat(siblings_and_below as usize));
                json.push_str(if siblings_and_below > 0 { "," } else { "" });
            }
            open = generation - root_generation + 1;
            let hash = serde_json::Value::from(node.rev.hash.to_string());
            let status = if node.available { "available" } else { "missing" };
            let deleted = if node.deleted { ",\"deleted\":true" } else { "" };
            json.push_str(&format!("[{hash},{{\"status\":\"{status}\"{deleted}}},["));
        }
        json.push_str(&closing(open));
        json.push(']');
        json
    }

    /// Reads a tree that PouchDB stored.
    ///
    /// PouchDB may hold a revision twice, under two roots, after it forgot old ones; here it gets all its children.
    pub fn from_pouch_json(json: &str) -> Result<Self, PouchJsonError> {
        let mut reader = Reader { json, offset: 0 };
        let mut builder = Builder::default();
        reader.expect(b'[')?;
        if !reader.take(b']') {
            loop {
                reader.root(&mut builder)?;
                if !reader.take(b',') {
                    break;
                }
            }
            reader.expect(b']')?;
        }
        match reader.peek() {
            None => Ok(builder.finish()),
            Some(_) => Err(reader.error("more text")),
        }
    }
}

/// What closes a root and `nodes` nodes of it.
fn closing(nodes: u64) -> String {
    if nodes == 0 { String::new() } else { "]]".repeat(nodes as usize) + "}" }
}

/// Collects nodes and gives each revision one place.
#[derive(Default)]
struct Builder {
    nodes: Vec<Node>,
    places: HashMap<Rev, u32>,
}

impl Builder {
    fn add(&mut self, node: Node) -> u32 {
        match self.places.entry(node.rev.clone()) {
            Entry::Vacant(entry) => {
                let place = as_parent(self.nodes.len());
                self.nodes.push(node);
                *entry.insert(place)
            }
            Entry::Occupied(entry) => {
                let place = *entry.get();
                let known = self.nodes.get_mut(place as usize).expect("BUG: a revision that is nowhere");
                known.available |= node.available;
                known.deleted |= node.deleted;
                known.parent = known.parent.or(node.parent);
                place
            }
        }
    }

    fn finish(self) -> RevTree {
        let mut tree = RevTree { nodes: self.nodes };
        tree.arrange();
        tree
    }
}

struct Reader<'json> {
    json: &'json str,
    offset: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        self.json.get(self.offset..).unwrap_or_default()
    }

    fn error(&self, reason: impl Into<String>) -> PouchJsonError {
        PouchJsonError { reason: reason.into(), offset: self.offset }
    }

    /// The next byte that is no white space.
    fn peek(&mut self) -> Option<u8> {
        let rest = self.rest();
        self.offset += rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
        self.rest().bytes().next()
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.offset += usize::from(found);
        found
    }

    fn expect(&mut self, byte: u8) -> Result<(), PouchJsonError> {
        if self.take(byte) { Ok(()) } else { Err(self.error(format!("no {}", char::from(byte)))) }
    }

    /// A value that does not nest deeply.
    fn value<T: DeserializeOwned>(&mut self) -> Result<T, PouchJsonError> {
        let mut values = serde_json::Deserializer::from_str(self.rest()).into_iter();
        let value = values.next();
        let end = values.byte_offset();
        match value {
            Some(Ok(value)) => {
                self.offset += end;
                Ok(value)
            }
            Some(Err(error)) => Err(self.error(error.to_string())),
            None => Err(self.error("no value")),
        }
    }

    /// `{pos, ids}`, in this order, as PouchDB writes it.
    fn root(&mut self, builder: &mut Builder) -> Result<(), PouchJsonError> {
        self.expect(b'{')?;
        self.key("pos")?;
        let generation: u64 = self.value()?;
        self.expect(b',')?;
        self.key("ids")?;
        self.branches(generation, builder)?;
        self.expect(b'}')
    }

    fn key(&mut self, name: &str) -> Result<(), PouchJsonError> {
        if self.value::<String>()? != name {
            return Err(self.error(format!("not the member {name}")));
        }
        self.expect(b':')
    }

    /// A node with all that was made upon it.
    fn branches(&mut self, generation: u64, builder: &mut Builder) -> Result<(), PouchJsonError> {
        // The nodes whose lists of children are open, outermost first.
        let mut open: Vec<u32> = Vec::new();
        loop {
            self.expect(b'[')?;
            let hash = RevHash::new(&self.value::<String>()?);
            self.expect(b',')?;
            let options: NodeOptions = self.value()?;
            self.expect(b',')?;
            self.expect(b'[')?;
            let generation = generation
                .checked_add(open.len() as u64)
                .ok_or_else(|| self.error("too many generations"))?;
            open.push(builder.add(Node {
                rev: Rev { generation, hash },
                parent: open.last().copied(),
                deleted: options.deleted,
                available: options.status.as_deref() != Some("missing"),
            }));
            if self.peek() == Some(b'[') {
                continue;
            }
            loop {
                self.expect(b']')?;
                self.expect(b']')?;
                open.pop();
                if open.is_empty() {
                    return Ok(());
                }
                if self.take(b',') {
                    break;
                }
            }
        }
    }
}
