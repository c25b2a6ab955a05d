//! What the tabs tell each other of their commits.
//!
//! A notice has the commit's record with it where that is short: who hears it needs no look at the storage, and a tab that
//! commits after another one mostly knows what that has written. Nothing depends on it: a notice may be late, or never come.

use super::open::{Ended, Inner};
use crate::env;
use crate::storage::Notice;
use bytes::Bytes;
use std::rc::Rc;

/// Records up to so many bytes are told.
const MOST_BYTES: usize = 16 << 10;

/// So many records that are told are kept until they can be applied.
const MOST_HEARD: usize = 64;

impl Inner {
    /// Tells the other tabs of the commit at the position.
    pub(super) fn announce_commit(&self, record: &Bytes) {
        let is_told = record.len() <= MOST_BYTES;
        let told =
            if is_told { [self.header.instance.as_bytes(), record].concat().into() } else { Bytes::new() };
        self.storage.announce(Notice::Committed(self.position.get(), told));
    }

    /// Takes note of what another tab tells.
    pub(super) fn hear(self: Rc<Self>, notice: Notice) {
        let Notice::Committed(position, told) = notice else {
            return self.end(Ended::Destroyed);
        };
        if position <= self.position.get() {
            return;
        }
        // What is told of a database made anew is not for this one.
        if told.starts_with(self.header.instance.as_bytes()) && self.heard.borrow().len() < MOST_HEARD {
            self.heard.borrow_mut().insert(position, told.slice(self.header.instance.len()..));
        }
        if let Some(_turn) = self.turn.try_lock() {
            self.apply_heard();
        }
        if position <= self.position.get() {
            return;
        }
        env::spawn(async move {
            let _turn = self.turn.lock().await;
            if self.ended.get().is_none() {
                self.apply_heard();
            }
            if position > self.position.get() && self.ended.get().is_none() {
                // A failure shows at the next call that needs the storage.
                let _ = self.catch_up_in_turn().await;
            }
        });
    }

    /// Applies what was told and is next in the log, and tells whether there was something. The caller holds the turn.
    pub(super) fn apply_heard(&self) -> bool {
        let before = self.position.get();
        while self.can_do_without_storage() {
            let next = self.heard.borrow_mut().remove(&(self.position.get() + 1));
            // What is no record of that position is read from the storage.
            if next.is_none_or(|record| self.apply(&record).is_err()) {
                break;
            }
        }
        self.heard.borrow_mut().retain(|position, _| *position > self.position.get());
        let advanced = self.position.get() > before;
        if advanced {
            self.tell(None);
        }
        advanced
    }

    /// Whether a record may be applied without a look at what else there is. A tab that only hears would else keep in memory
    /// what others have long flushed.
    fn can_do_without_storage(&self) -> bool {
        self.damage.borrow().is_none()
            && !self.maintenance.must_replay()
            && self.state.borrow().active.log_bytes() < self.settings.flush_bytes
    }
}
