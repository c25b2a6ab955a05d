//! The server of the model and the network before it.

use super::attachments::{read_related, without_encoding, write_mixed};
use super::database::Database;
use super::feed::Following;
use crate::error::{Error, Result};
use crate::http::transport::{Body, Method, Payload, Request, Response, Transport};
use crate::storage::Content;
use async_trait::async_trait;
use bytes::Bytes;
use futures_channel::oneshot;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};
use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

/// No test needs more.
const MOST_REQUESTS: usize = 20_000;

/// What may happen to a request.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Fault {
    /// It never arrives.
    Refuse,
    /// It does its work and the answer is lost.
    Lose,
    /// The answer breaks off in its middle.
    Cut,
    /// The answer is shorter than it was and nobody notices.
    Truncate,
    /// A login page, with status 200.
    Page,
    /// An error of the server.
    Status(u16),
}

/// What a request is answered with.
#[derive(Clone)]
pub(super) enum Reply {
    Json(Value),
    Bytes(String, Bytes),
}

/// A server with databases, shared by all clients that talk to it.
#[derive(Clone, Default)]
pub(crate) struct Couch(Rc<RefCell<Server>>);

#[derive(Default)]
struct Server {
    databases: BTreeMap<String, Database>,
    waiters: Vec<oneshot::Sender<()>>,
    log: Vec<String>,
    faults: BTreeMap<usize, Fault>,
    /// Requests that are always answered so, by a part of their method and path.
    rules: Vec<(String, u16, Reply)>,
    /// Documents that no request can read, and how it fails.
    poisoned: BTreeMap<String, (u16, Value)>,
    last_headers: Vec<(String, String)>,
    /// A header without which nothing is answered.
    required: Option<(String, String)>,
    /// Whether documents that are followed by attachments are taken for plain edits, as express-pouchdb does.
    ignores_multipart: bool,
    /// How many feeds are open, and how often all were ended.
    open_feeds: usize,
    ended_feeds: usize,
}

impl Couch {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Does something with a database, which is made if there is none.
    pub(crate) fn with<T>(&self, name: &str, work: impl FnOnce(&mut Database) -> T) -> T {
        work(self.0.borrow_mut().databases.entry(name.to_owned()).or_default())
    }

    pub(crate) fn has_database(&self, name: &str) -> bool {
        self.0.borrow().databases.contains_key(name)
    }

    /// Method and path of every request so far.
    pub(crate) fn log(&self) -> Vec<String> {
        self.0.borrow().log.clone()
    }

    pub(crate) fn headers(&self) -> Vec<(String, String)> {
        self.0.borrow().last_headers.clone()
    }

    /// Lets the request of that number fail, counted over all clients from 0.
    pub(crate) fn fail(&self, request: usize, fault: Fault) {
        self.0.borrow_mut().faults.insert(request, fault);
    }

    /// Answers every request whose method and path contain `part` with this; with a dollar sign at its end, those that
    /// are what is before it.
    pub(crate) fn rule(&self, part: &str, status: u16, body: Value) {
        self.0.borrow_mut().rules.push((part.to_owned(), status, Reply::Json(body)));
    }

    /// The same with an answer that may be no JSON.
    pub(crate) fn raw_rule(&self, part: &str, status: u16, body: &[u8]) {
        let reply = Reply::Bytes("application/json".into(), Bytes::copy_from_slice(body));
        self.0.borrow_mut().rules.push((part.to_owned(), status, reply));
    }

    /// Answers 401 to every request that does not carry this header, from now on.
    pub(crate) fn require(&self, name: &str, value: &str) {
        self.0.borrow_mut().required = Some((name.to_owned(), value.to_owned()));
    }

    /// Has the server take documents that are followed by attachments for plain edits.
    pub(crate) fn ignore_multipart(&self) {
        self.0.borrow_mut().ignores_multipart = true;
    }

    pub(crate) fn clear_rules(&self) {
        self.0.borrow_mut().rules.clear();
    }

    pub(crate) fn poison(&self, id: &str, status: u16, body: Value) {
        self.0.borrow_mut().poisoned.insert(id.to_owned(), (status, body));
    }

    /// From now on everything is given and taken.
    pub(crate) fn relent(&self) {
        let mut server = self.0.borrow_mut();
        server.poisoned.clear();
        server.databases.values_mut().for_each(Database::relent);
    }

    /// Writes a document as another client would.
    pub(crate) fn put(&self, database: &str, doc: Value) -> String {
        let Value::Object(doc) = doc else { panic!("not a document") };
        let id = doc["_id"].as_str().unwrap().to_owned();
        let rev = self.with(database, |database| database.put(&id, doc)).unwrap();
        self.notify();
        rev
    }

