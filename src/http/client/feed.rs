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
use bytes::Bytes;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::cell::RefCell;

/// A feed of a server's database, read page after page. What is not read yet waits in the network.
pub(crate) struct ChangesFeed {
    client: Client,
    /// The connection between two pages.
    open: RefCell<Option<Open>>,
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
}

impl ChangesFeed {
    pub(crate) fn new(client: Client) -> Self {
        Self { client, open: RefCell::default() }
    }

    /// The next page, with the options and the answer of one request; the feed `longpoll` is one that waits for rows,
    /// by whatever means. Dropping the future ends the connection.
    ///
    /// # Errors
    /// Those of the requests.
    pub(crate) async fn page(&self, options: &Options) -> Result<Bytes> {
        let open = self.open.take().filter(|open| Some(&open.at) == options.get("since"));
        if stays_open(options)
            && (open.is_some() || self.client.streaming().is_wanted(env::now()))
            && let Some(page) = self.follow(options, open).await?
        {
            return Ok(page);
        }
        self.client.raw_changes(options).await
    }

    /// The same as text.
    #[cfg(target_arch = "wasm32")]
    pub(crate) async fn text(&self, options: &str) -> Result<String> {
        error::text(self.page(&Options::parse(options)?).await?)
    }

    /// Closes what is kept open between two pages.
    pub(crate) fn leave(&self) {
        self.open.take();
    }

    /// The next page of the connection; `None` where it has to be asked for in the other way.
    async fn follow(&self, options: &Options, open: Option<Open>) -> Result<Option<Bytes>> {
        let mut kept = open;
        loop {
            let mut open = match kept.take() {
                Some(open) => open,
                None => match self.connect(options).await? {
                    Some(open) => open,
                    None => return Ok(None),
                },
            };
            match open.next(&self.client, options.count("limit")).await {
                Heard::Rows(page) => {
                    *self.open.borrow_mut() = Some(open);
                    return Ok(Some(page));
                }
                Heard::LastSeq(page) => return Ok(Some(page)),
                Heard::Error(error) => return Err(error),
                Heard::NoFeed => {
                    self.client.streaming().unfit(env::now());
                    return Ok(None);
                }
                Heard::Over(end, error) => {
                    match self.client.streaming().ended(end, open.life(), env::now()) {
                        Then::Reopen => {}
                        Then::Fail => return Err(error),
                        Then::Poll => return Ok(None),
                    }
                }
            }
        }
    }

    async fn connect(&self, options: &Options) -> Result<Option<Open>> {
        let client = &self.client;
        let mut call = client.changes_call(&options.continuous());
        let patience = call.patience;
        call.patience = patience.map(|patience| client.streaming().at_first(patience));
        match client.open(call).await {
            Ok((response, at_first)) => {
                let at = options.get("since").cloned().unwrap_or_default();
                let patience = patience.unwrap_or(at_first);
                Ok(Some(Open::new(response.body, at, at_first, patience)))
            }
            Err(error) if error.status() == 408 => {
                match client.streaming().ended(End::Silent, None, env::now()) {
                    Then::Poll => Ok(None),
                    _ => Err(error),
                }
            }
            Err(error) if is_unknown(error.status()) => {
                client.streaming().unfit(env::now());
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

/// Whether it is to be waited for what comes, which must be able to go on from where it stands, and not backwards.
fn stays_open(options: &Options) -> bool {
    options.text("feed") == Some("longpoll")
        && options.text("since") != Some("now")
        && !options.is_set("descending")
}

/// A connection on which rows come.
struct Open {
    body: Box<dyn Body>,
    lines: Lines,
    /// What comes after the rows that were given.
    next: Option<Heard>,
    /// Where the feed stands.
    at: Value,
    at_first: Patience,
    patience: Patience,
    since: Millis,
    heard: Option<Millis>,
    /// Whether it has shown that it is one.
    is_feed: bool,
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
    fn new(body: Box<dyn Body>, at: Value, at_first: Patience, patience: Patience) -> Self {
        let (lines, since) = (Lines::default(), env::now());
        Self { body, lines, next: None, at, at_first, patience, since, heard: None, is_feed: false }
    }

    /// How long something has come.
    fn life(&self) -> Option<Millis> {
        self.heard.map(|heard| Millis(heard.0.saturating_sub(self.since.0)))
    }

    /// As many rows as have come, `limit` at most, as soon as there is one.
    async fn next(&mut self, client: &Client, limit: u64) -> Heard {
        loop {
            let heard = self.next.take().or_else(|| self.heard(limit));
            if let Some(heard) = heard {
                return heard;
            }
            let patience = if self.heard.is_some() { self.patience } else { self.at_first };
            let chunk = match patience.bound(self.body.next_chunk()).await {
                Ok(Some(chunk)) => chunk,
                Ok(None) if !self.is_feed && self.lines.has_more() => return Heard::NoFeed,
                Ok(None) => return Heard::Over(End::Broken, Error::network("The feed has ended")),
                Err(error) if error.status() == 408 => return Heard::Over(End::Silent, error),
                Err(error) => return Heard::Over(End::Broken, error),
            };
            self.heard = Some(env::now());
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
