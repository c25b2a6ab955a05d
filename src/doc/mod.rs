//! Documents: ids, revision ids, bodies. Pure.

mod rev;

pub use rev::{Rev, RevHash};
