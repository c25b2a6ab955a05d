//! Credentials, and getting fresh ones where the server does not take them any more.

use crate::error::{Error, Result};
use crate::http::transport::Headers;
use crate::http::url::Credentials;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::{FutureExt as _, LocalBoxFuture, Shared};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::cell::{Cell, RefCell};

/// What an application gives after the server has answered 401.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Fresh {
    /// Name and password in place of those so far.
    pub auth: Option<Credentials>,
    /// Headers in place of those of the same name.
    pub headers: Map<String, Value>,
}

/// The application's function for it, which gets the server's refusal. `None`: it has nothing better, so that the refusal
/// stands; with nothing in it: the same request will do now, as after logging in anew for a cookie.
pub type Reauthenticate = Box<dyn Fn(&Error) -> LocalBoxFuture<'static, Renewed>>;

type Renewed = Result<Option<Fresh>>;

/// The headers that every request carries, and how they are renewed.
pub(super) struct Identity {
    headers: RefCell<Headers>,
    reauthenticate: Option<Reauthenticate>,
    /// How often they were renewed: a request that was sent before the last time is simply sent again.
    renewals: Cell<u32>,
    under_way: RefCell<Option<Shared<LocalBoxFuture<'static, Renewed>>>>,
}

impl Identity {
    pub(super) fn new(
        auth: Option<Credentials>,
        headers: Map<String, Value>,
        reauthenticate: Option<Reauthenticate>,
    ) -> Self {
        let identity = Self {
            headers: RefCell::new(auth.iter().map(basic).collect()),
            reauthenticate,
            renewals: Cell::new(0),
            under_way: RefCell::default(),
        };
        identity.headers.borrow_mut().extend(headers.into_iter().map(header));
        identity
    }

    pub(super) fn headers(&self) -> Headers {
        self.headers.borrow().clone()
    }

    pub(super) fn renewals(&self) -> u32 {
        self.renewals.get()
    }

    /// Whether a request that was refused is worth sending again. `renewals`: how many there were when it was sent.
    ///
    /// Requests that are refused at the same time wait for one and the same renewal.
    ///
    /// # Errors
    /// What the application's function failed with.
    pub(super) async fn renew(&self, renewals: u32, refusal: &Error) -> Result<bool> {
        if self.renewals.get() != renewals {
            return Ok(true);
        }
        let Some(reauthenticate) = &self.reauthenticate else { return Ok(false) };
        let running = {
            let mut under_way = self.under_way.borrow_mut();
            under_way.get_or_insert_with(|| reauthenticate(refusal).shared()).clone()
        };
        let fresh = running.clone().await;
        // The first of those that waited takes it.
        if self.under_way.borrow_mut().take_if(|current| current.ptr_eq(&running)).is_some()
            && let Ok(Some(fresh)) = &fresh
        {
            self.take(fresh.clone());
        }
        fresh.map(|fresh| fresh.is_some())
    }

    fn take(&self, Fresh { auth, headers }: Fresh) {
        let mut current = self.headers.borrow_mut();
        for (name, value) in auth.iter().map(basic).chain(headers.into_iter().map(header)) {
            current.retain(|(other, _)| !other.eq_ignore_ascii_case(&name));
            current.push((name, value));
        }
        self.renewals.set(self.renewals.get() + 1);
    }
}

fn basic(Credentials { username, password }: &Credentials) -> (String, String) {
    ("Authorization".into(), format!("Basic {}", STANDARD.encode(format!("{username}:{password}"))))
}

fn header((name, value): (String, Value)) -> (String, String) {
    let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    (name, value)
}
