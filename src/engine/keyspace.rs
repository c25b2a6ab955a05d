/// A part of the database with keys of its own. The numbers are part of the storage format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Keyspace {
    /// Documents by id: revision tree, seq, the winner's body when small.
    Document = 0,
    /// Ids of documents by the seq of their last change.
    Sequence = 1,
    /// Bodies of the revisions that are not kept with their document.
    Body = 2,
    /// Local documents by id.
    Local = 3,
    /// Counters of the whole database.
    Metadata = 4,
    /// Contents of attachments by their names: how often bodies refer to each.
    Content = 5,
}

impl Keyspace {
    /// How many there are.
    pub(super) const COUNT: usize = 6;

    /// Those that are flushed into runs, in order; the metadata are in the manifest.
    pub(super) const IN_RUNS: [Self; 5] =
        [Self::Document, Self::Sequence, Self::Body, Self::Local, Self::Content];

    /// The keyspace with this number.
    pub(super) fn from_number(number: u8) -> Option<Self> {
        [Self::Document, Self::Sequence, Self::Body, Self::Local, Self::Metadata, Self::Content]
            .get(usize::from(number))
            .copied()
    }
}
