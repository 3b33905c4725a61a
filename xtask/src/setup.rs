//! What the machine lacks for a command, and how it gets it.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::packages::{
    self, CHROMEDRIVER, CHROMIUM, FIREFOX, GECKODRIVER_VARIABLE, POSTGRES, PYTHON, Package, WEBKIT_DRIVER,
    XVFB,
};
use crate::process::{self, aloud, cargo, now, output, path_with, say, span, which};
use crate::project::Project;
use crate::tools::{self, Tool};

const WASM: &str = "wasm32-unknown-unknown";

/// How much a command needs; each includes the ones before it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Needs {
    ThePage,
    Tests,
    Lints,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Missing {
    Install,
    Refuse,
}

impl Missing {
    pub(crate) fn unless(no_install: bool) -> Missing {
        if no_install { Missing::Refuse } else { Missing::Install }
    }
}

/// A machine that has what the command needs.
pub(crate) struct Equipment {
    bin: Vec<PathBuf>,
    variables: Vec<(&'static str, PathBuf)>,
    pub(crate) wasm_bindgen_test_runner: PathBuf,
    /// The folder of the packages that the terminal in the page is made of.
    pub(crate) xterm: PathBuf,
}

impl Equipment {
    /// Lets a program find Holdfast's tools before any other, and the tests their browsers.
    pub(crate) fn lend_to(&self, command: &mut Command) -> Result<()> {
        command.env("PATH", path_with(self.bin.iter().map(PathBuf::as_path))?);
        command.envs(self.variables.iter().map(|(name, path)| (name, path)));
        Ok(())
    }

    /// One of Holdfast's tools, ready to be given its arguments.
    pub(crate) fn lent(&self, program: &str) -> Result<Command> {
        let mut command = Command::new(program);
        self.lend_to(&mut command)?;
        Ok(command)
    }

    /// What one of the tests' variables holds.
    pub(crate) fn variable(&self, name: &str) -> Result<&Path> {
        let found = self.variables.iter().find(|(variable, _)| *variable == name);
        found.map(|(_, path)| path.as_path()).with_context(|| format!("{name} is not known to this command"))
    }
}

/// One thing that is not there.
enum Lack<'a> {
    WasmTarget,
    Component(&'static str),
    Tool(&'a Tool),
    Package(&'a Package),
}

pub(crate) fn prepare(project: &Project, needs: Needs, missing: Missing) -> Result<Equipment> {
    prerequisites(needs)?;
    let xterm = tools::xterm();
    let xterm_files = xterm.bin(project);
    let mut tools =
        vec![tools::trunk(), tools::wasm_bindgen(project)?, tools::binaryen(), tools::terser(), xterm];
    let runner = tools[1].program(project, "wasm-bindgen-test-runner");
    let mut packages: &[Package] = &[];
    let mut variables = Vec::new();
    if needs >= Needs::Tests {
        packages = &[CHROMIUM, CHROMEDRIVER, FIREFOX, WEBKIT_DRIVER, XVFB, POSTGRES, PYTHON];
        tools.extend([tools::typescript(), tools::vite()]);
        let geckodriver = match packages::given(GECKODRIVER_VARIABLE)? {
            Some(own) => own,
            None => {
                let tool = tools::geckodriver();
                let program = tool.program(project, "geckodriver");
                tools.push(tool);
                program
            }
        };
        variables.push((GECKODRIVER_VARIABLE, geckodriver));
    }

    let lacks = lacks(project, needs, &tools, packages)?;
    if !lacks.is_empty() {
        if missing == Missing::Refuse {
            let list: Vec<String> = lacks.iter().map(|lack| format!("\n  - {}", lack.summary())).collect();
            bail!(
                "this machine lacks, and --no-install forbids to install:{}\nRun it without --no-install once.",
                list.concat()
            );
        }
        supply(project, &lacks)?;
    }

    for package in packages {
        let path = package.find()?;
        let path =
            path.with_context(|| format!("installed, but nowhere to be found: {}", package.summary()))?;
        variables.push((package.variable, path));
    }
    let bin = tools.iter().map(|tool| tool.bin(project)).collect();
    Ok(Equipment { bin, variables, wasm_bindgen_test_runner: runner, xterm: xterm_files })
}

/// What only the person can install.
fn prerequisites(needs: Needs) -> Result<()> {
    for (program, cure) in [
        ("cc", "a C compiler, which Rust links with: `apt-get install build-essential`"),
        ("node", "Node 18 or newer, which runs wasm-opt and terser: `apt-get install nodejs npm`"),
        ("npm", "npm, which brings wasm-opt and terser: `apt-get install npm`"),
    ] {
        if which(program).is_none() {
            bail!("there is no `{program}` on the PATH; Holdfast needs {cure}");
        }
    }
    let version = output(Command::new("node").arg("--version"))?;
    match newer_node(&version, needs) {
        Some(wanted) => bail!("`node` on the PATH is {version}; Holdfast needs {wanted}: https://nodejs.org"),
        None => Ok(()),
    }
}

/// Which Node the command needs, where this one is too old.
fn newer_node(version: &str, needs: Needs) -> Option<&'static str> {
    let mut numbers = version.trim_start_matches('v').split('.').map_while(|number| number.parse().ok());
    let version: (u32, u32) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    let (will_do, wanted) = match needs {
        Needs::ThePage => (version >= (18, 0), "Node 18 or newer, which runs wasm-opt and terser"),
        // Vite says so.
        Needs::Tests | Needs::Lints => (
            matches!(version, (20, 19..) | (22, 12..) | (23.., _)),
            "Node 20.19 or newer for its tests, of 22 at least 22.12, and none of 21",
        ),
    };
    (!will_do).then_some(wanted)
}

fn lacks<'a>(
    project: &Project,
    needs: Needs,
    tools: &'a [Tool],
    packages: &'a [Package],
) -> Result<Vec<Lack<'a>>> {
    let mut lacks = Vec::new();
    if !has_wasm_target()? {
        lacks.push(Lack::WasmTarget);
    }
    if needs >= Needs::Lints {
        let absent = |component: &&str| output(cargo().args([component, "--version"])).is_err();
        lacks.extend(["clippy", "fmt"].into_iter().filter(absent).map(Lack::Component));
    }
    for package in packages {
        if package.find()?.is_none() {
            lacks.push(Lack::Package(package));
        }
    }
    lacks.extend(tools.iter().filter(|tool| !tool.is_installed(project)).map(Lack::Tool));
    Ok(lacks)
}

