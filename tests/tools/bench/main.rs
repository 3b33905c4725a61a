//! `cargo xtask bench`: sizes and speeds as ratios, measured in one run, printed and written as JSON.
//!
//! Times on one machine mean little on another; ratios against a bare signature, a known package and
//! `openssl speed`, taken in turn in the same run, mean more.

mod in_browser;
mod log;
mod on_server;
mod responsive;
mod sizes;

use anyhow::{Context as _, Result};
use serde_json::{Map, Value};
use std::{env, fs, path::PathBuf};

/// How often each thing is measured, in turn with the others.
const ROUNDS: usize = 5;

/// One figure, and what it should be.
struct Figure {
    name: &'static str,
    value: f64,
    aim: Aim,
}

enum Aim {
    AtMost(f64),
    AtLeast(f64),
    None,
}

#[tokio::main]
async fn main() -> Result<()> {
    // `bench server log`: of some groups only.
    let asked: Vec<String> = env::args().skip(1).collect();
    let wanted = |group: &str| asked.is_empty() || asked.iter().any(|name| name == group);
    let mut figures = Vec::new();
    if wanted("sizes") {
        figures.extend(sizes::measure()?);
    }
    if wanted("server") {
        figures.extend(on_server::measure()?);
    }
    if wanted("log") {
        figures.extend(log::measure().await?);
    }
    if wanted("browser") {
        figures.extend(in_browser::measure().await?);
        figures.extend(responsive::measure().await?);
    }
    let mut report = Map::new();
    println!("{:<28} {:>12}  aim", "figure", "measured");
    for Figure { name, value, aim } in figures {
        let (aim, met) = match aim {
            Aim::AtMost(most) => (format!("at most {most}"), value <= most),
            Aim::AtLeast(least) => (format!("at least {least}"), value >= least),
            Aim::None => (String::new(), true),
        };
        println!("{name:<28} {value:>12.3}  {aim}{}", if met { "" } else { "  (missed)" });
        report.insert(name.to_owned(), Value::from(value));
    }
    let path = folder("HOLDFAST_REPORT_DIR")?;
    fs::create_dir_all(&path)?;
    fs::write(path.join("report.json"), serde_json::to_string_pretty(&report)?)?;
    println!("written to target/bench/report.json");
    Ok(())
}

/// A folder that `cargo xtask bench` names.
fn folder(variable: &str) -> Result<PathBuf> {
    let path =
        env::var_os(variable).with_context(|| format!("{variable} is not set; run `cargo xtask bench`"))?;
    Ok(PathBuf::from(path))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
