//! Turns by a text under a key, where the platform has no locks: Fischer's algorithm.
//!
//! Who wants to write sets a text of its own where there is none, waits, and looks whether it is still there. Two may set
//! theirs at once, but only one is there in the end; so it works if the others see a text before that wait is over.

use super::map::StringMap;
use super::names::Names;
use super::passed_since;
use crate::env::{self, Millis};
use crate::storage::StorageResult;
use std::rc::Rc;

/// By then, other pages have seen a text.
const SEEN: Millis = Millis(100);
/// How often to look whether another one's turn is over, and after how long its page must be dead.
const PAUSE: Millis = Millis(20);
const PATIENCE: Millis = Millis(3000);

/// As long as that of somebody, so that taking a turn needs no room.
const NOBODY: &str = "------------------------------------";

/// A turn, given back when it is dropped.
pub(super) struct Turn {
    map: Rc<dyn StringMap>,
    key: String,
    root: String,
    me: String,
}

impl Turn {
    fn is_mine(&self) -> StorageResult<bool> {
        Ok(self.map.get(&self.key)?.as_deref() == Some(&self.me))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if self.is_mine().unwrap_or(false) {
            let is_destroyed = self.map.get(&self.root).is_ok_and(|root| root.is_none());
            // Where it fails the others lose their patience.
            let _ = if is_destroyed { self.map.remove(&self.key) } else { self.map.set(&self.key, NOBODY) };
        }
    }
}

/// Waits for a turn.
pub(super) async fn take(map: &Rc<dyn StringMap>, names: &Names) -> StorageResult<Turn> {
    let turn = Turn { map: map.clone(), key: names.turn(), root: names.root(), me: env::uuid() };
    loop {
        if !turn.is_mine()? {
            wait_for_others(&**map, names).await?;
        }
        let before = map.get(&turn.root)?;
        map.set(&turn.key, &turn.me)?;
        env::sleep(SEEN).await;
        // A page in which locks answer, where they did not in this one, changes the root without asking.
        if turn.is_mine()? && map.get(&turn.root)? == before {
            return Ok(turn);
        }
    }
}

/// Waits until nobody has the turn.
pub(super) async fn wait_for_others(map: &dyn StringMap, names: &Names) -> StorageResult<()> {
    let key = names.turn();
    let mut seen = None;
    let mut since = env::now();
    loop {
        let other = map.get(&key)?.filter(|other| other != NOBODY);
        if other.is_none() {
            return Ok(());
        }
        if other != seen {
            since = env::now();
        } else if passed_since(since) >= PATIENCE {
            return map.set(&key, NOBODY);
        }
        seen = other;
        env::sleep(PAUSE).await;
    }
}
