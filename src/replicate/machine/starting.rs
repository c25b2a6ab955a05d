//! From nothing to a position in the source's feed.

use super::checkpoints::{Checkpoints, Resume};
use super::outbox::Purpose;
use super::running::{Diff, Run};
use super::set_aside::SetAside;
use super::{Machine, Phase};
use crate::error::{Error, Result};
use crate::replicate::effect::{Answer, Request, Side};
use crate::replicate::options::Start;
use crate::replicate::seq::Seq;

/// What is known of the two sides before anything is read.
#[derive(Debug)]
pub(super) struct Identity {
    source: Option<String>,
    target: Option<String>,
    pub(super) since: Since,
    /// Whether nothing was ever written to the target, as far as is known.
    pub(super) is_untouched: Option<bool>,
    /// What went wrong while other questions were still open.
    error: Option<Error>,
}

#[derive(Debug)]
pub(super) enum Since {
    /// The checkpoints tell.
    Checkpoint,
    /// The source's newest seq, which is not known yet.
    Now,
    /// The option told, or the source when the replication began.
    Known(Seq),
}

impl Identity {
    pub(super) fn new(start: &Start) -> Self {
        let since = match start {
            Start::Checkpoint => Since::Checkpoint,
            Start::Now => Since::Now,
            Start::At(seq) => Since::Known(seq.clone()),
        };
        Self { source: None, target: None, since, is_untouched: None, error: None }
    }
}

impl Machine {
    /// Begins, or begins again. Ids stay what they were: a server that can't be asked for its uuid at the moment is
    /// still the same.
    pub(super) fn begin(&mut self) {
        self.phase = Phase::Starting;
        self.identity.error = None;
        for (side, id) in [(Side::Source, &self.identity.source), (Side::Target, &self.identity.target)] {
            if id.is_none() {
                self.outbox.ask(Purpose::Id(side), Request::Id(side));
            }
        }
        if matches!(self.identity.since, Since::Now) {
            self.outbox.ask(Purpose::Now, Request::Info(Side::Source));
        }
        // It is the question by which a server's database is made sure of anyway.
        self.identity.is_untouched = None;
        if self.position.is_none() {
            self.outbox.ask(Purpose::Untouched, Request::Info(Side::Target));
        }
        self.proceed();
    }

    pub(super) fn identified(&mut self, purpose: Purpose, answer: Result<Answer>) {
        match (purpose, answer) {
            (Purpose::Id(Side::Source), Ok(Answer::Id(id))) => self.identity.source = Some(id),
            (Purpose::Id(Side::Target), Ok(Answer::Id(id))) => self.identity.target = Some(id),
            // Found once: a replication that has to try again still replicates what came meanwhile.
            (Purpose::Now, Ok(Answer::Info(info))) => {
                self.identity.since = Since::Known(info.update_seq.unwrap_or_else(Seq::zero));
            }
            (Purpose::Resume(side), Ok(Answer::Checkpoint(doc))) => {
                self.checkpoints.iter_mut().for_each(|checkpoints| checkpoints.found(side, doc.clone()));
            }
            (Purpose::Stub, answer) => return self.stub_answered(answer),
            (_, Err(error)) => drop(self.identity.error.get_or_insert(error)),
            (_, Ok(_)) => {}
        }
        let is_resuming = matches!(purpose, Purpose::Resume(_));
        if self
            .outbox
            .waits_for(|purpose| matches!(purpose, Purpose::Id(_) | Purpose::Now | Purpose::Resume(_)))
        {
            return;
        }
        match self.identity.error.take() {
            Some(error) => self.fail(error),
            None if is_resuming => self.resume(),
            None => self.proceed(),
        }
    }

    /// Reads the checkpoints once both sides are known.
    fn proceed(&mut self) {
        if matches!(self.identity.since, Since::Now) {
            return;
        }
        let (Some(source), Some(target)) = (&self.identity.source, &self.identity.target) else { return };
        let checkpoints = self.checkpoints.get_or_insert_with(|| {
            let id = self.options.replication_id(source, target);
            Checkpoints::new(id, self.session.clone(), self.options.checkpoint, self.target_is_remote)
        });
        let (id, sides) = (checkpoints.id().to_owned(), checkpoints.sides());
        for side in sides {
            self.outbox.ask(Purpose::Resume(side), Request::ReadCheckpoint(side, id.clone()));
        }
        if !self.outbox.waits_for(|purpose| matches!(purpose, Purpose::Resume(_))) {
            self.resume();
        }
    }

    fn resume(&mut self) {
        let Some(checkpoints) = &mut self.checkpoints else { return };
        match checkpoints.resume() {
            Resume::At(seq) => self.run_from(seq),
            Resume::TryStub(doc) => {
                self.outbox.ask(Purpose::Stub, Request::WriteCheckpoint(Side::Source, doc))
            }
        }
    }

    fn stub_answered(&mut self, answer: Result<Answer>) {
        let Some(checkpoints) = &mut self.checkpoints else { return };
        let rev = answer.map(|answer| match answer {
            Answer::CheckpointWritten(rev) => rev,
            _ => String::new(),
        });
        match checkpoints.stub_answered(rev) {
            Ok(seq) => self.run_from(seq),
            Err(error) => self.fail(error),
        }
    }

    /// Starts to replicate, by what the checkpoints agree on.
    ///
    /// One that has been running goes on from where it stood, unless the checkpoints show that one side is not the
    /// database it was, or that another tab has come further.
    fn run_from(&mut self, agreed: Seq) {
        let Some(checkpoints) = &mut self.checkpoints else { return };
        let keeps_none = checkpoints.sides().next().is_none();
        let start = match (&self.position, &self.identity.since) {
            (Some(position), Since::Known(_)) => position.clone(),
            (Some(position), _) if keeps_none || checkpoints.is_agreed(&agreed) => position.clone(),
            (None, Since::Known(since)) => since.clone(),
            _ => agreed.clone(),
        };
        if start != agreed {
            checkpoints.want(start.clone(), self.now);
        }
        checkpoints.agree(agreed);
        if self.position.as_ref() != Some(&start) {
            // From the beginning everything comes by the feed.
            let found = if start.is_zero() { SetAside::default() } else { checkpoints.set_aside() };
            self.set_aside.replace(found);
            checkpoints.keep(&self.set_aside);
        } else if !checkpoints.is_kept() {
            // It was to be written when the replication failed.
            checkpoints.want(start.clone(), self.now);
        }
        self.report.last_seq = Some(start.clone());
        self.position = Some(start.clone());
        self.run = Some(match self.take_ahead(&start) {
            Some(run) => run,
            None => {
                let diff = self.diff_from(&start);
                Run::from(start, diff)
            }
        });
        self.phase = Phase::Running;
    }

    /// Whether the target has to be asked what it has not.
    fn diff_from(&mut self, start: &Seq) -> Diff {
        match self.identity.is_untouched {
            Some(true) => Diff::Skip,
            None if start.is_zero() => {
                if !self.outbox.waits_for(|purpose| purpose == Purpose::Untouched) {
                    self.outbox.ask(Purpose::Untouched, Request::Info(Side::Target));
                }
                Diff::Unknown
            }
            _ => Diff::Ask,
        }
    }
}
