use super::{Local, Remote, thrown};
use crate::env;
use crate::error::{Error, Result};
use crate::http::error_from_js;
use crate::replicate::{self, Hooks, HttpPeer, JsPeer, LocalPeer, ReplicationEvent, ReplicationOptions};
use futures_util::future::{AbortHandle, abortable};
use js_sys::{Array, Function, Reflect};
use std::rc::Rc;
use wasm_bindgen::prelude::*;

/// One side of a replication.
#[wasm_bindgen]
pub struct Peer {
    peer: Rc<dyn replicate::Peer>,
}

#[wasm_bindgen]
impl Peer {
    /// A database behind JavaScript methods: another library's, or one of which some method was replaced.
    pub fn from_js(methods: JsValue) -> Self {
        Self { peer: Rc::new(JsPeer::new(methods)) }
    }
}

#[wasm_bindgen]
impl Local {
    /// This database as a side of a replication.
    pub fn peer(&self) -> Peer {
        Peer { peer: Rc::new(LocalPeer::new(self.database().clone())) }
    }
}

#[wasm_bindgen]
impl Remote {
    /// This database as a side of a replication.
    pub fn peer(&self) -> Peer {
        Peer { peer: Rc::new(HttpPeer::new(self.client().clone())) }
    }
}

/// A replication under way.
#[wasm_bindgen]
pub struct Replication {
    replication: replicate::Replication,
    run: AbortHandle,
}

#[wasm_bindgen]
impl Replication {
    /// Begins a replication. `hooks` may have functions `filter(rows) -> boolean[]`, `back_off(previous) -> number` and
    /// `wants(event) -> boolean` (whether somebody listens); `on_event` is called with each event's name and the JSON text of its payload.
    #[wasm_bindgen(constructor)]
    pub fn new(
        source: &Peer,
        target: &Peer,
        options: &str,
        hooks: &JsValue,
        on_event: Function,
    ) -> std::result::Result<Replication, JsValue> {
        let filter = member(hooks, "filter");
        let back_off = member(hooks, "back_off");
        let wants = member(hooks, "wants");
        let options = ReplicationOptions::parse(options, filter.is_some()).map_err(thrown)?;
        let hooks = Hooks {
            filter: filter.map(|filter| Box::new(move |rows: &str| call_filter(&filter, rows)) as _),
            back_off: back_off
                .map(|back_off| Box::new(move |previous| call_back_off(&back_off, previous)) as _),
        };
        let listener = move |event: ReplicationEvent| {
            let wanted = is_wanted(wants.as_ref(), event.name());
            let event = match event {
                // The documents of a batch, or its rows, are a lot of text, not drawn up where nobody listens.
                ReplicationEvent::Change { report, pending, .. } if !wanted => {
                    ReplicationEvent::Change { report, docs: Vec::new(), pending }
                }
                ReplicationEvent::Checkpoint(_) if !wanted => return,
                event => event,
            };
            let payload = event.payload().map_or(JsValue::UNDEFINED, JsValue::from);
            // The facade catches what its listeners throw.
            let _ = on_event.call2(&JsValue::NULL, &event.name().into(), &payload);
        };
        let (replication, run) =
            replicate::replicate(source.peer.clone(), target.peer.clone(), options, hooks, listener);
        let (run, abort) = abortable(run);
        env::spawn(async move {
            // Aborted where it was halted.
            let _ = run.await;
        });
        Ok(Self { replication, run: abort })
    }

    /// Ends it, with `complete` and the status `cancelled`.
    pub fn cancel(&self) {
        self.replication.cancel();
    }

    /// Ends it at once and without a word, as if the page had ended; the checkpoint stays where it is.
    pub fn halt(&self) {
        self.run.abort();
    }

    /// Ends a pause after an error at once, and looks after a feed that may have died.
    pub fn wake(&self) {
        self.replication.wake();
    }
}

/// The id under which a replication with these options between databases with these ids keeps its checkpoints.
#[wasm_bindgen]
pub fn replication_id(source: &str, target: &str, options: &str) -> std::result::Result<String, JsValue> {
    Ok(ReplicationOptions::parse(options, false).map_err(thrown)?.replication_id(source, target))
}

fn member(object: &JsValue, name: &str) -> Option<Function> {
    Reflect::get(object, &name.into()).ok()?.dyn_into().ok()
}

fn call_filter(filter: &Function, rows: &str) -> Result<Vec<bool>> {
    let passed = filter.call1(&JsValue::NULL, &rows.into()).map_err(|error| error_from_js(&error))?;
    let passed: Array = passed.dyn_into().map_err(|_| Error::network("The filter gave no list"))?;
    Ok(passed.iter().map(|passes| passes.is_truthy()).collect())
}

/// A function that gives no number asks for no pause, as in PouchDB.
fn call_back_off(back_off: &Function, previous: f64) -> f64 {
    let pause = back_off.call1(&JsValue::NULL, &previous.into());
    pause.ok().and_then(|pause| pause.as_f64()).unwrap_or_default()
}

fn is_wanted(wants: Option<&Function>, event: &str) -> bool {
    let answer = wants.map(|wants| wants.call1(&JsValue::NULL, &event.into()));
    answer.is_none_or(|answer| answer.is_ok_and(|wanted| wanted.is_truthy()))
}
