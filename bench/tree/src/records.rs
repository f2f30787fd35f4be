//! Records and what blocks replaced of them, for the trees that keep neither: as our store keeps them, so that only the tree differs.

use std::collections::BTreeMap;

use anyhow::Result;
use fjall::{Database, Keyspace, KeyspaceCreateOptions, OwnedWriteBatch, PersistMode, Slice};
use yunhe_core::hash::{ChainHash, Digest};
use yunhe_core::state::TreeHasher;

use crate::workload::Write;

const MEMTABLE_BYTES: u64 = 32 * 1024 * 1024;
const JOURNAL_BYTES: u64 = 256 * 1024 * 1024;

pub struct Records {
    pub database: Database,
    records: Keyspace,
    /// Height and first byte of the paths to (path, 0 or 1 + length, record before the block) of each.
    replaced: Keyspace,
    /// What `read` has read, which `write` keeps.
    before: Vec<Option<Slice>>,
    hasher: TreeHasher,
}

/// Settings of every keyspace.
pub fn plain() -> KeyspaceCreateOptions {
    KeyspaceCreateOptions::default().max_memtable_size(MEMTABLE_BYTES)
}

impl Records {
    pub fn open(path: &std::path::Path, cache_bytes: u64) -> Result<Self> {
        let database = Database::builder(path).cache_size(cache_bytes).max_journaling_size(JOURNAL_BYTES).open()?;
        Ok(Self {
            records: database.keyspace("records", plain)?,
            replaced: database.keyspace("replaced", plain)?,
            database,
            before: Vec::new(),
            hasher: TreeHasher::new(ChainHash::Sha256),
        })
    }

    pub fn batch(&self, sync: bool) -> OwnedWriteBatch {
        let mode = if sync { PersistMode::SyncData } else { PersistMode::Buffer };
        OwnedWriteBatch::with_capacity(self.database.clone(), 65_536).durability(Some(mode))
    }

    /// Path of a record, the same in all trees.
    pub fn path(&self, key: &[u8]) -> Digest {
        self.hasher.path(key)
    }

    /// Value hash of a record.
    pub fn value_hash(&self, value: &[u8]) -> Digest {
        self.hasher.value(value)
    }

    pub fn read(&mut self, writes: &[Write]) -> Result<()> {
        self.before = writes.iter().map(|(key, _)| self.records.get(key)).collect::<Result<_, _>>()?;
        Ok(())
    }

    /// Put a block into its batch.
    pub fn write(&mut self, batch: &mut OwnedWriteBatch, height: u64, writes: &[Write]) {
        let mut before = std::mem::take(&mut self.before);
        before.resize(writes.len(), None);
        let mut rows: BTreeMap<u8, Vec<u8>> = BTreeMap::new();
        for ((key, value), before) in writes.iter().zip(before) {
            let path = self.path(key);
            let row = rows.entry(path[0]).or_default();
            row.extend_from_slice(&path);
            row.extend_from_slice(&before.as_ref().map_or(0, |before| before.len() as u32 + 1).to_be_bytes());
            row.extend_from_slice(before.as_deref().unwrap_or_default());
            match value {
                Some(value) => batch.insert(&self.records, key.as_slice(), value.as_slice()),
                None => batch.remove(&self.records, key.as_slice()),
            }
        }
        for (first_byte, row) in rows {
            batch.insert(&self.replaced, replaced_key(height, first_byte), row);
        }
    }

    /// Put into a batch that what the blocks of these heights replaced is dropped.
    pub fn drop_replaced(&self, batch: &mut OwnedWriteBatch, from: u64, below: u64) -> Result<()> {
        for row in self.replaced.range(from.to_be_bytes()..below.to_be_bytes()) {
            batch.remove(&self.replaced, row.key()?);
        }
        Ok(())
    }

    pub fn get(&self, key: &[u8]) -> Result<Option<Slice>> {
        Ok(self.records.get(key)?)
    }

    /// The record as it was after block `height`, of which the newest is `head`.
    pub fn get_at(&self, height: u64, head: u64, key: &[u8]) -> Result<Option<Slice>> {
        let path = self.path(key);
        for later in height + 1..=head {
            if let Some(row) = self.replaced.get(replaced_key(later, path[0]))?
                && let Some(before) = find(&row, &path)
            {
                return Ok(before);
            }
        }
        self.get(key)
    }
}

fn replaced_key(height: u64, first_byte: u8) -> [u8; 9] {
    let mut key = [first_byte; 9];
    key[..8].copy_from_slice(&height.to_be_bytes());
    key
}

/// What a row says of a path, if anything.
fn find(mut row: &[u8], path: &Digest) -> Option<Option<Slice>> {
    while let Some((known, rest)) = row.split_first_chunk::<32>() {
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let length = u32::from_be_bytes(*length) as usize;
        let (before, rest) = rest.split_at_checked(length.saturating_sub(1))?;
        if known == path {
            return Some((length > 0).then(|| Slice::from(before)));
        }
        row = rest;
    }
    None
}
