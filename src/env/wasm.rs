use super::Millis;
use std::future::Future;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    // A page, a worker and Node all have it; web_sys only knows the first two.
    #[wasm_bindgen(js_namespace = crypto, js_name = getRandomValues)]
    fn get_random_values(bytes: &mut [u8]);

    // js_sys's constructor does not catch what a wrong pattern throws.
    #[wasm_bindgen(js_name = RegExp)]
    #[derive(Debug, Clone)]
    type RegExp;

    #[wasm_bindgen(constructor, catch, js_class = "RegExp")]
    fn new(pattern: &str) -> Result<RegExp, JsValue>;

    #[wasm_bindgen(method)]
    fn test(this: &RegExp, text: &str) -> bool;
}

/// A regular expression.
#[derive(Debug, Clone)]
pub struct Regex(RegExp);

impl Regex {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn new(pattern: &str) -> Result<Self, String> {
        RegExp::new(pattern).map(Self).map_err(|error| match error.dyn_ref::<js_sys::Error>() {
            Some(error) => String::from(error.message()),
            None => "Invalid regular expression".to_owned(),
        })
    }

    /// Whether it is found in the text.
    pub fn is_match(&self, text: &str) -> bool {
        self.0.test(text)
    }
}

/// The time now.
pub fn now() -> Millis {
    Millis(js_sys::Date::now() as u64)
}

/// Bytes that nobody can guess.
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    get_random_values(&mut bytes);
    bytes
}

/// Resolves after `span`, at the latest after 24 days (the limit of `setTimeout`).
pub async fn sleep(span: Millis) {
    gloo_timers::future::TimeoutFuture::new(u32::try_from(span.0).unwrap_or(u32::MAX).min(i32::MAX as u32))
        .await;
}

/// Lets other tasks of the event loop run. Unlike [`sleep`] it takes no longer in a page that nobody looks at, where
/// browsers let timers run once a second or once a minute.
pub async fn pause() {
    let Ok(channel) = web_sys::MessageChannel::new() else { return };
    let (here, there) = (channel.port1(), channel.port2());
    let message = js_sys::Promise::new(&mut |resolve, _| here.set_onmessage(Some(&resolve)));
    // A message of nothing can always be sent.
    let _ = there.post_message(&JsValue::NULL);
    let _ = wasm_bindgen_futures::JsFuture::from(message).await;
    // Node does not end while a port is open.
    here.close();
}

/// Runs `future` in the background.
pub fn spawn(future: impl Future<Output = ()> + 'static) {
    wasm_bindgen_futures::spawn_local(future);
}
