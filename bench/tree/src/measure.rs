//! Wall time, CPU time, memory and disk of this process, from `/proc`, and the list of what was measured.

use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

/// Linux reports CPU time in hundredths of a second.
const TICKS_A_SECOND: f64 = 100.0;
const MEBIBYTE: f64 = 1024.0 * 1024.0;

/// Time since it was started.
pub struct Meter {
    started: Instant,
    cpu: f64,
}

impl Meter {
    pub fn start() -> Self {
        Self { started: Instant::now(), cpu: process_cpu().unwrap_or(f64::NAN) }
    }

    /// Seconds on the clock.
    pub fn wall(&self) -> f64 {
        self.started.elapsed().as_secs_f64()
    }

    /// Seconds of CPU, of all threads.
    pub fn cpu(&self) -> f64 {
        process_cpu().unwrap_or(f64::NAN) - self.cpu
    }
}

fn process_cpu() -> Result<f64> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<_> = stat.rsplit(')').next().context("stat has no name")?.split_whitespace().collect();
    Ok((fields[11].parse::<f64>()? + fields[12].parse::<f64>()?) / TICKS_A_SECOND)
}

/// A field of `/proc/self/status`, in MiB.
pub fn memory_mib(field: &str) -> Result<f64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with(field)).context("no such field")?;
    Ok(line.split_whitespace().nth(1).context("no number")?.parse::<f64>()? / 1024.0)
}

/// What all files below a directory take; holes in them take nothing.
pub fn disk_mib(directory: &Path) -> Result<f64> {
    use std::os::unix::fs::MetadataExt;
    let mut total = 0.0;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        total += if metadata.is_dir() { disk_mib(&entry.path())? } else { metadata.blocks() as f64 * 512.0 / MEBIBYTE };
    }
    Ok(total)
}

/// What one node hash of the tree costs here and now: tells machines, and moments of a busy machine, apart.
pub fn node_hash_ns() -> f64 {
    const HASHES: u32 = 2_000_000;
    let mut block = [3_u8; 65];
    let meter = Meter::start();
    for _ in 0..HASHES {
        let digest = Sha256::digest(block);
        block[1..33].copy_from_slice(&digest);
    }
    meter.wall() * 1e9 / f64::from(HASHES)
}

/// The median of seconds, in milliseconds. On a busy machine it says more than the mean.
pub fn median_ms(seconds: Vec<f64>) -> f64 {
    median(seconds) * 1e3
}

/// The median; of an even number of figures the upper one of the two in the middle.
pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

/// What a run measured, by name, in the order of measuring.
#[derive(Default)]
pub struct Figures(pub Vec<(String, f64)>);

impl Figures {
    pub fn add(&mut self, name: impl Into<String>, figure: f64) {
        self.0.push((name.into(), figure));
    }

    pub fn get(&self, name: &str) -> Option<f64> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, figure)| *figure)
    }

    /// One line for each figure, as `parse` reads them.
    pub fn print(&self) {
        for (name, figure) in &self.0 {
            println!("{name}\t{figure:.1}");
        }
    }

    pub fn parse(text: &str) -> Result<Self> {
        let line = |line: &str| {
            let (name, figure) = line.split_once('\t').context("a line without a figure")?;
            Ok((name.to_owned(), figure.parse()?))
        };
        text.lines().map(line).collect::<Result<_>>().map(Self)
    }
}
