//! The state store: records, their authenticated tree, and small derived tables, one block at a time.
//!
//! A block is *staged* (its root computed, everything in memory) and then *applied* (one atomic batch) or discarded. The next one can be
//! staged on it before it is applied. Readers see what is staged. Everything here is derived from the block log, which rolls it forward
//! after a crash.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, RwLock};

use fjall::Slice;

use super::cache::{CachedPages, PageCache, RecordCache, StagedPages};
use super::database::{Head, KEY_BYTES_MAX, Kept, StateDatabase};
use super::error::StateError;
use super::gaps::Gaps;
use super::hashing::{EMPTY, TreeHasher};
use super::history::{self, PageUndo, Row};
use super::past::{self, Proof};
use super::prefix::Prefix;
use super::reader::{Reader, StateSnapshot, is_key};
use super::scan::{Overlay, Record};
use super::tree::Tree;
use super::trunk::{TRUNK_NIBBLES, Trunk};
use super::update::{Change, PageChange, update};
use super::verify;
use crate::hash::{ChainHash, Digest};

/// Longest value of a record, as `RECORD_BYTES_MAX` in `yunhe.limits` (COD-061).
pub const RECORD_BYTES_MAX: usize = 256 * 1024;
/// Rows that the history has for one height at most: mark, upper pages, 256 of lower pages, 256 of values.
const HISTORY_ROWS_MAX: usize = 514;
/// Rows that one batch of `prune` drops, so that its memory does not depend on how much there is to drop.
const PRUNE_ROWS: usize = 65_536;

/// A block whose effect is known and not yet written.
struct Staged {
    height: u64,
    root: Digest,
    writes: Arc<Overlay>,
    pages: BTreeMap<Prefix, PageChange>,
    trunk: Arc<Trunk>,
}

struct Shared {
    head: Head,
    trunk: Arc<Trunk>,
    /// Ascending by height, each on the one before it.
    staged: VecDeque<Arc<Staged>>,
    /// Changes with whatever changes what `current` reads.
    version: u64,
}

/// The open store. All methods may be called from any thread; writers wait for one another, readers for nobody.
pub struct StateStore {
    database: StateDatabase,
    hasher: TreeHasher,
    /// Held by whoever changes something, together with the pages that only they read.
    writer: Mutex<PageCache>,
    shared: RwLock<Shared>,
    records: Mutex<RecordCache>,
    /// Where nothing lies in what `current` reads.
    gaps: Mutex<Gaps>,
    /// The same of the head, whose version is its height.
    gaps_at_head: Mutex<Gaps>,
}

impl StateStore {
    /// Open or create the store in a directory; about `cache_bytes` of memory hold pages and blocks of the database.
    pub fn open(path: &Path, chain_hash: ChainHash, cache_bytes: u64) -> Result<Self, StateError> {
        let hasher = TreeHasher::new(chain_hash);
        let database = StateDatabase::open(path, hasher, cache_bytes / 4)?;
        let view = database.view();
        let head = view.head()?;
        let trunk = Trunk::build(hasher, view.pages_up_to(TRUNK_NIBBLES))?;
        let tree = Tree { view, trunk: Arc::new(trunk), hasher };
        // STO-022: the pages are those of the head, too.
        if tree.page(&Prefix::ROOT)?.map_or(EMPTY, |page| page.subtree(hasher, &Prefix::ROOT).hash) != head.root {
            return Err(StateError::corrupt("its tree is of another block than its head"));
        }
        let Tree { view, trunk, .. } = tree;
        drop(view);
        let mut gaps_at_head = Gaps::default();
        gaps_at_head.forget(version_of(head.height));
        Ok(Self {
            database,
            hasher,
            writer: Mutex::new(PageCache::new(cache_bytes / 2)),
            shared: RwLock::new(Shared { head, trunk, staged: VecDeque::new(), version: 0 }),
            records: Mutex::new(RecordCache::new(cache_bytes / 4, head.height)),
            gaps: Mutex::default(),
            gaps_at_head: Mutex::new(gaps_at_head),
        })
    }

