//! Reads from a suite's output how many tests passed and failed.

use crate::command::Report;
use std::ops::Add;

/// Numbers of tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Those that passed.
    pub passed: u64,
    /// Those that failed.
    pub failed: u64,
}

impl Add for Count {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { passed: self.passed + other.passed, failed: self.failed + other.failed }
    }
}

impl Count {
    /// Something that counts as one test.
    pub const fn of_one(passed: bool) -> Self {
        if passed { Self { passed: 1, failed: 0 } } else { Self { passed: 0, failed: 1 } }
    }

    /// A suite that broke off, or ran no test at all, has failed, whatever it counted before.
    pub fn of_report(report: &Report, read: fn(&str) -> Option<Self>) -> Self {
        let count = read(&report.text).unwrap_or_default();
        let is_credible = count.failed > 0 || (report.success && count.passed > 0);
        if is_credible { count } else { count + Self::of_one(false) }
    }
}

/// Adds up cargo's `test result: ok. 12 passed; 0 failed; ...`, of which each test binary prints one.
pub fn of_cargo_test(text: &str) -> Option<Count> {
    let results = text.lines().filter_map(|line| line.strip_prefix("test result: "));
    results
        .map(|line| {
            Some(Count { passed: number_before(line, " passed")?, failed: number_before(line, " failed")? })
        })
        .try_fold(None, |total: Option<Count>, count| {
            count.map(|count| Some(total.unwrap_or_default() + count))
        })?
}

/// Reads the closing lines of `node --test`: `ℹ pass 5`, `ℹ fail 0`, `ℹ cancelled 0`.
pub fn of_node_test(text: &str) -> Option<Count> {
    let last = |label: &str| {
        let lines = text.lines().rev().filter_map(|line| line.strip_prefix("ℹ ")?.strip_prefix(label));
        lines.filter_map(|number| number.trim().parse::<u64>().ok()).next()
    };
    Some(Count { passed: last("pass ")?, failed: last("fail ")? + last("cancelled ")? })
}

/// Reads `12 passed, 0 failed` from the last line that is not empty.
pub fn of_last_line(text: &str) -> Option<Count> {
    let line = text.lines().rev().find(|line| !line.trim().is_empty())?.trim();
    let (passed, failed) = line.split_once(" passed, ")?;
    Some(Count { passed: passed.parse().ok()?, failed: failed.strip_suffix(" failed")?.parse().ok()? })
}

fn number_before(line: &str, word: &str) -> Option<u64> {
    line.split_once(word)?.0.rsplit(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(text: &str, success: bool) -> Report {
        Report { text: text.into(), success }
    }

    #[test]
    fn the_results_of_all_test_binaries_are_added_up() {
        let text = "running 2 tests\ntest result: ok. 2 passed; 0 failed; 0 ignored\n\
                    test result: FAILED. 3 passed; 1 failed; 0 ignored\n";
        assert_eq!(of_cargo_test(text), Some(Count { passed: 5, failed: 1 }));
    }

    #[test]
    fn a_crate_that_does_not_compile_has_no_result() {
        assert_eq!(of_cargo_test("error[E0425]: cannot find value"), None);
    }

    #[test]
    fn the_summary_of_node_counts_cancelled_tests_as_failed() {
        let text = "✔ a test\nℹ tests 4\nℹ pass 2\nℹ fail 1\nℹ cancelled 1\nℹ skipped 0\n";
        assert_eq!(of_node_test(text), Some(Count { passed: 2, failed: 2 }));
    }

    #[test]
    fn the_last_line_is_the_one_that_counts() {
        assert_eq!(
            of_last_line("1 passed, 1 failed\n7 passed, 0 failed\n\n"),
            Some(Count { passed: 7, failed: 0 })
        );
        assert_eq!(of_last_line("7 passed, 0 failed\nTypeError: x is undefined"), None);
    }

    #[test]
    fn a_suite_that_breaks_off_or_runs_nothing_has_failed() {
        let failed = |text, success| Count::of_report(&report(text, success), of_last_line).failed;
        assert_eq!(failed("5 passed, 0 failed", true), 0);
        assert_eq!(failed("5 passed, 0 failed", false), 1);
        assert_eq!(failed("5 passed, 2 failed", false), 2);
        assert_eq!(failed("0 passed, 0 failed", true), 1);
        assert_eq!(failed("Segmentation fault", false), 1);
    }
}
