//! Runs a command with a virtual display of its own: `with_display cargo test …`.

use anyhow::{Context as _, Result};
use holdfast_tests::display::Display;
use std::{
    env,
    process::{Command, ExitCode},
};

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let mut words = env::args_os().skip(1);
    let program = words.next().context("which command? with_display COMMAND [ARGUMENT …]")?;
    let display = Display::start().await?;
    let status = Command::new(program).args(words).env("DISPLAY", display.name()).status()?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