    /// Height and root of the last applied block; (None, zeros) before the first.
    pub fn head(&self) -> Result<Head, StateError> {
        Ok(self.shared.read().map_err(|_| StateError::broken())?.head)
    }

    /// A record, as staged or else as applied.
    pub fn get(&self, key: &[u8]) -> Result<Option<Slice>, StateError> {
        Ok(self.get_many(&[key])?.pop().flatten())
    }

    /// Several records of one state.
    pub fn get_many<K: AsRef<[u8]>>(&self, keys: &[K]) -> Result<Vec<Option<Slice>>, StateError> {
        self.current()?.get_many(keys)
    }

    /// Up to `limit` records with start <= key < end, ascending, or descending when `reverse`.
    pub fn scan(&self, start: &[u8], end: &[u8], limit: usize, reverse: bool) -> Result<Vec<Record>, StateError> {
        self.current()?.scan(start, end, limit, reverse)
    }

    /// The records as the last `apply` left them.
    pub fn snapshot(&self) -> Result<StateSnapshot, StateError> {
        let view = self.database.view();
        Ok(StateSnapshot { height: view.head()?.height, snapshot: view.into_snapshot() })
    }

    /// Several records of a snapshot of this store.
    pub fn get_many_at<K: AsRef<[u8]>>(&self, at: &StateSnapshot, keys: &[K]) -> Result<Vec<Option<Slice>>, StateError> {
        self.reader_at(at).get_many(keys)
    }

    /// As `scan`, of a snapshot of this store.
    pub fn scan_at(&self, at: &StateSnapshot, start: &[u8], end: &[u8], limit: usize, reverse: bool) -> Result<Vec<Record>, StateError> {
        self.reader_at(at).scan(start, end, limit, reverse)
    }

    /// Entries of the small tables.
    pub fn index_get_many<K: AsRef<[u8]>>(&self, keys: &[K]) -> Result<Vec<Option<Slice>>, StateError> {
        let view = self.database.view();
        keys.iter().map(AsRef::as_ref).map(|key| if is_key(key) { view.index(key) } else { Ok(None) }).collect()
    }

    /// Compute the root after `writes` at `height` and keep everything in memory, on top of what is staged below that height; replaces
    /// what was staged from that height on.
    pub fn stage(&self, height: u64, writes: &[(&[u8], Option<&[u8]>)]) -> Result<Digest, StateError> {
        let mut cache = self.lock_writer()?;
        let (head, trunk, below) = {
            let shared = self.shared.read().map_err(|_| StateError::broken())?;
            let below: Vec<_> = shared.staged.iter().take_while(|block| block.height < height).cloned().collect();
            (shared.head, shared.trunk.clone(), below)
        };
        let (root, trunk) = below.last().map_or((head.root, trunk), |block| (block.root, block.trunk.clone()));
        // STO-024
        if let Some(applied) = head.height.filter(|applied| height <= *applied) {
            return Err(StateError::Conflict(format!("a block of height {height} cannot follow the head, {applied}")));
        }
        let mut overlay = Overlay::new();
        for (key, value) in writes {
            check_size(key, value.unwrap_or_default())?;
            overlay.insert(Slice::from(*key), value.map(Slice::from));
        }
        let mut changes: Vec<_> = overlay
            .iter()
            .map(|(key, value)| Change { path: self.hasher.path(key), value_hash: value.as_ref().map(|value| self.hasher.value(value)) })
            .collect();
        changes.sort_unstable_by_key(|change| change.path);
        let view = self.database.view();
        let cached = CachedPages { trunk: &trunk, cache: &mut cache, read: |prefix: &Prefix| view.page(prefix) };
        let mut source = StagedPages { staged: below.iter().rev().map(|block| &block.pages).collect(), stored: cached };
        let tree = update(&mut source, self.hasher, &root, &changes)?;
        let trunk = Arc::new(trunk.after(&tree.pages));
        let block = Staged { height, root: tree.root.hash, writes: Arc::new(overlay), pages: tree.pages, trunk };
        let mut shared = self.shared.write().map_err(|_| StateError::broken())?;
        shared.version += 1;
        let mut gaps = self.gaps.lock().map_err(|_| StateError::broken())?;
        if shared.staged.len() > below.len() {
            gaps.forget(shared.version);
        } else {
            gaps.follow(shared.version, &block.writes);
        }
        shared.staged.truncate(below.len());
        shared.staged.push_back(Arc::new(block));
        Ok(tree.root.hash)
    }

