//! Writing: the requests of a transaction, and what became of it.

use super::error::{self, from_idb};
use super::read::{content, read_within};
use crate::storage::{
    Change, Content, Decide, Durability, Key, Read, Space, StorageError, StorageResult, Write,
};
use bytes::Bytes;
use futures_util::future::FutureExt as _;
use indexed_db_futures::KeyRange;
use indexed_db_futures::database::Database;
use indexed_db_futures::future::BasicRequest;
use indexed_db_futures::internals::SystemRepr as _;
use indexed_db_futures::prelude::*;
use indexed_db_futures::transaction::{
    Transaction, TransactionDurability, TransactionMode, TransactionOptions,
};
use js_sys::{Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Event, IdbTransaction};

/// A key of `block` before all others, under which there is a record that nobody reads.
///
/// Chromium's files are sorted by stores and keys, and who reads the log to its end looks for what comes next: past
/// everything that was ever removed there, which are whole blocks until the files are rewritten. This comes next at once.
const FENCE: f64 = -1.0;

type IdbResult<T> = Result<T, indexed_db_futures::error::Error>;

pub(super) fn js_key(key: &Key) -> JsValue {
    match key {
        Key::Number(number) => JsValue::from_f64(*number as f64),
        Key::Text(text) => JsValue::from_str(text),
    }
}

fn begin(
    database: &Database,
    spaces: impl Iterator<Item = Space>,
    durability: Durability,
) -> StorageResult<Transaction<'_>> {
    let spaces: Vec<Space> = spaces.collect();
    let names = Space::ALL.into_iter().filter(|space| spaces.contains(space)).map(Space::name);
    let names: Vec<&str> = names.collect();
    let mut options = TransactionOptions::new();
    options.set_durability(match durability {
        Durability::Relaxed => TransactionDurability::Relaxed,
        Durability::Strict => TransactionDurability::Strict,
    });
    let transaction = database.transaction(names).with_mode(TransactionMode::Readwrite).with_options(options);
    let transaction = transaction.build().map_err(from_idb)?;
    // The crate's listener takes one event, and each request that an abort ends is one. That it was aborted is told anyway.
    transaction.as_sys().set_onerror(None);
    Ok(transaction)
}

impl Change {
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Add(_, _, content) | Self::Put(_, _, content) => content.len(),
            Self::PutContent(_, content) => content.length() as usize,
            Self::Delete(..) | Self::DeleteRange(..) => 0,
        }
    }

    fn space(&self) -> Space {
        match self {
            Self::Add(space, ..)
            | Self::Put(space, ..)
            | Self::Delete(space, _)
            | Self::DeleteRange(space, _) => *space,
            Self::PutContent(..) => Space::Attachment,
        }
    }
}

/// Sends a change's request without waiting for it; for an addition, gives the request that fails if the key is taken.
fn send(transaction: &Transaction<'_>, change: &Change) -> IdbResult<Option<BasicRequest<JsValue>>> {
    let store = transaction.object_store(change.space().name())?;
    match change {
        Change::Add(_, key, bytes) => {
            let value = JsValue::from(Uint8Array::from(bytes.as_ref()));
            return store.add(value).with_key(js_key(key)).build().map(Some);
        }
        Change::Put(_, key, bytes) => {
            let value = JsValue::from(Uint8Array::from(bytes.as_ref()));
            drop(store.put(value).with_key(js_key(key)).build()?);
        }
        Change::PutContent(name, content) => {
            let value = match content {
                Content::Bytes(bytes) => JsValue::from(Uint8Array::from(bytes.as_ref())),
                Content::Browser(content) => content.value().clone(),
            };
            drop(store.put(value).with_key(JsValue::from_str(name)).build()?);
        }
        Change::Delete(_, key) => drop(store.delete::<JsValue, _>(KeyRange::Only(js_key(key))).build()?),
        // IndexedDB refuses a range with nothing in it.
        Change::DeleteRange(_, numbers) if numbers.is_empty() => {}
        Change::DeleteRange(_, numbers) => {
            let number = |number: u64| js_key(&Key::Number(number));
            let range = KeyRange::Bound(number(numbers.start), false, number(numbers.end), true);
            drop(store.delete::<JsValue, _>(range).build()?);
        }
    }
    Ok(None)
}

fn fence(transaction: &Transaction<'_>) -> IdbResult<()> {
    let store = transaction.object_store(Space::Block.name())?;
    store.put(JsValue::NULL).with_key(JsValue::from_f64(FENCE)).build().map(drop)
}

/// Resolved with the event that ends the transaction: `complete`, or `abort`. It is never rejected, because nobody waits for it
/// where an expectation fails, and a rejection that nobody hears of is an error of the page.
fn end_of(transaction: &IdbTransaction) -> Promise {
    Promise::new(&mut |resolve, _| {
        for event in ["complete", "abort"] {
            transaction
                .add_event_listener_with_callback(event, &resolve)
                .expect("BUG: a transaction that cannot be listened to");
        }
    })
}

