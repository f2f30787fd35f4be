//! All candidates in turns, and a table of the medians.

use std::process::{Command, Stdio};

use anyhow::{Result, ensure};

use crate::measure::{Figures, median};
use crate::workload::Options;

pub const CANDIDATES: [&str; 3] = ["own", "jmt", "nomt"];

/// Run each candidate in a process of its own, so that none finds the memory of another, `rounds` times in turns.
pub fn compare(options: &Options) -> Result<()> {
    let mut runs: [Vec<Figures>; CANDIDATES.len()] = Default::default();
    for round in 1..=options.rounds {
        for (candidate, runs) in CANDIDATES.iter().zip(&mut runs) {
            eprintln!("round {round} of {}: {candidate}", options.rounds);
            let arguments = std::env::args().skip(2);
            let output = Command::new(std::env::current_exe()?).arg(candidate).args(arguments).stderr(Stdio::inherit()).output()?;
            ensure!(output.status.success(), "{candidate}: {}", output.status);
            runs.push(Figures::parse(&String::from_utf8(output.stdout)?)?);
        }
    }
    println!("{options}\nmedians of {} rounds in turns; in brackets: as a multiple of own\n", options.rounds);
    let Some(first) = runs.first().and_then(|own| own.first()) else { return Ok(()) };
    println!("| {:<38} | {:>20} | {:>20} | {:>20} |", "", CANDIDATES[0], CANDIDATES[1], CANDIDATES[2]);
    println!("|---|---:|---:|---:|");
    for (name, _) in &first.0 {
        let figures = runs.each_ref().map(|runs| {
            let known: Vec<_> = runs.iter().filter_map(|run| run.get(name)).collect();
            if known.len() == runs.len() { median(known) } else { f64::NAN }
        });
        let cells = figures.map(|figure| match figure {
            none if none.is_nan() => "none".to_owned(),
            figure => format!("{figure:.1} ({:.2})", figure / figures[0]),
        });
        println!("| {name:<38} | {:>20} | {:>20} | {:>20} |", cells[0], cells[1], cells[2]);
    }
    Ok(())
}
