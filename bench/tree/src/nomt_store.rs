//! Crate `nomt`, which is a database of its own, beside the same records.
//!
//! It keeps values by path, where no range of keys can be scanned, so it gets their hashes and the records stay where they are: two
//! commits a block, neither of which knows of the other. Its past can be undone, not proved.

use std::path::Path;

use anyhow::{Context, Result};
use nomt::hasher::Sha2Hasher;
use nomt::{FinishedSession, KeyReadWrite, Nomt, Options, SessionParams};

use crate::records::Records;
use crate::workload::Write;
use crate::{Candidate, Shown};

/// Pages of a million records, and room for the table that holds them.
const TABLE_PAGES: u32 = 500_000;

pub struct NomtStore {
    records: Records,
    tree: Nomt<Sha2Hasher>,
    staged: Option<(u64, FinishedSession, Vec<Write>)>,
    head: u64,
    pruned_to: u64,
}

impl NomtStore {
    pub fn open(path: &Path, cache_mib: u64) -> Result<Self> {
        let half = usize::try_from(cache_mib / 2)?;
        let mut options = Options::new();
        options.path(path.join("nomt"));
        options.bitbox_seed([0x5E; 16]);
        options.hashtable_buckets(TABLE_PAGES);
        options.preallocate_ht(false);
        options.commit_concurrency(2);
        options.page_cache_size(half / 2);
        options.leaf_cache_size(half / 2);
        Ok(Self {
            records: Records::open(&path.join("records"), cache_mib * 1024 * 1024 / 2)?,
            tree: Nomt::open(options)?,
            staged: None,
            head: 0,
            pruned_to: 0,
        })
    }
}

impl Candidate for NomtStore {
    fn read(&mut self, writes: &[Write]) -> Result<()> {
        self.records.read(writes)
    }

    fn stage(&mut self, height: u64, writes: &[Write]) -> Result<()> {
        let hashed = |value: &Vec<u8>| self.records.value_hash(value).to_vec();
        let mut changes: Vec<_> =
            writes.iter().map(|(key, value)| (self.records.path(key), KeyReadWrite::Write(value.as_ref().map(hashed)))).collect();
        changes.sort_unstable_by_key(|(path, _)| *path);
        let session = self.tree.begin_session(SessionParams::default());
        self.staged = Some((height, session.finish(changes)?, writes.to_vec()));
        Ok(())
    }

    fn commit(&mut self, sync: bool) -> Result<()> {
        let (height, session, writes) = self.staged.take().context("nothing is staged")?;
        let mut batch = self.records.batch(sync);
        self.records.write(&mut batch, height, &writes);
        batch.commit()?;
        session.commit(&self.tree)?;
        self.head = height;
        Ok(())
    }

    fn prune(&mut self, keep_from: u64) -> Result<()> {
        if keep_from > self.pruned_to {
            let mut batch = self.records.batch(false);
            self.records.drop_replaced(&mut batch, self.pruned_to + 1, keep_from + 1)?;
            batch.commit()?;
            self.pruned_to = keep_from;
        }
        Ok(())
    }

    fn prove(&mut self, height: u64, key: &[u8]) -> Result<Option<Shown>> {
        if height < self.head {
            return Ok(None);
        }
        let session = self.tree.begin_session(SessionParams::default());
        let proof = session.prove(self.records.path(key))?;
        let is_present = self.records.get(key)?.is_some();
        let shown = proof.terminal.as_leaf_option().is_some_and(|leaf| leaf.key_path == self.records.path(key));
        anyhow::ensure!(is_present == shown, "the tree and the records differ");
        Ok(Some(Shown { is_present, bytes: proof.siblings.len() * 32 + proof.terminal.as_leaf_option().map_or(0, |_| 64) }))
    }
}
