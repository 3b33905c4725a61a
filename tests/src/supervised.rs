use std::ffi::OsStr;
use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;

use crate::wait;

/// A program with its folder. Dropping it, or the end of the test's process however it comes, kills
/// the program with everything that it has started, and removes the folder.
#[derive(Debug)]
pub(crate) struct Supervised {
    name: String,
    watchdog: Child,
    /// The watchdog reads from it, and ends the program when it closes.
    lifeline: Option<ChildStdin>,
    folder: PathBuf,
}

/// How a program is ended.
#[derive(Clone, Copy, Debug)]
pub(crate) enum End {
    /// At once: what it leaves behind is in its folder.
    Kill,
    /// It is told to stop at once by SIGQUIT, and gives back to the system what it holds.
    Quit,
    /// The same, by SIGTERM.
    Terminate,
}

/// What a program is told on its way.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Signal {
    Stop,
    Continue,
}

impl End {
    fn signal(self) -> &'static str {
        match self {
            Self::Kill => "KILL",
            Self::Quit => "QUIT",
            Self::Terminate => "TERM",
        }
    }
}

impl Supervised {
    /// Starts `command`; its output goes to a file in `folder`.
    pub(crate) fn start(command: &Command, folder: TempDir, end: End) -> Result<Self> {
        let name = Path::new(command.get_program()).display().to_string();
        let log = File::create(folder.path().join(LOG)).context("make a log file")?;
        let mut sh = Command::new("sh");
        sh.args(["-c", include_str!("watchdog.sh"), "watchdog"])
            .arg(folder.path())
            .arg(end.signal())
            .arg(command.get_program())
            .args(command.get_args())
            .envs(command.get_envs().filter_map(|(key, value)| value.map(|value| (key, value))))
            .stdin(Stdio::piped())
            .stdout(log.try_clone().context("share the log file")?)
            .stderr(log)
            // The terminal's Ctrl-C is for the test; the watchdog sees the test's end.
            .process_group(0);
        let mut watchdog = sh.spawn().with_context(|| format!("start {name}"))?;
        let lifeline = watchdog.stdin.take();
        Ok(Self { name, watchdog, lifeline, folder: folder.keep() })
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Waits until `ready` finds in the program's output what it looks for.
    pub(crate) async fn ready<T>(&self, ready: impl Fn(&str) -> Option<T>) -> Result<T> {
        let found = wait::until(async || {
            let log = self.log();
            match ready(&log) {
                Some(found) => Ok(Some(found)),
                None if self.folder.join("ended").exists() => bail!("{} ended early:\n{log}", self.name),
                None => Ok(None),
            }
        });
        found.await?.with_context(|| format!("{} does not get ready:\n{}", self.name, self.log()))
    }

    /// Makes the program and everything that it has started stand still, or go on.
    pub(crate) fn signal(&self, signal: Signal) -> Result<()> {
        let name = match signal {
            Signal::Stop => "STOP",
            Signal::Continue => "CONT",
        };
        let group = fs::read_to_string(self.folder.join("group")).context("read the process group")?;
        run(Command::new("kill").args(["-s", name, "--"]).arg(format!("-{}", group.trim())))?;
        Ok(())
    }

    /// What the program has written so far.
    pub(crate) fn log(&self) -> String {
        let bytes = fs::read(self.folder.join(LOG)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        drop(self.lifeline.take());
        // Nothing is left to do where this fails: the watchdog is gone already.
        let _ = self.watchdog.wait();
    }
}

/// The program that `variable` names, else the first of `names` on the PATH.
pub(crate) fn locate(variable: &str, names: &[&str]) -> Result<PathBuf> {
    if let Some(named) = std::env::var_os(variable).map(PathBuf::from) {
        ensure!(named.is_file(), "{variable} names {}, and no such file exists", named.display());
        return Ok(named);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let mut candidates = names.iter().flat_map(|name| places.iter().map(move |place| place.join(name)));
    candidates.find(|candidate| candidate.is_file()).with_context(|| {
        format!("this test needs `{}`: install it, or name it in {variable}", names.join("` or `"))
    })
}

/// Runs a command to its end and gives its output; its failure is an error with everything it said.
pub(crate) fn run(command: &mut Command) -> Result<String> {
    let name = OsStr::to_string_lossy(command.get_program()).into_owned();
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("start {name}"))?;
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    if !output.status.success() {
        bail!("{name} failed, {}: {}", output.status, said.concat());
    }
    let [answer, _] = said;
    Ok(answer)
}

/// A port that nobody listens on now, for programs that cannot choose one by themselves.
pub(crate) fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("find a free port")?;
    Ok(listener.local_addr()?.port())
}

const LOG: &str = "output.log";

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_program_its_children_and_its_folder_go_when_it_is_dropped() {
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 1000 & echo child $!; wait"]);
        let program = Supervised::start(&command, TempDir::new().unwrap(), End::Kill).unwrap();
        let find = |log: &str| log.trim().strip_prefix("child ").map(str::to_owned);
        let child = PathBuf::from("/proc").join(program.ready(find).await.unwrap());
        let folder = program.folder().to_owned();
        assert!(child.exists() && folder.exists());

        drop(program);

        assert!(!folder.exists());
        let gone = wait::until(async || Ok((!child.exists() || is_zombie(&child)).then_some(())));
        assert_eq!(gone.await.unwrap(), Some(()));
    }

    #[tokio::test]
    async fn a_program_that_ends_early_is_an_error_with_its_last_words() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo no display; exit 1"]);
        let program = Supervised::start(&command, TempDir::new().unwrap(), End::Kill).unwrap();
        let error = program.ready(|log| log.contains("ready").then_some(())).await.unwrap_err();
        assert!(error.to_string().contains("no display"), "{error}");
    }

    #[test]
    fn a_missing_program_is_named_with_its_cure() {
        let error = locate("HOLDFAST_NOTHING", &["no-such-program"]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "this test needs `no-such-program`: install it, or name it in HOLDFAST_NOTHING"
        );
    }

    /// Killed, and not yet collected by the first process of the machine.
    fn is_zombie(process: &Path) -> bool {
        fs::read_to_string(process.join("stat")).is_ok_and(|stat| stat.contains(") Z "))
    }
}