fn is_completion(event: &JsValue) -> bool {
    event.dyn_ref::<Event>().is_some_and(|event| event.type_() == "complete")
}

/// A transaction that was sent all its changes.
struct Sent<'a> {
    transaction: Transaction<'a>,
    /// The requests that fail if a key is taken.
    additions: Vec<BasicRequest<JsValue>>,
    /// Its end, where it is not told to commit.
    ended: Option<Promise>,
}

impl<'a> Sent<'a> {
    fn new(transaction: Transaction<'a>, changes: &[Change]) -> StorageResult<Self> {
        let mut additions = Vec::new();
        for change in changes {
            additions.extend(send(&transaction, change).map_err(from_idb)?);
        }
        if changes.iter().any(|change| matches!(change, Change::Put(Space::Block, ..))) {
            fence(&transaction).map_err(from_idb)?;
        }
        // Once it was told to commit, Firefox keeps what other requests have done where an addition fails. So it is told only where
        // there is nothing else, and finds out by itself what it is to do where there is.
        let is_told = additions.is_empty() || changes.len() == 1;
        let ended = (!is_told).then(|| end_of(transaction.as_sys()));
        Ok(Self { transaction, additions, ended })
    }

    /// The outcome of an abort tells nothing more.
    async fn abort(self) {
        let _ = self.transaction.abort().await;
    }

    async fn commit(self) -> StorageResult<()> {
        let Self { transaction, additions, ended } = self;
        let handle = transaction.as_sys().clone();
        let committed = match ended {
            None => transaction.commit().await.map_err(|error| error::from_commit(error, handle.error())),
            Some(ended) => {
                let is_committed = JsFuture::from(ended).await.as_ref().is_ok_and(is_completion);
                // It would be aborted with its handle.
                drop(transaction);
                if is_committed { Ok(()) } else { Err(error::from_abort(handle.error())) }
            }
        };
        for addition in additions {
            // Not waited for: Chromium never answers the requests of a transaction that waits for another one whose commit
            // finds the storage full. A key that was taken is what has ended the transaction, so it is known by now.
            match addition.now_or_never() {
                Some(Err(error)) if error::is_constraint(&error) => return Err(StorageError::Conflict),
                _ => {}
            }
        }
        committed
    }
}

pub(super) async fn write_all(
    database: &Database,
    write: &Write,
    durability: Durability,
) -> StorageResult<Vec<Option<Bytes>>> {
    let spaces = write.expect.iter().map(|expectation| expectation.space);
    let spaces = spaces.chain(write.observe.iter().map(|(space, _)| *space));
    let spaces = spaces.chain(write.changes.iter().map(Change::space));
    let transaction = begin(database, spaces, durability)?;
    let get = |space: Space, key: &Key| {
        let store = transaction.object_store(space.name()).map_err(from_idb)?;
        store.get::<JsValue, JsValue, _>(KeyRange::Only(js_key(key))).build().map_err(from_idb)
    };
    let found = write
        .expect
        .iter()
        .map(|expectation| get(expectation.space, &expectation.key))
        .collect::<Result<Vec<_>, _>>()?;
    let observed =
        write.observe.iter().map(|(space, key)| get(*space, key)).collect::<Result<Vec<_>, _>>()?;
    let sent = Sent::new(transaction, &write.changes)?;
    // The changes are under way already, which saves a round trip; but none is awaited before this is decided, because
    // Safari may keep what was awaited when the transaction is aborted.
    for (request, expectation) in found.into_iter().zip(&write.expect) {
        if request.await.map_err(from_idb)?.and_then(content) != expectation.content {
            sent.abort().await;
            return Err(StorageError::Conflict);
        }
    }
    sent.commit().await?;
    let mut contents = Vec::with_capacity(observed.len());
    for request in observed {
        contents.push(request.await.map_err(from_idb)?.and_then(content));
    }
    Ok(contents)
}

pub(super) async fn write_upon(
    database: &Database,
    reads: &[Read],
    decide: &mut Decide<'_>,
    durability: Durability,
) -> StorageResult<bool> {
    let spaces = Space::ALL.into_iter().filter(|space| *space != Space::Block);
    let transaction = begin(database, spaces, durability)?;
    let found = read_within(transaction.as_sys(), reads).await?;
    // Nothing is awaited before the changes are sent: the browser would take the transaction for finished.
    let Some(changes) = decide(found) else {
        let _ = transaction.abort().await;
        return Ok(false);
    };
    Sent::new(transaction, &changes)?.commit().await?;
    Ok(true)
}
