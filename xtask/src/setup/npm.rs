//! Node and the npm packages of the repository's one manifest.

use crate::{command, project};
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::fs;

/// The oldest Node that the build tools accept; the same as `engines` in package.json.
const OLDEST_NODE: (u32, u32) = (20, 19);

/// Makes sure that a Node new enough is there.
pub fn check_node() -> Result<String> {
    let wanted = format!(
        "Node {}.{} or newer, with npm, is needed (https://nodejs.org)",
        OLDEST_NODE.0, OLDEST_NODE.1
    );
    let Some(version) = command::output_of(command::new("node").arg("--version")) else {
        bail!("there is no `node` here: {wanted}");
    };
    let mut numbers = version.trim_start_matches('v').split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let found = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if found < OLDEST_NODE {
        bail!("node is {version}: {wanted}");
    }
    if command::find_program(&["npm"]).is_none() {
        bail!("there is no `npm` beside node: {wanted}");
    }
    Ok(version)
}

/// Installs the packages of package-lock.json where node_modules holds others.
pub fn install() -> Result<String> {
    if is_installed() {
        return Ok("already there".into());
    }
    let mut npm = command::new("npm");
    npm.args(["ci", "--no-audit", "--no-fund"]);
    command::run_quietly(&mut npm, "npm could not install the packages of package-lock.json")?;
    Ok(String::new())
}

/// Compares what npm recorded when it last installed with the lock file. Modification times would not do: a
/// switch of branches touches the lock file, and `npm install` writes the two in either order.
fn is_installed() -> bool {
    let (Ok(wanted), Ok(installed)) =
        (packages_of("package-lock.json"), packages_of("node_modules/.package-lock.json"))
    else {
        return false;
    };
    let Some(wanted) = wanted.as_object() else { return false };
    wanted.iter().all(|(path, package)| {
        // The first entry is the repository itself; optional packages are those of other platforms.
        let may_be_absent = path.is_empty() || package.get("optional") == Some(&Value::Bool(true));
        let version = installed.get(path).map(|installed| installed.get("version"));
        version == Some(package.get("version")) || (may_be_absent && version.is_none())
    })
}

fn packages_of(lock_file: &str) -> Result<Value> {
    let text =
        fs::read_to_string(project::path(lock_file)).with_context(|| format!("cannot read {lock_file}"))?;
    let mut lock: Value = serde_json::from_str(&text).with_context(|| format!("{lock_file} is not JSON"))?;
    lock.get_mut("packages").map(Value::take).with_context(|| format!("{lock_file} names no packages"))
}
