//! What the machine has asked for and not been told yet.

use crate::env::Millis;
use crate::replicate::effect::{Effect, Request, Side, Token};
use crate::replicate::report::ReplicationEvent;
use std::collections::BTreeMap;

/// What an answer will be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Starting: who they are.
    Id(Side),
    /// Starting: where `now` is.
    Now,
    /// Starting: where it was left the last time.
    Resume(Side),
    /// Starting: whether a source without a checkpoint can be written to.
    Stub,
    /// Whether the target is untouched.
    Untouched,
    /// The next rows.
    Feed,
    /// Those that pass the filter.
    Filter,
    /// A pause between two requests to a feed that answers at once with nothing.
    FeedPause,
    /// What the target has not of a batch.
    Diff(u64),
    /// A part of a batch's documents.
    Fetch(u64, u64),
    /// A part of a batch's documents, to the target.
    Write(u64, u64),
    /// The next step of writing the checkpoints.
    Checkpoint,
    /// The time when the next checkpoint may be written.
    CheckpointPause,
    /// The time when what was set aside may be due.
    AgainPause,
    /// How long to wait after an error.
    BackOff,
    /// Waiting after an error.
    Pause,
    /// The end of the time in which what is under way may still come to its end.
    Grace,
}

impl Purpose {
    /// Whether it is part of keeping the checkpoints, which goes on when all else is given up.
    pub(super) fn is_checkpoint(self) -> bool {
        matches!(self, Self::Checkpoint | Self::CheckpointPause)
    }

    /// Whether it is part of bringing documents over.
    pub(super) fn is_work(self) -> bool {
        matches!(
            self,
            Self::Feed | Self::Filter | Self::FeedPause | Self::Diff(_) | Self::Fetch(..) | Self::Write(..)
        )
    }

    /// Whether it is a request that should be answered as soon as it can be.
    fn is_prompt(self) -> bool {
        use Purpose::{AgainPause, CheckpointPause, Feed, FeedPause, Grace, Pause};
        !matches!(self, Feed | FeedPause | CheckpointPause | AgainPause | Pause | Grace)
    }
}

/// Effects to be performed, and requests that are.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    effects: Vec<Effect>,
    /// What is not told yet, while it may turn out not to be so.
    held: Option<Vec<ReplicationEvent>>,
    open: BTreeMap<Token, (Purpose, Millis)>,
    next: u64,
    now: Millis,
}

impl Outbox {
    pub(super) fn set_now(&mut self, now: Millis) {
        self.now = now;
    }

    pub(super) fn ask(&mut self, purpose: Purpose, request: Request) {
        let token = Token(self.next);
        self.next += 1;
        self.open.insert(token, (purpose, self.now));
        self.effects.push(Effect::Perform(token, request));
    }

    /// Tells the application, or holds it back.
    pub(super) fn emit(&mut self, event: ReplicationEvent) {
        match &mut self.held {
            Some(held) => held.push(event),
            None => self.effects.push(Effect::Emit(event)),
        }
    }

    /// Holds back what is told from now on.
    pub(super) fn hold(&mut self) {
        self.held = Some(Vec::new());
    }

    /// Tells what was held back.
    pub(super) fn release(&mut self) {
        self.effects.extend(self.held.take().into_iter().flatten().map(Effect::Emit));
    }

    /// Forgets what was held back; whether anything was to be.
    pub(super) fn forget(&mut self) -> bool {
        self.held.take().is_some()
    }

    /// Gives the work up, but for the checkpoints where they are `kept`.
    pub(super) fn stop(&mut self, kept: bool) {
        self.abort(|purpose| !(kept && purpose.is_checkpoint()));
        self.effects.push(Effect::LeaveFeed);
    }

    pub(super) fn finish(&mut self) {
        self.abort(|_| true);
        self.effects.push(Effect::Finish);
    }

    /// What the answer is for; `None` where nobody wants it any more.
    pub(super) fn settle(&mut self, token: Token) -> Option<Purpose> {
        self.open.remove(&token).map(|(purpose, _)| purpose)
    }

    pub(super) fn abort(&mut self, unwanted: impl Fn(Purpose) -> bool) {
        let Self { open, effects, .. } = self;
        open.retain(|token, (purpose, _)| {
            let unwanted = unwanted(*purpose);
            if unwanted {
                effects.push(Effect::Abort(*token));
            }
            !unwanted
        });
    }

    pub(super) fn count(&self, wanted: impl Fn(Purpose) -> bool) -> usize {
        self.open.values().filter(|(purpose, _)| wanted(*purpose)).count()
    }

    pub(super) fn waits_for(&self, wanted: impl Fn(Purpose) -> bool) -> bool {
        self.count(wanted) > 0
    }

    /// Whether a request that should be answered promptly has not been since `age`.
    pub(super) fn has_stale(&self, age: Millis) -> bool {
        let is_stale = |asked: &Millis| self.now.since(*asked) > age;
        self.open.values().any(|(purpose, asked)| purpose.is_prompt() && is_stale(asked))
    }

    pub(super) fn take(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }
}
