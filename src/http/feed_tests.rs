//! Feeds that stay open, piece by piece.

use super::client::ChangesFeed;
use super::params::Options;
use super::transport::{Body, Request, Response, Transport};
use super::{Client, ClientOptions, turns};
use crate::env::{self, Millis, block_on};
use crate::error::{Error, Result};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::{Either, join, join_all, pending, select};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::pin::pin;
use std::rc::Rc;

/// A server that answers each feed that stays open with the next of these lists of pieces, and long polls with nothing new.
#[derive(Clone, Default)]
struct Server(Rc<RefCell<State>>);

#[derive(Default)]
struct State {
    feeds: VecDeque<Vec<Result<Bytes>>>,
    asked: Vec<String>,
    read: usize,
    ended: usize,
    /// Whether a feed waits after its last piece, and does not end.
    stays_open: bool,
}

struct Pieces(Server, VecDeque<Result<Bytes>>);

impl Drop for Pieces {
    fn drop(&mut self) {
        self.0.0.borrow_mut().ended += 1;
    }
}

#[async_trait(?Send)]
impl Body for Pieces {
    async fn next_chunk(&mut self) -> Result<Option<Bytes>> {
        self.0.0.borrow_mut().read += 1;
        let piece = self.1.pop_front();
        if piece.is_none() && self.0.0.borrow().stays_open {
            return pending().await;
        }
        piece.transpose()
    }
}

