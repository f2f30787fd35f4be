//! Our store.

use std::path::Path;

use anyhow::Result;
use yunhe_core::hash::ChainHash;
use yunhe_core::state::StateStore;

use crate::workload::Write;
use crate::{Candidate, Shown};

pub struct OwnStore {
    store: StateStore,
}

impl OwnStore {
    pub fn open(path: &Path, cache_mib: u64) -> Result<Self> {
        Ok(Self { store: StateStore::open(path, ChainHash::Sha256, cache_mib * 1024 * 1024)? })
    }
}

impl Candidate for OwnStore {
    fn read(&mut self, writes: &[Write]) -> Result<()> {
        let keys: Vec<_> = writes.iter().map(|(key, _)| key).collect();
        self.store.get_many(&keys)?;
        Ok(())
    }

    fn stage(&mut self, height: u64, writes: &[Write]) -> Result<()> {
        let writes: Vec<_> = writes.iter().map(|(key, value)| (key.as_slice(), value.as_deref())).collect();
        self.store.stage(height, &writes)?;
        Ok(())
    }

    fn commit(&mut self, sync: bool) -> Result<()> {
        Ok(self.store.apply(&[], sync)?)
    }

    fn prune(&mut self, keep_from: u64) -> Result<()> {
        self.store.prune(keep_from)?;
        Ok(())
    }

    fn prove(&mut self, height: u64, key: &[u8]) -> Result<Option<Shown>> {
        let proof = self.store.prove(height, key)?;
        let bytes = proof.bitmap.len() + proof.siblings.len() * 32 + proof.other.map_or(0, |_| 64);
        Ok(Some(Shown { is_present: proof.value.is_some(), bytes }))
    }
}
