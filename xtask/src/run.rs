//! `cargo xtask run`: from a fresh machine to a console that answers.

use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitCode};
use std::thread::sleep;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};

use crate::page::{self, Mode};
use crate::process::{aloud, cargo, output, say, without_cargo_run};
use crate::project::Project;
use crate::setup::{self, Equipment, Missing, Needs};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Build again and restart whenever a source file changes.
    #[arg(long)]
    dev: bool,
    /// The port on localhost.
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Refuse, with a list, where something would have to be installed.
    #[arg(long)]
    no_install: bool,
    /// What else to tell the server: `-- --help` lists it.
    #[arg(last = true)]
    server: Vec<String>,
}

/// What the server is made of beside the page's inputs.
const SERVER_INPUTS: &[&str] = &["server", "relying-party"];
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long the server may take to close its connections.
const GRACE: Duration = Duration::from_secs(5);

pub(crate) fn run(project: &Project, args: &Args) -> Result<ExitCode> {
    let equipment = setup::prepare(project, Needs::ThePage, Missing::unless(args.no_install))?;
    if args.dev {
        return watch(project, &equipment, args);
    }
    page::build(project, &equipment, Mode::Release)?;
    build_server(project, Mode::Release)?;
    let error = server(project, Mode::Release, args).exec();
    Err(error).context("the server was built but cannot be started")
}

fn build_server(project: &Project, mode: Mode) -> Result<()> {
    let mut command = cargo();
    command.current_dir(project.root()).args(["build", "--package", "holdfast-server", "--bin", "holdfast"]);
    if mode == Mode::Release {
        command.arg("--release");
    }
    say("building the server (the first time takes some minutes)");
    aloud(&mut command).context("the server could not be built")
}

fn server(project: &Project, mode: Mode, args: &Args) -> Command {
    let profile = match mode {
        Mode::Release => "release",
        Mode::Dev => "debug",
    };
    let mut command = Command::new(project.target().join(profile).join("holdfast"));
    without_cargo_run(&mut command);
    command
        .current_dir(project.root())
        // Of another project: this console's data is in its own folder, unless it is asked for after `--`.
        .env_remove("DATABASE_URL")
        .args(["serve", "--mode", "development", "--listen"])
        .arg(format!("127.0.0.1:{}", args.port))
        .args(&args.server);
    command
}

/// Serves, and starts again at each change, until the person ends it. What does not compile is shown,
/// and the last server that did goes on.
fn watch(project: &Project, equipment: &Equipment, args: &Args) -> Result<ExitCode> {
    let mut serving: Option<Child> = None;
    loop {
        let seen = last_change(project)?;
        let built =
            page::build(project, equipment, Mode::Dev).and_then(|()| build_server(project, Mode::Dev));
        match built {
            Ok(()) => {
                if let Some(old) = serving.take() {
                    stop(old)?;
                }
                let new = server(project, Mode::Dev, args).spawn().context("the server cannot be started")?;
                serving = Some(new);
            }
            Err(error) => eprintln!("\nerror: {error:#}"),
        }
        let mut told = false;
        while last_change(project)? == seen {
            sleep(LOOK_EVERY);
            if let Some(child) = &mut serving
                && !told
                && let Some(status) = child.try_wait()?
            {
                say(format!("the server has ended ({status}); it starts again at the next change"));
                told = true;
            }
        }
        say("a source file changed: building again");
    }
}

/// When an input was last changed, and how many there are, so that a removed file counts too.
fn last_change(project: &Project) -> Result<(usize, Option<SystemTime>)> {
    let mut count = 0;
    let mut latest = None;
    for input in page::INPUTS.iter().chain(SERVER_INPUTS) {
        // An editor may be replacing a file at this very moment: it is seen the next time.
        for file in page::input_files(&project.path(input)).unwrap_or_default() {
            count += 1;
            latest = latest.max(file.metadata().and_then(|metadata| metadata.modified()).ok());
        }
    }
    Ok((count, latest))
}

/// Asks the server to close its connections and end; after the grace it is ended.
fn stop(mut child: Child) -> Result<()> {
    let asked = output(Command::new("kill").args(["-TERM", &child.id().to_string()]));
    let mut left = GRACE;
    while asked.is_ok() && !left.is_zero() && child.try_wait()?.is_none() {
        sleep(LOOK_EVERY / 10);
        left = left.saturating_sub(LOOK_EVERY / 10);
    }
    if child.try_wait()?.is_none() {
        child.kill().context("the old server cannot be ended")?;
        child.wait()?;
    }
    Ok(())
}
