//! Installs Debian packages, where the machine is a Debian and the user may.

use crate::command;
use anyhow::{Result, bail};
use std::process::Command;
use std::sync::OnceLock;

/// Why nothing can be installed with apt here, or nothing if it can.
pub fn obstacle() -> Option<&'static str> {
    if command::find_program(&["apt-get"]).is_none() {
        return Some("this machine has no apt-get");
    }
    if !is_root() && !can_become_root() {
        return Some("installing with apt-get needs root");
    }
    None
}

/// Installs the packages; the caller has made sure that one of them is missing.
pub fn install(packages: &[&str]) -> Result<()> {
    if let Some(obstacle) = obstacle() {
        bail!("{obstacle}");
    }
    static UPDATED: OnceLock<()> = OnceLock::new();
    if UPDATED.set(()).is_ok() {
        let sentence = "apt-get could not read the package lists";
        command::run_quietly(apt_get().args(["update", "-q"]), sentence)?;
    }
    let sentence = format!("apt-get could not install {}", packages.join(" "));
    command::run_quietly(
        apt_get().args(["install", "-q", "-y", "--no-install-recommends"]).args(packages),
        &sentence,
    )
}

fn apt_get() -> Command {
    let mut command = if is_root() {
        command::new("apt-get")
    } else {
        let mut sudo = command::new("sudo");
        sudo.args(["-n", "apt-get"]);
        sudo
    };
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command
}

fn is_root() -> bool {
    command::output_of(command::new("id").arg("-u")).is_some_and(|user| user == "0")
}

fn can_become_root() -> bool {
    command::output_of(command::new("sudo").args(["-n", "true"])).is_some()
}
