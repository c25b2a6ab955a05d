//! Keeping the checkpoints: one write at a time, the target's before the source's, the newest position only.

use super::outbox::{Outbox, Purpose};
use super::set_aside::SetAside;
use crate::env::Millis;
use crate::error::{Error, Result};
use crate::replicate::checkpoint::{
    SET_ASIDE, advance, common_ancestry, if_marked, keeping, marked, position, stub,
};
use crate::replicate::effect::{Answer, Request, Side};
use crate::replicate::options::CheckpointSides;
use crate::replicate::peer::LocalDoc;
use crate::replicate::seq::Seq;
use serde_json::Value;

/// The least time between two checkpoints while there is more to do.
const INTERVAL: Millis = Millis(1_000);

/// So long nothing has come before a live one takes the time for a checkpoint, which would be in the way of the next change.
const LULL: Millis = Millis(100);

/// Nobody else is faster so often in a row: it is the server that is wrong.
const MOST_CONFLICTS: u32 = 20;

/// The checkpoint documents as they are known, and the position that they should have.
#[derive(Debug)]
pub(super) struct Checkpoints {
    id: String,
    session: String,
    writes: CheckpointSides,
    target_is_remote: bool,
    source: Option<LocalDoc>,
    target: Option<LocalDoc>,
    /// The documents that are to be tried again, as they should be kept.
    set_aside: Option<Value>,
    wanted: Option<Seq>,
    /// When something was wanted first since the last one was begun, and last.
    wanted_at: (Millis, Millis),
    /// Where both sides stand, as far as this session knows.
    agreed: Option<Seq>,
    job: Option<Job>,
    /// How often in a row somebody else was faster.
    conflicts: u32,
    last_begun: Option<Millis>,
}

/// How soon a checkpoint is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Haste {
    /// At once.
    Now,
    /// When nothing more has come for a moment.
    Lull,
    /// Not too often, because there is more to do.
    More,
}

/// A write under way.
#[derive(Debug)]
struct Job {
    seq: Seq,
    side: Side,
    /// The document being written; `None` while the one that is there is read again.
    doc: Option<LocalDoc>,
}

/// What reading both checkpoints has shown.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Resume {
    /// Go on from here.
    At(Seq),
    /// First see whether the source can be written to.
    TryStub(LocalDoc),
}

