//! Whether a feed that waits is read while it comes, or asked for again each time.
//!
//! A feed that stays open brings a change without a new request. But something on the way may keep answers back until
//! they have ended, and some servers and functions in place of `fetch` do not know such answers at all. CouchDB begins one
//! at once with an empty line, so it shows soon whether anything comes through. Whatever is wrong is taken for what it may be
//! for a while only, because a network that is merely bad looks alike.

use super::patience::Patience;
use crate::env::Millis;

/// The first sign of life of a feed comes sooner than this, until one has come.
const PROOF: Millis = Millis(5_000);
/// A feed that has given something for so long was really open.
const LONG: Millis = Millis(10_000);
/// So many in a row that did not live so long are not worth opening.
const SHORT_LIVES: u32 = 2;
/// How long it is asked again each time before the other way is tried anew.
const POLLING: Millis = Millis(600_000);

/// What has been seen of such feeds of a server.
#[derive(Debug, Default)]
pub(super) struct Streaming {
    is_proved: bool,
    short_lives: u32,
    polls_until: Option<Millis>,
}

/// How a feed that was open has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Cut, or ended in good order.
    Broken,
    /// Nothing has come any more.
    Silent,
}

/// What to do when a feed has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    /// Open it again: connections do not live for ever.
    Reopen,
    /// It is an error.
    Fail,
    /// Ask in the other way.
    Poll,
}

impl Streaming {
    /// Whether it is worth trying.
    pub(super) fn is_wanted(&self, now: Millis) -> bool {
        self.polls_until.is_none_or(|until| now >= until)
    }

    /// Whether something has come of one.
    pub(super) fn is_proved(&self) -> bool {
        self.is_proved
    }

    /// How long to wait for the first sign of life, of one that is waited for as long as `patience` afterwards.
    pub(super) fn at_first(&self, patience: Patience) -> Patience {
        if self.is_proved { patience } else { Patience(patience.0.min(PROOF)) }
    }

    /// Something has come, and be it a heartbeat.
    pub(super) fn heard(&mut self) {
        self.is_proved = true;
    }

    /// It does not work.
    pub(super) fn unfit(&mut self, now: Millis) {
        *self = Self { polls_until: Some(Millis(now.0.saturating_add(POLLING.0))), ..Self::default() };
    }

    /// One has ended; `life`: the time in which something came, `None` where nothing did.
    pub(super) fn ended(&mut self, end: End, life: Option<Millis>, now: Millis) -> Then {
        if life.is_some_and(|life| life >= LONG) {
            self.short_lives = 0;
            return if end == End::Broken { Then::Reopen } else { Then::Fail };
        }
        self.short_lives += 1;
        let is_held_back = end == End::Silent && !self.is_proved;
        if is_held_back || self.short_lives >= SHORT_LIVES {
            self.unfit(now);
            return Then::Poll;
        }
        Then::Fail
    }
}

/// Whether the refusal of such a feed says that the server does not know it.
pub(super) fn is_unknown(status: u16) -> bool {
    matches!(status, 400 | 405 | 406 | 415 | 501)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1_000_000);
    const LATER: Millis = Millis(1_600_000);

    fn proved() -> Streaming {
        let mut streaming = Streaming::default();
        streaming.heard();
        streaming
    }

    #[test]
    fn what_is_held_back_from_the_start_is_asked_for_in_the_other_way_for_a_while() {
        let mut streaming = Streaming::default();
        assert!(streaming.is_wanted(NOW));
        assert_eq!(streaming.at_first(Patience(Millis(25_000))), Patience(PROOF));
        assert_eq!(streaming.ended(End::Silent, None, NOW), Then::Poll);
        assert!(!streaming.is_wanted(Millis(LATER.0 - 1)));
        assert!(streaming.is_wanted(LATER));
    }

    #[test]
    fn a_connection_that_falls_silent_after_it_worked_is_only_that() {
        let mut streaming = proved();
        assert_eq!(streaming.at_first(Patience(Millis(25_000))), Patience(Millis(25_000)));
        for _ in 0..5 {
            assert_eq!(streaming.ended(End::Silent, Some(LONG), NOW), Then::Fail);
            assert_eq!(streaming.ended(End::Broken, Some(Millis(99_000)), NOW), Then::Reopen);
        }
        assert_eq!(streaming.ended(End::Silent, None, NOW), Then::Fail, "it may be the network");
        assert!(streaming.is_wanted(NOW));
    }

    #[test]
    fn what_never_lives_long_is_given_up_and_one_accident_is_none_of_it() {
        for end in [End::Silent, End::Broken] {
            let mut streaming = proved();
            assert_eq!(streaming.ended(end, Some(Millis(20)), NOW), Then::Fail);
            streaming.ended(End::Broken, Some(LONG), NOW);
            assert_eq!(streaming.ended(end, Some(Millis(20)), NOW), Then::Fail);
            assert_eq!(streaming.ended(end, Some(Millis(9_999)), NOW), Then::Poll);
            assert!(!streaming.is_wanted(NOW));
        }
    }
}
