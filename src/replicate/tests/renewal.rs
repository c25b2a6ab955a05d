//! Sessions and tokens that expire while a replication lives.

use super::attachments::{attachment, content, local, open};
use super::observed::{Observed, impatient};
use crate::env::block_on;
use crate::error::Error;
use crate::http::testing::Couch;
use crate::http::{Client, ClientOptions, Fresh};
use crate::replicate::{HttpPeer, ReplicationEvent};
use futures_util::future::FutureExt as _;
use serde_json::json;
use std::cell::Cell;
use std::rc::Rc;

#[test]
fn a_live_replication_goes_on_with_fresh_credentials() {
    block_on(async {
        let couch = Couch::new();
        couch.put("from", json!({"_id": "a"}));
        couch.require("Authorization", "Bearer 1");
        let asked = Rc::new(Cell::new(0));
        let count = asked.clone();
        let reauthenticate = move |_: &Error| {
            count.set(count.get() + 1);
            // The way to the login is interrupted at times, which does not end anything.
            let answer = match count.get() {
                2 => Err(Error::network("no way to the login")),
                number => Ok(json!({"headers": {"Authorization": format!("Bearer {}", 1 + number / 2)}})),
            };
            async move { answer.map(|fresh| Some(serde_json::from_value::<Fresh>(fresh).unwrap())) }
                .boxed_local()
        };
        let client = Client::new(
            Rc::new(couch.clone()),
            "http://couch/from",
            ClientOptions::default(),
            Some(Box::new(reauthenticate)),
        );
        let source = Rc::new(HttpPeer::new(client.unwrap()));
        let db = open("renewal").await;
        let options = json!({"live": true, "retry": true});
        let mut live = Observed::start(source, local(&db), options, impatient());
        live.next("change").await;
        live.next("paused").await;
        assert_eq!(asked.get(), 1);

        couch.require("Authorization", "Bearer 2");
        couch.put("from", json!({"_id": "b", "_attachments": {"x": attachment("x/y", b"behind the login")}}));
        let ReplicationEvent::Change { docs, .. } = live.next("change").await else { panic!() };
        assert_eq!((&*docs[0].id, asked.get()), ("b", 3));
        assert_eq!(content(&db, "b", "x").await.unwrap(), "behind the login");
        live.handle.cancel();
        let events = live.rest().await;
        assert!(!events.iter().any(|event| event.name() == "error"), "{events:?}");
        db.destroy().await.unwrap();
    });
}
