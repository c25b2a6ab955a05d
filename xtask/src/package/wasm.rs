//! Compiles the crate to WebAssembly.

use crate::setup::wasm_toolchain::{Toolchain, release_wasm};
use crate::{command, project};
use anyhow::{Context, Result};
use std::fs;
use std::path::PathBuf;

/// One way to build the crate.
pub struct Variant {
    features: &'static [&'static str],
    /// The folder under target/ that receives the glue and the module.
    folder: &'static str,
    /// Whether people download it, so that its size and speed matter.
    pub published: bool,
}

/// What the npm package contains.
pub const PUBLISHED: Variant = Variant { features: &[], folder: "bindgen", published: true };

/// What tests/browser runs the conformance suites from.
pub const CONFORMANCE: Variant =
    Variant { features: &["conformance"], folder: "bindgen-conformance", published: false };

impl Variant {
    /// Where wasm-bindgen's output goes.
    pub fn output(&self) -> PathBuf {
        project::path("target").join(self.folder)
    }

    /// The compiler's output for this variant; cargo's own name for it is the same for all variants.
    pub fn compiled(&self) -> PathBuf {
        project::path("target/wasm").join(format!("{}.wasm", self.folder))
    }
}

/// Compiles the variant.
pub fn compile(variant: &Variant) -> Result<String> {
    let mut cargo = Toolchain::get()?.command("build");
    cargo.args(["--release", "--lib"]);
    cargo.args(variant.features.iter().flat_map(|feature| ["--features", *feature]));
    command::run_quietly(&mut cargo, "the Rust core does not compile to WebAssembly")?;
    let (from, to) = (release_wasm(), variant.compiled());
    fs::copy(&from, &to).with_context(|| format!("cannot copy {} to {}", from.display(), to.display()))?;
    Ok(String::new())
}
