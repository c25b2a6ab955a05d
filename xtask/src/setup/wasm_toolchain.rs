//! A Rust toolchain that can compile for wasm32-unknown-unknown.
//!
//! Most contributors have rustup, which adds the target in seconds. Where rustup cannot fetch it, Debian's compiler
//! for browsers can be installed beside it; it brings the standard library as source, which cargo then compiles.

use super::apt;
use crate::{command, project};
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

const TARGET: &str = "wasm32-unknown-unknown";

/// Chooses one of the two where both are there: `installed` or `debian`.
const VARIABLE: &str = "POTOROO_WASM_TOOLCHAIN";

const DEBIAN_PACKAGES: [&str; 4] = ["rustc-web", "cargo-web", "rust-web-src", "lld-19"];
const DEBIAN_CLIPPY_PACKAGE: &str = "rust-web-clippy";
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_CARGO: &str = "/usr/bin/cargo";
const DEBIAN_CLIPPY: &str = "/usr/bin/cargo-clippy";
const DEBIAN_LINKER: &str = "/usr/bin/wasm-ld-19";

/// How to compile for WebAssembly on this machine.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Toolchain {
    /// The toolchain in use has the target's standard library.
    Installed,
    /// Debian's toolchain, which compiles the standard library from source.
    Debian,
}

/// Makes sure that there is a toolchain and says which.
pub fn provide() -> Result<String> {
    if let Some(found) = Toolchain::find() {
        return Ok(found.describe());
    }
    let sentence =
        format!("no Rust toolchain here can compile for {TARGET}; `rustup target add {TARGET}` installs one");
    if chosen() != Some(Toolchain::Debian) && add_with_rustup() && installed() {
        return Ok("added to rustup's toolchain".into());
    }
    if chosen() != Some(Toolchain::Installed) {
        apt::install(&DEBIAN_PACKAGES).context(sentence.clone())?;
    }
    Toolchain::find().map(Toolchain::describe).context(sentence)
}

/// Makes sure that clippy is there for the toolchain in use.
pub fn provide_clippy() -> Result<String> {
    match Toolchain::get()? {
        Toolchain::Installed => {
            if command::output_of(command::cargo().args(["clippy", "--version"])).is_none() {
                bail!("cargo has no clippy here; `rustup component add clippy` installs it");
            }
            Ok("part of the toolchain".into())
        }
        Toolchain::Debian if Path::new(DEBIAN_CLIPPY).is_file() => Ok(DEBIAN_CLIPPY.into()),
        Toolchain::Debian => {
            apt::install(&[DEBIAN_CLIPPY_PACKAGE])?;
            Ok(format!("installed {DEBIAN_CLIPPY_PACKAGE}"))
        }
    }
}

impl Toolchain {
    /// The toolchain to use, if there is one.
    pub fn find() -> Option<Self> {
        let candidates = [(Self::Installed, installed as fn() -> bool), (Self::Debian, debian_is_there)];
        let wanted = chosen();
        let suits = |toolchain: Self| wanted.is_none_or(|wanted| wanted == toolchain);
        candidates
            .into_iter()
            .find(|(toolchain, is_there)| suits(*toolchain) && is_there())
            .map(|(found, _)| found)
    }

    /// The toolchain to use; setting up has made sure of it.
    pub fn get() -> Result<Self> {
        Self::find().with_context(|| format!("the Rust toolchain for {TARGET} is gone"))
    }

    /// A cargo command for the target: `build` or `clippy`.
    pub fn command(self, subcommand: &str) -> Command {
        let mut command = match (self, subcommand) {
            (Self::Installed, _) => command::cargo(),
            // cargo would look for `cargo-clippy` in rustup's folder first.
            (Self::Debian, "clippy") => command::new(DEBIAN_CLIPPY),
            (Self::Debian, _) => command::new(DEBIAN_CARGO),
        };
        command
            .arg(subcommand)
            .args(["--package", "potoroo", "--target", TARGET, "--target-dir"])
            .arg(target_dir())
            .arg("--config")
            .arg(flags_without_machine_paths());
        if self == Self::Debian {
            command.args(["-Z", "build-std=std,panic_abort"]);
            command.envs([("RUSTC", DEBIAN_RUSTC), ("CARGO", DEBIAN_CARGO), ("RUSTC_BOOTSTRAP", "1")]);
            command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", DEBIAN_LINKER);
        }
        command
    }

    fn describe(self) -> String {
        let rustc = if self == Self::Debian { DEBIAN_RUSTC } else { "rustc" };
        let version = command::output_of(command::new(rustc).arg("--version")).unwrap_or_default();
        version.split(" (").next().unwrap_or_default().to_owned()
            + if self == Self::Debian { " of Debian" } else { "" }
    }
}

/// Where the release build leaves the crate.
pub fn release_wasm() -> PathBuf {
    target_dir().join(TARGET).join("release/potoroo.wasm")
}

/// A folder of its own, so that native and wasm32 builds do not wait for each other's lock.
fn target_dir() -> PathBuf {
    project::path("target/wasm")
}

/// Panic messages contain the paths of source files; the published module must not depend on whose machine built it.
fn flags_without_machine_paths() -> String {
    let home = std::env::var("CARGO_HOME").or_else(|_| std::env::var("HOME").map(|home| home + "/.cargo"));
    let registry = home.unwrap_or_default() + "/registry/src";
    let prefixes = [(project::root().display().to_string(), "potoroo"), (registry, "crates")];
    let flags = prefixes.map(|(from, to)| format!("--remap-path-prefix={from}={to}"));
    format!("target.{TARGET}.rustflags={flags:?}")
}

fn chosen() -> Option<Toolchain> {
    match std::env::var(VARIABLE).ok()?.as_str() {
        "installed" => Some(Toolchain::Installed),
        "debian" => Some(Toolchain::Debian),
        _ => None,
    }
}

/// Asks the compiler itself, because not every Rust comes by rustup.
fn installed() -> bool {
    let mut rustc = command::new("rustc");
    let folder = command::output_of(rustc.args(["--print", "target-libdir", "--target", TARGET]));
    let entries = folder.and_then(|folder| std::fs::read_dir(folder).ok());
    entries.is_some_and(|entries| {
        entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with("libstd-"))
    })
}

fn add_with_rustup() -> bool {
    command::output_of(command::new("rustup").args(["target", "add", TARGET])).is_some()
}

fn debian_is_there() -> bool {
    let files = [DEBIAN_CARGO, DEBIAN_LINKER, "/usr/lib/rustlib/src/rust/library/std/Cargo.toml"];
    files.iter().all(|file| Path::new(file).is_file()) && debian_rustc_is_new_enough()
}

/// Debian's ordinary compiler, which can be years older, uses the same path.
fn debian_rustc_is_new_enough() -> bool {
    let version = command::output_of(command::new(DEBIAN_RUSTC).arg("--version")).unwrap_or_default();
    let found = version.split_whitespace().nth(1).unwrap_or_default();
    minor_version(found) >= minor_version(env!("CARGO_PKG_RUST_VERSION"))
}

/// The 96 of 1.96.0.
fn minor_version(version: &str) -> u32 {
    version.split('.').nth(1).and_then(|minor| minor.parse().ok()).unwrap_or(0)
}
