//! Remembers what an output was made from, so that unchanged inputs are not worked on again.

use anyhow::{Context, Result};
use std::fs;
use std::hash::{DefaultHasher, Hasher};
use std::path::Path;

/// A hash over the given bytes, stable for one build of this program; a change only costs a rebuild.
pub fn of(parts: &[&[u8]]) -> String {
    let mut hasher = DefaultHasher::new();
    for part in parts {
        hasher.write_usize(part.len());
        hasher.write(part);
    }
    format!("{:016x}", hasher.finish())
}

/// Whether the folder's content was made from inputs with this fingerprint.
pub fn is_current(folder: &Path, fingerprint: &str) -> bool {
    fs::read_to_string(folder.join(".fingerprint")).is_ok_and(|recorded| recorded == fingerprint)
}

/// Records what the folder's content was made from; the last thing to do when it is complete.
pub fn record(folder: &Path, fingerprint: &str) -> Result<()> {
    fs::write(folder.join(".fingerprint"), fingerprint)
        .with_context(|| format!("cannot write into {}", folder.display()))
}
