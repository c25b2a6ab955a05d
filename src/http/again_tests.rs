//! Requests on connections that have died.

use super::testing::Couch;
use super::transport::{Body, Method, Request, Response, Transport};
use super::{Client, ClientOptions, Fresh, Options, Reauthenticate};
use crate::env::{self, Millis, block_on};
use crate::error::{Error, Result};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::{Either, FutureExt as _, pending, select};
use serde_json::{Map, Value, json};
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;

/// A server to which the first request for each address gets lost, and what it was sent.
#[derive(Clone, Default)]
struct Dying(Couch, Rc<RefCell<Vec<String>>>);

#[async_trait(?Send)]
impl Transport for Dying {
    async fn send(&self, request: Request) -> Result<Response> {
        let Self(couch, sent) = self;
        let name = format!("{} {}", request.method.as_str(), request.url);
        let is_first = !sent.borrow().contains(&name);
        sent.borrow_mut().push(name);
        if is_first {
            return pending().await;
        }
        couch.send(request).await
    }
}

/// One that sends again after so short a silence.
fn client(
    server: &(impl Transport + Clone + 'static),
    silence: u64,
    renews: Option<Reauthenticate>,
) -> Client {
    let options = ClientOptions { skip_setup: true, ..ClientOptions::default() };
    let client = Client::new(Rc::new(server.clone()), "http://couch/db", options, renews).unwrap();
    client.lose_patience(Millis(silence));
    client
}

/// Such a server with a database, and a client of it.
fn dying() -> (Dying, Client) {
    let server = Dying::default();
    server.0.with("db", |_| {});
    let client = client(&server, 10, None);
    (server, client)
}

/// Whether it is answered, and how often it was sent.
async fn sent<T>(server: &Dying, call: impl Future<Output = Result<T>>) -> (bool, usize) {
    let before = server.1.borrow().len();
    let is_answered = match select(pin!(call), pin!(env::sleep(Millis(200)))).await {
        Either::Left((answer, _)) => {
            answer.map(drop).unwrap();
            true
        }
        Either::Right(_) => false,
    };
    (is_answered, server.1.borrow().len() - before)
}

#[test]
fn what_changes_nothing_or_may_be_done_twice_is_sent_again() {
    block_on(async {
        let (server, client) = dying();
        let again = (true, 2);
        let checkpoint = json!({"_id": "_local/a", "n": 1}).to_string();
        assert_eq!(sent(&server, client.put_checkpoint("_local/a", checkpoint)).await, again);
        let docs = r#"[{"_id":"a","_rev":"1-a","_revisions":{"start":1,"ids":["a"]}}]"#;
        assert_eq!(sent(&server, client.raw_bulk_docs(docs, false)).await, again);
        assert_eq!(sent(&server, client.raw_revs_diff(r#"{"a":["1-a"]}"#.into())).await, again);
        assert_eq!(sent(&server, client.get("a", "{}")).await, again);
        assert_eq!(sent(&server, client.changes(r#"{"since":0}"#)).await, again);
        let wanted = Options::from(Map::from_iter([("revs".to_owned(), Value::Bool(true))]));
        assert_eq!(sent(&server, client.raw_bulk_get(r#"[{"id":"a","rev":"1-a"}]"#, &wanted)).await, again);
        assert_eq!(sent(&server, client.info()).await, again);
    });
}

#[test]
fn what_would_be_done_twice_is_sent_once() {
    block_on(async {
        let (server, client) = dying();
        let once = (false, 1);
        assert_eq!(sent(&server, client.put(r#"{"_id":"a"}"#, "{}")).await, once);
        assert_eq!(sent(&server, client.bulk_docs(r#"[{"_id":"a"}]"#, "{}")).await, once);
        assert_eq!(sent(&server, client.destroy()).await, once);
        // These wait, or keep the server busy.
        assert_eq!(sent(&server, client.request(Method::Get, "_design/a/_view/b", None)).await, once);
        assert_eq!(sent(&server, client.changes(r#"{"since":0,"feed":"longpoll"}"#)).await, once);
        assert_eq!(sent(&server, client.changes(r#"{"since":0,"filter":"a/b"}"#)).await, once);
    });
}

#[test]
fn whoever_is_asked_for_fresh_credentials_has_time() {
    block_on(async {
        let couch = Couch::new();
        couch.put("db", json!({"_id": "a"}));
        couch.require("Authorization", "Bearer fresh");
        let reauthenticate = |_: &Error| {
            let fresh = async {
                env::sleep(Millis(100)).await;
                let fresh = json!({"headers": {"Authorization": "Bearer fresh"}});
                Ok(Some(serde_json::from_value::<Fresh>(fresh).unwrap()))
            };
            fresh.boxed_local()
        };
        let client = client(&couch, 10, Some(Box::new(reauthenticate)));
        client.get("a", "{}").await.unwrap();
        assert_eq!(couch.log(), ["GET /db/a"; 2]);
    });
}

/// One that gives the head of an answer at once, and its body after a silence.
#[derive(Clone, Default)]
struct Hesitant(Couch, Rc<Cell<usize>>);

struct Hesitation(Box<dyn Body>);

#[async_trait(?Send)]
impl Transport for Hesitant {
    async fn send(&self, request: Request) -> Result<Response> {
        self.1.set(self.1.get() + 1);
        let response = self.0.send(request).await?;
        Ok(Response { body: Box::new(Hesitation(response.body)), ..response })
    }
}

#[async_trait(?Send)]
impl Body for Hesitation {
    async fn next_chunk(&mut self) -> Result<Option<Bytes>> {
        env::sleep(Millis(400)).await;
        self.0.next_chunk().await
    }
}

#[test]
fn a_server_that_always_hesitates_is_soon_given_the_time() {
    block_on(async {
        let server = Hesitant::default();
        server.0.put("db", json!({"_id": "a"}));
        let client = client(&server, 50, None);
        let mut sent = Vec::new();
        for _ in 0..2 {
            client.get("a", "{}").await.unwrap();
            sent.push(server.1.take());
        }
        assert_eq!(sent, [4, 1]);
    });
}
