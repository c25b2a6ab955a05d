//! `cargo xtask package`: the npm package in pkg/, and its tarball in the repository's root.

mod glue;
mod wasm;

use crate::steps::{self, Step};
use crate::{command, project, setup};
use anyhow::{Context, Result, bail};
use std::path::Path;
use std::process::ExitCode;

/// Builds the package and shows what a page would download.
pub fn run() -> Result<ExitCode> {
    let mut plan = setup::for_building();
    plan.extend(build_steps());
    steps::run(&plan)?;
    print_sizes()?;
    println!("\npkg/ holds the npm package, potoroo-{}.tgz its tarball.", project::VERSION);
    Ok(ExitCode::SUCCESS)
}

/// The steps from sources to pkg/.
pub fn build_steps() -> Vec<Step> {
    vec![
        Step { title: "compiling the core to WebAssembly", run: || wasm::compile(&wasm::PUBLISHED) },
        Step {
            title: "generating its JavaScript glue and optimizing it",
            run: || glue::generate(&wasm::PUBLISHED),
        },
        Step { title: "bundling the npm package", run: bundle },
        Step { title: "packing it", run: pack },
    ]
}

/// The steps to target/bindgen-conformance: a build for tests, with the conformance suites exported.
pub fn conformance_steps() -> Vec<Step> {
    vec![
        Step { title: "compiling the conformance suites", run: || wasm::compile(&wasm::CONFORMANCE) },
        Step { title: "generating their JavaScript glue", run: || glue::generate(&wasm::CONFORMANCE) },
    ]
}

/// Prints what a page downloads, for each way to include the package.
pub fn print_sizes() -> Result<()> {
    println!();
    let report = command::run_visibly(command::new("node").arg("pkg-template/build/sizes.mjs"))?;
    if !report.success {
        bail!("the sizes of the package could not be computed");
    }
    Ok(())
}

fn bundle() -> Result<String> {
    let mut node = command::new("node");
    node.args(["pkg-template/build/bundle.mjs", "--version", project::VERSION]);
    command::run_quietly(&mut node, "the JavaScript of the npm package could not be bundled")?;
    link_into_node_modules()?;
    Ok(String::new())
}

fn pack() -> Result<String> {
    let mut npm = command::new("npm");
    npm.args(["pack", "--ignore-scripts", "--pack-destination"]).arg(project::root());
    npm.current_dir(project::path("pkg"));
    command::run_quietly(&mut npm, "npm could not pack the package")?;
    Ok(format!("potoroo-{}.tgz", project::VERSION))
}

/// Lets the demo, the tests and the measurements import the built package by its name.
fn link_into_node_modules() -> Result<()> {
    let link = project::path("node_modules/potoroo");
    let target = Path::new("../pkg");
    if std::fs::read_link(&link).is_ok_and(|existing| existing == target) {
        return Ok(());
    }
    symlink(target, &link).with_context(|| format!("cannot link {} to pkg/", link.display()))
}

#[cfg(unix)]
fn symlink(target: &Path, link: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(target, link)
}

#[cfg(windows)]
fn symlink(target: &Path, link: &Path) -> std::io::Result<()> {
    std::os::windows::fs::symlink_dir(target, link)
}
