//! Asking again where an answer does not come.
//!
//! A connection that has died unnoticed, because a router forgot it or the network is another one, takes a request and gives
//! nothing. It looks idle to a browser, which gives it the next request, and one dead connection after the other. Nothing tells
//! it from a server that takes its time. So a request that may come to the server twice is soon given up and sent once more, on
//! whatever connection there is, each time with more patience. Not beside the first one: of a server of HTTP/1.1 there are six
//! connections, and where all of them are dead nothing else would come through.

use crate::env::{self, Millis};
use crate::error::Result;
use futures_util::future::{Either, select};
use std::cell::Cell;
use std::future::Future;
use std::pin::pin;

/// So long nothing comes, at the least, before it is asked again.
const LEAST: Millis = Millis(5_000);
/// And at the most, by a server that is always slow.
const MOST: Millis = Millis(60_000);
/// An answer that takes so many times as long as is usual is not expected any more.
const TIMES: u64 = 4;
/// The patience of each try but the last, as a multiple: the connections that died with the first one are taken one by one.
const TRIES: [u64; 3] = [1, 1, 2];
/// What is longer is not sent twice: that takes long where the network is slow.
const LONGEST_BODY: u64 = 256 << 10;
/// How fast it is sent at the least.
const SLOWEST_UPLOAD_BYTES_PER_MILLI: u64 = 16;

/// How fast a server answers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    usual: Millis,
    least: Millis,
}

impl Default for Pace {
    fn default() -> Self {
        Self { usual: Millis(0), least: LEAST }
    }
}

impl Pace {
    /// One that asks again after a shorter time.
    #[cfg(test)]
    pub(super) fn impatient(least: Millis) -> Self {
        Self { least, ..Self::default() }
    }

    /// An answer has come, with a silence as long as this in it. The longest of the last ones count most.
    pub(super) fn answered(&mut self, silence: Millis) {
        // That of a page that slept says nothing.
        self.usual = silence.min(Millis(MOST.0 / TIMES)).max(Millis(self.usual.0 / 8 * 7));
    }

    /// The silences after which a request with a body of so many bytes is sent once more each.
    pub(super) fn silences(self, body: u64) -> impl Iterator<Item = Millis> + use<> {
        let first = self.usual.0.saturating_mul(TIMES).clamp(self.least.0, MOST.0);
        let first = first + body / SLOWEST_UPLOAD_BYTES_PER_MILLI;
        let tries = if body > LONGEST_BODY { &[] } else { &TRIES[..] };
        tries.iter().map(move |times| Millis(first * times))
    }
}

/// What has been heard of a request since it was last sent.
#[derive(Debug)]
pub(super) struct Heard {
    /// When something has last come, or it was sent.
    last: Cell<Millis>,
    longest: Cell<Millis>,
}

impl Default for Heard {
    fn default() -> Self {
        Self { last: Cell::new(env::now()), longest: Cell::default() }
    }
}

impl Heard {
    /// It is sent.
    fn begin(&self) {
        self.last.set(env::now());
        self.longest.set(Millis(0));
    }

    /// Something has come.
    pub(super) fn now(&self) {
        let now = env::now();
        self.longest.set(self.longest_silence().max(now.since(self.last.get())));
        self.last.set(now);
    }

    /// The longest time in which nothing has come.
    pub(super) fn longest_silence(&self) -> Millis {
        self.longest.get()
    }

    /// Waits until nothing has come for so long.
    async fn silence(&self, span: Millis) {
        loop {
            let left = span.left(self.last.get(), env::now());
            if left == Millis(0) {
                return;
            }
            env::sleep(left).await;
        }
    }
}

