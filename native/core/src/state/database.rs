//! The directory of the state store: its keyspaces, what stands in each, and whether they belong together.
//!
//! | Keyspace | Key | Value |
//! |---|---|---|
//! | records | state key | record |
//! | pages | prefix | page of the tree at the head |
//! | history | height, row | what the block of that height replaced |
//! | index | given by the caller | given by the caller |
//! | meta | `format`, `head`, `kept` | version and chain hash; height and root; oldest provable height |
//!
//! Every block is one atomic batch. The database ends its recovery silently at a damaged journal entry, which can leave one keyspace
//! ahead of another; so each carries a mark of the block that it has reached, and opening compares them (STO-022).

use std::collections::BTreeMap;
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;

use fjall::config::CompressionPolicy;
use fjall::{CompressionType, Database, Keyspace, KeyspaceCreateOptions, OwnedWriteBatch, PersistMode, Readable, Slice, Snapshot};

use super::error::StateError;
use super::hashing::{EMPTY, TreeHasher};
use super::history::{Row, RowKey, unreadable};
use super::page::Page;
use super::prefix::Prefix;
use super::scan::{Overlay, Record};
use super::trunk::in_trunk;
use super::update::PageChange;
use crate::hash::Digest;

/// Longest key of a record or index entry, as `STATE_KEY_BYTES_MAX` in `yunhe.limits` (COD-061).
pub const KEY_BYTES_MAX: usize = 512;
/// Version of everything that this module and `history` write; another is refused.
pub const FORMAT_VERSION: u32 = 1;
/// Key of a keyspace's mark: longer than any key that a caller can give, and after all of them.
const MARK_KEY: [u8; KEY_BYTES_MAX + 1] = [0xFF; KEY_BYTES_MAX + 1];
const FORMAT_KEY: &[u8] = b"format";
const HEAD_KEY: &[u8] = b"head";
const KEPT_KEY: &[u8] = b"kept";
const MEBIBYTE: u64 = 1024 * 1024;
/// Rows written since the last flush that a keyspace holds in memory; bounds memory and the time of a restart.
const MEMTABLE_BYTES: u64 = 32 * MEBIBYTE;
/// Journals are dropped once this much has been flushed.
const JOURNAL_BYTES: u64 = 256 * MEBIBYTE;

/// Where the store stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Height of the last applied block; None before the first.
    pub height: Option<u64>,
    /// Root after it.
    pub root: Digest,
}

/// Which heights can be proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Oldest provable height.
    pub oldest: u64,
    /// History rows below this height are gone.
    pub dropped_below: u64,
}

/// The open database.
pub struct StateDatabase {
    database: Database,
    hasher: TreeHasher,
    /// State key to record.
    pub records: Keyspace,
    /// Prefix to page, at the head.
    pub pages: Keyspace,
    /// What blocks replaced.
    pub history: Keyspace,
    /// The caller's small tables.
    pub index: Keyspace,
    meta: Keyspace,
}

/// A consistent view of all keyspaces.
pub struct View<'db> {
    database: &'db StateDatabase,
    snapshot: Snapshot,
}

impl StateDatabase {
    /// Open or create the directory and check that its parts belong together (STO-020 to STO-022).
    pub fn open(path: &Path, hasher: TreeHasher, cache_bytes: u64) -> Result<Self, StateError> {
        let database = Database::builder(path).cache_size(cache_bytes).max_journaling_size(JOURNAL_BYTES).open()?;
        let plain = || KeyspaceCreateOptions::default().max_memtable_size(MEMTABLE_BYTES);
        // Pages are hashes, which do not compress, and are only read when they exist.
        let for_pages =
            || plain().data_block_compression_policy(CompressionPolicy::all(CompressionType::None)).expect_point_read_hits(true);
        let opened = Self {
            records: database.keyspace("records", plain)?,
            pages: database.keyspace("pages", for_pages)?,
            history: database.keyspace("history", plain)?,
            index: database.keyspace("index", plain)?,
            meta: database.keyspace("meta", || KeyspaceCreateOptions::default().max_memtable_size(MEBIBYTE))?,
            database,
            hasher,
        };
        opened.check_format()?;
        opened.view().check_marks()?;
        Ok(opened)
    }

