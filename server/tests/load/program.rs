//! The real program, and what it takes of the machine.

use super::people::SECRET;
use serde::{Deserialize, Serialize};
use std::{
    fs,
    net::{SocketAddr, TcpListener},
    ops::Add,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};
use tokio::net::TcpStream;

/// Where the page believes to be. In production it is https: here a proxy would stand in between.
pub const ORIGIN: &str = "https://console.example";

/// After so long the program has not started.
const PATIENCE: Duration = Duration::from_secs(20);

/// `holdfast serve` in a process of its own, as an operator starts it; killed when dropped.
pub struct Program {
    pub address: SocketAddr,
    child: Child,
}

/// What a process has taken, or several together.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub struct Usage {
    /// Of the machine's memory, now.
    pub resident_kib: u64,
    /// The most that it ever was.
    pub peak_kib: u64,
    /// On every core together, for itself and in the system's name.
    pub cpu: Duration,
}

impl Add for Usage {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            resident_kib: self.resident_kib + other.resident_kib,
            peak_kib: self.peak_kib + other.peak_kib,
            cpu: self.cpu + other.cpu,
        }
    }
}

impl Program {
    pub fn start(data: &Path, interval_s: u32) -> Self {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_holdfast"));
        command.arg("serve").arg("--data").arg(data).args(["--origin", ORIGIN]);
        command.args(["--listen", &address.to_string(), "--challenge-every", &interval_s.to_string()]);
        command.env("HOLDFAST_SECRET", SECRET).env("CREDENTIALS_KEY", SECRET);
        // What goes wrong in the server is told beside what goes wrong here; it needs no page for this.
        command
            .env("HOLDFAST_LOG", "warn,holdfast_server::page=error")
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        Self { address, child: command.spawn().unwrap() }
    }

    pub async fn wait_until_it_answers(&self) {
        let answers = async {
            while TcpStream::connect(self.address).await.is_err() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, answers).await.unwrap();
    }

    /// See proc(5).
    pub fn usage(&self) -> Usage {
        let read = |file: &str| fs::read_to_string(format!("/proc/{}/{file}", self.child.id())).unwrap();
        let status = read("status");
        let kib = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).unwrap();
            line.trim().trim_end_matches(" kB").parse().unwrap()
        };
        let stat = read("stat");
        // The name, which stands in parentheses, may hold spaces; utime and stime are fields 14 and 15.
        let (_, after_name) = stat.rsplit_once(") ").unwrap();
        let ticks: u64 =
            after_name.split(' ').skip(11).take(2).map(|field| field.parse::<u64>().unwrap()).sum();
        // Linux shows times in hundredths of a second, whatever its own clock does.
        let cpu = Duration::from_millis(ticks * 10);
        Usage { resident_kib: kib("VmRSS"), peak_kib: kib("VmHWM"), cpu }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may be gone already; then its absence was told.
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}
