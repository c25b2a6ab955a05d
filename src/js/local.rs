use super::contents::{answer_of, attachment_value, contents_of};
use super::{options_of, promise, promise_of, promise_of_nothing};
use crate::db::{Database, DatabaseEvent, DatabaseOptions};
use crate::doc::{Digest, json_text};
use crate::edit::first_mark;
use crate::engine::Beginning;
use crate::env;
use crate::error::{Error, ErrorKind, Result};
use crate::query::{ChangesOptions, changes_text};
use crate::storage::Rest;
use futures_util::future::{AbortHandle, FutureExt as _, abortable};
use js_sys::{Array, Function, Promise};
use serde::Deserialize;
use serde_json::Value;
use std::cell::RefCell;
use std::future::ready;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

/// A handle of a local database.
#[wasm_bindgen]
pub struct Local {
    database: Database,
    watching: RefCell<Option<AbortHandle>>,
}

/// Options of a page of changes as JavaScript gives them; `since` is a seq, `"now"`, or a seq as text.
#[derive(Deserialize, Default)]
#[serde(default)]
struct ChangesRequest {
    since: Value,
    limit: Option<i64>,
    descending: bool,
    include_docs: bool,
    conflicts: bool,
    attachments: bool,
    style: crate::query::Style,
    doc_ids: Option<std::collections::HashSet<String>>,
    selector: Option<Value>,
}

impl ChangesRequest {
    fn into_options(self, update_seq: u64) -> Result<ChangesOptions> {
        let since = match self.since {
            Value::String(now) if now == "now" || now == "latest" => update_seq,
            Value::String(number) => number.parse().unwrap_or_default(),
            Value::Number(number) => number.as_f64().map_or(0, |number| number as u64),
            _ => 0,
        };
        let Self { limit, descending, include_docs, conflicts, attachments, style, doc_ids, .. } = self;
        let limit = limit.and_then(|limit| usize::try_from(limit).ok());
        let mut options = ChangesOptions {
            since,
            limit,
            descending,
            include_docs,
            conflicts,
            attachments,
            style,
            doc_ids,
            selector: None,
        };
        if let Some(selector) = self.selector {
            options.select(&selector)?;
        }
        Ok(options)
    }
}

/// What JavaScript says of the beginning of a new database.
async fn beginning_of(origin: Function) -> Result<Beginning> {
    let failed = |thrown: JsValue| {
        let name = thrown.dyn_ref::<js_sys::Error>().map_or_else(String::new, |error| error.name().into());
        Error::new(ErrorKind::Storage).with_reason(name)
    };
    let promise = origin.call0(&JsValue::NULL).map_err(failed)?;
    let found = JsFuture::from(Promise::resolve(&promise)).await.map_err(failed)?;
    let Ok(found) = found.dyn_into::<Array>() else { return Ok(Beginning::default()) };
    Ok(Beginning {
        instance: found.get(0).as_string(),
        first_commit: found.get(1).as_string().map(|mark| first_mark(&mark)),
    })
}

impl Local {
    pub(super) fn database(&self) -> &Database {
        &self.database
    }

    /// The answer to a question with those options: a text, or an array of it and contents of attachments.
    fn answer(
        &self,
        options: String,
        ask: impl AsyncFn(&Database, &str) -> Result<String> + 'static,
    ) -> Promise {
        let database = self.database.clone();
        let answer =
            async move { answer_of(&database, &options, async || ask(&database, &options).await).await };
        promise_of(answer.boxed_local())
    }
}

#[wasm_bindgen]
impl Local {
    /// Opens a database; `options` is the JSON text of [`DatabaseOptions`]. Where there is none in IndexedDB, `origin` is
    /// called, whose promise gives nothing, or the instance and the first mark of one that takes the place of another.
    #[wasm_bindgen(unchecked_return_type = "Promise<Local>")]
    pub fn open(name: String, options: String, origin: Option<Function>) -> Promise {
        let open = async move {
            let options: DatabaseOptions = options_of(&options)?;
            let origin = origin.map(|origin| beginning_of(origin).boxed_local());
            let database = Database::open_from(&name, options, origin).await?;
            Ok(Local { database, watching: RefCell::default() }.into())
        };
        promise_of(open.boxed_local())
    }

