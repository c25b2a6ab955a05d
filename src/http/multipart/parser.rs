//! One multipart message, taken apart while it comes in.

use crate::http::transport::Headers;
use bytes::{Buf as _, Bytes, BytesMut};
use memchr::memmem::Finder;

/// The most that may stand before the first part, and in the headers of each: CouchDB's take some hundred bytes.
const MOST_HEADERS: usize = 64 * 1024;
/// The longest boundary that RFC 2046 allows.
const LONGEST_BOUNDARY: usize = 70;
/// Spaces that may stand after a boundary; it is none if there are more.
const PADDING: usize = 64;

/// A message that is not what its headers say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Malformed {
    /// It has ended before its last boundary.
    #[error("it breaks off")]
    BreaksOff,
    /// There is no boundary where one must be, or it is none.
    #[error("it has no boundary")]
    NoBoundary,
    /// A header is none, or they never end.
    #[error("its headers can't be read")]
    Headers,
    /// Parts are missing or too many, or do not have the length that the document gives.
    #[error("its parts are not those of the document")]
    Parts,
    /// A document is no JSON.
    #[error("a document in it can't be read")]
    Document,
}

/// The boundary in a `Content-Type` of some `multipart/…`; `None` if it is of another type.
pub(crate) fn boundary_of(content_type: &str) -> Option<String> {
    let (kind, parameters) = content_type.split_once(';')?;
    if !kind.trim().get(..10)?.eq_ignore_ascii_case("multipart/") {
        return None;
    }
    // A boundary has no semicolon.
    parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("boundary").then(|| value.trim().trim_matches('"').to_owned())
    })
}

/// What comes next in a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    /// A part begins. Names of headers are in lower case.
    Part(Headers),
    /// Some of its bytes.
    Data(Bytes),
    /// It has ended.
    PartEnd,
    /// That was the last one; what follows is not looked at.
    End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the first boundary.
    Preamble,
    Headers,
    /// After the headers, where the line end that closes them may belong to the next boundary.
    BodyStart,
    Body,
    /// Before the next part's headers, or the end.
    Between {
        last: bool,
    },
    End,
}

/// What stands at the beginning of the buffer.
enum Line {
    /// A boundary of this length, after which a part or the end comes.
    Boundary { length: usize, last: bool },
    /// It only looks like one.
    Other,
    /// More has to come in before it can be told.
    Unknown,
}

/// Takes apart one multipart message: [`feed`](Self::feed) it, ask for [`next`](Self::next) until it gives nothing, and
/// [`finish`](Self::finish) where the message ends.
///
/// Keeps what was fed and not given out yet; of a part's bytes these are fewer than a boundary has.
#[derive(Debug)]
pub(crate) struct Parser {
    delimiter: Finder<'static>,
    buffer: BytesMut,
    state: State,
    /// What was thrown away before the first boundary.
    skipped: usize,
}

impl Parser {
    /// # Errors
    /// [`Malformed::NoBoundary`] where `boundary` is empty or longer than one may be.
    pub(crate) fn new(boundary: &str) -> Result<Self, Malformed> {
        if boundary.is_empty() || boundary.len() > LONGEST_BOUNDARY {
            return Err(Malformed::NoBoundary);
        }
        Ok(Self {
            delimiter: Finder::new(&format!("\r\n--{boundary}")).into_owned(),
            // The first boundary needs no line end before it.
            buffer: BytesMut::from("\r\n"),
            state: State::Preamble,
            skipped: 0,
        })
    }

    /// Takes the next bytes of the message.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        if self.state != State::End {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// What comes next, `None` where more bytes are needed for that.
    pub(crate) fn next(&mut self) -> Result<Option<Piece>, Malformed> {
        loop {
            match self.state {
                State::Preamble => {
                    let (before, line) = self.find_boundary();
                    self.skipped += before;
                    if self.skipped > MOST_HEADERS {
                        return Err(Malformed::NoBoundary);
                    }
                    self.buffer.advance(before);
                    match line {
                        Line::Boundary { length, last } => self.pass_boundary(length, last),
                        _ => return Ok(None),
                    }
                }
                State::Headers => {
                    let Some(headers) = self.headers()? else { return Ok(None) };
                    self.state = State::BodyStart;
                    return Ok(Some(Piece::Part(headers)));
                }
                State::BodyStart => match self.line_at(0) {
                    Line::Unknown => return Ok(None),
                    Line::Boundary { .. } => self.state = State::Body,
                    Line::Other => {
                        self.buffer.advance(2);
                        self.state = State::Body;
                    }
                },
                State::Body => {
                    let (before, line) = self.find_boundary();
                    if before > 0 {
                        return Ok(Some(Piece::Data(self.buffer.split_to(before).freeze())));
                    }
                    let Line::Boundary { length, last } = line else { return Ok(None) };
                    self.pass_boundary(length, last);
                    return Ok(Some(Piece::PartEnd));
                }
                State::Between { last } => {
                    self.state = if last { State::End } else { State::Headers };
                    if last {
                        self.buffer.clear();
                        return Ok(Some(Piece::End));
                    }
                }
                State::End => return Ok(None),
            }
        }
    }

