//! The suites, in the order in which they run: quick ones first.

use super::count::{self, Count};
use super::layers;
use crate::setup::wasm_toolchain::Toolchain;
use crate::{command, project};
use anyhow::{Context, Result, bail};
use std::fs;
use std::process::Command;

/// What can be asked for by name: `cargo xtask test browser`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Formatting, clippy, layers.
    Lint,
    /// The Rust tests.
    Native,
    /// The TypeScript of the package.
    Types,
    /// The core and the package in a page and in a worker.
    Browser,
    /// The tarball in small projects that install it.
    Package,
    /// The demo app against a server.
    EndToEnd,
}

impl Group {
    /// All groups, in the order in which they run.
    pub const ALL: [Self; 6] =
        [Self::Lint, Self::Native, Self::Types, Self::Browser, Self::Package, Self::EndToEnd];

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lint => "lint",
            Self::Native => "native",
            Self::Types => "types",
            Self::Browser => "browser",
            Self::Package => "package",
            Self::EndToEnd => "e2e",
        }
    }

    /// Whether pkg/ must have been built.
    pub const fn needs_package(self) -> bool {
        !matches!(self, Self::Lint | Self::Native | Self::Types)
    }
}

/// One line of the closing summary.
pub struct Suite {
    /// The suite's name in that line.
    pub title: &'static str,
    /// By which it can be asked for.
    pub group: Group,
    /// What to do.
    pub work: Work,
}

/// How a suite is run and how it is counted.
pub enum Work {
    /// A program that only passes or fails.
    Check(fn() -> Result<Command>),
    /// A program that says how many of its tests passed and failed, and how to find that in what it prints.
    Tests(fn() -> Result<Command>, fn(&str) -> Option<Count>),
    /// A check in this program.
    Function(fn() -> Result<()>),
}

/// Every suite there is.
pub const SUITES: &[Suite] = &[
    Suite { title: "format", group: Group::Lint, work: Work::Check(format) },
    Suite { title: "layers", group: Group::Lint, work: Work::Function(layers::check) },
    Suite { title: "clippy", group: Group::Lint, work: Work::Check(clippy) },
    Suite { title: "clippy for wasm32", group: Group::Lint, work: Work::Check(clippy_for_wasm) },
    Suite { title: "native tests", group: Group::Native, work: Work::Tests(native, count::of_cargo_test) },
    Suite { title: "types of the package", group: Group::Types, work: Work::Check(types) },
    Suite {
        title: "storage conformance in Chromium",
        group: Group::Browser,
        work: Work::Tests(conformance_in_chromium, count::of_last_line),
    },
    Suite {
        title: "storage conformance in Firefox",
        group: Group::Browser,
        work: Work::Tests(conformance_in_firefox, count::of_last_line),
    },
    Suite {
        title: "browser tests in Chromium",
        group: Group::Browser,
        work: Work::Tests(chromium, count::of_last_line),
    },
    Suite {
        title: "browser tests in Firefox",
        group: Group::Browser,
        work: Work::Tests(firefox, count::of_last_line),
    },
    Suite {
        title: "parity tests in the worker, Chromium",
        group: Group::Browser,
        work: Work::Tests(chromium_in_worker, count::of_last_line),
    },
    Suite {
        title: "parity tests in the worker, Firefox",
        group: Group::Browser,
        work: Work::Tests(firefox_in_worker, count::of_last_line),
    },
    Suite {
        title: "pages and browsers killed",
        group: Group::Browser,
        work: Work::Tests(kills, count::of_last_line),
    },
    Suite { title: "package tests", group: Group::Package, work: Work::Tests(package, count::of_node_test) },
    Suite {
        title: "end-to-end tests",
        group: Group::EndToEnd,
        work: Work::Tests(end_to_end, count::of_last_line),
    },
];

fn format() -> Result<Command> {
    let mut cargo = command::cargo();
    cargo.args(["fmt", "--all", "--check"]);
    Ok(cargo)
}

fn clippy() -> Result<Command> {
    let mut cargo = command::cargo();
    cargo.args(["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"]);
    Ok(cargo)
}

fn clippy_for_wasm() -> Result<Command> {
    let mut cargo = Toolchain::get()?.command("clippy");
    // The profile of the build, to share the macros and build scripts compiled for it.
    cargo.args(["--release", "--lib", "--all-features", "--quiet", "--", "-D", "warnings"]);
    Ok(cargo)
}

fn native() -> Result<Command> {
    let mut cargo = command::cargo();
    cargo.args(["test", "--workspace", "--no-fail-fast"]);
    Ok(cargo)
}

fn types() -> Result<Command> {
    let mut node = command::new("node");
    node.args(["node_modules/typescript/bin/tsc", "--noEmit", "--project", "pkg-template"]);
    Ok(node)
}

fn conformance_in_chromium() -> Result<Command> {
    node_program("tests/browser/conformance.mjs", &["--browser", "chromium"])
}

fn conformance_in_firefox() -> Result<Command> {
    node_program("tests/browser/conformance.mjs", &["--browser", "firefox"])
}

fn chromium() -> Result<Command> {
    node_program("tests/browser/run.mjs", &["--browser", "chromium"])
}

fn firefox() -> Result<Command> {
    node_program("tests/browser/run.mjs", &["--browser", "firefox"])
}

fn chromium_in_worker() -> Result<Command> {
    node_program("tests/browser/run.mjs", &["--browser", "chromium", "--worker"])
}

fn firefox_in_worker() -> Result<Command> {
    node_program("tests/browser/run.mjs", &["--browser", "firefox", "--worker"])
}

fn kills() -> Result<Command> {
    node_program("tests/browser/kills.mjs", &["--times", "3"])
}

fn end_to_end() -> Result<Command> {
    node_program("tests/e2e/run.mjs", &[])
}

/// Names each file, because node's versions differ in what a folder after --test means.
fn package() -> Result<Command> {
    let mut files = Vec::new();
    for entry in fs::read_dir(project::path("tests/package")).context("cannot read tests/package")? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.ends_with(".test.mjs") {
            files.push(format!("tests/package/{name}"));
        }
    }
    files.sort();
    if files.is_empty() {
        bail!("tests/package has no tests");
    }
    let mut node = command::new("node");
    node.args(["--test", "--test-reporter=spec"]).args(files);
    Ok(node)
}

fn node_program(program: &str, options: &[&str]) -> Result<Command> {
    if !project::path(program).is_file() {
        bail!("{program} is missing");
    }
    let mut node = command::new("node");
    node.arg(program).args(options);
    Ok(node)
}
