use super::Millis;
use futures_util::future::LocalBoxFuture;
use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

#[cfg(test)]
thread_local! {
    static REPEATED: RefCell<Option<Box<dyn FnMut() -> u64>>> = const { RefCell::new(None) };
}

thread_local! {
    static SPAWNED: RefCell<Vec<LocalBoxFuture<'static, ()>>> = const { RefCell::new(Vec::new()) };
}

/// The time now.
#[expect(clippy::disallowed_methods, reason = "this is the place the lint sends everybody to")]
pub fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// Bytes that nobody can guess.
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    #[cfg(test)]
    if REPEATED
        .with_borrow_mut(|given| given.as_mut().map(|numbers| fill_from(&mut bytes, numbers)))
        .is_some()
    {
        return bytes;
    }
    getrandom::fill(&mut bytes).expect("BUG: the system gives no randomness");
    bytes
}

#[cfg(test)]
fn fill_from(bytes: &mut [u8], numbers: &mut dyn FnMut() -> u64) {
    for chunk in bytes.chunks_mut(8) {
        chunk.copy_from_slice(&numbers().to_le_bytes()[..chunk.len()]);
    }
}

/// From now on [`random_bytes`] on this thread are made of these numbers.
#[cfg(test)]
pub fn take_randomness_from(numbers: impl FnMut() -> u64 + 'static) {
    REPEATED.set(Some(Box::new(numbers)));
}

/// A regular expression.
#[derive(Debug, Clone)]
pub struct Regex(regex_lite::Regex);

impl Regex {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn new(pattern: &str) -> Result<Self, String> {
        regex_lite::Regex::new(pattern).map(Self).map_err(|error| error.to_string())
    }

    /// Whether it is found in the text.
    pub fn is_match(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

/// Resolves after `span`.
pub async fn sleep(span: Millis) {
    futures_timer::Delay::new(Duration::from_millis(span.0)).await;
}

/// Lets other tasks run.
pub async fn pause() {
    super::give_way().await;
}

/// Runs `future` in the background, for as long as [`block_on`] runs on this thread.
pub fn spawn(future: impl Future<Output = ()> + 'static) {
    SPAWNED.with_borrow_mut(|spawned| spawned.push(Box::pin(future)));
}

/// Runs a future that waits for nobody else: only turns of its own storage, which pass by themselves.
#[cfg(test)]
pub fn at_once<T>(future: impl Future<Output = T>) -> T {
    let mut context = Context::from_waker(Waker::noop());
    let mut future = std::pin::pin!(future);
    for _ in 0..100_000 {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
    }
    panic!("the future waits for something else");
}

struct Unpark(std::thread::Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs `main` on this thread, and beside it whatever is spawned; what is left when `main` is done is dropped.
pub fn block_on<T>(main: impl Future<Output = T>) -> T {
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut main = std::pin::pin!(main);
    let mut background: Vec<Pin<Box<dyn Future<Output = ()>>>> = Vec::new();
    loop {
        if let Poll::Ready(value) = main.as_mut().poll(&mut context) {
            SPAWNED.with_borrow_mut(Vec::clear);
            return value;
        }
        loop {
            background.extend(SPAWNED.with_borrow_mut(std::mem::take));
            background.retain_mut(|task| task.as_mut().poll(&mut context).is_pending());
            if SPAWNED.with_borrow(Vec::is_empty) {
                break;
            }
        }
        std::thread::park_timeout(Duration::from_millis(50));
    }
}
