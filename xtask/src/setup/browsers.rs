//! The browsers that tests and measurements run in.

use super::apt;
use crate::command;
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A browser, by the names it goes under.
pub struct Browser {
    name: &'static str,
    /// The environment variable that names another executable.
    variable: &'static str,
    programs: &'static [&'static str],
    /// Where it is when it is not on the search path.
    paths: &'static [&'static str],
    debian_package: &'static str,
}

/// Chromium, or Chrome, which behaves the same.
pub const CHROMIUM: Browser = Browser {
    name: "Chromium",
    variable: "CHROMIUM",
    programs: &["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"],
    paths: &[
        "/Applications/Chromium.app/Contents/MacOS/Chromium",
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    ],
    debian_package: "chromium",
};

/// Firefox; Debian's is the extended support release.
pub const FIREFOX: Browser = Browser {
    name: "Firefox",
    variable: "FIREFOX",
    programs: &["firefox-esr", "firefox"],
    paths: &["/Applications/Firefox.app/Contents/MacOS/firefox"],
    debian_package: "firefox-esr",
};

/// Makes sure that the browser is there and says where.
pub fn provide(browser: &Browser) -> Result<String> {
    if let Some(chosen) = std::env::var_os(browser.variable) {
        if !Path::new(&chosen).is_file() {
            bail!("{} names {}, which is no file", browser.variable, chosen.display());
        }
        return Ok(format!("{} (from {})", chosen.display(), browser.variable));
    }
    if let Some(path) = find(browser) {
        return Ok(path.display().to_string());
    }
    apt::install(&[browser.debian_package]).with_context(|| {
        format!("install {}, or set {} to its executable, and try again", browser.name, browser.variable)
    })?;
    let path =
        find(browser).with_context(|| format!("{} is still missing after its installation", browser.name))?;
    Ok(format!("installed {}", path.display()))
}

/// Tells a child process which browsers were found.
pub fn announce(command: &mut Command) -> &mut Command {
    for browser in [CHROMIUM, FIREFOX] {
        if std::env::var_os(browser.variable).is_none()
            && let Some(path) = find(&browser)
        {
            command.env(browser.variable, path);
        }
    }
    command
}

fn find(browser: &Browser) -> Option<PathBuf> {
    command::find_program(browser.programs)
        .or_else(|| browser.paths.iter().map(PathBuf::from).find(|path| path.is_file()))
}
