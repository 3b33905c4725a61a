//! `cargo xtask`: everything a person or the CI does with Holdfast, set-up included.
//!
//! One file for each command ([`run`], [`mod@test`], [`ci`], [`page`]; [`measure`] and [`mod@fuzz`] hold those that CI
//! does not run), over what they share:
//! [`setup`] decides what the machine lacks, [`tools`] and [`packages`] install it, [`seal`] makes
//! Trunk's page fit for the server's Content-Security-Policy, [`process`] runs other programs and
//! [`report`] adds up what the tests said.

mod ci;
mod crowd;
mod fuzz;
mod in_browsers;
mod measure;
mod module;
mod packages;
mod page;
mod process;
mod project;
mod report;
mod run;
mod seal;
mod setup;
mod shrink;
mod sizes;
mod terminal;
mod test;
mod tools;
mod vite;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Build, run and test Holdfast; what is missing is set up first.")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build the page and the server, and serve them on localhost.
    Run(run::Args),
    /// Build the page and run every test, in real browsers too.
    Test(test::Args),
    /// What .ci/run calls: formatting, lints, documentation, then every test.
    Ci(ci::Args),
    /// Build the page alone, into target/page.
    Page(page::Args),
    /// Build the npm package `@holdfast/pop` alone, into target/npm/pop.
    Module(module::Args),
    /// Print sizes and speeds as ratios, and write them to target/bench/report.json.
    Bench(measure::Args),
    /// Take a screenshot of every page, into target/shots.
    Shots(measure::Args),
    /// Long runs outside CI.
    Soak(measure::SoakArgs),
    /// Compare intervals and timeouts of the PoP machines in simulated time; --help names its flags.
    #[command(disable_help_flag = true)]
    Simulate(measure::SimulateArgs),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = project::Project::find().and_then(|project| match cli.command {
        Command::Run(args) => run::run(&project, &args),
        Command::Test(args) => test::run(&project, &args),
        Command::Ci(args) => ci::run(&project, &args),
        Command::Page(args) => page::run(&project, &args),
        Command::Module(args) => module::run(&project, &args),
        Command::Bench(args) => measure::bench(&project, &args),
        Command::Shots(args) => measure::shots(&project, &args),
        Command::Soak(args) => measure::soak(&project, &args),
        Command::Simulate(args) => measure::simulate(&project, &args),
    });
    done.unwrap_or_else(|error| {
        eprintln!("\nerror: {error:#}");
        ExitCode::FAILURE
    })
}
