//! The same blocks for every candidate, from one seed.

use std::collections::HashSet;
use std::fmt;

use anyhow::{Context, Result, bail};
use yunhe_core::hash::ChainHash;
use yunhe_core::state::TreeHasher;

/// Bytes of a record, like a small typed record with a few fields.
const VALUE_BYTES: usize = 200;
/// Keys that an adversary tries to find crowded ones among: seconds of work, and memory is what bounds it.
const GROUND_KEYS: u32 = 1 << 24;

/// A state key and its new record; None deletes.
pub type Write = (Vec<u8>, Option<Vec<u8>>);

/// What to measure.
pub struct Options {
    pub candidate: String,
    pub rounds: usize,
    pub records: usize,
    pub blocks: u64,
    pub changes: usize,
    pub keep: u64,
    pub cache_mib: u64,
    pub proofs: usize,
    pub sync: bool,
    pub crowded: bool,
}

impl Options {
    pub fn parse() -> Result<Self> {
        let mut arguments = std::env::args().skip(1);
        let candidate = arguments.next().context("usage: yunhe-bench-tree all|own|jmt|nomt [--records N] …")?;
        let mut options = Self {
            candidate,
            rounds: 5,
            records: 1_000_000,
            blocks: 60,
            changes: 5_000,
            keep: 50,
            cache_mib: 256,
            proofs: 2_000,
            sync: true,
            crowded: false,
        };
        while let Some(name) = arguments.next() {
            let number: u64 = arguments.next().context("an option lacks its number")?.parse()?;
            let count = usize::try_from(number)?;
            match name.as_str() {
                "--rounds" => options.rounds = count,
                "--records" => options.records = count,
                "--blocks" => options.blocks = number,
                "--changes" => options.changes = count,
                "--keep" => options.keep = number,
                "--cache-mib" => options.cache_mib = number,
                "--proofs" => options.proofs = count,
                "--sync" => options.sync = count > 0,
                "--crowded" => options.crowded = count > 0,
                other => bail!("{other} is not an option"),
            }
        }
        Ok(options)
    }
}

impl fmt::Display for Options {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { records, blocks, changes, keep, cache_mib, sync, crowded, .. } = self;
        let kind = if *crowded { "crowded" } else { "random" };
        write!(out, "{records} records, {blocks} blocks of {changes} {kind} changes, {keep} heights kept, {cache_mib} MiB cache, ")?;
        out.write_str(if *sync { "each block durable" } else { "not synced" })
    }
}

/// Keys that exist, and what happens to them next.
pub struct Workload {
    seed: u64,
    next: u64,
    live: Vec<u64>,
    /// Numbers of keys that every block writes, the first one for the first time, and how many bits of its path each shares with another.
    crowded: Option<(Vec<u64>, u32)>,
}

impl Workload {
    pub fn new(options: &Options) -> Self {
        let crowded = options.crowded.then(|| grind(options.changes));
        let live = crowded.iter().flat_map(|(numbers, _)| numbers.iter().copied()).collect();
        Self { seed: 0x5EED, next: u64::from(GROUND_KEYS), live, crowded }
    }

    pub fn len(&self) -> usize {
        self.live.len()
    }

    /// Bits that crowded paths share at least; None if the blocks are random.
    pub fn crowded_bits(&self) -> Option<u32> {
        self.crowded.as_ref().map(|(_, bits)| *bits)
    }

    /// A block of new records.
    pub fn fill(&mut self, count: usize) -> Vec<Write> {
        sorted((0..count).map(|_| self.insert()).collect())
    }

    /// A block of changed records, each key once: 80 % rewritten, 10 % new, 10 % deleted; or the crowded ones, rewritten.
    pub fn block(&mut self, count: usize) -> Vec<Write> {
        if let Some((numbers, _)) = &self.crowded {
            let numbers = numbers.clone();
            return sorted(numbers.into_iter().map(|number| (key(number), Some(self.value()))).collect());
        }
        let made = self.next;
        let mut chosen = HashSet::new();
        let mut writes = Vec::with_capacity(count);
        while writes.len() < count {
            let at = (self.random() % self.live.len() as u64) as usize;
            match self.random() % 10 {
                0 => writes.push(self.insert()),
                // Made in this block, or changed by it.
                _ if self.live[at] >= made || !chosen.insert(self.live[at]) => {}
                1 => writes.push((key(self.live.swap_remove(at)), None)),
                _ => writes.push((key(self.live[at]), Some(self.value()))),
            }
        }
        sorted(writes)
    }

    /// Keys, and whether they exist: every second one does.
    pub fn sample(&mut self, count: usize) -> Vec<(Vec<u8>, bool)> {
        (0..count)
            .map(|index| {
                let at = (self.random() % self.live.len() as u64) as usize;
                let exists = index % 2 == 0;
                (key(if exists { self.live[at] } else { u64::MAX - index as u64 }), exists)
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

/// Numbers of `count` keys whose paths share the most first bits with another's, and how many bits that is at least.
fn grind(count: usize) -> (Vec<u64>, u32) {
    let hasher = TreeHasher::new(ChainHash::Sha256);
    let mut ground: Vec<_> = (0..GROUND_KEYS)
        .map(|number| {
            let path = hasher.path(&key(u64::from(number)));
            let (first, _) = path.split_first_chunk::<8>().expect("a path has 32 bytes");
            (u64::from_be_bytes(*first), number)
        })
        .collect();
    ground.sort_unstable();
    let mut pairs: Vec<_> = ground.windows(2).map(|pair| ((pair[0].0 ^ pair[1].0).leading_zeros(), pair[0].1, pair[1].1)).collect();
    pairs.sort_unstable_by(|a, b| b.cmp(a));
    let (mut numbers, mut bits) = (Vec::new(), 64);
    for (shared, one, other) in pairs {
        if numbers.len() + 2 > count {
            break;
        }
        numbers.extend([u64::from(one), u64::from(other)]);
        bits = shared;
    }
    numbers.sort_unstable();
    numbers.dedup();
    (numbers, bits)
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
