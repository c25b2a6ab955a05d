//! How long a connection may be silent.

use super::again::Heard;
use super::pieces::joined;
use super::transport::Body;
use crate::env::{self, Millis};
use crate::error::{Error, Result};
use crate::storage::Content;
use bytes::{Bytes, BytesMut};
use futures_util::future::{Either, select};
use std::future::Future;
use std::pin::pin;

/// The least a feed is given: below it, a slow radio link would be taken for a dead one.
const FEED_FLOOR: u64 = 20_000;
/// How long a feed without a heartbeat is kept open by the server: CouchDB's default `timeout`.
const SERVER_TIMEOUT: u64 = 60_000;
/// What a server may need on top before its answer arrives.
const GRACE: u64 = 15_000;
/// A request without a time limit of its own.
const DEFAULT: u64 = 60_000;
/// The slowest upload that is waited for: the answer can't begin before the body has arrived.
const SLOWEST_UPLOAD_BYTES_PER_MILLI: u64 = 4;

/// No engine has longer texts than this many bytes; a server that sends more may never end.
const LONGEST_TEXT: u64 = 1 << 29;

/// The longest silence of a connection that is taken for a live one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Patience(pub(super) Millis);

impl Patience {
    /// For a request that is answered as soon as it can be; `timeout` is what the user allows the server.
    pub(super) fn for_answer(timeout: Option<u64>, body: u64) -> Self {
        let upload = body / SLOWEST_UPLOAD_BYTES_PER_MILLI;
        Self(Millis(DEFAULT.max(timeout.unwrap_or(0).saturating_add(GRACE)).saturating_add(upload)))
    }

    /// For a feed that waits for something to happen, during which the server only sends its heartbeat.
    pub(super) fn for_feed(heartbeat: Option<u64>, timeout: Option<u64>) -> Self {
        let silence = match heartbeat {
            // One heartbeat may be lost in a buffer on the way; two in a row are not.
            Some(heartbeat) => heartbeat.saturating_mul(2).saturating_add(5_000),
            None => timeout.unwrap_or(SERVER_TIMEOUT).saturating_add(GRACE),
        };
        Self(Millis(silence.max(FEED_FLOOR)))
    }

    /// What `future` gives, or a retryable error where the patience ends first.
    pub(super) async fn bound<T>(self, future: impl Future<Output = Result<T>>) -> Result<T> {
        match select(pin!(future), pin!(env::sleep(self.0))).await {
            Either::Left((result, _)) => result,
            Either::Right(_) => Err(silence(self.0)),
        }
    }

    /// The whole body of an answer; each piece is `heard`.
    ///
    /// # Errors
    /// As [`Patience::content`] where it is longer than any text in JavaScript.
    pub(super) async fn body(self, mut body: Box<dyn Body>, heard: &Heard) -> Result<Bytes> {
        let mut next = async || {
            let chunk = self.bound(body.next_chunk()).await?;
            heard.now();
            Ok::<_, Error>(chunk)
        };
        let Some(first) = next().await? else {
            return Ok(Bytes::new());
        };
        let Some(second) = next().await? else {
            return Ok(first);
        };
        let mut whole = BytesMut::from(first.as_ref());
        whole.extend_from_slice(&second);
        while let Some(chunk) = next().await? {
            whole.extend_from_slice(&chunk);
            if whole.len() as u64 > LONGEST_TEXT {
                return Err(too_long(LONGEST_TEXT));
            }
        }
        Ok(whole.freeze())
    }

    /// The whole body of an answer, as it is.
    ///
    /// # Errors
    /// One with the status 500 where it is longer than `most`: it is not what was asked for, and may never end.
    pub(super) async fn content(self, mut body: Box<dyn Body>, most: u64) -> Result<Content> {
        let mut pieces = Vec::new();
        let mut length = 0;
        while let Some(piece) = self.bound(body.next_piece()).await? {
            length += piece.length();
            if length > most {
                return Err(too_long(most));
            }
            pieces.push(piece);
        }
        Ok(joined(&pieces))
    }
}

fn too_long(most: u64) -> Error {
    Error::remote(500, "too_long", format!("The server sends more than the {most} bytes that it may"))
}

/// The error of a connection that fell silent: status 408, which no CouchDB sends.
fn silence(span: Millis) -> Error {
    Error::remote(
        408,
        "timeout",
        format!("Nothing came from the server for {} seconds", span.0.div_ceil(1000)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feed_outlives_a_lost_heartbeat_and_never_a_minute_of_silence_by_default() {
        assert_eq!(Patience::for_feed(Some(10_000), None), Patience(Millis(25_000)));
        assert_eq!(Patience::for_feed(Some(30_000), None), Patience(Millis(65_000)));
        assert_eq!(Patience::for_feed(Some(5), Some(1)), Patience(Millis(20_000)));
        assert_eq!(Patience::for_feed(None, None), Patience(Millis(75_000)));
        assert_eq!(Patience::for_feed(None, Some(90_000)), Patience(Millis(105_000)));
    }

    struct Silent;

    #[async_trait::async_trait(?Send)]
    impl Body for Silent {
        async fn next_chunk(&mut self) -> Result<Option<Bytes>> {
            std::future::pending().await
        }
    }

    struct Endless(usize);

    #[async_trait::async_trait(?Send)]
    impl Body for Endless {
        async fn next_chunk(&mut self) -> Result<Option<Bytes>> {
            self.0 += 1;
            assert!(self.0 < 1000, "it is read on");
            Ok(Some(Bytes::from_static(&[b' '; 1 << 20])))
        }
    }

    #[test]
    fn an_answer_that_does_not_end_is_given_up() {
        env::block_on(async {
            let patience = Patience(Millis(60_000));
            let error = patience.body(Box::new(Endless(0)), &Heard::default()).await.unwrap_err();
            assert_eq!((error.status(), error.name()), (500, "too_long"));
            let error = patience.content(Box::new(Endless(0)), 10 << 20).await.unwrap_err();
            assert_eq!((error.status(), error.name()), (500, "too_long"));
        });
    }

    #[test]
    fn silence_ends_in_an_error_worth_another_try() {
        env::block_on(async {
            let error = Patience(Millis(1)).bound(std::future::pending::<Result<()>>()).await.unwrap_err();
            assert_eq!((error.status(), error.name()), (408, "timeout"));
            let error = Patience(Millis(1)).body(Box::new(Silent), &Heard::default()).await.unwrap_err();
            assert_eq!((error.status(), error.is_denied()), (408, false));
        });
    }

    #[test]
    fn an_upload_is_given_the_time_a_slow_link_needs() {
        assert_eq!(Patience::for_answer(None, 0), Patience(Millis(60_000)));
        assert_eq!(Patience::for_answer(Some(1), 0), Patience(Millis(60_000)));
        assert_eq!(Patience::for_answer(Some(120_000), 0), Patience(Millis(135_000)));
        assert_eq!(Patience::for_answer(None, 1_000_000), Patience(Millis(310_000)));
    }
}