    /// A consistent view of the last complete batch.
    pub fn view(&self) -> View<'_> {
        self.view_of(self.database.snapshot())
    }

    /// The view of an earlier batch.
    pub fn view_of(&self, snapshot: Snapshot) -> View<'_> {
        View { database: self, snapshot }
    }

    /// An empty batch over all keyspaces.
    pub fn batch(&self, rows: usize, sync: bool) -> OwnedWriteBatch {
        let mode = if sync { PersistMode::SyncData } else { PersistMode::Buffer };
        OwnedWriteBatch::with_capacity(self.database.clone(), rows).durability(Some(mode))
    }

    /// Put a block's records into its batch.
    pub fn write_records(&self, batch: &mut OwnedWriteBatch, writes: &Overlay) {
        for (key, value) in writes {
            match value {
                Some(value) => batch.insert(&self.records, key.clone(), value.clone()),
                None => batch.remove(&self.records, key.clone()),
            }
        }
    }

    /// Put a block's pages into its batch, without those of the trunk.
    pub fn write_pages(&self, batch: &mut OwnedWriteBatch, pages: &BTreeMap<Prefix, PageChange>) {
        let is_stored = |prefix: &Prefix, page: &Option<Arc<Page>>| page.as_ref().is_some_and(|page| !in_trunk(prefix, page));
        for (prefix, change) in pages {
            match &change.after {
                Some(page) if is_stored(prefix, &change.after) => batch.insert(&self.pages, prefix.key(), page.encode()),
                _ if is_stored(prefix, &change.before) => batch.remove(&self.pages, prefix.key()),
                _ => {}
            }
        }
    }

    /// Put the marks of the block at `head` into its batch.
    pub fn write_head(&self, batch: &mut OwnedWriteBatch, height: u64, root: &Digest) {
        let mut mark = [0; 40];
        mark[..8].copy_from_slice(&height.to_be_bytes());
        mark[8..].copy_from_slice(root);
        batch.insert(&self.meta, HEAD_KEY, mark);
        batch.insert(&self.records, MARK_KEY, mark);
        batch.insert(&self.index, MARK_KEY, mark);
        batch.insert(&self.history, Row::Mark.key(height), root);
    }

    /// Put the provable heights into a batch.
    pub fn write_kept(&self, batch: &mut OwnedWriteBatch, kept: Kept) {
        let mut row = [0; 16];
        row[..8].copy_from_slice(&kept.oldest.to_be_bytes());
        row[8..].copy_from_slice(&kept.dropped_below.to_be_bytes());
        batch.insert(&self.meta, KEPT_KEY, row);
    }

    /// Make everything written so far durable.
    pub fn sync(&self) -> Result<(), StateError> {
        Ok(self.database.persist(PersistMode::SyncAll)?)
    }

    /// STO-021: a new directory gets this version's format; one of another version or chain hash is refused.
    fn check_format(&self) -> Result<(), StateError> {
        let hash_name = self.hasher.name();
        let mut expected = FORMAT_VERSION.to_be_bytes().to_vec();
        expected.extend_from_slice(hash_name.as_bytes());
        match self.meta.get(FORMAT_KEY)? {
            Some(found) if *found == *expected => Ok(()),
            Some(found) => {
                let (version, name) = found.split_at_checked(4).unwrap_or((&found, &[]));
                Err(StateError::Configuration(format!(
                    "the state store has format {} and chain hash {:?}, this node needs format {FORMAT_VERSION} and {hash_name:?}; \
                     delete it to have it rebuilt from the block log",
                    version.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte)),
                    String::from_utf8_lossy(name),
                )))
            }
            None => {
                let parts = [&self.records, &self.pages, &self.history, &self.index, &self.meta];
                if parts.iter().any(|part| part.first_key_value().is_some()) {
                    return Err(StateError::corrupt("its format is missing"));
                }
                let mut batch = self.batch(1, true);
                batch.insert(&self.meta, FORMAT_KEY, expected);
                Ok(batch.commit()?)
            }
        }
    }
}

