//! Wall time, CPU time, memory and disk of this process, from `/proc`.

use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

/// Linux reports CPU time in hundredths of a second.
const TICKS_A_SECOND: f64 = 100.0;

/// Time since it was started.
pub struct Meter {
    started: Instant,
    cpu: f64,
}

impl Meter {
    pub fn start() -> Self {
        Self { started: Instant::now(), cpu: process_cpu().unwrap_or(0.0) }
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
pub fn memory_mib(field: &str) -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with(field)).context("no such field")?;
    Ok(line.split_whitespace().nth(1).context("no number")?.parse::<u64>()? / 1024)
}

/// Bytes of all files below a directory.
pub fn disk_bytes(directory: &Path) -> Result<u64> {
    let mut total = 0;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        total += if metadata.is_dir() { disk_bytes(&entry.path())? } else { metadata.len() };
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

/// Milliseconds that the same step took, over many blocks. On a busy machine the least and the median say more than the mean.
pub struct Spread {
    pub least: f64,
    pub median: f64,
    pub mean: f64,
    pub most: f64,
}

impl Spread {
    /// Sum up seconds.
    pub fn of(mut seconds: Vec<f64>) -> Self {
        seconds.sort_by(f64::total_cmp);
        let at = |index: usize| seconds.get(index).map_or(f64::NAN, |time| time * 1e3);
        let mean = seconds.iter().sum::<f64>() * 1e3 / seconds.len() as f64;
        Self { least: at(0), median: at(seconds.len() / 2), mean, most: at(seconds.len().wrapping_sub(1)) }
    }
}
