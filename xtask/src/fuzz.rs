//! `cargo xtask soak fuzz`: what decoding promises, over inputs that a fuzzer makes. The promises and the
//! committed inputs are those of the ordinary tests; only the fuzzer itself needs a nightly compiler.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::process::{now, output, quietly, say, span, which, without_cargo_run};
use crate::project::Project;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// How often each target is executed.
    #[arg(long, default_value_t = 1_000_000)]
    executions: u64,
    /// Run one target only.
    #[arg(long, value_name = "NAME")]
    only: Option<String>,
}

/// A target's name, and the crate whose decoding it tests.
const TARGETS: &[(&str, &str)] = &[
    ("base64url", "protocol"),
    ("frame", "protocol"),
    ("message", "protocol"),
    ("token", "protocol"),
    ("proof", "protocol"),
    ("device", "protocol"),
    ("client_data", "relying-party"),
    ("registration", "relying-party"),
    ("assertion", "relying-party"),
];

/// An input that takes longer is a finding, and so is one that asks for a larger piece of memory: no input
/// has more than some kilobytes.
const LIMITS: [&str; 2] = ["-timeout=10", "-malloc_limit_mb=8"];

struct Outcome {
    name: &'static str,
    took: Duration,
    heard: Heard,
}

/// What a fuzzer's words come to.
#[derive(Debug, Default, PartialEq, Eq)]
struct Heard {
    executions: u64,
    /// The file that holds the input which broke a promise.
    finding: Option<String>,
}

pub(crate) fn run(project: &Project, args: &Args) -> Result<ExitCode> {
    let chosen = |name: &str| args.only.as_ref().is_none_or(|only| only == name);
    if !TARGETS.iter().any(|(name, _)| chosen(name)) {
        let names: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
        bail!("there is no such target; there are {}", names.join(", "));
    }
    prerequisites()?;
    say("building the fuzzers …");
    quietly(&mut cargo_fuzz(project, "build"))?;
    let mut outcomes = Vec::new();
    for (name, of_crate) in TARGETS.iter().filter(|(name, _)| chosen(name)) {
        say(format!("{name}: {} executions …", args.executions));
        outcomes.push(fuzz(project, name, of_crate, args.executions)?);
    }
    println!();
    for outcome in &outcomes {
        println!("{}", outcome.summary());
    }
    let findings = outcomes.iter().filter(|outcome| outcome.heard.finding.is_some()).count();
    println!("\n{} targets, {findings} findings", outcomes.len());
    Ok(if findings == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Nothing is installed here: a nightly compiler is nothing that the rest of Holdfast needs.
fn prerequisites() -> Result<()> {
    let toolchains = match which("rustup") {
        Some(_) => output(Command::new("rustup").args(["toolchain", "list"]))?,
        None => bail!("there is no rustup on the PATH, by which the fuzzers' nightly compiler is found"),
    };
    if !toolchains.lines().any(|toolchain| toolchain.starts_with("nightly")) {
        bail!("fuzzing needs a nightly compiler: `rustup toolchain install nightly --profile minimal`");
    }
    if output(nightly_cargo().args(["fuzz", "--version"])).is_err() {
        bail!("there is no cargo-fuzz, which runs the fuzzers: `cargo install cargo-fuzz`");
    }
    Ok(())
}

fn cargo_fuzz(project: &Project, what: &str) -> Command {
    let mut command = nightly_cargo();
    command.current_dir(project.root()).args(["fuzz", what, "--fuzz-dir", "fuzz", "--target-dir"]);
    command.arg(project.target().join("fuzz"));
    command
}

fn nightly_cargo() -> Command {
    let mut command = Command::new("rustup");
    without_cargo_run(&mut command);
    command.args(["run", "nightly", "cargo"]);
    command
}

/// Runs one target. What it learns is kept below the target directory, for the next time.
fn fuzz(project: &Project, name: &'static str, of_crate: &str, executions: u64) -> Result<Outcome> {
    let learned = project.target().join("fuzz/corpus").join(name);
    fs::create_dir_all(&learned).with_context(|| format!("cannot make {}", learned.display()))?;
    let started = now();
    let mut command = cargo_fuzz(project, "run");
    command.arg(name).arg(learned).arg(corpus(project, name, of_crate)).arg("--");
    command.arg(format!("-runs={executions}")).args(LIMITS).arg("-print_final_stats=1");
    let done = command.stdin(Stdio::null()).output().context("cannot start the fuzzer")?;
    let words = String::from_utf8_lossy(&done.stderr);
    let heard = heard(&words);
    let finished = done.status.success() && heard.executions >= executions;
    if !finished {
        eprintln!("{words}");
    }
    if !finished && heard.finding.is_none() {
        bail!("the fuzzer of {name} failed ({}); its own words are above", done.status);
    }
    Ok(Outcome { name, took: started.elapsed(), heard })
}

/// The inputs that ordinary tests replay. They are read here, and not written.
fn corpus(project: &Project, name: &str, of_crate: &str) -> PathBuf {
    project.path(of_crate).join("tests/corpus").join(name)
}

fn heard(words: &str) -> Heard {
    let mut heard = Heard::default();
    for line in words.lines() {
        if let Some(executions) = line.strip_prefix("stat::number_of_executed_units:") {
            heard.executions = executions.trim().parse().unwrap_or_default();
        }
        if let Some((_, file)) = line.split_once("Test unit written to ") {
            heard.finding = Some(file.trim().to_owned());
        }
    }
    heard
}

impl Outcome {
    fn summary(&self) -> String {
        let Outcome { name, took, heard: Heard { executions, finding } } = self;
        let (mark, input) = match finding {
            None => ("ok    ", String::new()),
            Some(file) => ("FAILED", format!("   {file}")),
        };
        format!("{mark}  {name:<16} {:>12}   {executions} executions{input}", span(*took))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fuzzers_words_are_understood() {
        let quiet =
            "#1000\tDONE   cov: 2\nDone 1000 runs in 2 second(s)\nstat::number_of_executed_units: 1000\n";
        assert_eq!(heard(quiet), Heard { executions: 1000, finding: None });
        let loud = "thread panicked\nartifact_prefix='a/'; Test unit written to fuzz/artifacts/token/crash-0b\n\
                    stat::number_of_executed_units: 77\n";
        let finding = Some("fuzz/artifacts/token/crash-0b".to_owned());
        assert_eq!(heard(loud), Heard { executions: 77, finding });
    }

    #[test]
    fn every_target_is_known_and_has_a_corpus() {
        let project = Project::find().unwrap();
        let mut targets: Vec<String> = fs::read_dir(project.path("fuzz/fuzz_targets"))
            .unwrap()
            .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
            .collect();
        let mut known: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
        targets.sort();
        known.sort();
        assert_eq!(targets, known);
        for (name, of_crate) in TARGETS {
            assert!(corpus(&project, name, of_crate).is_dir(), "{name} has no corpus");
        }
    }
}
