//! What is counted and remembered for the status, and when the application is told of it.

use super::{Activity, End, Machine, Phase};
use crate::env::Millis;
use crate::error::{Error, ErrorKind};
use crate::replicate::status::{ReplicationStatus, State};
use std::collections::VecDeque;

/// The time of which the rate is told.
const LATELY: Millis = Millis(10_000);

/// What a replication has done so far, whatever came between.
#[derive(Debug, Default)]
pub(super) struct Progress {
    docs_read: u64,
    docs_written: u64,
    failures: u64,
    /// Changes dealt with since it was last up to date.
    done: u64,
    /// When these began.
    since: Option<Millis>,
    /// Batches done lately: when, and how many changes each.
    lately: VecDeque<(Millis, u64)>,
    last_error: Option<(Millis, Error)>,
    last_success: Option<Millis>,
    next_retry: Option<Millis>,
    /// Whether it has been up to date since it last had something to do.
    has_rested: bool,
    told: Option<ReplicationStatus>,
}

impl Progress {
    /// A batch is done, or as much of it as could be.
    pub(super) fn batch(&mut self, now: Millis, changes: usize, read: u64, written: u64, failures: u64) {
        self.docs_read += read;
        self.docs_written += written;
        self.failures += failures;
        self.done += changes as u64;
        self.lately.push_back((now, changes as u64));
    }

    /// Something has worked.
    pub(super) fn succeeded(&mut self, now: Millis) {
        self.last_success = Some(now);
    }

    /// Everything is replicated.
    pub(super) fn rested(&mut self, now: Millis) {
        self.last_success = Some(now);
        self.has_rested = true;
    }

    /// There is something to do: more of the same, if it was interrupted before it had rested.
    pub(super) fn stirred(&mut self, now: Millis) {
        if std::mem::take(&mut self.has_rested) || self.since.is_none() {
            (self.done, self.since) = (0, Some(now));
            self.lately.clear();
        }
    }

    /// Something has failed that stops it.
    pub(super) fn failed(&mut self, now: Millis, error: Error) {
        self.last_error = Some((now, error));
    }

    /// It waits until then.
    pub(super) fn retries_at(&mut self, time: Option<Millis>) {
        self.next_retry = time;
    }

    fn rate(&mut self, now: Millis) -> f64 {
        let start = Millis(now.0.saturating_sub(LATELY.0)).max(self.since.unwrap_or(now));
        while self.lately.front().is_some_and(|(done, _)| *done < start) {
            self.lately.pop_front();
        }
        let changes: u64 = self.lately.iter().map(|(_, changes)| changes).sum();
        // What is done at once has no rate to speak of: it counts as a second's work.
        let rate = changes as f64 * 1_000.0 / now.since(start).0.max(1_000) as f64;
        (rate * 10.0).round() / 10.0
    }
}

impl Machine {
    /// How it stands, if that is news.
    pub(super) fn news(&mut self) -> Option<ReplicationStatus> {
        let status = self.status();
        let is_news = self.progress.told.as_ref().is_none_or(|told| {
            // The rate alone, and a success that everybody expects, are none.
            let same =
                ReplicationStatus { rate: told.rate, last_success: told.last_success, ..status.clone() };
            same != *told
        });
        if is_news {
            self.progress.told = Some(status.clone());
        }
        is_news.then_some(status)
    }

    fn status(&mut self) -> ReplicationStatus {
        let state = self.state();
        let is_busy = state == State::CatchingUp;
        let rate = if is_busy { self.progress.rate(self.now) } else { 0.0 };
        let progress = &self.progress;
        ReplicationStatus {
            state,
            pending: match state {
                State::UpToDate | State::Complete => Some(0),
                State::CatchingUp => self.run.as_ref().and_then(|run| run.pending()),
                _ => progress.told.as_ref().and_then(|told| told.pending),
            },
            done: progress.done,
            rate,
            docs_read: progress.docs_read,
            docs_written: progress.docs_written,
            doc_write_failures: progress.failures,
            set_aside: self.set_aside.len() as u64,
            last_seq: self.position.clone(),
            last_error: progress.last_error.as_ref().map(|(_, error)| error.clone()),
            last_error_time: progress.last_error.as_ref().map(|(time, _)| *time),
            last_success: progress.last_success,
            next_retry: progress.next_retry.filter(|_| matches!(self.phase, Phase::BackingOff { .. })),
        }
    }

    fn state(&self) -> State {
        let last_error = || self.progress.last_error.as_ref().map(|(_, error)| error);
        match &self.phase {
            Phase::Starting => State::Connecting,
            Phase::Running if self.activity == Activity::Paused => State::UpToDate,
            Phase::Running => State::CatchingUp,
            Phase::BackingOff { .. } if last_error().is_some_and(is_silence) => State::Offline,
            Phase::BackingOff { .. } => State::WaitingToRetry,
            Phase::Ending(end) | Phase::Done(end) => match end {
                End::Complete => State::Complete,
                End::Cancelled => State::Cancelled,
                End::Failed(_) => State::Stopped,
            },
        }
    }
}

/// Whether nobody has answered.
fn is_silence(error: &Error) -> bool {
    error.kind() == ErrorKind::Network || error.status() == 408
}
