//! Finds what the other commands need on this machine, and installs what is missing.

mod apt;
pub mod browsers;
mod npm;
pub mod wasm_toolchain;

use crate::steps::Step;

/// What a build needs.
pub fn for_building() -> Vec<Step> {
    vec![
        Step { title: "checking node", run: npm::check_node },
        Step { title: "looking for a Rust toolchain for WebAssembly", run: wasm_toolchain::provide },
        Step { title: "installing npm packages", run: npm::install },
    ]
}

/// What linting needs on top of a build.
pub fn for_linting() -> Vec<Step> {
    vec![Step { title: "looking for clippy for WebAssembly", run: wasm_toolchain::provide_clippy }]
}

/// What tests and measurements in browsers need on top of a build.
pub fn for_browsers() -> Vec<Step> {
    vec![
        Step { title: "looking for Chromium", run: || browsers::provide(&browsers::CHROMIUM) },
        Step { title: "looking for Firefox", run: || browsers::provide(&browsers::FIREFOX) },
    ]
}
