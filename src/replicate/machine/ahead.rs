//! Beginning before the checkpoints are read.
//!
//! To read them takes the databases' ids, and so two round trips. A target to which nothing was ever written has hardly
//! a checkpoint, so documents are brought from the beginning meanwhile. What is told of that is held back until the
//! checkpoints say so too; if they name another position, it is forgotten, and what is under way is given up. What has been
//! written by then does no harm: documents keep their revisions, so the target is the same if it gets one twice, or if
//! somebody else brings it at the same time, and no checkpoint passes what was given up.

use super::running::{Diff, Run};
use super::starting::Since;
use super::{Machine, Phase};
use crate::error::Result;
use crate::replicate::effect::Answer;
use crate::replicate::seq::Seq;

impl Machine {
    /// Takes what the target says of itself.
    pub(super) fn looked_at(&mut self, answer: Result<Answer>) {
        // Where it can't be found out, nothing is lost by asking it what it has not.
        let is_untouched = matches!(answer, Ok(Answer::Info(info)) if info.is_untouched());
        self.identity.is_untouched = Some(is_untouched);
        match &mut self.run {
            Some(run) => run.diff = if is_untouched { Diff::Skip } else { Diff::Ask },
            None if is_untouched && matches!(self.phase, Phase::Starting) => self.run_ahead(),
            None => {}
        }
    }

    fn run_ahead(&mut self) {
        let start = match &self.identity.since {
            _ if self.position.is_some() => return,
            Since::Checkpoint => Seq::zero(),
            Since::Known(since) => since.clone(),
            Since::Now => return,
        };
        self.outbox.hold();
        self.activity_before = self.activity;
        self.run = Some(Run::from(start, Diff::Skip));
    }

    /// Does what can be done without having read the checkpoints.
    pub(super) fn work_ahead(&mut self, run: &mut Run) {
        if run.feed.error.is_some() {
            return;
        }
        self.begin_batches(run);
        self.fetch(run);
        self.write(run);
        if !run.feed.at_end {
            self.read(run);
        }
    }

    /// The run that has begun, where it has at that position; what it had to tell is told now.
    pub(super) fn take_ahead(&mut self, start: &Seq) -> Option<Run> {
        let mut run = self.run.take()?;
        if run.start == *start {
            self.outbox.release();
            if self.options.live && run.feed.at_end {
                // The application is not told that it is up to date with what there was before it could be told.
                run.feed.doubt();
            }
            return Some(run);
        }
        self.outbox.abort(|purpose| purpose.is_work());
        self.drop_run();
        None
    }

    /// Gives up the run, and, if it was ahead of the checkpoints, what it had to tell.
    pub(super) fn drop_run(&mut self) {
        self.run = None;
        if self.outbox.forget() {
            self.activity = self.activity_before;
        }
    }
}
