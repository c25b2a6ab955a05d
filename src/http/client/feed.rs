//! A changes feed that is followed: on one connection that stays open where that works, and else by one request after
//! the other.

use super::Client;
use crate::env::{self, Millis};
use crate::error::{Error, Result};
use crate::http::error;
use crate::http::lines::Lines;
use crate::http::params::Options;
use crate::http::patience::Patience;
use crate::http::streaming::{End, Then, is_unknown};
use crate::http::transport::Body;
use crate::http::turns::{Member, Place, Server};
use bytes::Bytes;
use futures_util::future::{Either, select};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::cell::RefCell;
use std::pin::pin;
use std::rc::{Rc, Weak};

/// A feed of a server's database, read page after page. What is not read yet waits in the network.
pub(crate) struct ChangesFeed {
    client: Client,
    server: Rc<Server>,
    kept: Rc<Kept>,
}

/// The connection between two pages.
#[derive(Default)]
struct Kept(RefCell<Option<Open>>);

impl Member for Kept {
    fn give_back(&self) {
        self.0.take();
    }
}

/// How one way to get a page has ended.
enum Turn {
    Page(Bytes),
    /// Nothing came, and others wait, or the connection may be dead.
    Over,
    /// It has to be asked for in the other way.
    Poll(Place),
}

/// What a connection has brought.
enum Heard {
    /// Rows, as a page.
    Rows(Bytes),
    /// The server has come to its end, which it says in a page without rows.
    LastSeq(Bytes),
    /// What went wrong there.
    Error(Error),
    /// No feed of this kind.
    NoFeed,
    /// Nothing, and nothing will.
    Over(End, Error),
    /// Nothing, and others wait, or the connection may be dead.
    TurnOver,
}

impl ChangesFeed {
    pub(crate) fn new(client: Client) -> Self {
        let (server, kept) = (Server::named(client.url().on_server("")), Rc::<Kept>::default());
        server.join(Rc::downgrade(&kept) as Weak<dyn Member>);
        Self { client, server, kept }
    }

    /// The next page, with the options and the answer of one request; the feed `longpoll` is one that waits for rows,
    /// by whatever means, and in turn with others of the same server. Dropping the future ends the connection.
    ///
    /// # Errors
    /// Those of the requests.
    pub(crate) async fn page(&self, options: &Options) -> Result<Bytes> {
        if options.text("feed") != Some("longpoll") || options.is_set("descending") {
            return self.client.raw_changes(options).await;
        }
        let from = match options.text("since") {
            // It has to be known where to go on from.
            Some("now") => Some(options.since(self.now(options).await?)),
            _ => None,
        };
        let options = from.as_ref().unwrap_or(options);
        loop {
            let turn = match self.kept.0.take().filter(|open| Some(&open.at) == options.get("since")) {
                Some(open) => self.follow(options, Ok(open)).await?,
                None => {
                    let place = self.server.place().await;
                    let stays_open = self.client.streaming().is_wanted(env::now());
                    if stays_open { self.follow(options, Err(place)).await? } else { Turn::Poll(place) }
                }
            };
            match turn {
                Turn::Page(page) => return Ok(page),
                Turn::Over => {}
                Turn::Poll(place) => {
                    let page = pin!(self.client.raw_changes(options));
                    if let Either::Left((page, _)) = select(page, pin!(place.turn_over(place.deaths()))).await
                    {
                        return page;
                    }
                }
            }
        }
    }

    /// The same as text.
    #[cfg(target_arch = "wasm32")]
    pub(crate) async fn text(&self, options: &str) -> Result<String> {
        error::text(self.page(&Options::parse(options)?).await?)
    }

    /// Closes what is kept open between two pages.
    pub(crate) fn leave(&self) {
        self.kept.give_back();
    }

    /// Where the feed stands now.
    async fn now(&self, options: &Options) -> Result<Value> {
        let page = self.client.raw_changes(&options.without_waiting()).await?;
        let Page { last_seq } = error::parse(&page)?;
        Ok(last_seq)
    }

    /// The next page of the connection, or of a new one at the place.
    async fn follow(&self, options: &Options, from: std::result::Result<Open, Place>) -> Result<Turn> {
        let mut from = from;
        loop {
            let mut open = match from {
                Ok(open) => open,
                Err(place) => match self.connect(options, place).await? {
                    Ok(open) => open,
                    Err(place) => return Ok(Turn::Poll(place)),
                },
            };
            match open.next(&self.client, options.count("limit")).await {
                Heard::Rows(page) => {
                    *self.kept.0.borrow_mut() = Some(open);
                    return Ok(Turn::Page(page));
                }
                Heard::LastSeq(page) => return Ok(Turn::Page(page)),
                Heard::Error(error) => return Err(error),
                Heard::TurnOver => return Ok(Turn::Over),
                Heard::NoFeed => {
                    self.client.streaming().unfit(env::now());
                    return Ok(Turn::Poll(open.place));
                }
                Heard::Over(end, error) => {
                    let then = self.client.streaming().ended(end, open.life(), env::now());
                    match then {
                        Then::Reopen => from = Err(open.place),
                        Then::Fail => return Err(error),
                        Then::Poll => return Ok(Turn::Poll(open.place)),
                    }
                }
            }
        }
    }

