//! `cargo xtask simulate`: the two machines of the proof of possession in simulated time, to choose
//! their interval and timeout by.
//!
//! [`link`] is one connection; [`honest`] lives on connections for days, [`theft`] takes them over;
//! [`browser`], [`absences`] and [`line`] are the weather; [`table`] and [`plot`] say what came of it.
//!
//! What is real: `Verifier`, `Prover`, their messages and transcripts. What is not: the signature
//! ([`key`]), and TCP, of which [`line`] knows order and retries. A socket here outlives every outage,
//! where a browser would often notice and open a new one: the machines are judged by the harder case.

mod absences;
mod browser;
mod honest;
mod key;
mod line;
mod link;
mod parameters;
mod plot;
mod random;
mod table;
mod theft;
mod workers;

use anyhow::{Context as _, Result};
use clap::Parser as _;
use parameters::Parameters;
use std::fs;
use table::Row;
use theft::{Thefts, Who};

fn main() -> Result<()> {
    let parameters = Parameters::parse();
    let mut rows = Vec::new();
    for timing in parameters.timings() {
        let thefts = |who, count| -> Result<Thefts> {
            let mut sum: Thefts =
                workers::sum(count, |index, sum| theft::happen(&parameters, timing, who, index, sum))?;
            sum.sort();
            Ok(sum)
        };
        rows.push(Row {
            timing,
            honest: workers::sum(parameters.connections, |index, sum| {
                honest::live(&parameters, timing, index, sum)
            })?,
            thieves: thefts(Who::Thief, parameters.thieves)?,
            relays: thefts(Who::Relay, parameters.relays)?,
        });
        eprint!(".");
    }
    eprintln!();
    print!("{}", table::write(&rows, &parameters));
    let path = &parameters.plot;
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    fs::write(path, plot::draw(&rows)).with_context(|| format!("cannot write {}", path.display()))?;
    println!("\nplot written to {}", path.display());
    Ok(())
}