    /// Write the lowest staged block and `entries` of the small tables as one atomic batch; `sync` makes it durable.
    pub fn apply(&self, entries: &[(&[u8], &[u8])], sync: bool) -> Result<(), StateError> {
        let mut cache = self.lock_writer()?;
        let (head, staged) = {
            let shared = self.shared.read().map_err(|_| StateError::broken())?;
            (shared.head, shared.staged.front().cloned())
        };
        let staged = staged.ok_or_else(|| StateError::Conflict("no block is staged; stage one before applying it".to_owned()))?;
        let rows = staged.writes.len() + staged.pages.len() + entries.len() + HISTORY_ROWS_MAX;
        let mut batch = self.database.batch(rows, sync);
        self.database.write_records(&mut batch, &staged.writes);
        self.database.write_pages(&mut batch, &staged.pages);
        for (key, value) in entries {
            check_size(key, value)?;
            batch.insert(&self.database.index, *key, *value);
        }
        if head.height.is_some() {
            for (row, bytes) in self.history_rows(head.height, &staged)? {
                batch.insert(&self.database.history, row.key(staged.height), bytes);
            }
        } else {
            // The first block has nothing before it that could be proved.
            self.database.write_kept(&mut batch, Kept { oldest: staged.height, dropped_below: staged.height });
        }
        self.database.write_head(&mut batch, staged.height, &staged.root);
        batch.commit()?;
        cache.apply(&staged.pages);
        let mut shared = self.shared.write().map_err(|_| StateError::broken())?;
        self.lock_records()?.apply(staged.height, &staged.writes);
        self.gaps_at_head.lock().map_err(|_| StateError::broken())?.follow(version_of(Some(staged.height)), &staged.writes);
        let head = Head { height: Some(staged.height), root: staged.root };
        shared.head = head;
        shared.trunk = staged.trunk.clone();
        shared.staged.pop_front();
        Ok(())
    }

    /// Forget everything that is staged.
    pub fn discard(&self) -> Result<(), StateError> {
        let _writer = self.lock_writer()?;
        let mut shared = self.shared.write().map_err(|_| StateError::broken())?;
        shared.staged.clear();
        shared.version += 1;
        self.gaps.lock().map_err(|_| StateError::broken())?.forget(shared.version);
        Ok(())
    }

    /// Show the record of `key` as it was after block `height`, or its absence.
    pub fn prove(&self, height: u64, key: &[u8]) -> Result<Proof, StateError> {
        past::prove(&self.tree()?, height, key)
    }

    /// Drop what only heights below `keep_from` need; returns how many rows of the history that were.
    ///
    /// The head can always be proved, so `keep_from` above it counts as the head.
    pub fn prune(&self, keep_from: u64) -> Result<u64, StateError> {
        let _writer = self.lock_writer()?;
        let view = self.database.view();
        let (Some(head), Some(mut kept)) = (view.head()?.height, view.kept()?) else {
            return Ok(0);
        };
        let keep_from = keep_from.min(head);
        // The root of a height between two blocks stands in the row of the block before it.
        let drop_below = view.height_at(keep_from)?.unwrap_or(keep_from).max(kept.dropped_below);
        if keep_from <= kept.oldest && drop_below == kept.dropped_below {
            return Ok(0);
        }
        // STO-025: heights become unprovable before their first row goes; `dropped_below` follows the rows, so a crash in between leaves no gap.
        kept.oldest = kept.oldest.max(keep_from);
        let mut dropped = 0;
        let mut from = Row::Mark.key(kept.dropped_below);
        loop {
            let rows = view.history_keys(&from, &Row::Mark.key(drop_below), PRUNE_ROWS)?;
            let mut batch = self.database.batch(rows.len() + 1, false);
            kept.dropped_below = match rows.last() {
                Some((last, height)) if rows.len() == PRUNE_ROWS => {
                    from = *last;
                    *height
                }
                _ => drop_below,
            };
            self.database.write_kept(&mut batch, kept);
            for (key, _) in &rows {
                batch.remove(&self.database.history, *key);
            }
            batch.commit()?;
            dropped += rows.len() as u64;
            if kept.dropped_below == drop_below {
                return Ok(dropped);
            }
        }
    }

