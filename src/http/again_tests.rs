//! Requests on connections that have died.

use super::testing::Couch;
use super::transport::{Request, Response, Transport};
use super::{Client, ClientOptions, Options};
use crate::env::{self, Millis, block_on};
use crate::error::Result;
use async_trait::async_trait;
use futures_util::future::{Either, pending, select};
use serde_json::{Map, Value, json};
use std::cell::RefCell;
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

fn client(server: &Dying) -> Client {
    let options = ClientOptions { skip_setup: true, ..ClientOptions::default() };
    let client = Client::new(Rc::new(server.clone()), "http://couch/db", options, None).unwrap();
    client.lose_patience(Millis(10));
    client
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
        let server = Dying::default();
        server.0.with("db", |_| {});
        let client = client(&server);
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
        let server = Dying::default();
        server.0.with("db", |_| {});
        let client = client(&server);
        let once = (false, 1);
        assert_eq!(sent(&server, client.put(r#"{"_id":"a"}"#, "{}")).await, once);
        assert_eq!(sent(&server, client.bulk_docs(r#"[{"_id":"a"}]"#, "{}")).await, once);
        assert_eq!(sent(&server, client.destroy()).await, once);
        // These wait, or keep the server busy.
        assert_eq!(sent(&server, client.changes(r#"{"since":0,"feed":"longpoll"}"#)).await, once);
        assert_eq!(sent(&server, client.changes(r#"{"since":0,"filter":"a/b"}"#)).await, once);
    });
}