    /// The message has ended.
    ///
    /// # Errors
    /// [`Malformed::BreaksOff`] where it may not end here.
    pub(crate) fn finish(&self) -> Result<(), Malformed> {
        if self.state == State::End { Ok(()) } else { Err(Malformed::BreaksOff) }
    }

    /// Whether nothing has come in, as where CouchDB has no part to send.
    pub(crate) fn is_untouched(&self) -> bool {
        self.state == State::Preamble && self.skipped == 0 && self.buffer.len() == 2
    }

    /// How much of the buffer is surely before the next boundary, and what comes then.
    fn find_boundary(&self) -> (usize, Line) {
        let mut from = 0;
        while let Some(found) = self.buffer.get(from..).and_then(|rest| self.delimiter.find(rest)) {
            match self.line_at(from + found) {
                Line::Other => from += found + 1,
                line => return (from + found, line),
            }
        }
        // Its beginning may be there already.
        let rest = self.buffer.get(from..).unwrap_or_default();
        let delimiter = self.delimiter.needle();
        let tail = rest.len().saturating_sub(delimiter.len() - 1);
        let begins = |start: &usize| rest.get(*start..).is_some_and(|end| delimiter.starts_with(end));
        let start = (tail..rest.len()).find(begins).unwrap_or(rest.len());
        (from + start, Line::Unknown)
    }

    /// What stands at this place of the buffer.
    fn line_at(&self, place: usize) -> Line {
        let rest = self.buffer.get(place..).unwrap_or_default();
        let delimiter = self.delimiter.needle();
        let Some(after) = rest.strip_prefix(delimiter) else {
            return if delimiter.starts_with(rest) { Line::Unknown } else { Line::Other };
        };
        if after.starts_with(b"--") {
            return Line::Boundary { length: delimiter.len() + 2, last: true };
        }
        let padding = after.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let end = after.get(padding..).unwrap_or_default();
        match end {
            _ if padding > PADDING => Line::Other,
            // The line end stays: it may be followed by the one that closes the headers.
            [b'\r', b'\n', ..] => Line::Boundary { length: delimiter.len() + padding, last: false },
            [] | [b'\r'] => Line::Unknown,
            [b'-'] if padding == 0 => Line::Unknown,
            _ => Line::Other,
        }
    }

    fn pass_boundary(&mut self, length: usize, last: bool) {
        self.buffer.advance(length);
        self.state = State::Between { last };
    }

    /// The headers of a part, which stand between two line ends; the second one stays.
    fn headers(&mut self) -> Result<Option<Headers>, Malformed> {
        let Some(end) = memchr::memmem::find(&self.buffer, b"\r\n\r\n") else {
            return if self.buffer.len() > MOST_HEADERS { Err(Malformed::Headers) } else { Ok(None) };
        };
        if end > MOST_HEADERS {
            return Err(Malformed::Headers);
        }
        let block = self.buffer.split_to(end + 2);
        read_headers(&String::from_utf8_lossy(&block)).map(Some)
    }
}

fn read_headers(block: &str) -> Result<Headers, Malformed> {
    let mut headers = Headers::new();
    for line in block.split("\r\n").filter(|line| !line.is_empty()) {
        match (line.strip_prefix([' ', '\t']), headers.last_mut()) {
            (Some(more), Some((_, value))) => {
                value.push(' ');
                value.push_str(more.trim());
            }
            (None, _) => {
                let (name, value) = line.split_once(':').ok_or(Malformed::Headers)?;
                headers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
            }
            (Some(_), None) => return Err(Malformed::Headers),
        }
    }
    Ok(headers)
}