    /// PouchDB's name of the kind of storage.
    #[wasm_bindgen(getter)]
    pub fn adapter(&self) -> String {
        self.database.adapter().to_owned()
    }

    /// A document, or with `open_revs` a list.
    pub fn get(&self, id: String, options: String) -> Promise {
        self.answer(options, async move |database, options| database.get(&id, &options_of(options)?).await)
    }

    /// An attachment: its content, and its `content_type`.
    pub fn get_attachment(&self, id: String, name: String, options: String) -> Promise {
        let database = self.database.clone();
        let get = async move {
            Ok(attachment_value(&database.attachment(&id, &name, &options_of(&options)?).await?))
        };
        promise_of(get.boxed_local())
    }

    /// Several documents or revisions.
    pub fn bulk_get(&self, request: String) -> Promise {
        self.answer(request, async |database, request| database.bulk_get(&options_of(request)?).await)
    }

    /// Writes documents, with contents of attachments beside them: those whose `data` is a number.
    pub fn bulk_docs(&self, docs: String, options: String, contents: Option<Array>) -> Promise {
        let database = self.database.clone();
        promise(async move { database.bulk_docs_with(&docs, contents_of(contents)?, &options).await })
    }

    /// How far the filling of a database that takes the place of another has come; undefined where it is whole.
    pub fn adoption_mark(&self) -> Promise {
        promise_of(ready(self.database.adoption_mark().map(JsValue::from)).boxed_local())
    }

    /// Fills it further, and gives the mark from then on; see [`Database::adopt`].
    pub fn adopt(&self, piece: String, contents: Option<Array>) -> Promise {
        let database = self.database.clone();
        let adopt = async move { Ok(database.adopt(&piece, contents_of(contents)?).await?.into()) };
        promise_of(adopt.boxed_local())
    }

    /// Documents by id.
    pub fn all_docs(&self, options: String) -> Promise {
        self.answer(options, async |database, options| database.all_docs(&options_of(options)?).await)
    }

    /// A page of changes.
    pub fn changes(&self, options: String) -> Promise {
        self.answer(options, async |database, options| {
            let request: ChangesRequest = options_of(options)?;
            let update_seq = database.info()?.update_seq;
            Ok(changes_text(&database.changes(&request.into_options(update_seq)?).await?))
        })
    }

    /// A page of documents with conflicts; `options` is the JSON text of [`ConflictsOptions`](crate::query::ConflictsOptions).
    pub fn conflicts(&self, options: String) -> Promise {
        let database = self.database.clone();
        promise(async move { database.conflicts(&options_of(&options)?).await })
    }

    /// Which revisions are missing.
    pub fn revs_diff(&self, request: String) -> Promise {
        let database = self.database.clone();
        promise(async move { database.revs_diff(&options_of(&request)?).await })
    }

    /// Which of these contents of attachments it has; both are JSON arrays of digests.
    pub fn known_contents(&self, digests: String) -> Promise {
        let database = self.database.clone();
        promise(async move {
            let digests: Vec<String> = options_of(&digests)?;
            let digests: Vec<Digest> = digests.iter().filter_map(|digest| digest.parse().ok()).collect();
            let known = database.known_contents(&digests).await?;
            Ok(json_text(&known.iter().map(Digest::to_string).collect::<Vec<_>>()))
        })
    }

    /// Where a compaction begins: the JSON text of [`CompactionStep`](crate::db::CompactionStep).
    pub fn begin_compaction(&self) -> Promise {
        let database = self.database.clone();
        promise(async move { Ok(json_text(&database.begin_compaction().await?)) })
    }

    /// The next piece of a compaction.
    pub fn compact_further(&self, step: String) -> Promise {
        let database = self.database.clone();
        promise(async move { Ok(json_text(&database.compact_further(options_of(&step)?).await?)) })
    }

