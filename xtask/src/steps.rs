//! Steps shown while they run: `[2/9] building the wasm core ... 41 s`.

use crate::project;
use anyhow::{Context, Result};
use std::fs::{self, File, TryLockError};
use std::io::{IsTerminal, Write};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// One thing a command does on its way.
pub struct Step {
    /// What the step does, in words that follow "[1/9] ".
    pub title: &'static str,
    /// Does it; the text returned is shown behind the title ("already there").
    pub run: fn() -> Result<String>,
}

/// Runs the steps in order and stops at the first that fails.
pub fn run(steps: &[Step]) -> Result<()> {
    // Until this is dropped.
    let _only_one = lock()?;
    for (index, step) in steps.iter().enumerate() {
        let line = format!("[{}/{}] {} ...", index + 1, steps.len(), step.title);
        let started = Instant::now();
        let result = with_running_clock(&line, started, step.run);
        let seconds = format_duration(started.elapsed());
        match result {
            Ok(note) if note.is_empty() => println!(" {seconds}"),
            Ok(note) => println!(" {seconds}, {note}"),
            Err(error) => {
                println!(" failed after {seconds}");
                return Err(error);
            }
        }
    }
    Ok(())
}

/// Keeps two commands from writing the same files at once.
fn lock() -> Result<File> {
    let folder = project::path("target");
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let file = File::create(folder.join("xtask.lock"))?;
    if let Err(TryLockError::WouldBlock) = file.try_lock() {
        println!("waiting for another `cargo xtask` to finish its build");
        file.lock()?;
    }
    Ok(file)
}

/// Seconds as a person reads them; shorter times are all the same to somebody waiting.
pub fn format_duration(duration: Duration) -> String {
    match duration.as_secs() {
        0 => format!("{:.1} s", duration.as_secs_f64()),
        seconds @ 1..120 => format!("{seconds} s"),
        seconds => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}

/// Shows the line, and behind it the seconds as they pass where somebody watches.
fn with_running_clock<T>(line: &str, started: Instant, work: impl FnOnce() -> T) -> T {
    print!("{line}");
    flush();
    if !std::io::stdout().is_terminal() {
        return work();
    }
    let (finished, clock) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            while clock.recv_timeout(Duration::from_secs(1)) == Err(mpsc::RecvTimeoutError::Timeout) {
                print!("\r{line} {}", format_duration(started.elapsed()));
                flush();
            }
            print!("\r{line}");
            flush();
        });
        let result = work();
        drop(finished);
        result
    })
}

fn flush() {
    // A closed standard output must not stop a build.
    let _ = std::io::stdout().flush();
}
