//! The database as a whole: creating, describing, identifying, compacting, deleting it.

use super::{Call, Client, Wire};
use crate::env::{self, Millis};
use crate::error::{Error, Result};
use crate::http::error;
use crate::http::params::Options;
use crate::http::transport::Method;
use bytes::Bytes;
use futures_util::future::{FutureExt as _, LocalBoxFuture, Shared, join};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::rc::Rc;

/// How often a running compaction is asked for, as PouchDB does.
const COMPACTION_POLL: u64 = 200;

/// What a server says of the sizes in a database, in bytes (CouchDB's `GET /{db}`).
#[derive(Deserialize)]
struct Sizes {
    doc_count: u64,
    doc_del_count: u64,
    sizes: FileSizes,
}

#[derive(Deserialize)]
struct FileSizes {
    /// Of what was stored, before it is compressed.
    external: u64,
}

impl Client {
    /// Makes sure that the database is there: GET, where that answers 404 PUT, and 412 is as good as made.
    ///
    /// Sends these once; calls at the same time share them, and a failure is tried again at the next call.
    pub async fn setup(&self) -> Result<()> {
        self.set_up().await.map(drop)
    }

    /// As [`setup`](Self::setup), with what the server said; `None` where it had said so before.
    async fn set_up(&self) -> Result<Option<Bytes>> {
        let Some(running) = self.setup_under_way() else { return Ok(None) };
        let result = running.clone().await;
        if result.is_err() {
            self.0.setup.borrow_mut().take_if(|current| current.ptr_eq(&running));
        }
        result.map(Some)
    }

    /// Whether the database is known to be there, or taken for granted.
    pub(super) fn is_set_up(&self) -> bool {
        self.0.skip_setup
            || self.0.setup.borrow().as_ref().is_some_and(|setup| matches!(setup.peek(), Some(Ok(_))))
    }

    /// The setup that is under way, or a new one; `None` where it was done before.
    fn setup_under_way(&self) -> Option<Shared<LocalBoxFuture<'static, Result<Bytes>>>> {
        if self.is_set_up() {
            return None;
        }
        let mut slot = self.0.setup.borrow_mut();
        Some(slot.get_or_insert_with(|| create(self.0.wire.clone()).boxed_local().shared()).clone())
    }

    /// CouchDB's description of the database, with `host`, `adapter` and `auto_compaction` added.
    pub async fn info(&self) -> Result<String> {
        let mut info: Map<String, Value> = error::parse(&self.call(Call::get(self.in_db(""))).await?)?;
        let host = self.in_db("");
        let adapter = if host.starts_with("https:") { "https" } else { "http" };
        info.insert("host".into(), host.into());
        info.insert("auto_compaction".into(), false.into());
        info.insert("adapter".into(), adapter.into());
        Ok(Value::Object(info).to_string())
    }

    /// The server's description of the database, out of the answer to [`setup`](Self::setup) where that runs now.
    pub(crate) async fn raw_info(&self) -> Result<Bytes> {
        let described = self.set_up().await?.filter(|answer| {
            error::parse::<Map<String, Value>>(answer).is_ok_and(|info| info.contains_key("update_seq"))
        });
        match described {
            Some(answer) => Ok(answer),
            None => self.0.wire.call(Call::get(self.in_db(""))).await,
        }
    }

    /// How large documents are on average, attachments included, as the server said at [`setup`](Self::setup); `None` where
    /// it said nothing of that.
    pub(crate) fn bytes_per_doc(&self) -> Option<u64> {
        let described = self.0.setup.borrow().as_ref()?.peek()?.clone().ok()?;
        let Sizes { doc_count, doc_del_count, sizes } = error::parse(&described).ok()?;
        sizes.external.checked_div(doc_count + doc_del_count)
    }

    /// What tells this database from others in replication ids: the server's uuid and the database's name, or the
    /// address where the server tells no uuid.
    pub async fn id(&self) -> Result<String> {
        let server = async {
            let ask = || self.0.wire.call(Call::get(self.url().on_server("")));
            let answer = match ask().await {
                // A lost packet here would cost a read of the whole feed: the id would be another one.
                Err(error) if error.status() == 0 || error.status() >= 500 => ask().await,
                other => other,
            };
            let answer: Map<String, Value> = error::parse(&answer?)?;
            Ok::<_, Error>(answer.get("uuid").and_then(Value::as_str).map(str::to_owned))
        };
        let (setup, uuid) = join(self.setup(), server).await;
        setup?;
        match uuid {
            Ok(Some(uuid)) => Ok(uuid + self.url().name()),
            _ => Ok(self.in_db("")),
        }
    }

    /// Compacts the database; resolves when the server has finished. `interval` in the options is the pause between
    /// two looks at it.
    pub async fn compact(&self, options: &str) -> Result<()> {
        let interval = Options::parse(options)?.millis("interval").unwrap_or(COMPACTION_POLL);
        self.call(Call::post(self.in_db("_compact"), String::new())).await?;
        loop {
            let info: Map<String, Value> = error::parse(&self.call(Call::get(self.in_db(""))).await?)?;
            if info.get("compact_running") != Some(&Value::Bool(true)) {
                return Ok(());
            }
            env::sleep(Millis(interval)).await;
        }
    }

    /// Deletes the database; one that is not there is as good as deleted.
    pub async fn destroy(&self) -> Result<()> {
        match self.call(Call::new(Method::Delete, self.in_db(""))).await {
            Err(error) if !error.is_not_found() => Err(error),
            _ => {
                self.0.setup.borrow_mut().take();
                Ok(())
            }
        }
    }
}

async fn create(wire: Rc<Wire>) -> Result<Bytes> {
    let url = wire.url.in_db("");
    let answer = wire.call(Call::get(url.clone())).await;
    // A page that a public network puts in front of everything says nothing about the database.
    match answer.and_then(|answer| error::parse::<Map<String, Value>>(&answer).map(|_| answer)) {
        Err(error) if error.is_not_found() => {
            match wire.call(Call { is_repeatable: true, ..Call::new(Method::Put, url) }).await {
                // Somebody else was faster.
                Err(error) if error.status() == 412 => Ok(Bytes::new()),
                created => created,
            }
        }
        found => found,
    }
}
