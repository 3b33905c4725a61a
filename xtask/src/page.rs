//! `cargo xtask page`: Trunk builds the two documents of it, [`seal`] seals them, and they appear in
//! target/page whole or not at all. When nothing that they are made of has changed, nothing is done.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::process::{aloud, now, output, say, span, without_cargo_run};
use crate::project::Project;
use crate::seal;
use crate::setup::{self, Equipment, Missing, Needs};
use crate::shrink;
use crate::terminal;
use crate::tools::remove;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Build quickly, without optimisation.
    #[arg(long)]
    dev: bool,
    /// Refuse, with a list, where something would have to be installed.
    #[arg(long)]
    no_install: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mode {
    Release,
    Dev,
}

impl Mode {
    pub(crate) fn dev_if(dev: bool) -> Mode {
        if dev { Mode::Dev } else { Mode::Release }
    }
}

/// One document: a program of its own, so that whoever signs in does not wait for what agents need.
struct Document {
    /// Trunk's entry.
    html: &'static str,
    /// Its files, in the page; its addresses begin alike.
    folder: &'static str,
    /// The binary, and how its script and wasm are called.
    binary: &'static str,
}

const CONSOLE: &str = "console/";

/// The Security page comes first: Trunk empties the folder that it writes to.
const DOCUMENTS: [&Document; 2] = [
    &Document { html: "index.html", folder: "", binary: "holdfast-web" },
    &Document { html: "console.html", folder: CONSOLE, binary: "holdfast-console" },
];

/// What the page is made of, and what it is made with.
pub(crate) const INPUTS: &[&str] = &[
    "web",
    "pop-wasm",
    "protocol",
    "styles",
    "index.html",
    "console.html",
    "Trunk.toml",
    "Cargo.toml",
    "Cargo.lock",
    ".cargo/config.toml",
    "xtask/src/page.rs",
    "xtask/src/seal.rs",
    "xtask/src/shrink",
    "xtask/src/terminal.rs",
];

pub(crate) fn run(project: &Project, args: &Args) -> Result<ExitCode> {
    let equipment = setup::prepare(project, Needs::ThePage, Missing::unless(args.no_install))?;
    build(project, &equipment, Mode::dev_if(args.dev))?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn build(project: &Project, equipment: &Equipment, mode: Mode) -> Result<()> {
    let started = now();
    let page = project.page();
    let _lock = setup::lock(&project.path("target"))?;
    // Beside the page, since everything inside it is served.
    let (stamp, stamped) = (stamp(project, mode)?, project.path("target/page.stamp"));
    if page.is_dir() && fs::read_to_string(&stamped).is_ok_and(|old| old == stamp) {
        return Ok(());
    }
    say(match mode {
        Mode::Release => "building the page (release; the first time takes some minutes)",
        Mode::Dev => "building the page (development)",
    });

    let fresh = project.path("target/page.new");
    remove(&fresh)?;
    for document in DOCUMENTS {
        let dist = fresh.join(document.folder);
        fs::create_dir_all(&dist)?;
        aloud(&mut trunk(project, equipment, mode, document, &dist)?)
            .context("the page could not be built")?;
        if mode == Mode::Release {
            shrink_in(equipment, document, &dist).context("the page could not be made smaller")?;
        }
        if document.folder == CONSOLE {
            terminal::add(project, equipment, mode, &dist).context("the terminal could not be added")?;
        }
        seal::seal(&dist, document.folder).context("the page could not be sealed")?;
        if mode == Mode::Release {
            seal::compress_all(&dist).context("the page could not be compressed")?;
        }
    }

    fs::write(&stamped, "")?;
    let old = project.path("target/page.old");
    remove(&old)?;
    if page.exists() {
        fs::rename(&page, &old)?;
    }
    fs::rename(&fresh, &page).context("cannot put the page in its place")?;
    remove(&old)?;
    fs::write(&stamped, &stamp)?;
    say(format!("the page is built ({})", span(started.elapsed())));
    Ok(())
}

fn trunk(
    project: &Project,
    equipment: &Equipment,
    mode: Mode,
    document: &Document,
    dist: &Path,
) -> Result<Command> {
    let mut command = equipment.lent("trunk")?;
    without_cargo_run(&mut command);
    command
        .current_dir(project.root())
        .args(["build", document.html, "--html-output", "index.html", "--offline", "--log", "warn"])
        .args(["--public-url", &["/", document.folder].concat(), "--dist"])
        .arg(dist)
        // Trunk takes the usual `NO_COLOR=1` for a spelling mistake.
        .env_remove("NO_COLOR");
    if mode == Mode::Release {
        command.arg("--release");
    }
    Ok(command)
}

/// Script and wasm are named after what they are now, since each name is kept by browsers for a year.
fn shrink_in(equipment: &Equipment, document: &Document, dist: &Path) -> Result<()> {
    let index = dist.join("index.html");
    let html = fs::read_to_string(&index)?;
    let old = seal::between(&html, &["import(\"/", document.folder].concat(), ".js\")")
        .context("index.html imports no script")?;
    let path = |stem: &str, end: &str| dist.join([stem, end].concat());
    say(format!("making {} smaller (half a minute or more)", document.html));
    shrink::shrink(equipment, &path(old, ".js"), &path(old, "_bg.wasm"))?;
    shrink::minify(equipment, &path(old, ".js"))?;

    let script = fs::read_to_string(path(old, ".js"))?;
    let content = [script.as_bytes(), &fs::read(path(old, "_bg.wasm"))?].concat();
    let new = format!("{}-{}", document.binary, seal::short_hash(&content));
    fs::rename(path(old, "_bg.wasm"), path(&new, "_bg.wasm"))?;
    fs::remove_file(path(old, ".js"))?;
    fs::write(path(&new, ".js"), script.replace(old, &new))?;
    Ok(fs::write(&index, html.replace(old, &new))?)
}

/// Names everything that the page depends on; equal stamps mean an equal page.
fn stamp(project: &Project, mode: Mode) -> Result<String> {
    let mut hash = Sha256::new();
    hash.update(format!("{mode:?}\n"));
    hash.update(output(Command::new("rustc").arg("-vV"))?);
    for input in INPUTS {
        for file in input_files(&project.path(input))? {
            let content = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
            hash.update(file.strip_prefix(project.root())?.as_os_str().as_encoded_bytes());
            hash.update(Sha256::digest(content));
        }
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The files under an input, without those that never reach the page: tests, documents, what editors
/// leave behind.
pub(crate) fn input_files(path: &Path) -> Result<Vec<PathBuf>> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))? {
        let entry = entry?.path();
        let name = entry.file_name().unwrap_or_default().to_string_lossy();
        let beside = name.starts_with('.') || name.ends_with('~') || name.ends_with(".md");
        if beside || ["tests", "vectors", "node_modules", "target"].contains(&name.as_ref()) {
            continue;
        }
        files.extend(input_files(&entry)?);
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_inputs_are_there_and_exclude_tests_and_documents() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        for input in INPUTS {
            let files = input_files(&root.join(input)).unwrap();
            assert!(!files.is_empty(), "{input} holds nothing");
            assert!(files.iter().all(|file| file.extension().is_none_or(|extension| extension != "md")));
        }
    }
}