    /// How many feeds are open.
    pub(crate) fn feeds(&self) -> usize {
        self.0.borrow().open_feeds
    }

    /// Ends the feeds that are open.
    pub(crate) fn end_feeds(&self) {
        self.0.borrow_mut().ended_feeds += 1;
        self.notify();
    }

    pub(super) fn ended_feeds(&self) -> usize {
        self.0.borrow().ended_feeds
    }

    pub(super) fn count_feed(&self, is_open: bool) {
        let open = &mut self.0.borrow_mut().open_feeds;
        *open = if is_open { *open + 1 } else { *open - 1 };
    }

    fn notify(&self) {
        for waiter in self.0.borrow_mut().waiters.drain(..) {
            let _ = waiter.send(());
        }
    }

    /// What it answers now, if that is not to be waited for.
    pub(super) fn answer_now(&self, request: &Request) -> Option<(u16, Reply)> {
        self.0.borrow_mut().handle(request)
    }

    /// Resolves when something has been written.
    pub(super) async fn changed(&self) {
        let (sender, changed) = oneshot::channel();
        self.0.borrow_mut().waiters.push(sender);
        let _ = changed.await;
    }

    async fn answer(&self, request: &Request) -> (u16, Reply) {
        loop {
            let answer = self.answer_now(request);
            if request.method != Method::Get {
                self.notify();
            }
            match answer {
                Some(answer) => return answer,
                None => self.changed().await,
            }
        }
    }
}

#[async_trait(?Send)]
impl Transport for Couch {
    async fn send(&self, request: Request) -> Result<Response> {
        let fault = {
            let mut server = self.0.borrow_mut();
            let number = server.log.len();
            let path = request.url.strip_prefix("http://couch").unwrap_or(&request.url);
            server.log.push(format!("{} {path}", request.method.as_str()));
            assert!(number < MOST_REQUESTS, "it asks for ever: {:?}", &server.log[number - 9..]);
            server.last_headers = request.headers.clone();
            server.faults.remove(&number)
        };
        let lost = || Error::network("Failed to fetch");
        if fault == Some(Fault::Refuse) {
            return Err(lost());
        }
        if let Some(Fault::Status(status)) = fault {
            let body = json!({"error": "trouble", "reason": "come back later"}).to_string();
            return Ok(response(status, vec![Ok(body.into())]));
        }
        let (status, body) = self.answer(&request).await;
        if let (200, Reply::Json(page), true) = (status, &body, request.url.contains("feed=continuous"))
            && let Some(following) = Following::begin(self, &request, page, fault.as_ref())
        {
            return Ok(Response { status, headers: Vec::new(), body: Box::new(following) });
        }
        let (content_type, body) = match body {
            Reply::Json(body) => ("application/json".to_owned(), Bytes::from(body.to_string())),
            Reply::Bytes(content_type, bytes) => (content_type, bytes),
        };
        let (first, second) = (body.slice(..body.len() / 2), body.slice(body.len() / 2..));
        Ok(match fault {
            Some(Fault::Lose) => return Err(lost()),
            Some(Fault::Cut) => response(status, vec![Ok(first), Err(lost())]),
            Some(Fault::Truncate) => response(status, vec![Ok(first)]),
            Some(Fault::Page) => response(200, vec![Ok(Bytes::from_static(b"<html>Welcome! Log in</html>"))]),
            _ => {
                let mut response = response(status, vec![Ok(first), Ok(second)]);
                response.headers.push(("Content-Type".into(), content_type));
                response
            }
        })
    }
}

fn response(status: u16, chunks: Vec<Result<Bytes>>) -> Response {
    let headers = if status == 503 { vec![("Retry-After".into(), "7".into())] } else { Vec::new() };
    Response { status, headers, body: Box::new(Chunks(chunks.into())) }
}

struct Chunks(VecDeque<Result<Bytes>>);

#[async_trait(?Send)]
impl Body for Chunks {
    async fn next_chunk(&mut self) -> Result<Option<Bytes>> {
        self.0.pop_front().transpose()
    }
}

fn not_found(reason: &str) -> (u16, Value) {
    (404, json!({"error": "not_found", "reason": reason}))
}

