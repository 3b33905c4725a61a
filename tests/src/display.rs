use std::process::Command;

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::supervised::{End, Supervised, locate};

/// An X server without a screen, on a number that was free. Dropping it ends it, and whatever shows
/// something on it.
#[derive(Debug)]
pub struct Display {
    number: u32,
    #[expect(dead_code, reason = "held for what its end does")]
    program: Supervised,
}

impl Display {
    pub async fn start() -> Result<Self> {
        let mut command = Command::new(locate("HOLDFAST_XVFB", &["Xvfb"])?);
        // It looks for a free number by itself, and writes it when it listens.
        command.args(["-displayfd", "1", "-screen", "0", "1440x1000x24", "-nolisten", "tcp"]);
        let folder = TempDir::with_prefix("holdfast-display-").context("make a folder for the display")?;
        let program = Supervised::start(&command, folder, End::Terminate)?;
        let number = program.ready(number).await?;
        Ok(Self { number, program })
    }

    /// For the variable `DISPLAY`.
    pub fn name(&self) -> String {
        format!(":{}", self.number)
    }
}

/// The line that is a number, among warnings.
fn number(log: &str) -> Option<u32> {
    log.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')).find_map(|line| line.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_is_a_line_of_its_own() {
        assert_eq!(number("_XSERVTransmkdir: 2 warnings\n99\n"), Some(99));
        assert_eq!(number("_XSERVTransmkdir: 2 warnings\n9"), None, "more digits may follow");
    }
}
