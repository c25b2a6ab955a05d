//! How long a connection may be silent.

use super::transport::{Body, Response};
use crate::env::{self, Millis};
use crate::error::{Error, Result};
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
const SLOWEST_UPLOAD_BYTES_PER_MILLI: usize = 4;

/// The longest silence of a connection that is taken for a live one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Patience(pub(super) Millis);

impl Patience {
    /// For a request that is answered as soon as it can be; `timeout` is what the user allows the server.
    pub(super) fn for_answer(timeout: Option<u64>, body: usize) -> Self {
        let upload = (body / SLOWEST_UPLOAD_BYTES_PER_MILLI) as u64;
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
    async fn bound<T>(self, future: impl Future<Output = Result<T>>) -> Result<T> {
        match select(pin!(future), pin!(env::sleep(self.0))).await {
            Either::Left((result, _)) => result,
            Either::Right(_) => Err(silence(self.0)),
        }
    }

    /// The head of an answer.
    pub(super) async fn head(self, response: impl Future<Output = Result<Response>>) -> Result<Response> {
        self.bound(response).await
    }

    /// The whole body of an answer.
    pub(super) async fn body(self, mut body: Box<dyn Body>) -> Result<Bytes> {
        let Some(first) = self.bound(body.next_chunk()).await? else {
            return Ok(Bytes::new());
        };
        let Some(second) = self.bound(body.next_chunk()).await? else {
            return Ok(first);
        };
        let mut whole = BytesMut::from(first.as_ref());
        whole.extend_from_slice(&second);
        while let Some(chunk) = self.bound(body.next_chunk()).await? {
            whole.extend_from_slice(&chunk);
        }
        Ok(whole.freeze())
    }
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

    #[test]
    fn silence_ends_in_an_error_worth_another_try() {
        env::block_on(async {
            let error = Patience(Millis(1)).head(std::future::pending()).await.map(drop).unwrap_err();
            assert_eq!((error.status(), error.name()), (408, "timeout"));
            let error = Patience(Millis(1)).body(Box::new(Silent)).await.unwrap_err();
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
