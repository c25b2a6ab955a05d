//! The only place that asks for the time, for randomness, to wait, or to run something in the background; and the
//! platform's regular expressions, which are too large to bring along.
//!
//! Everything else takes what it needs as data, so that tests are deterministic. In a browser these go to
//! `Date.now`, `crypto.getRandomValues`, `setTimeout`, the microtask queue and `RegExp`; natively to the system, to a small
//! executor for one thread and to a crate.

#[cfg(not(target_arch = "wasm32"))]
mod native;
#[cfg(target_arch = "wasm32")]
mod wasm;

#[cfg(not(target_arch = "wasm32"))]
pub use native::{Regex, block_on, now, pause, random_bytes, sleep, spawn};
#[cfg(test)]
pub use native::{at_once, take_randomness_from};
#[cfg(target_arch = "wasm32")]
pub use wasm::{Regex, now, pause, random_bytes, sleep, spawn};

use std::fmt::Write as _;
use std::task::Poll;

/// A time or a span of time, in milliseconds; a time counts from 1970 (UTC).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Millis(pub u64);

impl Millis {
    /// The span from an earlier time to this one; none where the clock was put back meanwhile.
    pub fn since(self, earlier: Self) -> Self {
        Self(self.0.saturating_sub(earlier.0))
    }

    /// What is left `now` of this span, which began at a time.
    pub fn left(self, begun: Self, now: Self) -> Self {
        Self(self.0.saturating_sub(now.since(begun).0))
    }
}

/// Lets the other tasks of this thread have their turn; in a browser not those of the event loop, for which there is
/// [`pause`].
pub async fn give_way() {
    let mut waited = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut waited, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// A random UUID, version 4, in the usual lower-case form with dashes (RFC 9562, section 5.4).
pub fn uuid() -> String {
    let mut bytes = random_bytes::<16>();
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let mut text = String::with_capacity(36);
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        write!(text, "{byte:02x}").expect("BUG: writing to a string failed");
    }
    text
}