/// What `attempt` gives, and whether it is the first one's answer or error; it is dropped and begun again after each of the `silences`, in
/// which it has told of nothing that it has [heard](Heard). A browser closes the connection of what is dropped.
pub(super) async fn with_patience<T, F: Future<Output = Result<T>>>(
    silences: impl Iterator<Item = Millis>,
    heard: &Heard,
    attempt: impl Fn() -> F,
) -> (Result<T>, bool) {
    let mut is_first = true;
    heard.begin();
    for silence in silences {
        if let Either::Left((answer, _)) = select(pin!(attempt()), pin!(heard.silence(silence))).await {
            return (answer, is_first);
        }
        is_first = false;
        heard.begin();
    }
    (attempt().await, is_first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use futures_util::future::{LocalBoxFuture, pending, ready};
    use std::cell::RefCell;

    const MOMENT: Millis = Millis(10);
    const LONG: Millis = Millis(3_600_000);

    /// What comes of these tries, whether it is the first one's, and how many there were.
    fn answer(
        silences: &[Millis],
        heard: &Heard,
        tries: Vec<LocalBoxFuture<'static, Result<u32>>>,
    ) -> (Result<(u32, bool)>, usize) {
        let count = tries.len();
        let tries = RefCell::new(tries.into_iter());
        let attempt = || tries.borrow_mut().next().expect("a try too many");
        let (answer, is_first) = env::block_on(with_patience(silences.iter().copied(), heard, attempt));
        (answer.map(|answer| (answer, is_first)), count - tries.borrow().len())
    }

    fn try_of(answer: Result<u32>) -> LocalBoxFuture<'static, Result<u32>> {
        Box::pin(ready(answer))
    }

    fn dead() -> LocalBoxFuture<'static, Result<u32>> {
        Box::pin(pending())
    }

    #[test]
    fn what_is_answered_is_asked_once() {
        let (answer, tries) = answer(&[MOMENT], &Heard::default(), vec![try_of(Ok(1)), dead()]);
        assert_eq!((answer.unwrap(), tries), ((1, true), 1));
    }

    #[test]
    fn one_dead_connection_after_the_other_is_passed() {
        let tries = vec![dead(), dead(), try_of(Ok(3))];
        let (answer, tries) = answer(&[MOMENT, MOMENT, LONG], &Heard::default(), tries);
        assert_eq!((answer.unwrap(), tries), ((3, false), 3));
    }

    #[test]
    fn the_last_try_is_waited_for() {
        let slow: LocalBoxFuture<'static, Result<u32>> = Box::pin(async {
            env::sleep(Millis(50)).await;
            Ok(2)
        });
        let (answer, tries) = answer(&[MOMENT], &Heard::default(), vec![dead(), slow]);
        assert_eq!((answer.unwrap(), tries), ((2, false), 2));
    }

    #[test]
    fn an_error_is_an_answer() {
        for error in [Error::network("cut"), Error::remote(403, "forbidden", "no")] {
            let tries = vec![dead(), try_of(Err(error.clone())), try_of(Ok(1))];
            let (answer, tries) = answer(&[MOMENT, LONG], &Heard::default(), tries);
            assert_eq!((answer.unwrap_err().status(), tries), (error.status(), 2));
        }
    }

    #[test]
    fn nobody_asks_again_while_something_comes() {
        let heard = std::rc::Rc::new(Heard::default());
        let comes = heard.clone();
        let long: LocalBoxFuture<'static, Result<u32>> = Box::pin(async move {
            for _ in 0..20 {
                env::sleep(Millis(20)).await;
                comes.now();
            }
            Ok(1)
        });
        let (answer, tries) = answer(&[Millis(300)], &heard, vec![long, dead()]);
        assert_eq!((answer.unwrap(), tries), ((1, true), 1));
        let longest = heard.longest_silence();
        assert!((Millis(20)..Millis(300)).contains(&longest), "{longest:?}");
    }

    fn silences(pace: Pace, body: u64) -> Vec<u64> {
        pace.silences(body).map(|silence| silence.0).collect()
    }

    #[test]
    fn a_slow_server_and_a_long_upload_are_given_time() {
        let mut pace = Pace::default();
        assert_eq!(silences(pace, 0), [5_000, 5_000, 10_000]);
        assert_eq!(silences(pace, 160_000), [15_000, 15_000, 30_000]);
        assert_eq!(silences(pace, 1 << 20), [0; 0]);
        pace.answered(Millis(3_000));
        pace.answered(Millis(10));
        assert_eq!(silences(pace, 0)[0], 10_500);
        pace.answered(Millis(100_000));
        assert_eq!(silences(pace, 0)[0], 60_000);
        (0..20).for_each(|_| pace.answered(Millis(10)));
        assert_eq!(silences(pace, 0)[0], 5_000);
    }
}
