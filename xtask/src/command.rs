//! Runs other programs: quietly with a log, or visibly with a copy of what they print.

use crate::project;
use anyhow::{Context, Result, bail};
use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// How much of a failed program's output is shown; the rest is in its log.
const EXCERPT_HEAD: usize = 15;
const EXCERPT_TAIL: usize = 40;

/// A command that starts in the repository's root.
pub fn new(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(project::root());
    // `cargo run` puts its own toolchain's libraries first, which are the wrong ones for another Rust.
    command.env_remove("LD_LIBRARY_PATH").stdin(Stdio::null());
    command
}

/// The cargo that runs this program.
pub fn cargo() -> Command {
    new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Runs a command whose output only matters when it fails. `sentence` says what then did not work.
pub fn run_quietly(command: &mut Command, sentence: &str) -> Result<()> {
    let log = log_file(command)?;
    let output = fs::File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
    let status = command
        .stdout(output.try_clone()?)
        .stderr(output)
        .status()
        .with_context(|| format!("{sentence}: cannot start {}", describe(command)))?;
    if status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&fs::read(&log).unwrap_or_default()).into_owned();
    bail!(
        "{sentence}.\n{} ended with {status}:\n\n{}\n\n(all of it: {})",
        describe(command),
        excerpt(&text),
        log.display()
    )
}

/// Runs a command and returns what it wrote to standard output, or nothing if it failed or is not there.
pub fn output_of(command: &mut Command) -> Option<String> {
    let output = command.stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// What a program said and whether it ended well.
pub struct Report {
    /// Standard output and standard error, in the order they came.
    pub text: String,
    /// Whether the exit status was zero.
    pub success: bool,
}

/// Runs a command, passing on what it prints while keeping a copy.
pub fn run_visibly(command: &mut Command) -> Result<Report> {
    // One pipe for both streams keeps their order.
    let (reader, writer) = std::io::pipe()?;
    let spawned = command.stdout(writer.try_clone()?).stderr(writer).spawn();
    // The command holds the writing ends, and the pipe ends only when all are gone.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = spawned.with_context(|| format!("cannot start {}", describe(command)))?;
    let text = copy_to_stdout(reader)?;
    Ok(Report { text, success: child.wait()?.success() })
}

fn copy_to_stdout(reader: impl Read) -> Result<String> {
    let mut text = String::new();
    let mut lines = BufReader::new(reader);
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line)? > 0 {
        let shown = String::from_utf8_lossy(&line);
        let mut stdout = std::io::stdout().lock();
        stdout.write_all(shown.as_bytes())?;
        stdout.flush()?;
        text.push_str(&shown);
        line.clear();
    }
    Ok(text)
}

/// The first of these programs that is on the search path.
pub fn find_program(names: &[&str]) -> Option<PathBuf> {
    let search_path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&search_path).collect();
    names
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
        .find(|path| path.is_file())
}

fn log_file(command: &Command) -> Result<PathBuf> {
    let folder = project::path("target/logs");
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let program = Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy();
    let first = command.get_args().next().map(|argument| Path::new(argument).file_name().unwrap_or_default());
    let name = format!("{program}-{}", first.unwrap_or_default().to_string_lossy());
    Ok(folder.join(name.trim_end_matches('-').to_owned() + ".log"))
}

fn describe(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}

/// The beginning and the end, because some programs say first what is wrong, and some last.
fn excerpt(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let end = lines.len().saturating_sub(EXCERPT_TAIL);
    let beginning = lines.get(..EXCERPT_HEAD.min(end)).unwrap_or_default().join("\n");
    let rest = lines.get(end..).unwrap_or_default().join("\n");
    match end {
        0 => rest,
        end if end > EXCERPT_HEAD => format!("{beginning}\n[...]\n{rest}"),
        _ => format!("{beginning}\n{rest}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_output_is_shown_by_its_beginning_and_its_end() {
        let lines =
            |range: std::ops::Range<usize>| range.map(|line| line.to_string()).collect::<Vec<_>>().join("\n");
        let all = EXCERPT_HEAD + EXCERPT_TAIL;
        for short in [0, 1, EXCERPT_TAIL, EXCERPT_TAIL + 1, all] {
            assert_eq!(excerpt(&lines(0..short)), lines(0..short), "{short} lines");
        }
        let long = excerpt(&lines(0..all + 5));
        assert_eq!(long, format!("{}\n[...]\n{}", lines(0..EXCERPT_HEAD), lines(EXCERPT_HEAD + 5..all + 5)));
    }
}