    /// Make everything applied so far durable.
    pub fn sync(&self) -> Result<(), StateError> {
        self.database.sync()
    }

    /// Compare every record with the tree and every page of the tree with those below it; returns the root.
    pub fn verify(&self) -> Result<Digest, StateError> {
        verify::verify(&self.tree()?)
    }

    /// What a reader sees: the last applied block with the staged ones over it.
    ///
    /// The lock orders this with `apply`: while blocks are staged, the view is of the block before the lowest or of that one and of
    /// nothing later.
    fn current(&self) -> Result<Reader<'_>, StateError> {
        let shared = self.shared.read().map_err(|_| StateError::broken())?;
        let overlays = shared.staged.iter().map(|block| block.writes.clone()).collect();
        let view = self.database.view();
        Ok(Reader { height: shared.head.height, view, overlays, cache: &self.records, gaps: &self.gaps, version: shared.version })
    }

    fn reader_at(&self, at: &StateSnapshot) -> Reader<'_> {
        Reader {
            height: at.height,
            view: self.database.view_of(at.snapshot.clone()),
            overlays: Vec::new(),
            cache: &self.records,
            gaps: &self.gaps_at_head,
            version: version_of(at.height),
        }
    }

    /// The tree of the last batch: that of the head, or of the staged block when its batch is already written.
    fn tree(&self) -> Result<Tree<'_>, StateError> {
        let shared = self.shared.read().map_err(|_| StateError::broken())?;
        let view = self.database.view();
        let height = view.head()?.height;
        let written = shared.staged.front().filter(|block| Some(block.height) == height);
        let trunk = written.map_or(&shared.trunk, |block| &block.trunk).clone();
        Ok(Tree { view, trunk, hasher: self.hasher })
    }

    /// The rows of the history for a staged block: what it replaces.
    fn history_rows(&self, head: Option<u64>, staged: &Staged) -> Result<BTreeMap<Row, Vec<u8>>, StateError> {
        let view = self.database.view();
        let known: Vec<_> = {
            let cache = self.lock_records()?;
            staged.writes.keys().map(|key| cache.get(head, key)).collect()
        };
        let mut rows: BTreeMap<Row, Vec<u8>> = BTreeMap::new();
        for (prefix, change) in &staged.pages {
            history::write_page(rows.entry(Row::of_page(prefix)).or_default(), prefix, &PageUndo::of(change));
        }
        for ((key, value), known) in staged.writes.iter().zip(known) {
            let before = known.map_or_else(|| view.record(key), Ok)?;
            if before != *value {
                let path = self.hasher.path(key);
                history::write_value(rows.entry(Row::Values(path[0])).or_default(), &path, before.as_deref());
            }
        }
        Ok(rows)
    }

    fn lock_records(&self) -> Result<MutexGuard<'_, RecordCache>, StateError> {
        self.records.lock().map_err(|_| StateError::broken())
    }

    fn lock_writer(&self) -> Result<MutexGuard<'_, PageCache>, StateError> {
        self.writer.lock().map_err(|_| StateError::broken())
    }
}

/// The version of the head's gaps at a height.
fn version_of(height: Option<u64>) -> u64 {
    height.map_or(0, |height| height.saturating_add(1))
}

/// COD-061: keys and values that can be stored.
fn check_size(key: &[u8], value: &[u8]) -> Result<(), StateError> {
    if key.is_empty() {
        return Err(StateError::InvalidInput("a key of the state store is at least one byte".to_owned()));
    }
    if key.len() > KEY_BYTES_MAX {
        return Err(StateError::TooLarge(format!("a key of {} bytes is over the limit of {KEY_BYTES_MAX}", key.len())));
    }
    if value.len() > RECORD_BYTES_MAX {
        return Err(StateError::TooLarge(format!("a record of {} bytes is over the limit of {RECORD_BYTES_MAX}", value.len())));
    }
    Ok(())
}
