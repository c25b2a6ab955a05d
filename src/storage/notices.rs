//! Notices between the tabs and workers of an origin, by BroadcastChannel.

use super::{Listener, Notice};
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use web_sys::{BroadcastChannel, MessageEvent};

/// The text that stands for [`Notice::Gone`]; a number is the position of [`Notice::Committed`].
const GONE: &str = "gone";

/// One end of the channel of all connections to one database.
pub(super) struct Notices {
    /// None where the platform has no BroadcastChannel: other tabs' commits are then seen at the next write conflict
    /// and when the page becomes visible.
    channel: Option<BroadcastChannel>,
    listener: Rc<RefCell<Option<Rc<Listener>>>>,
    _on_message: Option<Closure<dyn Fn(MessageEvent)>>,
}

impl Notices {
    /// The end of the channel of this name.
    pub(super) fn new(name: &str) -> Self {
        let listener: Rc<RefCell<Option<Rc<Listener>>>> = Rc::default();
        let supported = js_sys::Reflect::has(&js_sys::global(), &JsValue::from_str("BroadcastChannel"));
        // Refused where the page has no origin; that is no reason to refuse the database, which depends on no notice.
        let channel = supported.unwrap_or(false).then(|| BroadcastChannel::new(name).ok()).flatten();
        let Some(channel) = channel else {
            return Self { channel: None, listener, _on_message: None };
        };
        let target = listener.clone();
        let on_message = Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| {
            let data = event.data();
            let notice = match (data.as_f64(), data.as_string()) {
                (Some(position), _) => Notice::Committed(position as u64),
                (None, Some(text)) if text == GONE => Notice::Gone,
                // From a newer version: nothing that this one could act on.
                _ => return,
            };
            tell(&target, notice);
        });
        channel.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        Self { channel: Some(channel), listener, _on_message: Some(on_message) }
    }

    /// Whether others can be told anything.
    pub(super) fn has_channel(&self) -> bool {
        self.channel.is_some()
    }

    pub(super) fn listen(&self, listener: Listener) {
        self.listener.replace(Some(Rc::new(listener)));
    }

    pub(super) fn tell_self(&self, notice: Notice) {
        tell(&self.listener, notice);
    }

    pub(super) fn tell_others(&self, notice: Notice) {
        let message = match notice {
            Notice::Committed(position) => JsValue::from_f64(position as f64),
            Notice::Gone => JsValue::from_str(GONE),
        };
        if let Some(channel) = &self.channel {
            // A notice may get lost, and a closed channel needs none.
            let _ = channel.post_message(&message);
        }
    }

    pub(super) fn close(&self) {
        self.listener.replace(None);
        if let Some(channel) = &self.channel {
            channel.set_onmessage(None);
            channel.close();
        }
    }
}

fn tell(listener: &RefCell<Option<Rc<Listener>>>, notice: Notice) {
    // Released before the call: the listener may close the storage.
    let listener = listener.borrow().clone();
    if let Some(listener) = listener {
        listener(notice);
    }
}
