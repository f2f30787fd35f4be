//! The same blocks for every candidate, from one seed.

use std::collections::HashSet;
use std::fmt;

use anyhow::{Context, Result, bail};

/// Bytes of a record, like a small typed record with a few fields.
const VALUE_BYTES: usize = 200;

/// A state key and its new record; None deletes.
pub type Write = (Vec<u8>, Option<Vec<u8>>);

/// What to measure.
pub struct Options {
    pub candidate: String,
    pub records: usize,
    pub blocks: usize,
    pub changes: usize,
    pub keep: u64,
    pub cache_mib: u64,
    pub proofs: usize,
    pub sync: bool,
}

impl Options {
    pub fn parse() -> Result<Self> {
        let mut arguments = std::env::args().skip(1);
        let candidate = arguments.next().context("usage: yunhe-bench-tree all|own|jmt [--records N] …")?;
        let mut options =
            Self { candidate, records: 1_000_000, blocks: 200, changes: 5_000, keep: 100, cache_mib: 256, proofs: 1_000, sync: true };
        while let Some(name) = arguments.next() {
            let number: u64 = arguments.next().context("an option lacks its number")?.parse()?;
            let count = usize::try_from(number)?;
            match name.as_str() {
                "--records" => options.records = count,
                "--blocks" => options.blocks = count,
                "--changes" => options.changes = count,
                "--keep" => options.keep = number,
                "--cache-mib" => options.cache_mib = number,
                "--proofs" => options.proofs = count,
                "--sync" => options.sync = count > 0,
                other => bail!("{other} is not an option"),
            }
        }
        Ok(options)
    }
}

impl fmt::Display for Options {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { records, blocks, changes, keep, cache_mib, sync, .. } = self;
        write!(out, "{records} records, {blocks} blocks of {changes} changes, {keep} heights kept, {cache_mib} MiB cache, synced: {sync}")
    }
}

/// Keys that exist, and what happens to them next.
pub struct Workload {
    seed: u64,
    next: u64,
    live: Vec<u64>,
}

impl Workload {
    pub fn new() -> Self {
        Self { seed: 0x5EED, next: 0, live: Vec::new() }
    }

    pub fn len(&self) -> usize {
        self.live.len()
    }

    /// A block of new records.
    pub fn fill(&mut self, count: usize) -> Vec<Write> {
        sorted((0..count).map(|_| self.insert()).collect())
    }

    /// A block of changed records, each key once: 80 % rewritten, 10 % new, 10 % deleted.
    pub fn block(&mut self, count: usize) -> Vec<Write> {
        let mut chosen = HashSet::new();
        let mut writes = Vec::with_capacity(count);
        while writes.len() < count {
            let at = (self.random() % self.live.len() as u64) as usize;
            match self.random() % 10 {
                0 => writes.push(self.insert()),
                _ if !chosen.insert(self.live[at]) => {}
                1 => writes.push((key(self.live.swap_remove(at)), None)),
                _ => writes.push((key(self.live[at]), Some(self.value()))),
            }
            // A key made in this block is not chosen again in it.
            if let Some(made) = self.next.checked_sub(1) {
                chosen.insert(made);
            }
        }
        sorted(writes)
    }

    /// Keys, half of them of records that exist and half of none.
    pub fn sample(&mut self, count: usize) -> Vec<Vec<u8>> {
        (0..count)
            .map(|index| {
                let at = (self.random() % self.live.len() as u64) as usize;
                if index % 2 == 0 { key(self.live[at]) } else { key(u64::MAX - index as u64) }
            })
            .collect()
    }

    fn insert(&mut self) -> Write {
        let number = self.next;
        self.next += 1;
        self.live.push(number);
        (key(number), Some(self.value()))
    }

    fn value(&mut self) -> Vec<u8> {
        (0..VALUE_BYTES / 8).flat_map(|_| self.random().to_le_bytes()).collect()
    }

    /// SplitMix64.
    fn random(&mut self) -> u64 {
        self.seed = self.seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.seed;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

fn sorted(mut writes: Vec<Write>) -> Vec<Write> {
    writes.sort();
    writes
}

fn key(number: u64) -> Vec<u8> {
    let mut key = b"asset\0holding\0\x02account-".to_vec();
    key.extend_from_slice(format!("{:016x}", number.wrapping_mul(0x9E37_79B9_7F4A_7C15)).as_bytes());
    key.push(0);
    key
}
