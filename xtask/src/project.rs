//! Where things are in the repository, and which version it is.

use std::path::{Path, PathBuf};

/// The repository's root folder.
pub fn root() -> PathBuf {
    // Cargo sets the variable when it runs this program, so a moved checkout is still found.
    let manifest_dir = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    manifest_dir.parent().map_or_else(|| manifest_dir.clone(), Path::to_path_buf)
}

/// A path inside the repository.
pub fn path(relative: &str) -> PathBuf {
    root().join(relative)
}

/// The one version of the project: the crate's, the npm package's, and this program's.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
