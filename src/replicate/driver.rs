//! Performs what the machine asks for. Nothing is decided here.

use super::answers;
use super::backoff::default_back_off;
use super::effect::{Answer, Effect, Event, Request, Side, Token};
use super::machine::Machine;
use super::options::ReplicationOptions;
use super::peer::{ChangeRow, Peer};
use super::report::ReplicationEvent;
use crate::env;
use crate::error::Result;
use futures_channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use futures_util::future::{AbortHandle, Abortable, LocalBoxFuture};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use futures_util::{FutureExt as _, select};
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;

/// A filter function: rows of the feed, with their documents, as a JSON array; which of them pass.
pub type Filter = Box<dyn Fn(&str) -> Result<Vec<bool>>>;

/// A back-off function: the last pause in milliseconds, 0 at first; the next one.
pub type BackOff = Box<dyn Fn(f64) -> f64>;

/// Functions of the application that have a part in a replication.
#[derive(Default)]
pub struct Hooks {
    /// Chooses the changes that are replicated.
    pub filter: Option<Filter>,
    /// Chooses the pauses after errors.
    pub back_off: Option<BackOff>,
}

/// A replication under way. Dropping it does not end it.
#[derive(Debug, Clone)]
pub struct Replication {
    events: UnboundedSender<Event>,
}

impl Replication {
    /// Ends it: requests are given up, the checkpoint is written, `complete` comes with the status `cancelled`, and no
    /// other event comes before it.
    pub fn cancel(&self) {
        // Nobody listens any more where it has ended.
        let _ = self.events.unbounded_send(Event::Cancel);
    }

    /// Ends a pause after an error at once, and makes sure that a feed that waits is not waiting for a dead connection.
    pub fn wake(&self) {
        let _ = self.events.unbounded_send(Event::Wake);
    }
}

/// A replication from `source` to `target`, which begins when the future is polled and ends with it.
///
/// Events come while the future is polled; the listener may call the handle.
pub fn replicate(
    source: Rc<dyn Peer>,
    target: Rc<dyn Peer>,
    options: ReplicationOptions,
    hooks: Hooks,
    listener: impl Fn(ReplicationEvent) + 'static,
) -> (Replication, LocalBoxFuture<'static, ()>) {
    let (sender, events) = unbounded();
    let driver = Driver {
        source,
        target,
        hooks: Rc::new(hooks),
        listener: Box::new(listener),
        events,
        running: FuturesUnordered::new(),
        aborts: HashMap::new(),
    };
    (Replication { events: sender }, driver.run(options).boxed_local())
}

type Running = Abortable<LocalBoxFuture<'static, (Token, Result<Answer>)>>;

struct Driver {
    source: Rc<dyn Peer>,
    target: Rc<dyn Peer>,
    hooks: Rc<Hooks>,
    listener: Box<dyn Fn(ReplicationEvent)>,
    events: UnboundedReceiver<Event>,
    running: FuturesUnordered<Running>,
    aborts: HashMap<Token, AbortHandle>,
}

impl Drop for Driver {
    /// Also where it is halted: whoever else holds the source does not keep its feed open.
    fn drop(&mut self) {
        self.source.leave_feed();
    }
}

impl Driver {
    async fn run(mut self, options: ReplicationOptions) {
        let (mut machine, effects) =
            Machine::start(options, env::uuid(), self.target.is_remote(), env::now());
        let mut effects = VecDeque::from(effects);
        loop {
            while let Some(effect) = effects.pop_front() {
                match effect {
                    Effect::Perform(token, request) => self.perform(token, request),
                    Effect::Abort(token) => {
                        if let Some(abort) = self.aborts.remove(&token) {
                            abort.abort();
                        }
                    }
                    Effect::LeaveFeed => self.source.leave_feed(),
                    Effect::Emit(event) => {
                        (self.listener)(event);
                        self.heed(&mut machine, &mut effects);
                    }
                    Effect::Finish => return,
                }
            }
            let event = select! {
                event = self.events.select_next_some() => event,
                answer = self.running.select_next_some() => match answer {
                    Ok((token, answer)) => {
                        self.aborts.remove(&token);
                        Event::Answered(token, answer)
                    }
                    // Aborted: nobody wants its answer.
                    Err(_) => continue,
                },
            };
            effects.extend(machine.handle(event, env::now()));
        }
    }

    /// What a listener has just asked for comes before everything that it has not been told yet.
    fn heed(&mut self, machine: &mut Machine, effects: &mut VecDeque<Effect>) {
        while let Ok(event) = self.events.try_recv() {
            if matches!(event, Event::Cancel) {
                effects.retain(|effect| !matches!(effect, Effect::Emit(_)));
            }
            effects.extend(machine.handle(event, env::now()));
        }
    }

    fn perform(&mut self, token: Token, request: Request) {
        let side = |side| match side {
            Side::Source => self.source.clone(),
            Side::Target => self.target.clone(),
        };
        let (source, target, hooks) = (side(Side::Source), side(Side::Target), self.hooks.clone());
        let answer: LocalBoxFuture<'static, Result<Answer>> = match request {
            Request::Id(of) => {
                let peer = side(of);
                async move { peer.id().await.map(Answer::Id) }.boxed_local()
            }
            Request::Info(of) => {
                let peer = side(of);
                async move { peer.info().await.map(Answer::Info) }.boxed_local()
            }
            Request::ReadCheckpoint(of, id) => {
                let peer = side(of);
                async move { peer.get_local(&id).await.map(Answer::Checkpoint) }.boxed_local()
            }
            Request::WriteCheckpoint(of, doc) => {
                let peer = side(of);
                async move { peer.put_local(&doc).await.map(Answer::CheckpointWritten) }.boxed_local()
            }
            Request::Changes(request) => {
                async move { source.changes(&request).await.map(Answer::Changes) }.boxed_local()
            }
            Request::Filter(rows) => async move { filter(&hooks, &rows).map(Answer::Filtered) }.boxed_local(),
            Request::RevsDiff(revs) => {
                async move { target.revs_diff(&revs).await.map(Answer::Missing) }.boxed_local()
            }
            Request::BulkGet(wanted) => {
                async move { source.bulk_get(&wanted).await.map(Answer::Docs) }.boxed_local()
            }
            Request::OpenRevs(wanted) => {
                async move { source.open_revs(&wanted).await.map(Answer::Docs) }.boxed_local()
            }
            Request::WriteDocs(docs) => {
                async move { target.bulk_docs(&docs, &*source).await.map(Answer::Written) }.boxed_local()
            }
            Request::BackOff(previous) => {
                async move { Ok(Answer::BackOff(back_off(&hooks, previous))) }.boxed_local()
            }
            Request::Sleep(span) => async move {
                env::sleep(span).await;
                Ok(Answer::Slept)
            }
            .boxed_local(),
        };
        let (abort, registration) = AbortHandle::new_pair();
        self.aborts.insert(token, abort);
        self.running
            .push(Abortable::new(answer.map(move |answer| (token, answer)).boxed_local(), registration));
    }
}

fn filter(hooks: &Hooks, rows: &[ChangeRow]) -> Result<Vec<bool>> {
    match &hooks.filter {
        Some(filter) => filter(&answers::json(rows)),
        None => Ok(vec![true; rows.len()]),
    }
}

fn back_off(hooks: &Hooks, previous: f64) -> f64 {
    match &hooks.back_off {
        Some(back_off) => back_off(previous),
        None => {
            default_back_off(previous, f64::from(u32::from_le_bytes(env::random_bytes())) / 4_294_967_296.0)
        }
    }
}
