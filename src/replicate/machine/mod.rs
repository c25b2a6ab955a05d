//! The replication, as a machine without input or output.
//!
//! [`Machine::start`] and [`Machine::handle`] take what has happened and give what is to be done; see
//! [`effect`](super::effect). A replication goes through these phases:
//!
//! ```text
//!            ┌─────────── after a pause, or at once on Wake ───────────┐
//!            ▼                                                         │
//!         Starting ───────────────► Running ──── an error ──────► BackingOff
//!    ids, checkpoints, since          │  │                        (retry: true)
//!                                     │  └────── an error, Cancel, or the end ──► Ending ──► Done
//!                                     └─ live: waits at the end of the feed      last checkpoint
//! ```
//!
//! While it runs, the feed is read ahead into batches. Each batch asks the target what it has not, gets that from the
//! source and writes it; several do so at the same time, but they are begun, written, counted and told of in the order
//! of the feed, and the position that the checkpoints name never passes one that is not done. Of two batches that name
//! the same document the later waits for the earlier.
//!
//! A document that one side does not give or take is set aside, and tried again at rest: a few at a time, one request after
//! the other, so that they are in nobody's way.

mod ahead;
mod batch;
mod checkpoints;
mod feed;
mod fetch;
mod outbox;
mod progress;
mod running;
mod set_aside;
mod starting;
mod trying_again;
mod working;
mod write;

use super::backoff;
use super::effect::{Answer, Effect, Event, Request};
use super::options::ReplicationOptions;
use super::report::{Failure, Progress, ReplicationEvent, Report, Status};
use super::seq::Seq;
use crate::env::Millis;
use crate::error::{Error, ErrorKind};
use checkpoints::{Checkpoints, Haste};
use outbox::{Outbox, Purpose};
use running::Run;
use set_aside::SetAside;
use starting::Identity;
use std::collections::HashMap;

/// How long a last checkpoint may take when nobody wants the replication any longer.
const GRACE: Millis = Millis(2_000);
/// A request this old is not waited for after the page was asleep: its connection may not have survived.
const STALE: Millis = Millis(10_000);

/// A replication in progress.
#[derive(Debug)]
pub struct Machine {
    options: ReplicationOptions,
    session: String,
    target_is_remote: bool,
    outbox: Outbox,
    phase: Phase,
    activity: Activity,
    /// What it was when a run began that is ahead of the checkpoints.
    activity_before: Activity,
    report: Report,
    identity: Identity,
    checkpoints: Option<Checkpoints>,
    run: Option<Run>,
    /// Everything in the source's feed up to here is done.
    position: Option<Seq>,
    /// Whether the feed was waited upon for what was done last.
    is_news: bool,
    back_off: f64,
    has_bulk_get: bool,
    fetched: fetch::Sizes,
    /// Whether the target has taken a document.
    has_written: bool,
    /// How often each document has been a suspect.
    suspicions: HashMap<String, u32>,
    set_aside: SetAside,
    progress: progress::Progress,
    now: Millis,
}

#[derive(Debug)]
enum Phase {
    Starting,
    Running,
    BackingOff { since: Millis, retry_after: Option<u32> },
    Ending(End),
    Done(End),
}

/// How it is going to end.
#[derive(Debug, Clone)]
enum End {
    Complete,
    Cancelled,
    Failed(Error),
}

/// What the application has been told last: PouchDB's `state`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Activity {
    /// Nothing yet.
    Unknown,
    Active,
    /// Paused with everything replicated.
    Paused,
    /// Paused by an error.
    Stopped,
}

impl Machine {
    /// A replication that begins now. `session` is a new UUID, which will stand in the checkpoints.
    pub fn start(
        options: ReplicationOptions,
        session: String,
        target_is_remote: bool,
        now: Millis,
    ) -> (Self, Vec<Effect>) {
        let mut machine = Self {
            identity: Identity::new(&options.start),
            options,
            session,
            target_is_remote,
            outbox: Outbox::default(),
            phase: Phase::Starting,
            activity: Activity::Unknown,
            activity_before: Activity::Unknown,
            report: Report::new(now),
            checkpoints: None,
            run: None,
            position: None,
            is_news: false,
            back_off: 0.0,
            has_bulk_get: true,
            fetched: fetch::Sizes::default(),
            has_written: false,
            suspicions: HashMap::new(),
            set_aside: SetAside::default(),
            progress: progress::Progress::default(),
            now,
        };
        machine.outbox.set_now(now);
        machine.begin();
        let effects = machine.take();
        (machine, effects)
    }

