//! `cargo xtask bench`, `shots`, `soak` and `simulate`: what is measured and looked at outside CI. The work
//! is done by programs of the packages that are measured and of `holdfast-tests`; here they get what they
//! need.

use std::ffi::OsString;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::fuzz;
use crate::module;
use crate::page::{self, Mode};
use crate::process::{aloud, cargo, quietly, say};
use crate::project::Project;
use crate::setup::{self, Equipment, Missing, Needs};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Refuse, with a list, where something would have to be installed.
    #[arg(long)]
    no_install: bool,
}

#[derive(clap::Args)]
pub(crate) struct SoakArgs {
    #[command(subcommand)]
    what: Soak,
}

#[derive(clap::Subcommand)]
enum Soak {
    /// Kill the server with -9 in the middle of sign-ups and sign-ins, and look at what is left.
    Crash {
        /// How often.
        #[arg(long, default_value_t = 100)]
        kills: u32,
    },
    /// Send money while the server is killed with -9, and look whether each send was done once.
    Ledger {
        /// How many sends; the server is killed once for each hundred.
        #[arg(long, default_value_t = 10_000)]
        sends: u32,
    },
    /// Drive the two PoP machines through many more generated schedules than CI does.
    Schedules {
        /// How many for each property.
        #[arg(long, default_value_t = 100_000)]
        schedules: u32,
    },
    /// Run the fuzzers of message, token, proof and WebAuthn decoding.
    Fuzz(fuzz::Args),
    /// Hold many live connections to the real server, answer its challenges, and print what they cost.
    Load(LoadArgs),
}

#[derive(clap::Args)]
struct LoadArgs {
    /// WebSockets at once, to as many servers as the limit of open files makes necessary.
    #[arg(long, default_value_t = 4_000, value_parser = clap::value_parser!(u32).range(1..))]
    connections: u32,
    /// At most so many to one server [default: as many as the limit of open files allows].
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    per_server: Option<u32>,
    /// Of which so many belong to one browser.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=32))]
    per_session: u32,
    /// How long is measured once all are open.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..))]
    minutes: u32,
    /// Seconds from one challenge of a connection to its next.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=3600))]
    interval: u32,
}

#[derive(clap::Args)]
pub(crate) struct SimulateArgs {
    /// As `--help` names them.
    #[arg(allow_hyphen_values = true, trailing_var_arg = true)]
    flags: Vec<OsString>,
}

/// The npm package that proofs are compared with.
const DPOP: (&str, &str) = ("dpop", "2.1.2");

pub(crate) fn bench(project: &Project, args: &Args) -> Result<ExitCode> {
    let equipment = setup::prepare(project, Needs::Tests, Missing::unless(args.no_install))?;
    page::build(project, &equipment, Mode::Release)?;
    let module = module::build(project, &equipment)?;
    let (name, version) = DPOP;
    let home = project.tools().join(format!("{name}-{version}"));
    if !home.is_dir() {
        say(format!("installing {name} {version} from npm, to compare with"));
        let mut npm = Command::new("npm");
        npm.args(["install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"]).arg(&home);
        quietly(npm.arg(format!("{name}@{version}"))).context("npm cannot install it")?;
    }
    let variables = [
        ("HOLDFAST_PAGE_DIR", project.page()),
        ("HOLDFAST_POP_DIR", module),
        ("HOLDFAST_DPOP_DIR", home.join("node_modules").join(name).join("build")),
        ("HOLDFAST_REPORT_DIR", project.path("target/bench")),
    ];
    program(project, &equipment, "bench", &variables.map(|(name, path)| (name, path.into())))
}

pub(crate) fn shots(project: &Project, args: &Args) -> Result<ExitCode> {
    let equipment = setup::prepare(project, Needs::Tests, Missing::unless(args.no_install))?;
    page::build(project, &equipment, Mode::Release)?;
    let folder = project.path("target/shots");
    let done = program(project, &equipment, "shots", &[("HOLDFAST_SHOTS_DIR", folder.into())])?;
    say("written to target/shots");
    Ok(done)
}

pub(crate) fn soak(project: &Project, args: &SoakArgs) -> Result<ExitCode> {
    let mut command = cargo();
    command.current_dir(project.root());
    match &args.what {
        Soak::Crash { kills } => {
            command
                .args(["test", "--release", "--package", "holdfast-server", "--test", "crash"])
                .args(["--", "--nocapture"])
                .env("HOLDFAST_KILLS", kills.to_string());
        }
        Soak::Ledger { sends } => {
            command
                .args(["test", "--release", "--package", "holdfast-server", "--test", "ledger"])
                .args(["--", "--nocapture", "every_send_that_was_acknowledged"])
                .env("HOLDFAST_SENDS", sends.to_string());
        }
        Soak::Schedules { schedules } => {
            command
                .args(["test", "--release", "--package", "holdfast-protocol", "--test", "simulation"])
                .env("HOLDFAST_SCHEDULES", schedules.to_string());
        }
        Soak::Load(LoadArgs { connections, per_server, per_session, minutes, interval }) => {
            let rounds = (minutes * 60).div_ceil(*interval);
            command
                .args(["test", "--release", "--package", "holdfast-server", "--test", "load"])
                .args(["--", "--nocapture", "of_many_connections_none_ends"])
                .env("HOLDFAST_LOAD_CONNECTIONS", connections.to_string())
                .env("HOLDFAST_LOAD_PER_SERVER", per_server.unwrap_or(u32::MAX).to_string())
                .env("HOLDFAST_LOAD_PER_SESSION", per_session.to_string())
                .env("HOLDFAST_LOAD_INTERVAL_S", interval.to_string())
                .env("HOLDFAST_LOAD_ROUNDS", rounds.to_string());
        }
        Soak::Fuzz(args) => return fuzz::run(project, args),
    }
    aloud(&mut command)?;
    Ok(ExitCode::SUCCESS)
}

/// Needs no page, server or browser: an example of the package whose machines it runs.
pub(crate) fn simulate(project: &Project, args: &SimulateArgs) -> Result<ExitCode> {
    let mut run = cargo();
    run.current_dir(project.root())
        .args([
            "run",
            "--release",
            "--quiet",
            "--package",
            "holdfast-protocol",
            "--example",
            "simulate",
            "--",
        ])
        .args(&args.flags);
    aloud(&mut run)?;
    Ok(ExitCode::SUCCESS)
}

/// Builds and runs one of the measuring programs, optimised.
fn program(
    project: &Project,
    equipment: &Equipment,
    name: &str,
    variables: &[(&str, OsString)],
) -> Result<ExitCode> {
    let mut run = cargo();
    equipment.lend_to(&mut run)?;
    run.current_dir(project.root()).args(["run", "--release", "--package", "holdfast-tests", "--bin", name]);
    run.envs(variables.iter().map(|(name, value)| (name, value)));
    aloud(&mut run)?;
    Ok(ExitCode::SUCCESS)
}
