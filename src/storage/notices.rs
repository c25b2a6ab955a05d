//! Notices between the tabs and workers of an origin, by BroadcastChannel.

use super::{Listener, Notice};
use bytes::Bytes;
use js_sys::{Array, Uint8Array};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use web_sys::{BroadcastChannel, MessageEvent};

/// The text that stands for [`Notice::Gone`]; a number is the position of [`Notice::Committed`], a pair of a number and bytes
/// the position and what is told of it.
const GONE: &str = "gone";

/// One end of the channel of all connections to one database.
pub(super) struct Notices {
    name: String,
    /// None where the platform has no BroadcastChannel: other tabs' commits are then seen at the next write conflict
    /// and when the page becomes visible.
    has_channel: bool,
    channel: RefCell<Option<BroadcastChannel>>,
    listener: Rc<RefCell<Option<Rc<Listener>>>>,
    on_message: Closure<dyn Fn(MessageEvent)>,
    is_closed: Cell<bool>,
}

impl Notices {
    /// The end of the channel of this name.
    pub(super) fn new(name: &str) -> Self {
        let listener: Rc<RefCell<Option<Rc<Listener>>>> = Rc::default();
        let target = listener.clone();
        let on_message = Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| {
            let data = event.data();
            // What is from a newer version is nothing that this one could act on.
            if let Some(notice) = notice_of(&data) {
                tell(&target, notice);
            }
        });
        let mut notices = Self {
            name: name.to_owned(),
            has_channel: js_sys::Reflect::has(&js_sys::global(), &JsValue::from_str("BroadcastChannel"))
                .unwrap_or(false),
            channel: RefCell::default(),
            listener,
            on_message,
            is_closed: Cell::new(false),
        };
        notices.take_up();
        notices.has_channel = notices.channel.borrow().is_some();
        notices
    }

    /// Opens the channel again that [`Notices::let_go`] has closed.
    pub(super) fn take_up(&self) {
        if !self.has_channel || self.is_closed.get() || self.channel.borrow().is_some() {
            return;
        }
        // Refused where the page has no origin; that is no reason to refuse the database, which depends on no notice.
        let Ok(channel) = BroadcastChannel::new(&self.name) else { return };
        channel.set_onmessage(Some(self.on_message.as_ref().unchecked_ref()));
        self.channel.replace(Some(channel));
    }

    /// Closes the channel for a while: a page that hears messages does not stay in the back/forward cache.
    pub(super) fn let_go(&self) {
        if let Some(channel) = self.channel.take() {
            channel.set_onmessage(None);
            channel.close();
        }
    }

    /// Whether others can be told anything.
    pub(super) fn has_channel(&self) -> bool {
        self.has_channel
    }

    pub(super) fn listen(&self, listener: Listener) {
        self.listener.replace(Some(Rc::new(listener)));
    }

    pub(super) fn tell_self(&self, notice: Notice) {
        tell(&self.listener, notice);
    }

    pub(super) fn tell_others(&self, notice: Notice) {
        let message = match notice {
            Notice::Committed(position, told) if told.is_empty() => JsValue::from_f64(position as f64),
            Notice::Committed(position, told) => {
                Array::of2(&JsValue::from_f64(position as f64), &Uint8Array::from(told.as_ref())).into()
            }
            Notice::Gone => JsValue::from_str(GONE),
        };
        let is_let_go = self.channel.borrow().is_none();
        self.take_up();
        if let Some(channel) = &*self.channel.borrow() {
            // A notice may get lost, and a closed channel needs none.
            let _ = channel.post_message(&message);
        }
        if is_let_go {
            self.let_go();
        }
    }

    pub(super) fn close(&self) {
        self.is_closed.set(true);
        self.listener.replace(None);
        self.let_go();
    }
}

fn notice_of(data: &JsValue) -> Option<Notice> {
    if let Some(position) = data.as_f64() {
        return Some(Notice::Committed(position as u64, Bytes::new()));
    }
    if let Some(pair) = data.dyn_ref::<Array>() {
        let told = pair.get(1).dyn_into::<Uint8Array>().ok()?;
        return Some(Notice::Committed(pair.get(0).as_f64()? as u64, told.to_vec().into()));
    }
    (data.as_string()? == GONE).then_some(Notice::Gone)
}

fn tell(listener: &RefCell<Option<Rc<Listener>>>, notice: Notice) {
    // Released before the call: the listener may close the storage.
    let listener = listener.borrow().clone();
    if let Some(listener) = listener {
        listener(notice);
    }
}
