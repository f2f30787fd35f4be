//! What the store keeps of the head in bounded memory: pages for staging, records for reading.
//!
//! The policy of both keeps what is used often.

use std::collections::BTreeMap;
use std::sync::Arc;

use fjall::Slice;
use quick_cache::Weighter;
use quick_cache::unsync::Cache;

use super::error::StateError;
use super::page::Page;
use super::prefix::Prefix;
use super::scan::{Known, Overlay};
use super::trunk::{Trunk, in_trunk};
use super::update::{PageChange, PageSource};

/// What an entry takes beside its bytes, about.
const ENTRY_OVERHEAD: usize = 160;
/// Weight of an average page, from which the cache guesses how many it will hold.
const PAGE_WEIGHT_TYPICAL: u64 = 1024;
/// Weight of an average record, likewise.
const RECORD_WEIGHT_TYPICAL: u64 = 512;

#[derive(Clone)]
struct PageWeighter;

impl Weighter<Prefix, Arc<Page>> for PageWeighter {
    fn weight(&self, _prefix: &Prefix, page: &Arc<Page>) -> u64 {
        (page.held_bytes() + ENTRY_OVERHEAD) as u64
    }
}

/// Pages as the last applied block left them, without the trunk.
///
/// Only staging reads through it: proofs read a snapshot of the database and need no coherence with the writer.
pub struct PageCache {
    pages: Cache<Prefix, Arc<Page>, PageWeighter>,
}

impl PageCache {
    /// A cache for about `bytes` of pages.
    pub fn new(bytes: u64) -> Self {
        Self { pages: Cache::with_weighter(item_count(bytes, PAGE_WEIGHT_TYPICAL), bytes, PageWeighter) }
    }

    /// Follow a block that has been applied.
    pub fn apply<'a>(&mut self, changes: impl IntoIterator<Item = (&'a Prefix, &'a PageChange)>) {
        for (prefix, change) in changes {
            match &change.after {
                Some(page) if !in_trunk(prefix, page) => self.pages.insert(*prefix, page.clone()),
                _ => {
                    self.pages.remove(prefix);
                }
            }
        }
    }
}

/// Reads pages of the head: from the trunk, from the cache, else through `read`, which it remembers.
pub struct CachedPages<'cache, R> {
    /// The branches that are not stored.
    pub trunk: &'cache Trunk,
    /// What is remembered.
    pub cache: &'cache mut PageCache,
    /// Reads a page from the database.
    pub read: R,
}

impl<R: FnMut(&Prefix) -> Result<Option<Page>, StateError>> PageSource for CachedPages<'_, R> {
    fn load(&mut self, prefix: &Prefix) -> Result<Arc<Page>, StateError> {
        if let Some(page) = self.trunk.get(prefix).or_else(|| self.cache.pages.get(prefix)) {
            return Ok(page.clone());
        }
        let page = (self.read)(prefix)?.ok_or_else(|| StateError::corrupt("a page of the tree is missing"))?;
        let page = Arc::new(page);
        self.cache.pages.insert(*prefix, page.clone());
        Ok(page)
    }
}

/// Reads pages of a state that is staged: as the blocks above the stored one left them, else as they are stored.
pub struct StagedPages<'staged, S> {
    /// What each staged block changes, the latest first.
    pub staged: Vec<&'staged BTreeMap<Prefix, PageChange>>,
    /// The pages below.
    pub stored: S,
}

impl<S: PageSource> PageSource for StagedPages<'_, S> {
    fn load(&mut self, prefix: &Prefix) -> Result<Arc<Page>, StateError> {
        match self.staged.iter().find_map(|pages| pages.get(prefix)) {
            Some(change) => change.after.clone().ok_or_else(|| StateError::corrupt("a page of the tree is counted but gone")),
            None => self.stored.load(prefix),
        }
    }
}

#[derive(Clone)]
struct RecordWeighter;

impl Weighter<Slice, Known> for RecordWeighter {
    fn weight(&self, key: &Slice, value: &Known) -> u64 {
        (key.len() + value.as_ref().map_or(0, |value| value.len()) + ENTRY_OVERHEAD) as u64
    }
}

/// Records that were read or written lately, and keys that are known to have none, at the head.
///
/// What a block writes it has mostly read before, and `apply` needs the replaced values: they are here then.
pub struct RecordCache {
    records: Cache<Slice, Known, RecordWeighter>,
    height: Option<u64>,
}

impl RecordCache {
    /// A cache for about `bytes` of records, at the height of the head.
    pub fn new(bytes: u64, height: Option<u64>) -> Self {
        Self { records: Cache::with_weighter(item_count(bytes, RECORD_WEIGHT_TYPICAL), bytes, RecordWeighter), height }
    }

    /// What is known of a key at `height`, if anything.
    pub fn get(&self, height: Option<u64>, key: &[u8]) -> Option<Known> {
        if self.height == height { self.records.get(key).cloned() } else { None }
    }

    /// Remember a record that was read at `height`, unless the head has moved since.
    ///
    /// The bytes are copied: as they come from the database they would keep the whole block around them in memory.
    pub fn insert(&mut self, height: Option<u64>, key: &[u8], value: Option<&[u8]>) {
        if self.height == height {
            self.records.insert(Slice::from(key), value.map(Slice::from));
        }
    }

    /// Follow a block that has been applied.
    pub fn apply(&mut self, height: u64, writes: &Overlay) {
        for (key, value) in writes {
            self.records.insert(key.clone(), value.clone());
        }
        self.height = Some(height);
    }
}

fn item_count(bytes: u64, typical: u64) -> usize {
    usize::try_from(bytes / typical).unwrap_or(usize::MAX)
}
