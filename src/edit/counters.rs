use crate::engine::{Keyspace, Overlay, View};
use crate::varint;

const KEY: &[u8] = b"counters";

/// Counters of the whole database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// The seq of the last change; 0 in a new database.
    pub update_seq: u64,
    /// How many documents there are that are not deleted.
    pub doc_count: u64,
}

impl Counters {
    /// What they are now.
    pub fn read(view: &impl View) -> Self {
        let bytes = view.get(Keyspace::Metadata, KEY).unwrap_or_default();
        let mut rest: &[u8] = &bytes;
        let update_seq = varint::read(&mut rest).unwrap_or_default();
        Self { update_seq, doc_count: varint::read(&mut rest).unwrap_or_default() }
    }

    pub(super) fn write(self, overlay: &mut Overlay) {
        let mut bytes = Vec::with_capacity(12);
        varint::write(&mut bytes, self.update_seq);
        varint::write(&mut bytes, self.doc_count);
        overlay.put(Keyspace::Metadata, KEY, bytes);
    }
}