impl View<'_> {
    /// What keeps the view.
    pub fn into_snapshot(self) -> Snapshot {
        self.snapshot
    }

    /// Where the store stands in this view.
    pub fn head(&self) -> Result<Head, StateError> {
        let Some(row) = self.snapshot.get(&self.database.meta, HEAD_KEY)? else {
            return Ok(Head { height: None, root: EMPTY });
        };
        let (height, root) = row.split_first_chunk::<8>().ok_or_else(|| StateError::corrupt("its head cannot be read"))?;
        let root = root.try_into().map_err(|_| StateError::corrupt("its head cannot be read"))?;
        Ok(Head { height: Some(u64::from_be_bytes(*height)), root })
    }

    /// Which heights can be proved in this view.
    pub fn kept(&self) -> Result<Option<Kept>, StateError> {
        let Some(row) = self.snapshot.get(&self.database.meta, KEPT_KEY)? else {
            return Ok(None);
        };
        let parts = row.split_first_chunk::<8>().and_then(|(oldest, rest)| Some((*oldest, rest.try_into().ok()?)));
        let (oldest, dropped) = parts.ok_or_else(|| StateError::corrupt("its kept heights cannot be read"))?;
        Ok(Some(Kept { oldest: u64::from_be_bytes(oldest), dropped_below: u64::from_be_bytes(dropped) }))
    }

    /// A record.
    pub fn record(&self, key: &[u8]) -> Result<Option<Slice>, StateError> {
        Ok(self.snapshot.get(&self.database.records, key)?)
    }

    /// Records in a range of state keys, which must not be empty, in order.
    pub fn records(&self, range: (Bound<&[u8]>, Bound<&[u8]>)) -> impl DoubleEndedIterator<Item = Result<Record, StateError>> {
        self.snapshot.range::<&[u8], _>(&self.database.records, range).map(|row| Ok(row.into_inner()?))
    }

    /// All records, by state key.
    pub fn all_records(&self) -> impl Iterator<Item = Result<Record, StateError>> {
        self.records((Bound::Unbounded, Bound::Excluded(MARK_KEY.as_slice())))
    }

    /// The stored pages with up to `nibbles` nibbles.
    pub fn pages_up_to(&self, nibbles: u8) -> impl Iterator<Item = Result<(Prefix, Page), StateError>> {
        self.snapshot.range(&self.database.pages, ..[nibbles + 1]).map(|row| {
            let (key, bytes) = row.into_inner()?;
            let prefix = Prefix::read(&key).filter(|(_, rest)| rest.is_empty()).map(|(prefix, _)| prefix);
            let prefix = prefix.ok_or_else(|| StateError::corrupt("the key of a page cannot be read"))?;
            Ok((prefix, Page::decode(self.database.hasher, &bytes)?))
        })
    }

    /// How many pages are stored.
    pub fn page_count(&self) -> Result<u64, StateError> {
        self.snapshot.iter(&self.database.pages).try_fold(0, |count, row| {
            row.key()?;
            Ok(count + 1)
        })
    }

    /// All rows of the history with their keys.
    pub fn history_rows(&self) -> impl Iterator<Item = Result<Record, StateError>> {
        self.snapshot.iter(&self.database.history).map(|row| Ok(row.into_inner()?))
    }

    /// Keys of up to `limit` rows of the history, from one key on and below another, with their heights.
    pub fn history_keys(&self, from: &RowKey, below: &RowKey, limit: usize) -> Result<Vec<(RowKey, u64)>, StateError> {
        let rows = self.snapshot.range(&self.database.history, *from..*below).take(limit);
        rows.map(|row| {
            let key = row.key()?;
            let (height, row) = Row::of_key(&key).ok_or_else(unreadable)?;
            Ok((row.key(height), height))
        })
        .collect()
    }

    /// A stored page of the head: one that is not in the trunk.
    pub fn page(&self, prefix: &Prefix) -> Result<Option<Page>, StateError> {
        self.snapshot.get(&self.database.pages, prefix.key())?.map(|bytes| Page::decode(self.database.hasher, &bytes)).transpose()
    }

    /// A row of the history.
    pub fn history(&self, height: u64, row: Row) -> Result<Option<Slice>, StateError> {
        Ok(self.snapshot.get(&self.database.history, row.key(height))?)
    }

    /// Newest height of the history up to `height`.
    pub fn height_at(&self, height: u64) -> Result<Option<u64>, StateError> {
        height_of(self.snapshot.range(&self.database.history, ..=Row::LAST.key(height)).next_back())
    }

    /// Oldest height of the history from `height` on.
    pub fn height_from(&self, height: u64) -> Result<Option<u64>, StateError> {
        height_of(self.snapshot.range(&self.database.history, Row::Mark.key(height)..).next())
    }

    /// Entries of the caller's small tables.
    pub fn index(&self, key: &[u8]) -> Result<Option<Slice>, StateError> {
        Ok(self.snapshot.get(&self.database.index, key)?)
    }

    /// STO-022: every keyspace has reached the same block.
    fn check_marks(&self) -> Result<(), StateError> {
        let head = self.head()?;
        let meta = self.snapshot.get(&self.database.meta, HEAD_KEY)?;
        for (name, part) in [("records", &self.database.records), ("index", &self.database.index)] {
            if self.snapshot.get(part, MARK_KEY)? != meta {
                return Err(StateError::corrupt(format!("its {name} are of another block than its head")));
            }
        }
        if self.height_at(u64::MAX)? != head.height {
            return Err(StateError::corrupt("its history is of another block than its head"));
        }
        Ok(())
    }
}

/// Height of a row of the history.
fn height_of(row: Option<fjall::Guard>) -> Result<Option<u64>, StateError> {
    let Some(row) = row else { return Ok(None) };
    let (height, _) = Row::of_key(&row.key()?).ok_or_else(unreadable)?;
    Ok(Some(height))
}
