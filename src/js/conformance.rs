//! The storage conformance suite, for the tests in a page and in a worker.

use crate::doc::json_text;
use crate::storage::conformance::{Connect, run};
use crate::storage::{Adapter, Durability, Storage};
use js_sys::Promise;
use std::rc::Rc;
use wasm_bindgen::prelude::*;

/// Runs the suite on the adapter of that name; resolves with the JSON text of `[[case, null | problem]]`. `prefix` keeps the
/// databases of one run apart from another's.
#[wasm_bindgen]
pub fn storage_conformance(adapter: String, prefix: String) -> Promise {
    super::promise(async move {
        let adapter = Adapter::named(&adapter)?;
        let outcomes = run(move |case| connect_to(adapter, format!("{prefix}-{case}"))).await;
        let outcomes: Vec<_> = outcomes.into_iter().map(|(case, outcome)| (case, outcome.err())).collect();
        Ok(json_text(&outcomes))
    })
}

fn connect_to(adapter: Adapter, name: String) -> Connect {
    Rc::new(move || {
        let name = name.clone();
        Box::pin(async move { adapter.open(&name, Durability::Relaxed).await as Result<Box<dyn Storage>, _> })
    })
}
