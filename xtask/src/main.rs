//! The project's commands: `cargo xtask demo | test | package | bench | fuzz`.
//!
//! Each starts from whatever the machine has, installs what is missing, and says step by step what it does.
#![allow(
    clippy::disallowed_methods,
    reason = "a build tool runs natively and reports how long its steps took"
)]

mod bench;
mod command;
mod demo;
mod fingerprint;
mod fuzz;
mod package;
mod project;
mod setup;
mod steps;
mod test;

use std::process::ExitCode;

const USAGE: &str = "\
Usage: cargo xtask <command>

  demo                start a CouchDB-compatible server and the demo app, and open it in a browser
                      (COUCHDB_URL=http://user:password@host:5984 uses a CouchDB of yours instead)
  test [group ...]    run everything that can fail; groups: lint native types browser package e2e
  package             build the npm package into pkg/ and its tarball beside it
  fuzz [target] [seconds]
                      run the fuzz targets of fuzz/, a minute each, with libFuzzer (takes a C++ compiler)
  bench [options]     compare Potoroo with its peers; the options go to www/bench/run.mjs

CHROMIUM and FIREFOX name the browsers to use where the ones found are not the right ones.";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next();
    let rest: Vec<String> = arguments.collect();
    let result = match command.as_deref() {
        Some("demo") if rest.is_empty() => demo::run(),
        Some("package") if rest.is_empty() => package::run(),
        Some("test") => test::run(&rest),
        Some("fuzz") => fuzz::run(&rest),
        Some("bench") => bench::run(&rest),
        Some("help" | "--help" | "-h") => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}
