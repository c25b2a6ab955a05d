//! What JavaScript sees: arguments in, results out, nothing decided here.
//!
//! Documents and options cross as one JSON text per call in each direction; a browser's own codecs are the fastest there
//! are. Errors are thrown as plain objects with PouchDB's members; the facade makes instances of them.

#[cfg(feature = "conformance")]
mod conformance;
mod contents;
mod error;
mod local;
mod remote;
mod replication;

use error::{options_of, thrown};
use futures_util::future::{FutureExt as _, LocalBoxFuture, TryFutureExt as _};
use local::Local;
use remote::Remote;
use std::future::Future;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;

use crate::error::Result;

/// A promise of a JSON text. The future owns what it needs: JavaScript may free the object before it is polled.
fn promise(future: impl Future<Output = Result<String>> + 'static) -> js_sys::Promise {
    promise_of(future.map_ok(JsValue::from).boxed_local())
}

/// A promise of nothing.
fn promise_of_nothing(future: impl Future<Output = Result<()>> + 'static) -> js_sys::Promise {
    promise_of(future.map_ok(|()| JsValue::UNDEFINED).boxed_local())
}

/// Boxed, because what stands behind a promise is a lot of code, which is then there once instead of for each method.
fn promise_of(future: LocalBoxFuture<'static, Result<JsValue>>) -> js_sys::Promise {
    future_to_promise(future.map_err(thrown))
}
