//! The browser's `fetch`, or one that the application gives.

use super::js_error::error_from_js;
use super::transport::{Body, Headers, Payload, Request, Response, Transport};
use crate::error::{Error, Result};
use crate::storage::{BrowserContent, Content};
use async_trait::async_trait;
use bytes::Bytes;
use js_sys::{Array, Date, Function, JSON, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, Blob};

/// Sends requests with `fetch(url, {method, headers, body, credentials: 'include', signal})`, feeds with
/// `cache: 'no-store'` besides.
///
/// Applications give functions of their own, which add headers, log, or return objects that have little of a
/// `Response`. So nothing is expected of an answer but that it has a status and gives its text in one of the usual ways.
#[derive(Default)]
pub struct Fetch {
    function: Option<Function>,
}

impl Fetch {
    /// Calls `function` in place of the global `fetch`, where there is one.
    pub fn new(function: Option<Function>) -> Self {
        Self { function }
    }

    fn function(&self) -> Result<Function> {
        match &self.function {
            Some(function) => Ok(function.clone()),
            None => {
                method(&js_sys::global(), "fetch").ok_or_else(|| Error::network("There is no fetch here"))
            }
        }
    }
}

/// Aborts the request when it is dropped before [`finish`](Self::finish).
struct Abort(Option<AbortController>);

impl Abort {
    fn finish(&mut self) {
        self.0 = None;
    }
}

impl Drop for Abort {
    fn drop(&mut self) {
        if let Some(controller) = &self.0 {
            controller.abort();
        }
    }
}

#[async_trait(?Send)]
impl Transport for Fetch {
    async fn send(&self, request: Request) -> Result<Response> {
        let controller = AbortController::new().map_err(|error| error_from_js(&error))?;
        let init = init(&request, &controller).map_err(|error| error_from_js(&error))?;
        let answer = self.function()?.call2(&js_sys::global(), &JsValue::from_str(&request.url), &init);
        let abort = Abort(Some(controller));
        let answer = settle(answer).await?;
        let status = match member(&answer, "status").as_f64() {
            Some(status) => status as u16,
            None if member(&answer, "ok").is_truthy() => 200,
            None => return Err(Error::network("fetch gave no answer with a status")),
        };
        let headers = headers(&member(&answer, "headers"));
        Ok(Response { status, headers, body: Box::new(FetchBody { answer, reader: Reader::Unknown, abort }) })
    }
}

fn init(request: &Request, controller: &AbortController) -> std::result::Result<JsValue, JsValue> {
    let headers = web_sys::Headers::new()?;
    for (name, value) in &request.headers {
        headers.append(name, value)?;
    }
    let init = Object::new();
    let set = |name: &str, value: &JsValue| Reflect::set(&init, &name.into(), value);
    set("method", &request.method.as_str().into())?;
    set("headers", &headers)?;
    set("credentials", &"include".into())?;
    set("signal", &controller.signal())?;
    if request.bypasses_cache {
        set("cache", &"no-store".into())?;
    }
    match &request.body {
        Some(Payload::Json(text)) => set("body", &String::from_utf8_lossy(text).as_ref().into())?,
        Some(Payload::Pieces(pieces)) => {
            let parts: Array = pieces.iter().map(Content::to_js).collect();
            set("body", Blob::new_with_u8_array_sequence(&parts)?.as_ref())?
        }
        None => true,
    };
    Ok(init.into())
}

/// The headers that matter here.
fn headers(headers: &JsValue) -> Headers {
    let Some(get) = method(headers, "get") else { return Headers::new() };
    ["retry-after", "content-type"]
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), get.call1(headers, &name.into()).ok()?.as_string()?)))
        .map(|(name, value)| match seconds_until(&value).filter(|_| name == "retry-after") {
            Some(seconds) => (name, seconds.to_string()),
            None => (name, value),
        })
        .collect()
}

/// `Retry-After` may be a time as well.
fn seconds_until(time: &str) -> Option<u32> {
    let millis = if time.trim().parse::<u32>().is_ok() { f64::NAN } else { Date::parse(time) };
    millis
        .is_finite()
        .then(|| ((millis - crate::env::now().0 as f64) / 1_000.0).clamp(0.0, 86_400.0).ceil() as u32)
}

