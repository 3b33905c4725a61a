//! What was run, how long it took, and how many tests passed: read from what the test programs print.

use std::ops::AddAssign;
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::Result;

use crate::process::{now, overheard, say, span};

#[derive(Default)]
pub(crate) struct Report {
    rows: Vec<Row>,
}

struct Row {
    name: String,
    took: Duration,
    tally: Tally,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
struct Tally {
    passed: u32,
    failed: u32,
    ignored: u32,
}

/// Whether a step of tests may find none to run: a filter, or crates without examples.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoTests {
    Fail,
    Pass,
    /// They have not begun: wasm-bindgen's runner serves their files over so few connections that a browser
    /// may wait for one for ever. Once more, at most twice.
    Again,
}

impl Report {
    /// Runs a program of tests and counts them. One that fails without saying which test failed, or
    /// that should have had tests and ran none, counts as one failure.
    pub(crate) fn tests(&mut self, name: &str, no_tests: NoTests, command: &mut Command) {
        self.step(name, || {
            let (mut status, mut heard) = overheard(command)?;
            let mut again = if no_tests == NoTests::Again { 2 } else { 0 };
            while again > 0 && heard.contains(NOT_BEGUN) && !heard.contains("running ") {
                eprintln!("\n{name}: the runner did not begin; once more");
                (status, heard) = overheard(command)?;
                again -= 1;
            }
            let mut tally = tally(&heard);
            if !status.success() && tally.failed == 0 {
                eprintln!("\nerror: {name} failed ({status})");
                tally.failed = 1;
            }
            if tally.passed + tally.failed == 0 && no_tests != NoTests::Pass {
                eprintln!("\nerror: {name} ran no test at all; that is a failure, not a success");
                tally.failed = 1;
            }
            Ok(tally)
        });
    }

    /// Runs something that holds or does not; it counts as one.
    pub(crate) fn check<T>(&mut self, name: &str, check: impl FnOnce() -> Result<T>) -> Option<T> {
        let mut kept = None;
        self.step(name, || {
            kept = Some(check()?);
            Ok(Tally { passed: 1, ..Tally::default() })
        });
        kept
    }

    fn step(&mut self, name: &str, step: impl FnOnce() -> Result<Tally>) {
        say(format!("{name} …"));
        let started = now();
        let tally = step().unwrap_or_else(|error| {
            eprintln!("\nerror: {error:#}");
            Tally { failed: 1, ..Tally::default() }
        });
        self.rows.push(Row { name: name.to_owned(), took: started.elapsed(), tally });
    }

    /// Prints the summary; its last line is the sum, alone.
    pub(crate) fn finish(&self) -> ExitCode {
        let mut sum = Tally::default();
        println!();
        for Row { name, took, tally } in &self.rows {
            sum += *tally;
            let mark = if tally.failed == 0 { "ok    " } else { "FAILED" };
            let ignored =
                if tally.ignored == 0 { String::new() } else { format!(", {} ignored", tally.ignored) };
            let counts = format!("{} passed, {} failed{ignored}", tally.passed, tally.failed);
            println!("{mark}  {name:<44} {:>12}   {counts}", span(*took));
        }
        println!("\n{} passed, {} failed", sum.passed, sum.failed);
        if sum.failed == 0 && sum.passed > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, more: Tally) {
        self.passed += more.passed;
        self.failed += more.failed;
        self.ignored += more.ignored;
    }
}

/// What wasm-bindgen's runner says when the page of the tests was never complete.
const NOT_BEGUN: &str = "Failed to detect test as having been run";

/// Adds up the summaries of libtest (and of wasm-bindgen's runner, which imitates it) and of Node.
fn tally(heard: &str) -> Tally {
    let mut sum = Tally::default();
    for line in heard.lines() {
        if let Some(counts) = line.trim().strip_prefix("test result: ") {
            for count in counts.split([';', '.']).map(str::trim) {
                match count.split_once(' ').map(|(number, of)| (number.parse::<u32>(), of)) {
                    Some((Ok(number), "passed")) => sum.passed += number,
                    Some((Ok(number), "failed")) => sum.failed += number,
                    Some((Ok(number), "ignored")) => sum.ignored += number,
                    _ => {}
                }
            }
        }
        let of_node = line.strip_prefix("# ").or_else(|| line.strip_prefix("ℹ "));
        match of_node.and_then(|count| count.split_once(' ')).map(|(of, number)| (of, number.parse::<u32>()))
        {
            Some(("pass", Ok(number))) => sum.passed += number,
            Some(("fail" | "cancelled", Ok(number))) => sum.failed += number,
            Some(("skipped" | "todo", Ok(number))) => sum.ignored += number,
            _ => {}
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summaries_of_several_programs_are_added_up() {
        let heard = "
running 3 tests
test a ... ok
test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s
test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.21s
    test result: ok. 4 passed; 0 failed; 0 ignored; 0 filtered out; finished in 0.02s
ℹ tests 6
ℹ pass 5
ℹ fail 1
ℹ cancelled 0
ℹ skipped 2
";
        assert_eq!(tally(heard), Tally { passed: 24, failed: 3, ignored: 3 });
    }

    #[test]
    fn what_a_test_prints_is_no_summary() {
        assert_eq!(tally("the test result: ok. 7 passed\npass 3\n# note 3"), Tally::default());
    }

    #[test]
    fn a_program_that_runs_no_test_fails_unless_it_may() {
        let mut report = Report::default();
        report.tests("allowed", NoTests::Pass, &mut Command::new("true"));
        report.tests("silent", NoTests::Fail, &mut Command::new("true"));
        report.tests("broken", NoTests::Pass, &mut Command::new("false"));
        report.tests("not there", NoTests::Pass, &mut Command::new("no-such-program-at-all"));
        let failed: Vec<u32> = report.rows.iter().map(|row| row.tally.failed).collect();
        assert_eq!(failed, [0, 1, 1, 1]);
    }

    #[test]
    fn tests_that_have_not_begun_are_run_again_and_others_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let passes = "test result: ok. 2 passed; 0 failed; 0 ignored; 0 filtered out; finished in 0.02s";
        let mut report = Report::default();
        for (name, no_tests, begins_at, says) in [
            ("begins late", NoTests::Again, 3, NOT_BEGUN.to_owned()),
            ("never begins", NoTests::Again, 9, NOT_BEGUN.to_owned()),
            ("began", NoTests::Again, 2, ["running 2 tests\n", NOT_BEGUN].concat()),
            ("of others", NoTests::Fail, 2, NOT_BEGUN.to_owned()),
        ] {
            let tries = folder.path().join(name);
            let script =
                r#"echo >> "$1"; [ "$(wc -l < "$1")" = "$2" ] && echo "$3" && exit; echo "$4"; exit 1"#;
            let mut command = Command::new("sh");
            command.args(["-c", script, "sh"]).arg(tries).args([&begins_at.to_string(), passes, &says]);
            report.tests(name, no_tests, &mut command);
        }
        let tallies: Vec<(u32, u32)> =
            report.rows.iter().map(|row| (row.tally.passed, row.tally.failed)).collect();
        assert_eq!(tallies, [(2, 0), (0, 1), (0, 1), (0, 1)]);
    }
}