impl Server {
    /// The answer, or `None` where it is to be waited for.
    fn handle(&mut self, request: &Request) -> Option<(u16, Reply)> {
        let rest = request.url.strip_prefix("http://couch/").unwrap();
        let line = format!("{} /{rest}", request.method.as_str());
        if self.required.as_ref().is_some_and(|header| !request.headers.contains(header)) {
            let body = json!({"error": "unauthorized", "reason": "You are not authorized"});
            return Some((401, Reply::Json(body)));
        }
        let is_meant = |part: &str| match part.strip_suffix('$') {
            Some(whole) => line == whole,
            None => line.contains(part),
        };
        if let Some((_, status, reply)) = self.rules.iter().find(|(part, _, _)| is_meant(part)) {
            return Some((*status, reply.clone()));
        }
        let header = |wanted: &str| {
            let found = request.headers.iter().find(|(name, _)| name == wanted);
            found.map_or("", |(_, value)| value.as_str())
        };
        let body = request.body.as_ref().map(bytes_of).unwrap_or_default();
        if header("Content-Type").starts_with("multipart/") {
            let (doc, following) = read_related(header("Content-Type"), &body);
            return Some(self.put_related(rest, doc, following));
        }
        let together = rest.contains("/_bulk_get?") && !header("Accept").contains("json");
        if let Some(reply) = self.bytes(request.method, rest) {
            return Some(reply);
        }
        let body = serde_json::from_slice(&body).unwrap_or_default();
        let (status, mut answer) = self.handle_json(request.method, rest, body)?;
        if status == 200 && together {
            let database = self.databases.get(rest.split('/').next().unwrap()).unwrap();
            let (content_type, message) =
                write_mixed(answer["results"].as_array().unwrap(), database.contents());
            return Some((200, Reply::Bytes(content_type, message)));
        }
        if !rest.contains("att_encoding_info=true") {
            without_encoding(&mut answer);
        }
        Some((status, Reply::Json(answer)))
    }

    /// The bytes of an attachment, if this is what is asked for.
    fn bytes(&mut self, method: Method, rest: &str) -> Option<(u16, Reply)> {
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let decode = |text: &str| percent_decode_str(text).decode_utf8().unwrap().into_owned();
        let mut parts = path.splitn(3, '/').map(decode);
        let (database, id, name) = (parts.next()?, parts.next()?, parts.next()?);
        if method != Method::Get || id.starts_with('_') {
            return None;
        }
        let rev = query.split('&').find_map(|pair| pair.strip_prefix("rev="));
        let bytes = self.databases.get(&database)?.content(&id, rev, &name);
        let missing = || not_found("Document is missing attachment");
        Some(match bytes {
            Some(bytes) => (200, Reply::Bytes("x/y".into(), bytes)),
            None => (missing().0, Reply::Json(missing().1)),
        })
    }

    fn put_related(&mut self, rest: &str, doc: Value, following: Vec<Bytes>) -> (u16, Reply) {
        let (name, _) = rest.split_once('/').unwrap();
        if self.ignores_multipart {
            return (409, Reply::Json(json!({"error": "conflict", "reason": "Document update conflict."})));
        }
        assert!(rest.ends_with("?new_edits=false"), "{rest}");
        let doc = doc.as_object().unwrap().clone();
        let written = json!({"ok": true, "id": doc["_id"], "rev": doc["_rev"]});
        let database = self.databases.get_mut(name).unwrap();
        if database.forbids(&doc) {
            return (403, Reply::Json(json!({"error": "forbidden", "reason": "not that"})));
        }
        match database.graft(doc, following) {
            Ok(()) => (201, Reply::Json(written)),
            Err((status, error)) => (status, Reply::Json(error)),
        }
    }

