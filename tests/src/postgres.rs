use std::fs;
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;
use tokio::sync::OnceCell;

use crate::supervised::{End, Supervised, free_port, run};

/// Makes an empty database and gives its address, `postgres://…`. The first call starts the server,
/// one for each test process; it is gone when the process is.
pub async fn fresh_database() -> Result<String> {
    static SERVER: OnceCell<Postgres> = OnceCell::const_new();
    static NUMBER: AtomicU64 = AtomicU64::new(0);

    let server = SERVER.get_or_try_init(Postgres::start).await?;
    let name = format!("holdfast_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    let statement = format!("CREATE DATABASE {name}");
    let mut create = server.system_user.command(&server.programs.join("psql"));
    create.arg("--no-psqlrc").args(["--host", "127.0.0.1", "--port", &server.port.to_string()]);
    create.args(["--username", USER, "--dbname", "postgres", "--quiet", "--command", &statement]);
    blocking(move || run(&mut create)).await.context("make a database")?;
    Ok(format!("postgres://{USER}@127.0.0.1:{}/{name}", server.port))
}

/// A running server, reached over loopback and over a socket in its folder.
#[derive(Debug)]
struct Postgres {
    programs: PathBuf,
    system_user: SystemUser,
    port: u16,
    /// Ends the server when the process does.
    #[expect(dead_code, reason = "held for what its end does")]
    program: Supervised,
}

impl Postgres {
    async fn start() -> Result<Self> {
        let programs = programs()?;
        let system_user = SystemUser::for_postgres()?;
        let folder = TempDir::with_prefix("holdfast-postgres-").context("make a folder for PostgreSQL")?;
        system_user.own(folder.path())?;
        let data = folder.path().join("data");

        let mut initdb = system_user.command(&programs.join("initdb"));
        initdb.args(["--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"]);
        initdb.arg("--username").arg(USER).arg("--pgdata").arg(&data);
        blocking(move || run(&mut initdb)).await.context("make a PostgreSQL cluster")?;

        let port = free_port()?;
        let mut postgres = system_user.command(&programs.join("postgres"));
        postgres.arg("-D").arg(&data).arg("-k").arg(folder.path()).arg("-p").arg(port.to_string());
        // Nothing here outlives the process, so nothing has to reach the disk.
        for setting in ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=1000"]
        {
            postgres.args(["-c", setting]);
        }
        postgres.args(["-c", "listen_addresses=127.0.0.1", "-c", "timezone=UTC"]);
        let program = Supervised::start(&postgres, folder, End::Quit)?;
        program
            .ready(|log| {
                let ready = log.contains("database system is ready to accept connections");
                (ready && TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()).then_some(())
            })
            .await?;
        Ok(Self { programs, system_user, port, program })
    }
}

/// Who PostgreSQL runs as: it refuses to run as root.
#[derive(Debug)]
enum SystemUser {
    Myself,
    Other { uid: u32, gid: u32 },
}

impl SystemUser {
    fn for_postgres() -> Result<Self> {
        let myself = fs::metadata("/proc/self").context("ask who is running")?.uid();
        if myself != 0 {
            return Ok(Self::Myself);
        }
        let users = fs::read_to_string("/etc/passwd").context("read the system's users")?;
        let found = ["postgres", "nobody"].iter().find_map(|name| other_user(&users, name));
        found.context("root cannot run PostgreSQL, and there is neither a user `postgres` nor `nobody`")
    }

    /// A command that runs as this user.
    fn command(&self, program: &Path) -> Command {
        match self {
            Self::Myself => Command::new(program),
            Self::Other { uid, gid } => {
                let mut command = Command::new("setpriv");
                command.arg(format!("--reuid={uid}")).arg(format!("--regid={gid}")).arg("--clear-groups");
                command.arg("--").arg(program);
                command
            }
        }
    }

    fn own(&self, folder: &Path) -> Result<()> {
        match self {
            Self::Myself => Ok(()),
            Self::Other { uid, gid } => {
                chown(folder, Some(*uid), Some(*gid)).context("give the folder to PostgreSQL's user")
            }
        }
    }
}

/// A user's line in passwd(5): name, password, uid, gid.
fn other_user(users: &str, name: &str) -> Option<SystemUser> {
    let mut fields = users
        .lines()
        .map(|line| line.split(':'))
        .find_map(|mut fields| (fields.next() == Some(name)).then(|| fields.skip(1)))?;
    Some(SystemUser::Other { uid: fields.next()?.parse().ok()?, gid: fields.next()?.parse().ok()? })
}

/// The folder of PostgreSQL's programs. Debian keeps the server's out of the PATH.
fn programs() -> Result<PathBuf> {
    if let Some(named) = std::env::var_os("HOLDFAST_POSTGRES_BIN").map(PathBuf::from) {
        ensure!(
            has_programs(&named),
            "HOLDFAST_POSTGRES_BIN names {}, which lacks one of {PROGRAMS:?}",
            named.display()
        );
        return Ok(named);
    }
    let mut debian: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .map(|versions| versions.flatten().map(|version| version.path().join("bin")).collect())
        .unwrap_or_default();
    // The newest first.
    debian.sort_by_key(|folder| std::cmp::Reverse(version(folder)));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).chain(debian).find(|folder| has_programs(folder));
    found.context(
        "this test needs PostgreSQL: install it, or name its folder of programs in HOLDFAST_POSTGRES_BIN",
    )
}

fn has_programs(folder: &Path) -> bool {
    PROGRAMS.iter().all(|program| folder.join(program).is_file())
}

/// 15 of `/usr/lib/postgresql/15/bin`.
fn version(folder: &Path) -> u32 {
    let name = folder.parent().and_then(Path::file_name).and_then(|name| name.to_str());
    name.and_then(|name| name.parse().ok()).unwrap_or_default()
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.context("wait for a program")?
}

const PROGRAMS: [&str; 3] = ["initdb", "postgres", "psql"];

const USER: &str = "holdfast";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_of_debians_versions_is_taken_as_a_number() {
        assert!(
            version(Path::new("/usr/lib/postgresql/9/bin"))
                < version(Path::new("/usr/lib/postgresql/15/bin"))
        );
    }

    #[test]
    fn a_user_is_read_from_passwd() {
        let users = "root:x:0:0::/root:/bin/bash\npostgres:x:101:104:PostgreSQL,,,:/var/lib:/bin/bash\n";
        assert!(matches!(other_user(users, "postgres"), Some(SystemUser::Other { uid: 101, gid: 104 })));
        assert!(other_user(users, "post").is_none());
    }
}
