//! The feeds of the model's server that stay open.

use super::couch::{Couch, Fault, Reply};
use crate::error::{Error, Result};
use crate::http::transport::{Body, Request};
use async_trait::async_trait;
use bytes::Bytes;
use serde_json::Value;

/// A continuous feed: rows in lines, each as soon as it is there, and an empty line where there is none yet.
pub(super) struct Following {
    couch: Couch,
    request: Request,
    has_begun: bool,
    ended_before: usize,
    /// How it breaks off, in the middle of the first line.
    fault: Option<Fault>,
}

impl Following {
    /// The answer to a request for one, where `page` is one of a feed and the fault is none of the whole answer.
    pub(super) fn begin(
        couch: &Couch,
        request: &Request,
        page: &Value,
        fault: Option<&Fault>,
    ) -> Option<Self> {
        let is_begun = matches!(fault, None | Some(Fault::Cut | Fault::Truncate));
        if !is_begun || !page["last_seq"].is_string() {
            return None;
        }
        couch.count_feed(true);
        Some(Self {
            couch: couch.clone(),
            request: request.clone(),
            has_begun: false,
            ended_before: couch.ended_feeds(),
            fault: fault.cloned(),
        })
    }

    /// The rows that there are now.
    fn rows(&mut self) -> Option<String> {
        let Some((200, Reply::Json(page))) = self.couch.answer_now(&self.request) else { return None };
        let rows = page["results"].as_array()?;
        if let Some(last) = rows.last() {
            let (url, rest) = self.request.url.split_once("since=").unwrap();
            let rest = rest.split_once('&').map(|(_, rest)| format!("&{rest}")).unwrap_or_default();
            self.request.url = format!("{url}since={}{rest}", last["seq"].as_str().unwrap());
        }
        Some(rows.iter().map(|row| format!("{row}\n")).collect())
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        self.couch.count_feed(false);
    }
}

#[async_trait(?Send)]
impl Body for Following {
    async fn next_chunk(&mut self) -> Result<Option<Bytes>> {
        loop {
            if self.couch.ended_feeds() != self.ended_before {
                return Ok(None);
            }
            // The database is gone, or answers otherwise from now on.
            let Some(mut rows) = self.rows() else { return Ok(None) };
            let is_first = !std::mem::replace(&mut self.has_begun, true);
            match (&self.fault, rows.is_empty()) {
                (None, false) => return Ok(Some(rows.into())),
                (None, true) if is_first => return Ok(Some("\n".into())),
                (Some(_), false) if is_first => {
                    rows.truncate(rows.find('\n').unwrap_or_default() / 2);
                    return Ok(Some(rows.into()));
                }
                (Some(Fault::Cut), _) => return Err(Error::network("Failed to fetch")),
                (Some(_), _) => return Ok(None),
                (None, true) => self.couch.changed().await,
            }
        }
    }
}