    fn handle_json(&mut self, method: Method, rest: &str, body: Value) -> Option<(u16, Value)> {
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let decode = |text: &str| percent_decode_str(text).decode_utf8().unwrap().into_owned();
        let query: BTreeMap<String, String> = query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(k, v)| (decode(k), decode(v)))
            .collect();
        let Some((name, path)) = path.split_once('/') else {
            return Some((200, json!({"couchdb": "Welcome", "uuid": "model", "version": "3.5.0"})));
        };
        let name = decode(name);
        if path.is_empty() {
            return Some(self.database(method, &name));
        }
        let Some(database) = self.databases.get_mut(&name) else {
            return Some(not_found("Database does not exist."));
        };
        let poisoned = &self.poisoned;
        let texts = |value: &Value| -> Vec<String> { serde_json::from_value(value.clone()).unwrap() };
        Some(match path {
            "_changes" => {
                let ids = body.get("doc_ids").map(texts);
                let limit = query.get("limit").map_or(usize::MAX, |limit| limit.parse().unwrap());
                let with_docs = query.contains_key("include_docs");
                let (page, is_empty) = database.changes(&query["since"], limit, ids.as_deref(), with_docs);
                if is_empty && query.get("feed").is_some_and(|feed| feed == "longpoll") {
                    return None;
                }
                (200, page)
            }
            "_revs_diff" => {
                let missing = body.as_object().unwrap().iter().filter_map(|(id, revs)| {
                    let missing = database.missing(id, &texts(revs));
                    let ancestors = database.possible_ancestors(id, &missing);
                    let told = json!({"missing": missing, "possible_ancestors": ancestors});
                    (!missing.is_empty()).then(|| (id.clone(), told))
                });
                (200, Value::Object(missing.collect()))
            }
            "_bulk_get" => bulk_get(database, poisoned, &body),
            "_bulk_docs" => bulk_docs(database, &body),
            _ => {
                let id = decode(path);
                match method {
                    Method::Put => put(database, &id, body),
                    _ => get(database, poisoned, &id, &query),
                }
            }
        })
    }

    fn database(&mut self, method: Method, name: &str) -> (u16, Value) {
        match (method, self.databases.get(name)) {
            (Method::Get, Some(database)) => (200, database.info(name)),
            (Method::Put, Some(_)) => (412, json!({"error": "file_exists", "reason": "it exists"})),
            (Method::Put, None) => {
                self.databases.insert(name.to_owned(), Database::default());
                (201, json!({"ok": true}))
            }
            (Method::Delete, Some(_)) => {
                self.databases.remove(name);
                (200, json!({"ok": true}))
            }
            _ => not_found("Database does not exist."),
        }
    }
}

fn bulk_get(database: &Database, poisoned: &BTreeMap<String, (u16, Value)>, body: &Value) -> (u16, Value) {
    let mut results = Vec::new();
    for wanted in body["docs"].as_array().unwrap() {
        let (id, rev) = (wanted["id"].as_str().unwrap(), wanted["rev"].as_str().unwrap());
        match poisoned.get(id) {
            Some((200, error)) => results.push(json!({"id": id, "docs": [{ "error": error }]})),
            Some(failure) => return failure.clone(),
            None => results.push(json!({"id": id, "docs": database.open_revs(id, &[rev.to_owned()])})),
        }
    }
    (200, json!({"results": results}))
}

fn bulk_docs(database: &mut Database, body: &Value) -> (u16, Value) {
    let before = database.clone();
    let mut results = Vec::new();
    for doc in body["docs"].as_array().unwrap() {
        let doc = doc.as_object().unwrap().clone();
        let id = doc["_id"].as_str().unwrap().to_owned();
        if database.forbids(&doc) {
            results.push(json!({"id": id, "rev": doc["_rev"], "error": "forbidden", "reason": "not that"}));
        } else if body["new_edits"] == Value::Bool(false) {
            if let Err(refusal) = database.graft(doc, Vec::new()) {
                *database = before;
                return refusal;
            }
        } else {
            results.push(match database.put(&id, doc) {
                Ok(rev) => json!({"ok": true, "id": id, "rev": rev}),
                Err(mut error) => {
                    error["id"] = id.into();
                    error
                }
            });
        }
    }
    (201, Value::Array(results))
}

fn put(database: &mut Database, id: &str, body: Value) -> (u16, Value) {
    let Value::Object(mut doc) = body else {
        return (400, json!({"error": "bad_request", "reason": "no object"}));
    };
    doc.shift_remove("_id");
    match database.put(id, doc) {
        Ok(rev) => (201, json!({"ok": true, "id": id, "rev": rev})),
        Err(error) => (409, error),
    }
}

fn get(
    database: &Database,
    poisoned: &BTreeMap<String, (u16, Value)>,
    id: &str,
    query: &BTreeMap<String, String>,
) -> (u16, Value) {
    let found =
        |doc: Option<Map<String, Value>>| doc.map_or_else(|| not_found("missing"), |doc| (200, doc.into()));
    if let Some(local) = id.strip_prefix("_local/") {
        return found(database.local(local));
    }
    match (poisoned.get(id), query.get("open_revs")) {
        (Some((200, error)), _) => (500, error.clone()),
        (Some(failure), _) => failure.clone(),
        (None, Some(revs)) => {
            (200, database.open_revs(id, &serde_json::from_str::<Vec<String>>(revs).unwrap()).into())
        }
        (None, None) => {
            found(database.get(id, query.get("rev").map(String::as_str), query.contains_key("revs")))
        }
    }
}

fn bytes_of(payload: &Payload) -> Bytes {
    match payload {
        Payload::Json(text) => text.clone(),
        Payload::Pieces(pieces) => {
            let pieces = pieces.iter().filter_map(Content::bytes);
            pieces.map(|bytes| bytes.to_vec()).collect::<Vec<_>>().concat().into()
        }
    }
}