enum Reader {
    Unknown,
    Stream(JsValue, Function),
    Done,
}

struct FetchBody {
    answer: JsValue,
    reader: Reader,
    abort: Abort,
}

#[async_trait(?Send)]
impl Body for FetchBody {
    async fn next_chunk(&mut self) -> Result<Option<Bytes>> {
        let Some(piece) = self.next_piece().await? else { return Ok(None) };
        Ok(Some(match piece {
            Content::Bytes(bytes) => bytes,
            Content::Browser(content) => bytes(content.value()),
        }))
    }

    async fn next_piece(&mut self) -> Result<Option<Content>> {
        loop {
            match &self.reader {
                Reader::Done => return Ok(None),
                Reader::Unknown => match self.open()? {
                    Some((reader, read)) => self.reader = Reader::Stream(reader, read),
                    None => {
                        let whole = self.whole().await?;
                        self.finish();
                        return Ok(Some(Content::Bytes(whole)));
                    }
                },
                Reader::Stream(reader, read) => {
                    let part = settle(read.call0(reader)).await?;
                    if member(&part, "done").is_truthy() {
                        self.finish();
                        return Ok(None);
                    }
                    let value = member(&part, "value");
                    let piece = BrowserContent::new(value.clone()).map(Content::Browser);
                    return Ok(Some(piece.unwrap_or_else(|| Content::Bytes(bytes(&value)))));
                }
            }
        }
    }
}

impl FetchBody {
    fn finish(&mut self) {
        self.reader = Reader::Done;
        self.abort.finish();
    }

    /// The reader of the answer's stream and its `read`, where the answer has one.
    fn open(&self) -> Result<Option<(JsValue, Function)>> {
        let body = member(&self.answer, "body");
        let Some(get_reader) = method(&body, "getReader") else { return Ok(None) };
        let reader = get_reader.call0(&body).map_err(|error| error_from_js(&error))?;
        Ok(method(&reader, "read").map(|read| (reader, read)))
    }

    /// The body in one piece.
    async fn whole(&self) -> Result<Bytes> {
        if let Some(read) = method(&self.answer, "arrayBuffer") {
            return Ok(bytes(&settle(read.call0(&self.answer)).await?));
        }
        if let Some(read) = method(&self.answer, "text") {
            return Ok(settle(read.call0(&self.answer)).await?.as_string().unwrap_or_default().into());
        }
        if let Some(read) = method(&self.answer, "json") {
            let value = settle(read.call0(&self.answer)).await?;
            let text = JSON::stringify(&value).map_err(|error| error_from_js(&error))?;
            return Ok(String::from(text).into());
        }
        Err(Error::network("fetch gave an answer that can't be read"))
    }
}

/// Awaits what a call returned, whether a promise or not; what it threw or rejected with is an error.
async fn settle(returned: std::result::Result<JsValue, JsValue>) -> Result<JsValue> {
    match returned {
        Ok(value) => JsFuture::from(Promise::resolve(&value)).await.map_err(|error| error_from_js(&error)),
        Err(error) => Err(error_from_js(&error)),
    }
}

fn bytes(value: &JsValue) -> Bytes {
    match value.as_string() {
        Some(text) => text.into(),
        // Of another realm perhaps, so not asked for its class; an array of numbers will do too.
        None if value.is_object() => match value.dyn_ref::<Array>() {
            Some(numbers) => Uint8Array::new(numbers).to_vec().into(),
            None => Uint8Array::new(value).to_vec().into(),
        },
        None => Bytes::new(),
    }
}

fn member(object: &JsValue, name: &str) -> JsValue {
    if object.is_null() || object.is_undefined() {
        return JsValue::UNDEFINED;
    }
    Reflect::get(object, &name.into()).unwrap_or(JsValue::UNDEFINED)
}

fn method(object: &JsValue, name: &str) -> Option<Function> {
    member(object, name).dyn_into().ok()
}
