//! `cargo xtask bench`: the comparison with peers.

use crate::setup::browsers;
use crate::{command, package, setup, steps};
use anyhow::{Context, Result};
use std::process::ExitCode;

/// Builds the package and measures it; the options go to the measuring program.
pub fn run(options: &[String]) -> Result<ExitCode> {
    let mut plan = setup::for_building();
    plan.extend(setup::for_browsers());
    plan.extend(package::build_steps());
    steps::run(&plan)?;
    println!();
    let mut node = command::new("node");
    node.arg("www/bench/run.mjs").args(options);
    let status = browsers::announce(&mut node).status().context("cannot start node")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
