//! The lease that stands for a turn where the platform has no locks.

use crate::engine::open::Inner;
use crate::env::{self, Millis};

/// So often who waits for another tab's lease to end looks whether that is still right.
const LEASE_LOOK: Millis = Millis(100);

impl Inner {
    /// Leaves the work to another tab that has it leased; tells whether it did. Not where commits would have to wait: a tab may
    /// have died with its lease.
    pub(super) async fn wait_for_lease(&self) -> bool {
        let turn = self.turn.lock().await;
        if self.ended.get().is_none() {
            // What cannot be read is found out again with the work.
            let _ = self.catch_up_in_turn().await;
        }
        drop(turn);
        let lease = self.state.borrow().manifest.lease.filter(|lease| lease.writer != self.writer);
        // A clock that was set back must not keep everybody from working.
        let left = lease.map_or(0, |lease| lease.until.since(env::now()).0);
        let is_urgent = self.state.borrow().active.log_bytes() / 4 >= self.settings.flush_bytes;
        if left == 0 || left > self.settings.lease.0 || is_urgent {
            return false;
        }
        env::sleep(LEASE_LOOK.min(Millis(left))).await;
        true
    }
}
