//! Replications between databases of a model CouchDB, and what they tell.

use crate::env::{block_on, spawn};
use crate::http::testing::{Couch, Database, Leaves};
use crate::http::{Client, ClientOptions};
use crate::replicate::driver::{Hooks, replicate};
use crate::replicate::{HttpPeer, Peer, Replication, ReplicationEvent, ReplicationOptions, Report};
use futures_channel::mpsc;
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use std::rc::Rc;

pub(super) fn peer(couch: &Couch, database: &str) -> Rc<dyn Peer> {
    let client = Client::new(
        Rc::new(couch.clone()),
        &format!("http://couch/{database}"),
        ClientOptions::default(),
        None,
    );
    Rc::new(HttpPeer::new(client.unwrap()))
}

/// Without pauses.
pub(super) fn impatient() -> Hooks {
    Hooks { back_off: Some(Box::new(|_| 1.0)), ..Hooks::default() }
}

/// A replication that runs, and what it tells.
pub(super) struct Observed {
    pub(super) handle: Replication,
    events: mpsc::UnboundedReceiver<ReplicationEvent>,
}

impl Observed {
    pub(super) fn start(source: Rc<dyn Peer>, target: Rc<dyn Peer>, options: Value, hooks: Hooks) -> Self {
        let (sender, events) = mpsc::unbounded();
        let options = ReplicationOptions::parse(&options.to_string(), hooks.filter.is_some()).unwrap();
        let (handle, run) = replicate(source, target, options, hooks, move |event| {
            let _ = sender.unbounded_send(event);
        });
        spawn(run);
        Self { handle, events }
    }

    /// The next event of that name.
    pub(super) async fn next(&mut self, name: &str) -> ReplicationEvent {
        loop {
            let event = self.events.next().await.unwrap_or_else(|| panic!("it ended without {name}"));
            if event.name() == name {
                return event;
            }
        }
    }

    /// Everything until the end.
    pub(super) async fn rest(self) -> Vec<ReplicationEvent> {
        self.events.collect().await
    }
}

pub(super) fn run(couch: &Couch, options: Value) -> Vec<ReplicationEvent> {
    block_on(Observed::start(peer(couch, "from"), peer(couch, "to"), options, impatient()).rest())
}

pub(super) fn report(events: &[ReplicationEvent]) -> &Report {
    match events.last() {
        Some(ReplicationEvent::Complete(report)) => report,
        Some(ReplicationEvent::Error(failure)) => panic!("{:?}", failure.error),
        _ => panic!("no end"),
    }
}

pub(super) fn names(events: &[ReplicationEvent]) -> Vec<&'static str> {
    events
        .iter()
        .map(ReplicationEvent::name)
        .filter(|name| !matches!(*name, "checkpoint" | "status"))
        .collect()
}

/// A database with edits, deletions and conflicts.
pub(super) fn fill(couch: &Couch, documents: usize) {
    couch.with("from", |database| fill_database(database, documents));
}

fn fill_database(database: &mut Database, documents: usize) {
    for number in 0..documents {
        let id = format!("doc {number}/é");
        let mut doc = json!({"_id": id, "number": number}).as_object().unwrap().clone();
        let rev = database.put(&id, doc.clone()).unwrap();
        if number % 3 == 0 {
            doc.insert("_rev".into(), rev.into());
            doc.insert("_deleted".into(), (number % 2 == 0).into());
            database.put(&id, doc.clone()).unwrap();
        }
        if number % 4 == 0 {
            for branch in ["aa", "bb"] {
                let doc = json!({
                    "_id": id, "_rev": format!("2-{branch}"), "branch": branch,
                    "_revisions": {"start": 2, "ids": [branch, "cc"]},
                });
                database.graft(doc.as_object().unwrap().clone(), Vec::new()).unwrap();
            }
        }
    }
}

pub(super) fn assert_same(couch: &Couch) {
    assert_eq!(leaves(couch, "from"), leaves(couch, "to"));
}

pub(super) fn leaves(couch: &Couch, name: &str) -> Leaves {
    couch.with(name, |database| database.leaves())
}

pub(super) fn checkpoints(couch: &Couch, name: &str) -> usize {
    couch.with(name, |database| database.locals().len())
}

/// Both sides have one checkpoint document, and it names the same position.
pub(super) fn assert_checkpoints_agree(couch: &Couch) {
    let position = |name: &str| {
        let checkpoints = couch.with(name, |database| database.locals());
        assert_eq!(checkpoints.len(), 1, "{name}");
        checkpoints[0]["last_seq"].clone()
    };
    let (from, to) = (position("from"), position("to"));
    assert_eq!(from, to);
}
