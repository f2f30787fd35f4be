//! Blocks of writes from a seed, and a map that says what they lead to.

use std::collections::BTreeMap;
use std::path::Path;

use yunhe_core::hash::{ChainHash, Digest};
use yunhe_core::state::StateStore;

/// Records by state key.
pub type Model = BTreeMap<Vec<u8>, Vec<u8>>;

/// A state key and its new record; None deletes.
pub type Write = (Vec<u8>, Option<Vec<u8>>);

pub const CACHE_BYTES: u64 = 8 * 1024 * 1024;

pub fn open(path: &Path) -> StateStore {
    StateStore::open(path, ChainHash::Sha256, CACHE_BYTES).unwrap()
}

pub fn key(number: u64) -> Vec<u8> {
    format!("asset\0holding\0\u{2}{number:05}\0").into_bytes()
}

/// Pseudo-random numbers: `SplitMix64`.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % limit
    }

    /// A block of writes to `keys` different keys: mostly new values, `deleted` of ten are deletions.
    pub fn block(&mut self, count: usize, keys: u64, deleted: u64) -> Vec<Write> {
        let mut writes = Model::new();
        let mut deletions = Vec::new();
        for _ in 0..count {
            let key = key(self.below(keys));
            if self.below(10) < deleted {
                writes.remove(&key);
                deletions.push(key);
            } else {
                let length = self.below(300) as usize;
                let value = vec![self.below(256) as u8; length];
                deletions.retain(|other| *other != key);
                writes.insert(key, value);
            }
        }
        let mut block: Vec<Write> = writes.into_iter().map(|(key, value)| (key, Some(value))).collect();
        deletions.sort();
        deletions.dedup();
        block.extend(deletions.into_iter().map(|key| (key, None)));
        block
    }
}

pub fn follow(model: &mut Model, writes: &[Write]) {
    for (key, value) in writes {
        match value {
            Some(value) => model.insert(key.clone(), value.clone()),
            None => model.remove(key),
        };
    }
}

pub fn stage(store: &StateStore, height: u64, writes: &[Write]) -> Digest {
    let writes: Vec<_> = writes.iter().map(|(key, value)| (key.as_slice(), value.as_deref())).collect();
    store.stage(height, &writes).unwrap()
}

pub fn commit(store: &StateStore, height: u64, writes: &[Write]) -> Digest {
    let root = stage(store, height, writes);
    store.apply(&[], false).unwrap();
    root
}