/// Asked of the compiler, so it holds for a Rust that did not come from rustup, too.
fn has_wasm_target() -> Result<bool> {
    let sysroot = output(Command::new("rustc").args(["--print", "sysroot"]))?;
    Ok(Path::new(&sysroot).join("lib/rustlib").join(WASM).is_dir())
}

impl Lack<'_> {
    fn summary(&self) -> String {
        match self {
            Lack::WasmTarget => format!("Rust's {WASM} target, which the page is compiled for"),
            Lack::Component(component) => format!("cargo {component}, which checks the code"),
            Lack::Tool(tool) => tool.summary(),
            Lack::Package(package) => package.summary(),
        }
    }
}

fn supply(project: &Project, lacks: &[Lack]) -> Result<()> {
    let started = now();
    say("setting up, once. This machine lacks:");
    for lack in lacks {
        say(format!("  - {}", lack.summary()));
    }
    say(format!("Tools go to {} and nowhere else.", project.tools().display()));
    let _lock = lock(&project.tools())?;

    let packages: Vec<&Package> = lacks
        .iter()
        .filter_map(|lack| if let Lack::Package(package) = lack { Some(*package) } else { None })
        .collect();
    if !packages.is_empty() {
        say("installing the distribution's packages");
        packages::install(&packages)?;
    }
    for lack in lacks {
        match lack {
            Lack::WasmTarget => rustup(&["target", "add", WASM])?,
            Lack::Component(component) => {
                rustup(&["component", "add", if *component == "fmt" { "rustfmt" } else { component }])?;
            }
            // Another xtask may have installed it while this one waited for the lock.
            Lack::Tool(tool) if tool.is_installed(project) => {}
            Lack::Tool(tool) => {
                say(format!("installing {}", tool.summary()));
                tool.install(project)?;
            }
            Lack::Package(_) => {}
        }
    }
    say(format!("set up in {}", span(started.elapsed())));
    Ok(())
}

/// rustup changes the toolchain that xtask runs under: the proxies name it in `RUSTUP_TOOLCHAIN`.
fn rustup(arguments: &[&str]) -> Result<()> {
    let cure = || {
        format!(
            "`rustup {}` must succeed; without rustup, install the same from your distribution",
            arguments.join(" ")
        )
    };
    if which("rustup").is_none() {
        bail!("there is no rustup on the PATH: {}", cure());
    }
    let mut command = Command::new("rustup");
    process::without_cargo_run(&mut command);
    aloud(command.args(arguments)).with_context(cure)
}

/// Keeps a second xtask out until the file is dropped.
pub(crate) fn lock(folder: &Path) -> Result<File> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let path = folder.join(".lock");
    let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            say("another `cargo xtask` is at work here; waiting for it");
            file.lock().with_context(|| format!("cannot lock {}", path.display()))?;
        }
        Err(TryLockError::Error(error)) => {
            return Err(error).with_context(|| format!("cannot lock {}", path.display()));
        }
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_want_a_newer_node_than_the_page_and_say_which() {
        for (version, page, tests) in [
            ("v16.20.2", false, false),
            ("v18.19.0", true, false),
            ("v20.18.3", true, false),
            ("v20.19.0", true, true),
            ("v21.7.3", true, false),
            ("v22.11.0", true, false),
            ("v22.12.0", true, true),
            ("v24.1.0", true, true),
            ("unheard of", false, false),
        ] {
            for (needs, will_do) in [(Needs::ThePage, page), (Needs::Tests, tests), (Needs::Lints, tests)] {
                assert_eq!(newer_node(version, needs).is_none(), will_do, "{version}");
            }
        }
        assert!(newer_node("v18.19.0", Needs::Tests).is_some_and(|wanted| wanted.contains("20.19")));
    }
}
