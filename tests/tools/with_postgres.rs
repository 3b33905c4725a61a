//! Runs a command with a PostgreSQL of its own: `with_postgres cargo test …`.

use anyhow::{Context as _, Result};
use holdfast_tests::postgres;
use std::{
    env,
    process::{Command, ExitCode},
};

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let mut words = env::args_os().skip(1);
    let program = words.next().context("which command? with_postgres COMMAND [ARGUMENT …]")?;
    let database = postgres::fresh_database().await?;
    let status = Command::new(program).args(words).env("HOLDFAST_TEST_DATABASE_URL", database).status()?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
