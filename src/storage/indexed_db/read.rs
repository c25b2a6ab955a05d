//! Reading, with one wait for all requests of a transaction.

use super::error::from_read;
use super::write::js_key;
use crate::storage::{BrowserContent, Read, Space, StorageError, StorageResult};
use bytes::Bytes;
use js_sys::{Array, Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{IdbDatabase, IdbKeyRange, IdbRequest, IdbTransaction};

#[wasm_bindgen]
extern "C" {
    /// A transaction that can be told that no more requests come, which web-sys has as deprecated only.
    type Complete;
    #[wasm_bindgen(method, catch)]
    fn commit(this: &Complete) -> Result<(), JsValue>;
}

/// Reads records in one transaction; an answer for each request, in order.
///
/// Requests are answered in the order in which they were made, so the last one's answer says that all are there. Whatever goes
/// wrong aborts the transaction. Neither takes a closure for each request, as a wait for each would.
pub(super) async fn read_all(database: &IdbDatabase, reads: &[Read]) -> StorageResult<Vec<Vec<Bytes>>> {
    if reads.is_empty() {
        // There is no transaction over nothing.
        return Ok(Vec::new());
    }
    let answers = answers_to(send(database, reads)).await?;
    Ok(answers.into_iter().map(contents).collect())
}

/// Contents of attachments, as they are.
pub(super) async fn read_contents(
    database: &IdbDatabase,
    names: &[String],
) -> StorageResult<Vec<Option<BrowserContent>>> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let reads: Vec<_> = names.iter().map(|name| Read::One(Space::Attachment, name.as_str().into())).collect();
    let answers = answers_to(send(database, &reads)).await?;
    Ok(answers.into_iter().map(BrowserContent::new).collect())
}

/// The names of all attachments' contents.
pub(super) async fn read_content_names(database: &IdbDatabase) -> StorageResult<Vec<String>> {
    let ask = || {
        let transaction = database.transaction_with_str(Space::Attachment.name())?;
        let request = transaction.object_store(Space::Attachment.name())?.get_all_keys()?;
        Ok((transaction, vec![request]))
    };
    let answers = answers_to(ask()).await?;
    let names = answers.into_iter().filter_map(|keys| keys.dyn_into::<Array>().ok());
    Ok(names.flat_map(|keys| keys.iter().filter_map(|key| key.as_string()).collect::<Vec<_>>()).collect())
}

/// What the requests of a transaction have found.
async fn answers_to(sent: Result<(IdbTransaction, Vec<IdbRequest>), JsValue>) -> StorageResult<Vec<JsValue>> {
    let (transaction, requests) = sent.map_err(|error| from_read(&error))?;
    found_by(&transaction, &requests).await
}

/// What the requests of a transaction have found. It may go on then.
async fn found_by(transaction: &IdbTransaction, requests: &[IdbRequest]) -> StorageResult<Vec<JsValue>> {
    let last = requests.last().expect("BUG: a read of nothing");
    let answered = Promise::new(&mut |resolve, reject| {
        last.set_onsuccess(Some(&resolve));
        // Not in place of the listener of who writes in the same transaction.
        transaction
            .add_event_listener_with_callback("abort", &reject)
            .expect("BUG: a transaction that cannot be listened to");
    });
    if JsFuture::from(answered).await.is_err() {
        return Err(transaction.error().map_or(StorageError::Closed, |error| from_read(&error)));
    }
    requests.iter().map(|request| request.result().map_err(|error| from_read(&error))).collect()
}

/// Reads records in a transaction that somebody goes on with.
pub(super) async fn read_within(
    transaction: &IdbTransaction,
    reads: &[Read],
) -> StorageResult<Vec<Vec<Bytes>>> {
    let requests = request(transaction, reads).map_err(|error| from_read(&error))?;
    let answers = found_by(transaction, &requests).await?;
    Ok(answers.into_iter().map(contents).collect())
}

fn request(transaction: &IdbTransaction, reads: &[Read]) -> Result<Vec<IdbRequest>, JsValue> {
    let request = |read: &Read| match read {
        Read::One(space, key) => transaction.object_store(space.name())?.get(&js_key(key)),
        Read::From(space, first, limit) => {
            let from = IdbKeyRange::lower_bound(&js_key(&(*first).into()))?;
            transaction.object_store(space.name())?.get_all_with_key_and_limit(&from, *limit)
        }
    };
    reads.iter().map(request).collect()
}

fn send(database: &IdbDatabase, reads: &[Read]) -> Result<(IdbTransaction, Vec<IdbRequest>), JsValue> {
    let space = |read: &Read| match read {
        Read::One(space, _) | Read::From(space, ..) => *space,
    };
    let spaces = Space::ALL.into_iter().filter(|wanted| reads.iter().any(|read| space(read) == *wanted));
    let names: Array = spaces.map(|space| JsValue::from_str(space.name())).collect();
    let transaction = database.transaction_with_str_sequence(&names)?;
    let requests = request(&transaction, reads)?;
    // There is no need to wait whether more requests come. Where it can't be said, the browser finds out by itself.
    let _ = transaction.unchecked_ref::<Complete>().commit();
    Ok((transaction, requests))
}

/// What a request has found: one record, some, or none.
fn contents(result: JsValue) -> Vec<Bytes> {
    match result.dyn_into::<Array>() {
        Ok(found) => found.iter().filter_map(content).collect(),
        Err(found) => content(found).into_iter().collect(),
    }
}

/// The bytes of a record; nothing where it is not one of ours.
pub(super) fn content(value: JsValue) -> Option<Bytes> {
    Some(Bytes::from(value.dyn_into::<Uint8Array>().ok()?.to_vec()))
}
