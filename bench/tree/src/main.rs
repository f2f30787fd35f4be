//! Measures state trees on the same blocks: our store (`own`) and crate `jmt` over the same database (`jmt`).
//!
//! `yunhe-bench-tree all|own|jmt [--records N] [--blocks N] [--changes N] [--keep N] [--cache-mib N] [--proofs N] [--sync 0|1]`
//!
//! Loads `records` records, then applies `blocks` blocks of `changes` changed keys (80 % rewritten, 10 % new, 10 % deleted, chosen at
//! random from one seed), each block one atomic batch (synced unless `--sync 0`), dropping after each block what only heights older than `keep` need.
//! Then proves records at the head and at the oldest kept height. CPU time is that of the whole process, background compaction included.

mod jmt_store;
mod measure;
mod own_store;
mod workload;

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};
use measure::{Meter, Spread, disk_bytes, memory_mib};
use workload::{Options, Workload};

/// A tree with its records, as the measurement drives it.
trait Candidate {
    /// Read what a block is going to write, as whoever executes it does.
    fn read(&mut self, writes: &[workload::Write]) -> Result<usize>;
    /// Compute the root after a block; nothing is written.
    fn stage(&mut self, height: u64, writes: &[workload::Write]) -> Result<[u8; 32]>;
    /// Write the staged block durably.
    fn apply(&mut self, sync: bool) -> Result<()>;
    /// Drop what only heights below need.
    fn prune(&mut self, keep_from: u64) -> Result<()>;
    /// Check everything that is stored, if the candidate can.
    fn verify(&mut self) -> Result<bool>;
    /// Make a proof and return its bytes.
    fn prove(&mut self, height: u64, key: &[u8]) -> Result<usize>;
}

fn main() -> Result<()> {
    let options = Options::parse()?;
    let directory = tempfile::tempdir()?;
    let mut candidate: Box<dyn Candidate> = match options.candidate.as_str() {
        "all" => return each_alone(),
        "own" => Box::new(own_store::OwnStore::open(directory.path(), options.cache_mib)?),
        "jmt" => Box::new(jmt_store::JmtStore::open(directory.path(), options.cache_mib)?),
        other => bail!("{other:?} is not a candidate: all, own, jmt"),
    };
    run(&options, candidate.as_mut(), directory.path())
}

/// Measure each candidate in a process of its own, so that none finds the memory of another.
fn each_alone() -> Result<()> {
    for candidate in ["own", "jmt"] {
        let arguments = std::env::args().skip(2);
        let status = Command::new(std::env::current_exe()?).arg(candidate).args(arguments).status()?;
        if !status.success() {
            bail!("{candidate}: {status}");
        }
        println!();
    }
    Ok(())
}

fn run(options: &Options, candidate: &mut dyn Candidate, directory: &Path) -> Result<()> {
    let mut workload = Workload::new();
    let mut height = 0;
    let load = Meter::start();
    while workload.len() < options.records {
        let writes = workload.fill(options.changes.min(options.records - workload.len()));
        candidate.stage(height, &writes)?;
        candidate.apply(false)?;
        candidate.prune(height.saturating_sub(options.keep))?;
        height += 1;
    }
    println!("{}: {options}", options.candidate);
    println!("yardstick           {:>8.0} ns for a node hash (SHA-256 of 65 bytes)", measure::node_hash_ns());
    println!("load                {:>8.1} s wall {:>8.1} s CPU", load.wall(), load.cpu());
    let whole = Meter::start();
    let (mut reads, mut stages, mut applies, mut prunes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut last_root = [0; 32];
    for _ in 0..options.blocks {
        let writes = workload.block(options.changes);
        let step = Meter::start();
        candidate.read(&writes)?;
        reads.push(step.wall());
        let step = Meter::start();
        last_root = candidate.stage(height, &writes)?;
        stages.push(step.wall());
        let step = Meter::start();
        candidate.apply(options.sync)?;
        applies.push(step.wall());
        let step = Meter::start();
        candidate.prune(height.saturating_sub(options.keep))?;
        prunes.push(step.wall());
        height += 1;
    }
    let (wall, cpu) = (whole.wall(), whole.cpu());
    let (blocks, changes) = (options.blocks as f64, (options.blocks * options.changes) as f64);
    let both: Vec<_> = stages.iter().zip(&applies).map(|(stage, apply)| stage + apply).collect();
    for (name, times) in [("read", reads), ("stage", stages), ("apply", applies), ("stage + apply", both), ("prune", prunes)] {
        let Spread { least, median, mean, most } = Spread::of(times);
        let rate = options.changes as f64 * 1e3 / median;
        println!("{name:<19} {median:>8.1} ms median, {least:.1} least, {mean:.1} mean, {most:.1} most; {rate:>8.0} keys/s at the median");
    }
    println!("all                 {:>8.1} ms a block, {:>8.0} keys/s", wall * 1e3 / blocks, changes / wall);
    println!("CPU, all threads    {:>8.1} ms a block, {:>8.0} keys/s of one core", cpu * 1e3 / blocks, changes / cpu);
    println!("memory              {:>8} MiB now, {} MiB at most", memory_mib("VmRSS")?, memory_mib("VmHWM")?);
    println!("disk                {:>8} MiB", disk_bytes(directory)? / 1024 / 1024);
    for (name, at) in [("head", height - 1), ("oldest kept height", (height - 1).saturating_sub(options.keep))] {
        let keys = workload.sample(options.proofs);
        let meter = Meter::start();
        let bytes = keys.iter().map(|key| candidate.prove(at, key)).sum::<Result<usize>>()?;
        let each = meter.wall() * 1e6 / keys.len() as f64;
        println!("proof at {name:<18} {each:>8.1} us, {:.0} bytes", bytes as f64 / keys.len() as f64);
    }
    let meter = Meter::start();
    if candidate.verify()? {
        println!("verify              {:>8.1} s", meter.wall());
    }
    println!("root {}", last_root.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    Ok(())
}
