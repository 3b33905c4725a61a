//! A share of the load, and how it keeps step with the others: it goes on when all of them are as far, so that
//! what is measured is all connections at once.

use super::{CONNECTIONS, report::Measured};
use std::{
    io::{BufRead as _, BufReader, Write as _, stdin},
    os::{
        fd::{AsFd as _, OwnedFd},
        unix::net::UnixStream,
    },
    process::{Child, Command, Stdio},
};

/// Says to this program that it is a share.
const IS_ONE: &str = "HOLDFAST_LOAD_IS_SHARE";

/// A share, as seen from the process that began it; killed when dropped.
pub struct Share {
    process: Child,
    line: Line,
}

impl Share {
    /// This program once more, with a line to speak on where others have their input.
    pub fn start(connections: usize) -> Self {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "of_many_connections_none_ends", "--nocapture"]);
        command.env(IS_ONE, "yes").env(CONNECTIONS, connections.to_string());
        // What fails there is told; that it has passed as a test of its own is not.
        command.stdin(OwnedFd::from(theirs)).stdout(Stdio::null());
        Self { process: command.spawn().unwrap(), line: Line::new(ours) }
    }

    /// What its connections have cost.
    pub fn measured(&mut self) -> Measured {
        serde_json::from_str(&self.line.hear()).unwrap()
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        // It may be gone already; then its absence was told.
        let _gone = self.process.kill();
        let _gone = self.process.wait();
    }
}

/// Waits until every share has met the others, and lets them go on.
pub fn let_meet(shares: &mut [Share]) {
    for share in &mut *shares {
        share.line.hear();
    }
    for share in shares {
        share.line.say("");
    }
}

/// The others, as a share sees them.
pub struct Others(Line);

impl Others {
    /// `None`: this process is no share.
    pub fn find() -> Option<Self> {
        std::env::var_os(IS_ONE)?;
        Some(Self(Line::new(stdin().as_fd().try_clone_to_owned().unwrap().into())))
    }

    /// Waits until all of them are as far.
    pub fn meet(&mut self) {
        self.0.say("");
        self.0.hear();
    }

    /// The last word.
    pub fn tell(mut self, measured: &Measured) {
        self.0.say(&serde_json::to_string(measured).unwrap());
    }
}

/// Between the two, a line of text at a time.
struct Line(BufReader<UnixStream>);

impl Line {
    fn new(stream: UnixStream) -> Self {
        Self(BufReader::new(stream))
    }

    fn say(&mut self, text: &str) {
        self.0.get_mut().write_all(format!("{text}\n").as_bytes()).unwrap();
    }

    fn hear(&mut self) -> String {
        let mut text = String::new();
        self.0.read_line(&mut text).unwrap();
        assert!(text.ends_with('\n'), "the other end of a share is gone");
        text
    }
}
