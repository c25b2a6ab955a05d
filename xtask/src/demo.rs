//! `cargo xtask demo`: the demo app with a CouchDB-compatible server beside it.

use crate::{command, package, setup, steps};
use anyhow::{Context, Result};
use std::process::ExitCode;

/// Builds everything and serves the demo until interrupted.
pub fn run() -> Result<ExitCode> {
    let mut plan = setup::for_building();
    plan.extend(package::build_steps());
    plan.push(steps::Step { title: "building the demo app", run: build_app });
    steps::run(&plan)?;
    println!();
    let mut server = command::new("node");
    // COUCHDB_URL reaches it through the environment, where a password in it is not for everybody to see.
    server.args(["www/serve.mjs", "--port", "5173", "--open"]);
    become_process(&mut server).context("the demo's server could not be started")
}

fn build_app() -> Result<String> {
    let mut vite = command::new("node");
    vite.args(["node_modules/vite/bin/vite.js", "build", "www"]);
    command::run_quietly(&mut vite, "the demo app could not be built")?;
    Ok(String::new())
}

/// Replaces this process, so that whoever stops the command stops the server, by whatever signal.
#[cfg(unix)]
fn become_process(command: &mut std::process::Command) -> Result<ExitCode> {
    use std::os::unix::process::CommandExt;
    Err(command.exec().into())
}

#[cfg(not(unix))]
fn become_process(command: &mut std::process::Command) -> Result<ExitCode> {
    let success = command.status()?.success();
    Ok(if success { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
