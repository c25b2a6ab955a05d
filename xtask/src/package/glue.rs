//! Turns the compiler's module into one that JavaScript can call, and makes it small and fast.

use super::wasm::Variant;
use crate::{command, fingerprint, project};
use anyhow::{Context, Result, anyhow};
use std::fs;
use std::path::Path;
use wasm_bindgen_cli_support::Bindgen;

/// -Os would make the module 1% smaller, measured; speed is why people choose the package.
/// The features are those that Rust's compiler uses by default; all browsers have had them since 2022.
const OPTIMIZER_OPTIONS: [&str; 7] = [
    "-O3",
    "--enable-bulk-memory",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-reference-types",
    "--enable-multivalue",
];

/// Writes potoroo.js and potoroo_bg.wasm into the variant's folder.
pub fn generate(variant: &Variant) -> Result<String> {
    let input = variant.compiled();
    let module = fs::read(&input).with_context(|| format!("cannot read {}", input.display()))?;
    // What is done here depends on this file and on the versions of wasm-bindgen and binaryen.
    let (crates, packages) =
        (fs::read(project::path("Cargo.lock"))?, fs::read(project::path("package-lock.json"))?);
    let fingerprint = fingerprint::of(&[&module, include_bytes!("glue.rs"), &crates, &packages]);
    let folder = variant.output();
    if fingerprint::is_current(&folder, &fingerprint) {
        return Ok("unchanged".into());
    }
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("cannot empty {}", folder.display()))?;
    }
    bind(module, &folder, variant.published).map_err(|error| anyhow!("wasm-bindgen failed: {error:#}"))?;
    if variant.published {
        optimize(&folder.join("potoroo_bg.wasm"))?;
    }
    fingerprint::record(&folder, &fingerprint)?;
    Ok(String::new())
}

fn bind(module: Vec<u8>, folder: &Path, published: bool) -> Result<()> {
    let mut bindgen = Bindgen::new();
    bindgen.input_bytes("potoroo", module).web(true)?.typescript(true);
    // The default path is `new URL('potoroo_bg.wasm', import.meta.url)`. Old bundlers can't parse it, new ones would
    // copy a second module into the app; the package hands the module over itself.
    bindgen
        .omit_default_module_path(published)
        .remove_name_section(published)
        .remove_producers_section(published);
    bindgen.generate(folder)
}

fn optimize(module: &Path) -> Result<()> {
    let optimized = module.with_extension("optimized.wasm");
    let mut wasm_opt = command::new("node");
    wasm_opt.arg("node_modules/binaryen/bin/wasm-opt").args(OPTIMIZER_OPTIONS);
    wasm_opt.arg(module).arg("-o").arg(&optimized);
    command::run_quietly(&mut wasm_opt, "wasm-opt could not optimize the module")?;
    fs::rename(&optimized, module).with_context(|| format!("cannot replace {}", module.display()))
}
