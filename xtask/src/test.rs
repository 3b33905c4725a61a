//! `cargo xtask test`: every test there is, in real browsers too.

use std::process::{Command, ExitCode};

use anyhow::{Result, bail};

use crate::crowd::Crowd;
use crate::in_browsers::Browser;
use crate::module;
use crate::page::{self, Mode};
use crate::process::{aloud, cargo};
use crate::project::Project;
use crate::report::{NoTests, Report};
use crate::setup::{self, Equipment, Missing, Needs};
use crate::sizes;
use crate::vite;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Refuse, with a list, where something would have to be installed.
    #[arg(long)]
    no_install: bool,
    /// Run one step only: units, module-chromium, module-firefox, module-webkit, types, browser-tests,
    /// postgres or docs.
    #[arg(long, value_name = "NAME")]
    only: Option<String>,
    /// Run only the tests whose name holds this.
    #[arg(last = true)]
    filter: Vec<String>,
}

/// A step's name, what it is, and how it is run. Each cargo step selects the whole workspace, so that
/// all share one set of features and nothing is compiled twice.
const STEPS: &[(&str, &str, How)] = &[
    ("units", "unit tests of every crate", How::Host(&["--lib", "--bins", "--examples"])),
    ("module-chromium", "the module's tests, in", How::Module(Browser::Chromium)),
    ("module-firefox", "the module's tests, in", How::Module(Browser::Firefox)),
    ("types", "the package's types, as an integrator's compiler reads them", How::Types),
    ("browser-tests", "integration and end-to-end tests", How::Host(&["--test", "*"])),
    // These two start programs of `holdfast-tests`, which are built with its tests.
    ("module-webkit", "the module's tests, in", How::Module(Browser::WebKit)),
    ("postgres", "the server's suite once more, over PostgreSQL", How::Postgres),
    ("docs", "examples in the documentation", How::Host(&["--doc"])),
];

#[derive(Clone, Copy)]
enum How {
    Host(&'static [&'static str]),
    Module(Browser),
    Types,
    Postgres,
}

pub(crate) fn run(project: &Project, args: &Args) -> Result<ExitCode> {
    if let Some(only) = &args.only
        && !STEPS.iter().any(|(name, ..)| name == only)
    {
        let names: Vec<&str> = STEPS.iter().map(|(name, ..)| *name).collect();
        bail!("there is no step `{only}`; there are {}", names.join(", "));
    }
    let mut report = Report::default();
    let missing = Missing::unless(args.no_install);
    // A machine that cannot be set up cannot run the tests: that is a failure like any other.
    match setup::prepare(project, Needs::Tests, missing) {
        Ok(equipment) => {
            if report.check("the page", || page::build(project, &equipment, Mode::Release)).is_some() {
                steps(project, &equipment, args, &mut report);
            }
        }
        Err(error) => drop(report.check("setting up", || Err::<(), _>(error))),
    }
    Ok(report.finish())
}

/// Every step of tests, for `test` and for `ci`.
pub(crate) fn all(project: &Project, equipment: &Equipment, report: &mut Report) {
    steps(project, equipment, &Args { no_install: true, only: None, filter: Vec::new() }, report);
}

fn steps(project: &Project, equipment: &Equipment, args: &Args, report: &mut Report) {
    if args.only.as_ref().is_none_or(|only| ["browser-tests", "types"].contains(&only.as_str())) {
        // The end-to-end tests put it into somebody else's page, TypeScript reads its types.
        let package = report.check("the npm package", || module::build(project, equipment));
        if let Some(package) = package {
            report.check("what a browser downloads", || sizes::check(&project.page(), &package));
        }
    }
    if let Some("module-webkit" | "postgres") = args.only.as_deref() {
        report.check("the tests' own programs", || aloud(&mut programs(project)));
    }
    if args.only.as_ref().is_none_or(|only| only == "browser-tests") {
        report.check("a Vite project around it", || vite::build(project, equipment));
    }
    for (name, what, how) in STEPS {
        if args.only.as_ref().is_some_and(|only| only != name) {
            continue;
        }
        let title = format!("{name}: {what}");
        let none_is_fine = *name == "docs" || !args.filter.is_empty();
        let no_tests = if none_is_fine { NoTests::Pass } else { NoTests::Fail };
        let no_tests = match how {
            How::Module(_) if no_tests == NoTests::Fail => NoTests::Again,
            _ => no_tests,
        };
        let mut run = |title: &str, command: Result<Command>| {
            let command = command.and_then(|mut command| equipment.lend_to(&mut command).map(|()| command));
            match command {
                Ok(mut command) => report.tests(title, no_tests, command.args(&args.filter)),
                Err(error) => drop(report.check(title, || Err::<(), _>(error))),
            }
        };
        match how {
            How::Types => drop(report.check(&title, || types(project, equipment))),
            How::Host(targets) => run(&title, host(project, targets)),
            How::Postgres => run(&title, Ok(on_postgres(project))),
            How::Module(browser) => {
                for place in browser.places() {
                    let (crowd, command) = match Crowd::gather() {
                        Ok(crowd) => {
                            let command = browser.tests(project, equipment, *place, crowd.address);
                            (Some(crowd), command)
                        }
                        Err(error) => (None, Err(error.into())),
                    };
                    run(&format!("{title} {}", place.name), command);
                    drop(crowd);
                }
            }
        }
    }
}

/// The programs of `holdfast-tests`, with the features that its tests have.
fn programs(project: &Project) -> Command {
    let mut command = cargo();
    command.current_dir(project.root()).args(["test", "--workspace", "--test", "tidy", "--no-run"]);
    command
}

/// `cargo test` on this machine. Browsers are heavy: two at a time.
fn host(project: &Project, targets: &[&str]) -> Result<Command> {
    let mut command = cargo();
    command.current_dir(project.root()).args(["test", "--workspace", "--no-fail-fast"]).args(targets);
    command.args(["--", "--test-threads=2"]);
    Ok(command)
}

/// The server's suite with a PostgreSQL that is started for it.
fn on_postgres(project: &Project) -> Command {
    let mut command = Command::new(project.target().join("debug/with_postgres"));
    command.current_dir(project.root()).args(["cargo", "test", "--workspace", "--no-fail-fast"]);
    command.args(["--test", "suite", "--", "--test-threads=4"]);
    command
}

/// TypeScript, at its strictest, over a file that uses all that the package declares.
fn types(project: &Project, equipment: &Equipment) -> Result<()> {
    let mut command = equipment.lent("tsc")?;
    aloud(command.current_dir(project.root()).args(["--project", "tests/es_module"]))
}
