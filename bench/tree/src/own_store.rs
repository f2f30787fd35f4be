//! Our store.

use std::path::Path;

use anyhow::Result;
use yunhe_core::hash::ChainHash;
use yunhe_core::state::StateStore;

use crate::Candidate;
use crate::workload::Write;

pub struct OwnStore {
    store: StateStore,
}

impl OwnStore {
    pub fn open(path: &Path, cache_mib: u64) -> Result<Self> {
        Ok(Self { store: StateStore::open(path, ChainHash::Sha256, cache_mib * 1024 * 1024)? })
    }
}

impl Candidate for OwnStore {
    fn read(&mut self, writes: &[Write]) -> Result<usize> {
        let keys: Vec<_> = writes.iter().map(|(key, _)| key).collect();
        Ok(self.store.get_many(&keys)?.iter().flatten().count())
    }

    fn stage(&mut self, height: u64, writes: &[Write]) -> Result<[u8; 32]> {
        let writes: Vec<_> = writes.iter().map(|(key, value)| (key.as_slice(), value.as_deref())).collect();
        Ok(self.store.stage(height, &writes)?)
    }

    fn apply(&mut self, sync: bool) -> Result<()> {
        Ok(self.store.apply(&[], sync)?)
    }

    fn prune(&mut self, keep_from: u64) -> Result<()> {
        self.store.prune(keep_from)?;
        Ok(())
    }

    fn verify(&mut self) -> Result<bool> {
        self.store.verify()?;
        Ok(true)
    }

    fn prove(&mut self, height: u64, key: &[u8]) -> Result<usize> {
        let proof = self.store.prove(height, key)?;
        Ok(proof.bitmap.len() + proof.siblings.len() * 32 + proof.other.map_or(0, |_| 64))
    }
}