    /// Takes what has happened; gives what is to be done, in this order.
    pub fn handle(&mut self, event: Event, now: Millis) -> Vec<Effect> {
        self.now = now;
        self.outbox.set_now(now);
        match event {
            Event::Answered(token, answer) => {
                if let Some(purpose) = self.outbox.settle(token) {
                    self.answered(purpose, answer);
                }
            }
            Event::Wake => self.wake(),
            Event::Cancel => self.cancel(),
        }
        self.advance();
        self.take()
    }

    /// What is to be done, beginning with how it stands now: whoever is told of something finds that it is so.
    fn take(&mut self) -> Vec<Effect> {
        let mut effects = self.outbox.take();
        if let Some(status) = self.news() {
            effects.insert(0, Effect::Emit(ReplicationEvent::Status(Box::new(status))));
        }
        effects
    }

    fn answered(&mut self, purpose: Purpose, answer: Result<Answer, Error>) {
        match purpose {
            Purpose::Id(_) | Purpose::Now | Purpose::Resume(_) | Purpose::Stub => {
                self.identified(purpose, answer)
            }
            Purpose::Untouched => self.looked_at(answer),
            Purpose::Checkpoint => self.checkpoint_answered(answer),
            Purpose::CheckpointPause | Purpose::AgainPause => {}
            Purpose::BackOff => {
                let Phase::BackingOff { retry_after, .. } = self.phase else { return };
                self.back_off = if let Ok(Answer::BackOff(pause)) = answer { pause } else { 0.0 };
                let pause = backoff::pause(self.back_off, retry_after);
                self.progress.retries_at(Some(Millis(self.now.0 + pause.0)));
                self.outbox.ask(Purpose::Pause, Request::Sleep(pause));
            }
            Purpose::Pause => self.restart(),
            Purpose::Grace => self.end_of_grace(),
            _ => {
                if let Some(mut run) = self.run.take() {
                    self.work_answered(&mut run, purpose, answer);
                    self.run = Some(run);
                }
            }
        }
    }

    /// Does what can be done now.
    fn advance(&mut self) {
        match self.phase {
            Phase::Running => {
                let Some(mut run) = self.run.take() else { return };
                match self.work(&mut run) {
                    Ok(()) => self.run = Some(run),
                    Err(error) => self.fail(error),
                }
            }
            Phase::Starting => {
                if let Some(mut run) = self.run.take() {
                    self.work_ahead(&mut run);
                    self.run = Some(run);
                }
            }
            Phase::Ending(_) if self.is_checkpointed() => self.conclude(),
            _ => {}
        }
    }

    fn is_checkpointed(&self) -> bool {
        self.checkpoints.as_ref().is_none_or(Checkpoints::is_clean)
    }

    /// Begins to write a checkpoint where one is wanted.
    fn write_checkpoint(&mut self, haste: Haste) {
        let Some(checkpoints) = &mut self.checkpoints else { return };
        if let Some(seq) = checkpoints.write(&mut self.outbox, self.now, haste) {
            self.outbox.emit(ReplicationEvent::Checkpoint(Progress::Written(seq)));
        }
    }

    fn checkpoint_answered(&mut self, answer: Result<Answer, Error>) {
        let Some(checkpoints) = &mut self.checkpoints else { return };
        match checkpoints.answered(&mut self.outbox, answer) {
            Ok(Some(seq)) => self.outbox.emit(ReplicationEvent::Checkpoint(Progress::Written(seq))),
            Ok(None) => {}
            Err(error) => {
                // It is wanted again when the replication has got back to where it stands.
                checkpoints.drop_wanted();
                if matches!(self.phase, Phase::Running) {
                    self.fail(error);
                }
            }
        }
    }