    /// A connection at this place, or the place where none is to be had.
    async fn connect(&self, options: &Options, place: Place) -> Result<std::result::Result<Open, Place>> {
        let client = &self.client;
        let mut call = client.changes_call(&options.continuous());
        let patience = call.patience;
        call.patience = patience.map(|patience| client.streaming().at_first(patience));
        // Nothing is known yet of others, which may keep answers back.
        call.is_repeatable = client.streaming().is_proved();
        match client.open(call).await {
            Ok((response, at_first)) => {
                let at = options.get("since").cloned().unwrap_or_default();
                let patience = patience.unwrap_or(at_first);
                Ok(Ok(Open::new(response.body, place, at, at_first, patience)))
            }
            Err(error) if error.status() == 408 => {
                let then = client.streaming().ended(End::Silent, None, env::now());
                if then == Then::Poll { Ok(Err(place)) } else { Err(error) }
            }
            Err(error) if is_unknown(error.status()) => {
                client.streaming().unfit(env::now());
                Ok(Err(place))
            }
            Err(error) => Err(error),
        }
    }
}

/// A connection on which rows come.
struct Open {
    body: Box<dyn Body>,
    place: Place,
    lines: Lines,
    /// What comes after the rows that were given.
    next: Option<Heard>,
    /// Where the feed stands.
    at: Value,
    at_first: Patience,
    patience: Patience,
    since: Millis,
    heard: Option<Millis>,
    /// How many connections had died by then.
    deaths: u32,
    /// Whether it has shown that it is one.
    is_feed: bool,
}

/// What is of interest in a page.
#[derive(Deserialize)]
struct Page {
    last_seq: Value,
}

/// A line of such a feed.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    seq: Option<&'a RawValue>,
    #[serde(borrow)]
    last_seq: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
    results: Option<IgnoredAny>,
}

impl Open {
    fn new(body: Box<dyn Body>, place: Place, at: Value, at_first: Patience, patience: Patience) -> Self {
        let (lines, since, deaths) = (Lines::default(), env::now(), place.deaths());
        Self {
            body,
            place,
            lines,
            next: None,
            at,
            at_first,
            patience,
            since,
            heard: None,
            deaths,
            is_feed: false,
        }
    }

    /// How long something has come.
    fn life(&self) -> Option<Millis> {
        self.heard.map(|heard| heard.since(self.since))
    }

    /// As many rows as have come, `limit` at most, as soon as there is one.
    async fn next(&mut self, client: &Client, limit: u64) -> Heard {
        loop {
            let heard = self.next.take().or_else(|| self.heard(limit));
            if let Some(heard) = heard {
                return heard;
            }
            let patience = if self.heard.is_some() { self.patience } else { self.at_first };
            let chunk = pin!(patience.bound(self.body.next_chunk()));
            let Either::Left((chunk, _)) = select(chunk, pin!(self.place.turn_over(self.deaths))).await
            else {
                return Heard::TurnOver;
            };
            let chunk = match chunk {
                Ok(Some(chunk)) => chunk,
                Ok(None) if !self.is_feed && self.lines.has_more() => return Heard::NoFeed,
                Ok(None) => return Heard::Over(End::Broken, Error::network("The feed has ended")),
                Err(error) if error.status() == 408 => return Heard::Over(End::Silent, error),
                Err(error) => return Heard::Over(End::Broken, error),
            };
            self.heard = Some(env::now());
            self.deaths = self.place.deaths();
            client.streaming().heard();
            if !self.lines.push(&chunk) {
                return Heard::NoFeed;
            }
        }
    }

    /// What the lines say that have come.
    fn heard(&mut self, limit: u64) -> Option<Heard> {
        let mut rows: Vec<Bytes> = Vec::new();
        let mut last = None;
        while (rows.len() as u64) < limit
            && let Some(line) = self.lines.next()
        {
            match self.read(&line) {
                Ok(seq) => {
                    last = Some(seq);
                    rows.push(line);
                }
                Err(other) if rows.is_empty() => return Some(other),
                Err(other) => {
                    self.next = Some(other);
                    break;
                }
            }
        }
        let seq = last?;
        let mut page = b"{\"results\":[".to_vec();
        page.extend_from_slice(&rows.join(&b","[..]));
        page.extend_from_slice(format!("],\"last_seq\":{seq}}}").as_bytes());
        self.at = seq;
        Some(Heard::Rows(page.into()))
    }

    /// The seq of a row, or what else the line is.
    fn read(&mut self, line: &Bytes) -> std::result::Result<Value, Heard> {
        let parsed: Result<Line<'_>> = error::parse(line);
        match parsed {
            Ok(Line { id: Some(_), seq: Some(seq), .. }) if seq.get() != "null" => {
                self.is_feed = true;
                Ok(serde_json::from_str(seq.get()).unwrap_or_default())
            }
            Ok(Line { last_seq: Some(_), results: None, .. }) => {
                Err(Heard::LastSeq([b"{\"results\":[],", line.get(1..).unwrap_or_default()].concat().into()))
            }
            Ok(Line { error: Some(_), .. }) => {
                let members: Map<String, Value> = serde_json::from_slice(line).unwrap_or_default();
                Err(Heard::Error(error::from_members(0, &members)))
            }
            Err(error) if self.is_feed => Err(Heard::Over(End::Broken, error)),
            _ => Err(Heard::NoFeed),
        }
    }
}
