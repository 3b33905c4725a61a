//! `cargo xtask ci`: what must hold before a change is taken. Everything is run, also after a failure.

use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::page::{self, Mode};
use crate::process::{aloud, cargo};
use crate::project::Project;
use crate::report::{NoTests, Report};
use crate::setup::{self, Missing, Needs};
use crate::test;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Refuse, with a list, where something would have to be installed.
    #[arg(long)]
    no_install: bool,
}

const FORMAT: &[&str] = &["fmt", "--all", "--check"];
const LINTS: &[&str] = &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
const WASM_LINTS: &[&str] = &[
    "clippy",
    "--package",
    "holdfast-web",
    "--package",
    "holdfast-pop",
    "--target",
    "wasm32-unknown-unknown",
    "--",
    "-D",
    "warnings",
];
const DOCUMENTATION: &[&str] = &["doc", "--workspace", "--no-deps"];
const TIDY: &[&str] = &["test", "--workspace", "--test", "tidy"];

pub(crate) fn run(project: &Project, args: &Args) -> Result<ExitCode> {
    let mut report = Report::default();
    let missing = Missing::unless(args.no_install);
    let equipment = report.check("setting up", || setup::prepare(project, Needs::Lints, missing));
    let Some(equipment) = equipment else { return Ok(report.finish()) };

    report.check("formatting", || aloud(&mut in_root(project, FORMAT)));
    // First, because the server embeds it.
    report.check("the page", || page::build(project, &equipment, Mode::Release));
    report.check("lints", || aloud(&mut in_root(project, LINTS)));
    report.check("lints of the wasm crates", || aloud(&mut in_root(project, WASM_LINTS)));
    report
        .check("documentation", || aloud(in_root(project, DOCUMENTATION).env("RUSTDOCFLAGS", "-D warnings")));
    report.tests("tidy: the layout's rules", NoTests::Fail, &mut in_root(project, TIDY));
    test::all(project, &equipment, &mut report);
    Ok(report.finish())
}

fn in_root(project: &Project, arguments: &[&str]) -> Command {
    let mut command = cargo();
    command.current_dir(project.root()).args(arguments);
    command
}
