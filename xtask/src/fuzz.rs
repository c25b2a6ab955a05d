//! `cargo xtask fuzz`: the targets of `fuzz/`, with the toolchain that is there.

use crate::{command, project};
use anyhow::{Context, Result, bail};
use std::process::ExitCode;

/// What `cargo fuzz` tells the compiler, but for the sanitizers: those take a nightly toolchain, and there is no unsafe code.
const FLAGS: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1";

const TARGETS: [&str; 7] =
    ["documents", "server", "multipart", "adoption", "stored_records", "stored_documents", "tree"];

/// `[target] [seconds]`: all of them, a minute each, unless told otherwise.
pub fn run(arguments: &[String]) -> Result<ExitCode> {
    let (names, rest): (Vec<&String>, Vec<&String>) =
        arguments.iter().partition(|argument| TARGETS.contains(&argument.as_str()));
    let seconds: u32 = match rest.as_slice() {
        [] => 60,
        [seconds] => seconds.parse().with_context(|| format!("no target and no number: {seconds}"))?,
        _ => bail!("the targets are {}; and there may be a number of seconds", TARGETS.join(", ")),
    };
    let host = host()?;
    let is_wanted = |target: &&str| names.is_empty() || names.iter().any(|name| name == target);
    for target in TARGETS.into_iter().filter(is_wanted) {
        println!("\n== {target}, {seconds} s\n");
        let corpus = project::path(&format!("fuzz/corpus/{target}"));
        let artifacts = project::path(&format!("fuzz/artifacts/{target}/"));
        for folder in [&corpus, &artifacts] {
            std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
        }
        let mut fuzzer = command::cargo();
        fuzzer.env("RUSTFLAGS", FLAGS);
        fuzzer.args(["run", "--release", "--manifest-path", "fuzz/Cargo.toml", "--bin", target]);
        // Build scripts and macros, which are not to be watched, get no flags where there is a target.
        fuzzer.args(["--target", &host, "--"]);
        fuzzer.arg(format!("-max_total_time={seconds}"));
        fuzzer.arg(format!("-artifact_prefix={}", artifacts.display()));
        fuzzer.args(["-timeout=20", "-rss_limit_mb=2048", "-max_len=4096"]).arg(corpus);
        // What is text is hardly found by chance.
        let seeds = project::path(&format!("fuzz/seeds/{target}"));
        if seeds.exists() {
            fuzzer.arg(seeds);
        }
        if !fuzzer.status().context("cannot start cargo")?.success() {
            return Ok(ExitCode::FAILURE);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The platform that programs are built for here.
fn host() -> Result<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let about = command::output_of(command::new(rustc).arg("-vV")).context("cannot start rustc")?;
    let host = about.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc does not say for which platform it builds")?.to_owned())
}
