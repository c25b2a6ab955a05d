//! A text of lines, taken apart while it comes.

use bytes::{Bytes, BytesMut};

/// The longest line: a row with more leaves than anybody has, or with a document that a phone can hold.
const LONGEST: usize = 64 << 20;

/// What has come and was not given on.
#[derive(Debug, Default)]
pub(super) struct Lines {
    text: BytesMut,
    /// So much of the text has no end of a line.
    searched: usize,
}

impl Lines {
    /// Takes what has come; false where a line has become longer than it may be.
    pub(super) fn push(&mut self, chunk: &[u8]) -> bool {
        self.text.extend_from_slice(chunk);
        self.text.len() <= LONGEST.max(chunk.len())
    }

    /// The next line that is there as a whole and is not empty, without its end.
    pub(super) fn next(&mut self) -> Option<Bytes> {
        loop {
            let Some(at) = memchr::memchr(b'\n', self.text.get(self.searched..)?) else {
                self.searched = self.text.len();
                return None;
            };
            let end = std::mem::take(&mut self.searched) + at + 1;
            let line = self.text.split_to(end).freeze();
            let trimmed = line.trim_ascii();
            if !trimmed.is_empty() {
                return Some(line.slice_ref(trimmed));
            }
        }
    }

    /// Whether there is a part of a line.
    pub(super) fn has_more(&self) -> bool {
        !self.text.trim_ascii().is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_given_as_they_come_whatever_the_pieces() {
        for size in [1, 2, 3, 7, 100] {
            let mut lines = Lines::default();
            let mut given = Vec::new();
            for chunk in b"\none\r\n\n\n two\nthr".chunks(size) {
                assert!(lines.push(chunk));
                given.extend(std::iter::from_fn(|| lines.next()));
            }
            assert_eq!(given, ["one", "two"], "in pieces of {size}");
            assert!(lines.has_more());
        }
    }

    #[test]
    fn a_line_without_an_end_is_noticed() {
        let mut lines = Lines::default();
        let chunk = vec![b'x'; 1 << 20];
        let mut taken = 0;
        while lines.push(&chunk) {
            taken += 1;
            assert_eq!(lines.next(), None);
        }
        assert_eq!(taken, 64);
    }
}
