use super::documents::in_order;
use crate::db::{Database, DatabaseOptions};
use crate::env::{block_on, uuid};
use crate::error::{Error, Result};
use crate::http::{Body, Client, ClientOptions, Request, Response, Transport};
use crate::replicate::{Hooks, HttpPeer, LocalPeer, Peer, ReplicationOptions, replicate};
use async_trait::async_trait;
use bytes::Bytes;
use std::cell::Cell;
use std::rc::Rc;

/// After so many answers the server is gone: what it answers may keep a replication going for ever.
const ANSWERS: usize = 40;

/// A server that answers with these bytes whatever it is asked: a byte that says how, then the bodies, one after another,
/// separated by zeros.
pub fn server(data: &[u8]) {
    let Some((how, bodies)) = data.split_first() else { return };
    block_on(async {
        let asked = |call: &str| {
            let client = client(*how, bodies);
            let call = call.to_owned();
            async move {
                // Any answer will do, as long as there is one.
                let _ = match call.as_str() {
                    "info" => client.info().await,
                    "id" => client.id().await,
                    "get" => client.get("a", r#"{"open_revs":"all","revs":true}"#).await,
                    "put" => client.put(r#"{"_id":"a"}"#, "{}").await,
                    "bulk_docs" => client.bulk_docs(r#"[{"_id":"a"}]"#, "{}").await,
                    "bulk_get" => client.bulk_get(r#"{"docs":[{"id":"a","rev":"1-a"}]}"#).await,
                    "all_docs" => client.all_docs(r#"{"keys":["a"]}"#).await,
                    "changes" => client.changes(r#"{"since":0}"#).await,
                    "attachment" => client.attachment("a", "1-a", "x", 100).await.map(|_| String::new()),
                    "documents" => {
                        let asked = r#"[{"id":"a","rev":"1-a"}]"#;
                        client.bulk_get_with_attachments(asked, 1, 100).await.map(|_| String::new())
                    }
                    _ => client.revs_diff(r#"{"a":["1-a"]}"#).await,
                };
            }
        };
        let calls = ["info", "id", "get", "put", "bulk_docs", "bulk_get", "all_docs", "changes", "revs_diff"];
        for call in calls.into_iter().chain(["attachment", "documents"]) {
            asked(call).await;
        }
        let database =
            Database::open(&uuid(), DatabaseOptions::in_memory()).await.expect("memory can be opened");
        database.bulk_docs(r#"[{"_id":"ours","n":1}]"#, "{}").await.expect("memory takes it");
        for is_pull in [true, false] {
            let local: Rc<dyn Peer> = Rc::new(LocalPeer::new(database.clone()));
            let remote: Rc<dyn Peer> = Rc::new(HttpPeer::new(client(*how, bodies)));
            let (source, target) = if is_pull { (remote, local) } else { (local, remote) };
            let options = ReplicationOptions::parse(r#"{"retry":false}"#, false).expect("known options");
            let (_handle, run) = replicate(source, target, options, Hooks::default(), drop);
            run.await;
        }
        in_order(&database).await;
        database.destroy().await.expect("memory can be destroyed");
    });
}

fn client(how: u8, bodies: &[u8]) -> Client {
    let transport = Fixed {
        how,
        bodies: bodies.split(|byte| *byte == 0).map(Bytes::copy_from_slice).collect(),
        answered: Cell::new(0),
    };
    Client::new(Rc::new(transport), "http://couch/db", ClientOptions::default(), None)
        .expect("the address is one")
}

/// Gives its bodies in turn.
struct Fixed {
    how: u8,
    bodies: Vec<Bytes>,
    answered: Cell<usize>,
}

struct Pieces(Vec<Bytes>, bool);

#[async_trait(?Send)]
impl Body for Pieces {
    async fn next_chunk(&mut self) -> Result<Option<Bytes>> {
        match self.0.pop() {
            None if self.1 => Err(Error::network("the connection was cut")),
            piece => Ok(piece),
        }
    }
}

#[async_trait(?Send)]
impl Transport for Fixed {
    async fn send(&self, _request: Request) -> Result<Response> {
        let answered = self.answered.replace(self.answered.get() + 1);
        if answered >= ANSWERS {
            return Err(Error::network("the server is gone"));
        }
        // The first answer is that to the look for the database, mostly a good one.
        let is_first = answered == 0 && self.how & 1 == 0;
        let status = match (self.how >> 1) & 7 {
            _ if is_first => 200,
            0..=3 => 200,
            4 => 404,
            5 => 401,
            6 => 500,
            _ => 201,
        };
        let kind = match self.how & (16 | 128) {
            0 => "application/json",
            16 => "text/html",
            _ => "multipart/mixed; boundary=b",
        };
        let body = self.bodies.get(answered % self.bodies.len().max(1)).cloned().unwrap_or_default();
        let half = body.len() / 2;
        let pieces =
            if self.how & 32 == 0 { vec![body] } else { vec![body.slice(half..), body.slice(..half)] };
        Ok(Response {
            status,
            headers: vec![("content-type".into(), kind.into())],
            body: Box::new(Pieces(pieces, self.how & 64 != 0)),
        })
    }
}