    /// Compacts one document.
    pub fn compact_document(&self, id: String, max_height: f64) -> Promise {
        let database = self.database.clone();
        promise_of_nothing(async move { database.compact_document(&id, max_height as usize).await })
    }

    /// Forgets a leaf.
    pub fn purge(&self, id: String, rev: String) -> Promise {
        let database = self.database.clone();
        promise(async move { Ok(json_text(&database.purge(&id, &rev).await?)) })
    }

    /// Counters and names.
    pub fn info(&self) -> Promise {
        promise(ready(self.database.info().map(|info| json_text(&info))))
    }

    /// A look at everything that is stored: the JSON text of [`CheckReport`](crate::db::CheckReport).
    pub fn check(&self) -> Promise {
        let database = self.database.clone();
        promise(async move { Ok(json_text(&database.check().await?)) })
    }

    /// The same of a database that cannot be opened.
    pub fn check_unopened(name: String, options: String) -> Promise {
        promise(async move {
            let options: DatabaseOptions = options_of(&options)?;
            Ok(json_text(&Database::check_unopened(&name, &options).await?))
        })
    }

    /// Removes a database that cannot be opened.
    pub fn destroy_unopened(name: String, options: String) -> Promise {
        promise_of_nothing(async move {
            let options: DatabaseOptions = options_of(&options)?;
            Database::destroy_unopened(&name, &options).await
        })
    }

    /// The database's identity.
    pub fn id(&self) -> Promise {
        promise(ready(self.database.info().map(|_| self.database.id().to_owned())))
    }

    /// Applies what other tabs have committed, where their notice may have been lost.
    pub fn refresh(&self) -> Promise {
        let database = self.database.clone();
        promise_of_nothing(async move { database.refresh().await })
    }

    /// Lets go of what would keep a page that goes to sleep out of the back/forward cache, or hold up other tabs;
    /// `resume`, and whatever reads or writes, takes it up again. `still`: nothing of the page runs from now on.
    pub fn suspend(&self, still: bool) {
        self.database.suspend(if still { Rest::Still } else { Rest::Soon });
    }

    /// Gives up what the browser does not answer because the page slept, and applies what other tabs have committed.
    pub fn resume(&self) -> Promise {
        let database = self.database.clone();
        promise_of_nothing(async move { database.resume().await })
    }

    /// Has `callback` called with `"change"` and the update seq after commits of this and other tabs, and with
    /// `"destroyed"` or `"closed"` at the end; in place of an earlier callback.
    pub fn on_event(&self, callback: Function) {
        let mut events = self.database.events();
        let database = self.database.clone();
        let (watch, handle) = abortable(async move {
            while let Some(event) = events.next().await {
                let (name, seq) = match event {
                    DatabaseEvent::Changed => match database.info() {
                        Ok(info) => ("change", JsValue::from_f64(info.update_seq as f64)),
                        Err(_) => continue,
                    },
                    DatabaseEvent::Closed => ("closed", JsValue::UNDEFINED),
                    DatabaseEvent::Destroyed => ("destroyed", JsValue::UNDEFINED),
                };
                // The facade catches what its listeners throw.
                let _ = callback.call2(&JsValue::NULL, &JsValue::from_str(name), &seq);
            }
        });
        if let Some(earlier) = self.watching.replace(Some(handle)) {
            earlier.abort();
        }
        env::spawn(async move {
            // Aborted where another callback took its place, or the handle was closed.
            let _ = watch.await;
        });
    }

    /// Closes the handle.
    pub fn close(&self) -> Promise {
        if let Some(watching) = self.watching.take() {
            watching.abort();
        }
        let database = self.database.clone();
        promise_of_nothing(async move {
            database.close().await;
            Ok(())
        })
    }

    /// Removes the database.
    pub fn destroy(&self) -> Promise {
        let database = self.database.clone();
        promise_of_nothing(async move { database.destroy().await })
    }
}