impl Checkpoints {
    pub(super) fn new(id: String, session: String, writes: CheckpointSides, target_is_remote: bool) -> Self {
        Self {
            id,
            session,
            writes,
            target_is_remote,
            source: None,
            target: None,
            set_aside: None,
            wanted: None,
            wanted_at: (Millis(0), Millis(0)),
            agreed: None,
            job: None,
            conflicts: 0,
            last_begun: None,
        }
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// The sides that keep one, the order in which they are written.
    pub(super) fn sides(&self) -> impl Iterator<Item = Side> + use<> {
        let CheckpointSides { source, target } = self.writes;
        [(Side::Target, target), (Side::Source, source)]
            .into_iter()
            .filter(|(_, keeps)| *keeps)
            .map(|(side, _)| side)
    }

    fn doc(&mut self, side: Side) -> &mut Option<LocalDoc> {
        match side {
            Side::Source => &mut self.source,
            Side::Target => &mut self.target,
        }
    }

    /// Takes what a side's checkpoint is.
    pub(super) fn found(&mut self, side: Side, doc: Option<LocalDoc>) {
        let is_marked = side == Side::Target && !self.target_is_remote;
        *self.doc(side) = if is_marked { doc.map(if_marked) } else { doc };
    }

    /// The side whose document keeps what was set aside: that of a database here. Nobody else gets the list, and nobody else
    /// can say by it what is to be brought.
    fn keeper(&self) -> Side {
        if self.target_is_remote { Side::Source } else { Side::Target }
    }

    fn known(&self, side: Side) -> Option<&LocalDoc> {
        match side {
            Side::Source => self.source.as_ref(),
            Side::Target => self.target.as_ref(),
        }
    }

    /// What was set aside, by what was found.
    pub(super) fn set_aside(&self) -> SetAside {
        self.known(self.keeper()).map(SetAside::read).unwrap_or_default()
    }

    /// Whether what was found keeps what it should, as far as it can.
    pub(super) fn is_kept(&self) -> bool {
        let kept = self.known(self.keeper()).and_then(|doc| doc.get(SET_ASIDE));
        kept == self.set_aside.as_ref() || !self.sides().any(|side| side == self.keeper())
    }

    /// Takes these for what is to be kept with the next position that is written.
    pub(super) fn keep(&mut self, set_aside: &SetAside) {
        self.set_aside = set_aside.to_value();
    }

    /// Where to go on from, by what was found.
    pub(super) fn resume(&mut self) -> Resume {
        let zero = Seq::zero;
        let resume = match (self.writes.source, self.writes.target) {
            (true, false) => self.source.as_ref().map_or_else(zero, position),
            (false, true) => self.target.as_ref().map_or_else(zero, position),
            (false, false) => Seq::zero(),
            (true, true) => match (&self.source, &self.target) {
                (_, None) => Seq::zero(),
                (Some(source), Some(target)) => common_ancestry(source, target),
                (None, Some(target)) if position(target).is_zero() => Seq::zero(),
                (None, Some(_)) => return Resume::TryStub(stub(&self.id)),
            },
        };
        Resume::At(resume)
    }

    /// Takes what came of the stub: a source that can't be written to leaves the target's word alone.
    pub(super) fn stub_answered(&mut self, answer: Result<String>) -> Result<Seq> {
        match answer {
            Ok(rev) => {
                self.source = Some(with_rev(stub(&self.id), rev));
                Ok(Seq::zero())
            }
            // Somebody else has written one meanwhile; it is read again when it is next written.
            Err(error) if error.is_conflict() => Ok(Seq::zero()),
            Err(error) if is_about_rights(&error) => {
                self.writes.source = false;
                Ok(self.target.as_ref().map_or_else(Seq::zero, position))
            }
            Err(error) => Err(error),
        }
    }

    /// Whether both sides still stand where this session left them.
    pub(super) fn is_agreed(&self, seq: &Seq) -> bool {
        self.agreed.as_ref() == Some(seq)
    }

    /// Takes this for where both sides stand.
    pub(super) fn agree(&mut self, seq: Seq) {
        self.agreed = Some(seq);
    }

    /// Wants this position written.
    pub(super) fn want(&mut self, seq: Seq, now: Millis) {
        if self.writes.source || self.writes.target {
            let first = if self.wanted.is_some() { self.wanted_at.0 } else { now };
            self.wanted_at = (first, now);
            self.wanted = Some(seq);
        }
    }

    /// Whether everything wanted is written.
    pub(super) fn is_clean(&self) -> bool {
        self.wanted.is_none() && self.job.is_none()
    }

    /// Gives up what is wanted.
    pub(super) fn drop_wanted(&mut self) {
        self.conflicts = 0;
        self.job = None;
        self.wanted = None;
    }

    /// How long it is until what is wanted is to be written. A clock that was put back delays nothing for long.
    fn pause(&self, now: Millis, haste: Haste) -> Millis {
        let (first, last) = self.wanted_at;
        match haste {
            Haste::Now => Millis(0),
            Haste::Lull if now < last => Millis(0),
            Haste::Lull => LULL.left(last, now).min(INTERVAL.left(first, now)),
            Haste::More => self.last_begun.map_or(Millis(0), |begun| INTERVAL.left(begun, now)),
        }
    }

    /// Begins to write what is wanted, unless something is being written. Gives the position where both sides have it
    /// already.
    pub(super) fn write(&mut self, outbox: &mut Outbox, now: Millis, haste: Haste) -> Option<Seq> {
        if self.job.is_some() || self.wanted.is_none() {
            return None;
        }
        let pause = self.pause(now, haste);
        if pause > Millis(0) {
            if !outbox.waits_for(|purpose| purpose == Purpose::CheckpointPause) {
                outbox.ask(Purpose::CheckpointPause, Request::Sleep(pause));
            }
            return None;
        }
        outbox.abort(|purpose| purpose == Purpose::CheckpointPause);
        let seq = self.wanted.take()?;
        self.last_begun = Some(now);
        self.begin(outbox, seq, Side::Target)
    }

    /// Writes this side's document, or the next side's where there is nothing to write; gives the position where both
    /// are done.
    fn begin(&mut self, outbox: &mut Outbox, seq: Seq, side: Side) -> Option<Seq> {
        let mut next = Some(side);
        while let Some(side) = next {
            next = if side == Side::Target { Some(Side::Source) } else { None };
            if !self.sides().any(|writes| writes == side) {
                continue;
            }
            let (id, session) = (self.id.clone(), self.session.clone());
            let current = self.known(side);
            let mut next = advance(current, &id, &session, &seq);
            if side == self.keeper() {
                next = keeping(current, next, self.set_aside.as_ref());
            }
            if let Some(doc) = next {
                let is_marked = side == Side::Target && !self.target_is_remote;
                let doc = if is_marked { marked(doc) } else { doc };
                outbox.ask(Purpose::Checkpoint, Request::WriteCheckpoint(side, doc.clone()));
                self.job = Some(Job { seq, side, doc: Some(doc) });
                return None;
            }
        }
        self.job = None;
        self.agreed = Some(seq.clone());
        Some(seq)
    }

    /// Takes the answer to the step under way. Gives the position once both sides have it.
    ///
    /// Fails where a checkpoint can't be written; what was wanted is wanted still.
    pub(super) fn answered(&mut self, outbox: &mut Outbox, answer: Result<Answer>) -> Result<Option<Seq>> {
        let Some(Job { seq, side, doc }) = self.job.take() else { return Ok(None) };
        let next = match (answer, doc) {
            (Ok(Answer::CheckpointWritten(rev)), Some(doc)) => {
                self.conflicts = 0;
                *self.doc(side) = Some(with_rev(doc, rev));
                Some(side)
            }
            (Ok(Answer::Checkpoint(doc)), None) => {
                self.found(side, doc);
                Some(side)
            }
            // Another tab replicates the same; what it wrote is read, and written on.
            (Err(error), Some(_)) if error.is_conflict() && self.conflicts < MOST_CONFLICTS => {
                self.conflicts += 1;
                outbox.ask(Purpose::Checkpoint, Request::ReadCheckpoint(side, self.id.clone()));
                self.job = Some(Job { seq, side, doc: None });
                return Ok(None);
            }
            (Err(error), Some(_)) if side == Side::Source && is_about_rights(&error) => {
                self.writes.source = false;
                None
            }
            (Err(error), _) => {
                self.wanted.get_or_insert(seq);
                return Err(error);
            }
            (Ok(_), _) => None,
        };
        match next {
            Some(side) => Ok(self.begin(outbox, seq, side)),
            None => {
                self.agreed = Some(seq.clone());
                Ok(Some(seq))
            }
        }
    }
}

/// Any 4xx, as PouchDB has it.
fn is_about_rights(error: &Error) -> bool {
    (400..500).contains(&error.status()) && error.status() != 408 && error.status() != 429
}

fn with_rev(mut doc: LocalDoc, rev: String) -> LocalDoc {
    doc.insert("_rev".into(), Value::String(rev));
    doc
}
