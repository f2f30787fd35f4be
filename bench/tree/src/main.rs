//! Measures state trees on the same blocks: our store (`own`), and crates `jmt` and `nomt` (docs/adr/0003-state-tree.md).
//!
//! `all` runs each candidate in a process of its own, in turns, `--rounds` times over, and prints medians: the machine may be busy, and
//! what disturbs one round disturbs the candidates alike. `own`, `jmt` and `nomt` run one of them once.
//!
//! A run loads `--records` records, then applies `--blocks` blocks of `--changes` changed keys (80 % rewritten, 10 % new, 10 % deleted,
//! chosen at random from one seed), each made durable at once (`--sync 0`: when the database likes), and drops after each block what only
//! heights older than `--keep` need. Then it proves `--proofs` keys, half of them absent, at the head and at the oldest kept height.
//! `--crowded 1` rewrites the same keys in every block instead, whose paths were ground to agree with one another in their first bits.

mod jmt_store;
mod measure;
mod nomt_store;
mod own_store;
mod records;
mod rounds;
mod workload;

use std::path::Path;

use anyhow::{Result, bail, ensure};
use measure::{Figures, Meter, disk_mib, median_ms, memory_mib, node_hash_ns};
use workload::{Options, Workload, Write};

/// A tree with its records, as the measurement drives it.
trait Candidate {
    /// Read what a block is going to write, as whoever executes it does.
    fn read(&mut self, writes: &[Write]) -> Result<()>;
    /// Compute the root after a block; nothing is written.
    fn stage(&mut self, height: u64, writes: &[Write]) -> Result<()>;
    /// Write the staged block, durably if `sync`.
    fn commit(&mut self, sync: bool) -> Result<()>;
    /// Drop what only heights below need.
    fn prune(&mut self, keep_from: u64) -> Result<()>;
    /// Make a proof; None if the candidate has none of that height.
    fn prove(&mut self, height: u64, key: &[u8]) -> Result<Option<Shown>>;
}

/// A proof that was made.
struct Shown {
    is_present: bool,
    bytes: usize,
}

fn main() -> Result<()> {
    let options = Options::parse()?;
    if options.candidate == "all" {
        return rounds::compare(&options);
    }
    let directory = tempfile::tempdir()?;
    let path = directory.path();
    let mut candidate: Box<dyn Candidate> = match options.candidate.as_str() {
        "own" => Box::new(own_store::OwnStore::open(path, options.cache_mib)?),
        "jmt" => Box::new(jmt_store::JmtStore::open(path, options.cache_mib)?),
        "nomt" => Box::new(nomt_store::NomtStore::open(path, options.cache_mib)?),
        other => bail!("{other:?} is not a candidate: all, {}", rounds::CANDIDATES.join(", ")),
    };
    run(&options, candidate.as_mut(), path)?.print();
    Ok(())
}

fn run(options: &Options, candidate: &mut dyn Candidate, directory: &Path) -> Result<Figures> {
    let mut figures = Figures::default();
    figures.add("node hash, SHA-256 of 65 bytes, ns", node_hash_ns());
    let mut workload = Workload::new(options);
    if let Some(bits) = workload.crowded_bits() {
        figures.add("bits that crowded paths share at least", f64::from(bits));
    }
    let mut height = 0;
    let meter = Meter::start();
    while workload.len() < options.records {
        let writes = workload.fill(options.changes.min(options.records - workload.len()));
        candidate.stage(height, &writes)?;
        candidate.commit(false)?;
        candidate.prune(height.saturating_sub(options.keep))?;
        height += 1;
    }
    figures.add("load, s", meter.wall());
    blocks(options, candidate, &mut workload, height, &mut figures)?;
    figures.add("memory at most, MiB", memory_mib("VmHWM")?);
    figures.add("disk, MiB", disk_mib(directory)?);
    proofs(options, candidate, &mut workload, height + options.blocks - 1, &mut figures)?;
    Ok(figures)
}

fn blocks(options: &Options, candidate: &mut dyn Candidate, workload: &mut Workload, first: u64, figures: &mut Figures) -> Result<()> {
    let mut steps: [Vec<f64>; 5] = Default::default();
    let whole = Meter::start();
    for height in first..first + options.blocks {
        let writes = workload.block(options.changes);
        let block = Meter::start();
        candidate.read(&writes)?;
        let read = block.wall();
        candidate.stage(height, &writes)?;
        let staged = block.wall();
        candidate.commit(options.sync)?;
        let committed = block.wall();
        candidate.prune(height.saturating_sub(options.keep))?;
        let pruned = block.wall();
        for (step, seconds) in steps.iter_mut().zip([read, staged - read, committed - staged, pruned - committed, pruned]) {
            step.push(seconds);
        }
    }
    let cpu = whole.cpu();
    let [read, stage, commit, prune, all] = steps.map(median_ms);
    let rate = |milliseconds: f64| options.changes as f64 * 1e3 / milliseconds;
    figures.add("read, ms a block", read);
    figures.add("stage, ms a block", stage);
    figures.add("commit, ms a block", commit);
    figures.add("prune, ms a block", prune);
    figures.add("stage, keys/s", rate(stage));
    figures.add("stage + commit + prune, keys/s", rate(stage + commit + prune));
    figures.add("all steps, keys/s", rate(all));
    figures.add("CPU of all threads, ms a block", cpu * 1e3 / options.blocks as f64);
    Ok(())
}

fn proofs(options: &Options, candidate: &mut dyn Candidate, workload: &mut Workload, head: u64, figures: &mut Figures) -> Result<()> {
    for (name, height) in [("head", head), ("the oldest height", head.saturating_sub(options.keep))] {
        let keys = workload.sample(options.proofs);
        let mut sizes = Vec::with_capacity(keys.len());
        let meter = Meter::start();
        for (key, is_present) in &keys {
            if let Some(shown) = candidate.prove(height, key)? {
                ensure!(height < head || shown.is_present == *is_present, "the proof shows something else than was written");
                sizes.push(shown.bytes as f64);
            }
        }
        if sizes.len() == keys.len() {
            figures.add(format!("proof at {name}, us"), meter.wall() * 1e6 / keys.len() as f64);
            figures.add(format!("proof at {name}, bytes"), sizes.iter().sum::<f64>() / sizes.len() as f64);
            figures.add(format!("proof at {name}, bytes at most"), sizes.iter().copied().fold(0.0, f64::max));
        }
    }
    Ok(())
}
