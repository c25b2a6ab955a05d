//! `cargo xtask test`: everything that can fail, and one line at the end that counts it all.

mod count;
mod layers;
mod suites;

use crate::setup::browsers;
use crate::steps::{self, Step, format_duration};
use crate::{command, package, setup};
use anyhow::{Result, bail};
use count::Count;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use suites::{Group, SUITES, Suite, Work};

/// What a suite came to.
struct Outcome {
    title: &'static str,
    count: Count,
    took: Duration,
}

/// Runs the named groups of suites, or all. A failure in one does not keep the others from running.
pub fn run(names: &[String]) -> Result<ExitCode> {
    let groups = chosen_groups(names)?;
    let chosen: Vec<&Suite> = SUITES.iter().filter(|suite| groups.contains(&suite.group)).collect();
    let mut outcomes = Vec::new();
    if perform_steps("setting up", preparation(&groups), &mut outcomes) {
        let mut package_is_built = false;
        for suite in chosen {
            if suite.group.needs_package() && !package_is_built {
                package_is_built = true;
                perform_steps("package build", package_build(&groups), &mut outcomes);
            }
            outcomes.push(perform(suite));
        }
        if package_is_built && let Err(error) = package::print_sizes() {
            println!("{error:#}");
        }
    }
    Ok(summarize(&outcomes))
}

fn chosen_groups(names: &[String]) -> Result<Vec<Group>> {
    if names.is_empty() {
        return Ok(Group::ALL.to_vec());
    }
    let find = |name: &String| Group::ALL.into_iter().find(|group| group.name() == name);
    let known: Vec<&str> = Group::ALL.into_iter().map(Group::name).collect();
    names.iter().map(|name| find(name).ok_or(name)).collect::<Result<_, _>>().or_else(|unknown| {
        bail!("there is no group of tests named {unknown}; the groups are {}", known.join(", "));
    })
}

fn preparation(groups: &[Group]) -> Vec<Step> {
    let mut plan = Vec::new();
    if groups.iter().any(|group| *group != Group::Native) {
        plan.extend(setup::for_building());
    }
    if groups.contains(&Group::Lint) {
        plan.extend(setup::for_linting());
    }
    if groups.iter().any(|group| matches!(group, Group::Browser | Group::Package | Group::EndToEnd)) {
        plan.extend(setup::for_browsers());
    }
    plan
}

fn package_build(groups: &[Group]) -> Vec<Step> {
    let mut plan = package::build_steps();
    if groups.contains(&Group::Browser) {
        plan.extend(package::conformance_steps());
    }
    plan
}

/// Steps count as one test: they have passed, or what needs them can't.
fn perform_steps(title: &'static str, plan: Vec<Step>, outcomes: &mut Vec<Outcome>) -> bool {
    if plan.is_empty() {
        return true;
    }
    println!("\n== {title}");
    let started = Instant::now();
    let result = steps::run(&plan);
    if let Err(error) = &result {
        println!("{error:#}");
    }
    outcomes.push(Outcome { title, count: Count::of_one(result.is_ok()), took: started.elapsed() });
    result.is_ok()
}

fn perform(suite: &Suite) -> Outcome {
    println!("\n== {}", suite.title);
    let started = Instant::now();
    let count = match suite.work {
        Work::Check(make_command) => make_command().and_then(|mut command| {
            let report = command::run_visibly(&mut command)?;
            Ok(Count::of_one(report.success))
        }),
        Work::Tests(make_command, read_count) => make_command().and_then(|mut command| {
            let report = command::run_visibly(browsers::announce(&mut command))?;
            Ok(Count::of_report(&report, read_count))
        }),
        Work::Function(check) => check().map(|()| Count::of_one(true)),
    };
    let count = count.unwrap_or_else(|error| {
        println!("{error:#}");
        Count::of_one(false)
    });
    Outcome { title: suite.title, count, took: started.elapsed() }
}

fn summarize(outcomes: &[Outcome]) -> ExitCode {
    println!();
    for Outcome { title, count, took } in outcomes {
        let mark = if count.failed == 0 { "ok  " } else { "FAIL" };
        println!(
            "{mark} {title:<36} {:>5} passed {:>4} failed {:>14}",
            count.passed,
            count.failed,
            format_duration(*took)
        );
    }
    let total = outcomes.iter().fold(Count::default(), |total, outcome| total + outcome.count);
    println!("\n{} passed, {} failed", total.passed, total.failed);
    if total.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