#[async_trait(?Send)]
impl Transport for Server {
    async fn send(&self, request: Request) -> Result<Response> {
        let (_, query) = request.url.split_once('?').unwrap();
        assert_eq!(
            request.bypasses_cache,
            query.contains("feed="),
            "a cache would keep it waiting for another one"
        );
        self.0.borrow_mut().asked.push(query.to_owned());
        let pieces = match query.contains("feed=continuous") {
            true => self.0.borrow_mut().feeds.pop_front().unwrap(),
            false => vec![Ok(r#"{"results":[],"last_seq":"polled"}"#.into())],
        };
        Ok(Response { status: 200, headers: Vec::new(), body: Box::new(Pieces(self.clone(), pieces.into())) })
    }
}

fn server(feeds: impl IntoIterator<Item = Vec<Result<Bytes>>>) -> (Server, ChangesFeed) {
    let (server, client) = client(feeds);
    (server, ChangesFeed::new(client))
}

fn client(feeds: impl IntoIterator<Item = Vec<Result<Bytes>>>) -> (Server, Client) {
    let server =
        Server(Rc::new(RefCell::new(State { feeds: feeds.into_iter().collect(), ..State::default() })));
    let options = ClientOptions { skip_setup: true, ..ClientOptions::default() };
    let client = Client::new(Rc::new(server.clone()), "http://couch/db", options, None).unwrap();
    (server, client)
}

fn row(seq: usize) -> String {
    format!("{}\n", json!({"seq": format!("{seq}-x"), "id": seq.to_string(), "changes": []}))
}

fn piece(text: &str) -> Result<Bytes> {
    Ok(Bytes::copy_from_slice(text.as_bytes()))
}

/// The ids of the next page, and where it ends.
fn page(feed: &ChangesFeed, since: &Value, limit: usize) -> Result<(Vec<String>, Value)> {
    let options = json!({"feed": "longpoll", "since": since, "limit": limit}).to_string();
    let page = block_on(feed.page(&Options::parse(&options).unwrap()))?;
    let page: Value = serde_json::from_slice(&page).unwrap();
    let ids = page["results"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned());
    Ok((ids.collect(), page["last_seq"].clone()))
}

#[test]
fn no_more_is_read_than_was_asked_for() {
    let many: Vec<_> =
        (0..1_000).map(|piece| (0..10).map(|each| row(piece * 10 + each)).collect::<String>()).collect();
    let (server, feed) = server([many.iter().map(|rows| piece(rows)).collect()]);
    let mut since = json!("before");
    for number in 0..50 {
        let (ids, last) = page(&feed, &since, 5).unwrap();
        assert_eq!(ids[0], (number * 5).to_string());
        assert_eq!((ids.len(), server.0.borrow().read), (5, number / 2 + 1));
        since = last;
    }
    assert_eq!(server.0.borrow().asked.len(), 1);
    feed.leave();
    assert_eq!(server.0.borrow().ended, 1);
}

#[test]
fn rows_in_pieces_come_as_soon_as_they_are_whole() {
    let text = format!("\n{}\n{}{}", row(1), row(2), "{\"last_seq\":\"9-x\",\"pending\":0}\n");
    for size in [1, 2, 5, 30, 1_000] {
        let pieces = text.as_bytes().chunks(size).map(|chunk| Ok(Bytes::copy_from_slice(chunk)));
        let (server, feed) = server([pieces.collect()]);
        let mut all = Vec::new();
        let mut since = json!(0);
        while since != "9-x" {
            let (ids, last) = page(&feed, &since, 100).unwrap();
            all.extend(ids);
            since = last;
        }
        assert_eq!(all, ["1", "2"]);
        assert_eq!(server.0.borrow().asked, ["heartbeat=10000&feed=continuous&since=0"]);
    }
}

#[test]
fn one_that_is_cut_gives_the_rows_that_came_whole() {
    let cut = |rest: &str| vec![piece(&(row(1) + rest)), Err(Error::network("cut"))];
    let (server, feed) = server([cut("{\"seq\":\"2-x\",\"id"), vec![piece(&row(2))]]);
    assert_eq!(page(&feed, &json!(0), 100).unwrap(), (vec!["1".into()], json!("1-x")));
    assert_eq!(page(&feed, &json!("1-x"), 100).unwrap_err().message(), "cut");
    assert_eq!(page(&feed, &json!("1-x"), 100).unwrap().0, ["2"]);
    assert_eq!(server.0.borrow().asked[1], "heartbeat=10000&feed=continuous&since=1-x");
}

#[test]
fn a_feed_asked_for_from_elsewhere_is_another_one() {
    let (server, feed) = server([vec![piece(&row(1)), piece(&row(2))], vec![piece(&row(9))]]);
    page(&feed, &json!(0), 100).unwrap();
    assert_eq!(page(&feed, &json!(8), 100).unwrap().0, ["9"]);
    assert_eq!(server.0.borrow().ended, 1);
}

#[test]
fn many_take_turns_and_who_reads_no_further_gives_way_at_once() {
    let feeds = || vec![piece(&row(1)), piece(&row(2))];
    let (server, client) = client((0..6).map(|_| feeds()));
    let all: Vec<_> = (0..5).map(|_| ChangesFeed::new(client.clone())).collect();
    for feed in &all[..4] {
        page(feed, &json!(0), 100).unwrap();
    }
    assert_eq!(server.0.borrow().ended, 0);
    assert_eq!(page(&all[4], &json!(0), 100).unwrap().0, ["1"]);
    assert!(server.0.borrow().ended > 0);
    assert_eq!(page(&all[0], &json!("1-x"), 100).unwrap().0, ["1"], "another connection");
    assert_eq!(server.0.borrow().asked.len(), 6);
}

#[test]
fn a_turn_ends_while_nothing_comes_and_the_next_begins_where_it_stood() {
    let quiet = || server((0..2).map(|_| vec![piece("\n")]));
    let all: Vec<_> = std::iter::repeat_with(quiet).take(5).collect();
    all.iter().for_each(|(server, _)| server.0.borrow_mut().stays_open = true);
    let options = Options::parse(&json!({"feed": "longpoll", "since": "7-x"}).to_string()).unwrap();
    block_on(async {
        let pages = join_all(all.iter().map(|(_, feed)| feed.page(&options)));
        let is_over = matches!(select(pin!(pages), pin!(env::sleep(Millis(2_250)))).await, Either::Right(_));
        assert!(is_over);
    });
    let asked: Vec<_> = all.iter().map(|(server, _)| server.0.borrow().asked.len()).collect();
    assert_eq!(asked.iter().sum::<usize>(), 5, "{asked:?}: one of them has given way");
    let is_there = |query: &String| query.contains("since=7-x");
    assert!(all.iter().all(|(server, _)| server.0.borrow().asked.iter().all(is_there)));
}

#[test]
fn a_connection_that_may_be_dead_is_left_for_another_one() {
    let (server, feed) = server([vec![piece("\n")], vec![piece(&row(1))]]);
    server.0.borrow_mut().stays_open = true;
    let options = Options::parse(&json!({"feed": "longpoll", "since": 0}).to_string()).unwrap();
    let page = block_on(async {
        let (page, ()) = join(feed.page(&options), async {
            env::sleep(Millis(20)).await;
            turns::Server::suspect("http://couch/");
        })
        .await;
        page.unwrap()
    });
    assert!(page.starts_with(br#"{"results":[{"seq":"1-x""#), "{page:?}");
    assert_eq!(server.0.borrow().asked, ["heartbeat=10000&feed=continuous&since=0"; 2]);
    assert_eq!(server.0.borrow().ended, 1);
}

#[test]
fn from_now_on_is_from_where_the_feed_stands() {
    let (server, feed) = server([vec![piece(&row(1))]]);
    assert_eq!(page(&feed, &json!("now"), 100).unwrap().0, ["1"]);
    assert_eq!(
        server.0.borrow().asked,
        ["limit=100&since=now", "heartbeat=10000&feed=continuous&since=polled"]
    );
}

#[test]
fn one_that_does_not_last_gives_way_to_long_polls() {
    let short = || vec![piece("\n")];
    let (server, feed) = server([short(), short()]);
    assert_eq!(page(&feed, &json!(0), 100).unwrap_err().status(), 0);
    assert_eq!(page(&feed, &json!(0), 100).unwrap().1, "polled");
    assert_eq!(page(&feed, &json!(0), 100).unwrap().1, "polled");
    let asked = server.0.borrow().asked.clone();
    assert_eq!(asked.iter().filter(|query| query.contains("feed=longpoll")).count(), 2, "{asked:?}");
}

#[test]
fn a_line_that_does_not_end_gives_way_to_long_polls() {
    let chunk = Bytes::from(vec![b'x'; 8 << 20]);
    let (server, feed) = server([std::iter::repeat_with(|| Ok(chunk.clone())).take(100).collect()]);
    assert_eq!(page(&feed, &json!(0), 100).unwrap().1, "polled");
    assert!(server.0.borrow().read < 12, "{}", server.0.borrow().read);
}
