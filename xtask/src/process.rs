//! Running other programs: quietly with a sign of life, or aloud with an ear on what they say.

use std::env;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// How often a quiet program gives a sign of life where there is no terminal.
const SIGN_OF_LIFE: Duration = Duration::from_secs(30);

#[expect(clippy::disallowed_methods, reason = "xtask times its own steps; no rule depends on it")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// One line that says what is being done, and why.
pub(crate) fn say(line: impl AsRef<str>) {
    println!("holdfast: {}", line.as_ref());
}

/// A length of time as a person says it.
pub(crate) fn span(took: Duration) -> String {
    let seconds = took.as_secs();
    match seconds {
        0..10 => format!("{:.1} s", took.as_secs_f64()),
        10..60 => format!("{seconds} s"),
        _ => format!("{} min {:02} s", seconds / 60, seconds % 60),
    }
}

/// Cargo, as a person would call it: without the variables of the `cargo run` that started xtask,
/// which would make build scripts run again.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    without_cargo_run(&mut command);
    command
}

pub(crate) fn without_cargo_run(command: &mut Command) {
    let of_cargo_run = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"];
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(|name| of_cargo_run.iter().any(|prefix| name.starts_with(prefix))) {
            command.env_remove(name);
        }
    }
}

/// Where a program stands on the PATH.
pub(crate) fn which(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|dir| dir.join(program)).find(|file| file.is_file())
}

/// The PATH with these folders first.
pub(crate) fn path_with<'a>(first: impl Iterator<Item = &'a Path>) -> Result<std::ffi::OsString> {
    let rest = env::var_os("PATH").unwrap_or_default();
    let all = first.map(Path::to_owned).chain(env::split_paths(&rest));
    env::join_paths(all).context("a folder of the PATH holds a colon")
}

/// What a short program writes to its standard output.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let shown = shown(command);
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("cannot start {shown}"))?;
    if !output.status.success() {
        bail!("`{shown}` failed ({}): {}", output.status, String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Runs a program that the person watches.
pub(crate) fn aloud(command: &mut Command) -> Result<()> {
    let shown = shown(command);
    let status = command.status().with_context(|| format!("cannot start {shown}"))?;
    if !status.success() {
        bail!("`{shown}` failed ({status}); its own words are above");
    }
    Ok(())
}

/// Runs a long program of which only signs of life are shown, and everything if it fails.
pub(crate) fn quietly(command: &mut Command) -> Result<()> {
    let shown = shown(command);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {shown}"))?;
    let said = child.stderr.take().map_or_else(Vec::new, listen);
    let status = child.wait().with_context(|| format!("lost sight of {shown}"))?;
    if !status.success() {
        eprintln!("{}", said.join("\n"));
        bail!("`{shown}` failed ({status}); its own words are above");
    }
    Ok(())
}

fn listen(stderr: impl Read) -> Vec<String> {
    let terminal = std::io::stderr().is_terminal();
    let mut said: Vec<String> = Vec::new();
    let (mut compiled, mut last_sign) = (0_u32, now());
    for line in BufReader::new(stderr).split(b'\n').map_while(std::io::Result::ok) {
        let line = String::from_utf8_lossy(&line).into_owned();
        compiled += u32::from(line.trim_start().starts_with("Compiling "));
        if terminal {
            let short: String = line.trim().chars().take(70).collect();
            eprint!("\r\x1b[2K          {short}");
            let _ = std::io::stderr().flush();
        } else if last_sign.elapsed() >= SIGN_OF_LIFE {
            eprintln!("          still at it: {compiled} crates compiled");
            last_sign = now();
        }
        said.push(line);
    }
    if terminal {
        eprint!("\r\x1b[2K");
    }
    said
}

/// Runs a program aloud and keeps what it wrote to its standard output.
pub(crate) fn overheard(command: &mut Command) -> Result<(ExitStatus, String)> {
    let shown = shown(command);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {shown}"))?;
    let mut heard = String::new();
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).split(b'\n').map_while(std::io::Result::ok) {
            let line = String::from_utf8_lossy(&line);
            println!("{line}");
            heard.push_str(&line);
            heard.push('\n');
        }
    }
    let status = child.wait().with_context(|| format!("lost sight of {shown}"))?;
    Ok((status, heard))
}

/// A command as one would type it, without the folder of its program.
fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let words: Vec<_> =
        std::iter::once(program).chain(command.get_args()).map(OsStr::to_string_lossy).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_names_the_command() {
        let failed = output(&mut Command::new("/bin/false")).unwrap_err();
        assert!(failed.to_string().starts_with("`false` failed"), "{failed}");
    }

    #[test]
    fn a_span_reads_well() {
        assert_eq!(span(Duration::from_millis(1_240)), "1.2 s");
        assert_eq!(span(Duration::from_secs(59)), "59 s");
        assert_eq!(span(Duration::from_secs(125)), "2 min 05 s");
    }
}