    /// Stops what is under way: for good, or to try again after a pause.
    fn fail(&mut self, error: Error) {
        self.stop_work();
        self.progress.failed(self.now, error.clone());
        self.progress.retries_at(None);
        let is_final = !self.options.retry
            || error.is_denied()
            || matches!(error.kind(), ErrorKind::Closed | ErrorKind::Destroyed);
        if is_final {
            return self.end(End::Failed(error));
        }
        let retry_after = error.retry_after_seconds();
        let failure = Failure { error, report: self.report.ended(Status::Aborting, self.now) };
        self.outbox.emit(ReplicationEvent::RequestError(failure.clone()));
        if self.activity != Activity::Stopped {
            self.activity = Activity::Stopped;
            self.outbox.emit(ReplicationEvent::Paused(Some(failure)));
        }
        self.phase = Phase::BackingOff { since: self.now, retry_after };
        self.outbox.ask(Purpose::BackOff, Request::BackOff(self.back_off));
        self.write_checkpoint(Haste::Now);
    }

    /// Gives up everything under way but the checkpoint.
    fn stop_work(&mut self) {
        self.drop_run();
        self.outbox.stop(true);
    }

    /// Starts again, from where it stands.
    fn restart(&mut self) {
        self.drop_run();
        self.outbox.stop(false);
        if let Some(checkpoints) = &mut self.checkpoints {
            checkpoints.drop_wanted();
        }
        if matches!(self.phase, Phase::BackingOff { .. }) {
            self.report = Report::new(self.now);
        }
        self.begin();
    }

    fn wake(&mut self) {
        match self.phase {
            // What the server has asked for is not about the network.
            Phase::BackingOff { since, retry_after: Some(seconds) }
                if self.now.0 < since.0.saturating_add(u64::from(seconds) * 1_000) => {}
            Phase::BackingOff { .. } => self.restart(),
            Phase::Starting | Phase::Running if self.outbox.has_stale(STALE) => self.restart(),
            Phase::Running => {
                let Some(run) = &mut self.run else { return };
                if self.outbox.waits_for(|purpose| purpose == Purpose::Feed) {
                    self.outbox.abort(|purpose| purpose == Purpose::Feed);
                    run.feed.doubt();
                }
            }
            _ => {}
        }
    }

    fn cancel(&mut self) {
        match self.phase {
            Phase::Done(_) => return,
            // The network is in the way: what could not be written is read again the next time.
            Phase::BackingOff { .. } | Phase::Starting | Phase::Ending(_) => {
                self.checkpoints.iter_mut().for_each(Checkpoints::drop_wanted);
            }
            Phase::Running => {}
        }
        self.stop_work();
        self.end(End::Cancelled);
    }

    /// Comes to an end, as soon as the last checkpoint is written.
    fn end(&mut self, end: End) {
        self.phase = Phase::Ending(end);
        self.write_checkpoint(Haste::Now);
        if self.is_checkpointed() {
            self.conclude();
        } else {
            self.outbox.ask(Purpose::Grace, Request::Sleep(GRACE));
        }
    }

    fn end_of_grace(&mut self) {
        match &mut self.phase {
            Phase::Ending(_) => self.conclude(),
            Phase::Running => {
                if let Some(error) = self.run.as_mut().and_then(|run| run.feed.error.take()) {
                    self.fail(error);
                }
            }
            _ => {}
        }
    }

    fn conclude(&mut self) {
        let Phase::Ending(end) = &self.phase else { return };
        let end = end.clone();
        self.phase = Phase::Done(end.clone());
        self.outbox.emit(match end {
            End::Complete => ReplicationEvent::Complete(self.report.ended(Status::Complete, self.now)),
            End::Cancelled => ReplicationEvent::Complete(self.report.ended(Status::Cancelled, self.now)),
            End::Failed(error) => ReplicationEvent::Error(Failure {
                error,
                report: self.report.ended(Status::Aborting, self.now),
            }),
        });
        self.outbox.finish();
    }
}
