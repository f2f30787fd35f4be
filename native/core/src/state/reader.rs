//! Reading records: of the head with what is staged over it, or of a snapshot.

use std::ops::Bound::{Excluded, Included};
use std::sync::{Arc, Mutex, MutexGuard};

use fjall::{Slice, Snapshot};

use super::cache::RecordCache;
use super::database::{KEY_BYTES_MAX, View};
use super::error::StateError;
use super::scan::{Laid, Overlay, Record};

/// The records of one applied block, whatever is staged or applied afterwards.
///
/// While it is kept the database keeps what it shows, so it should not be kept for long.
pub struct StateSnapshot {
    pub(super) height: Option<u64>,
    pub(super) snapshot: Snapshot,
}

impl StateSnapshot {
    /// Height of the block; None before the first.
    pub fn height(&self) -> Option<u64> {
        self.height
    }
}

/// The records of one state.
pub struct Reader<'store> {
    /// The last applied block that it knows of.
    pub height: Option<u64>,
    /// That block's batch, or the one of the block laid over it.
    pub view: View<'store>,
    /// The writes of the staged blocks, ascending by height.
    pub overlays: Vec<Arc<Overlay>>,
    /// What is in memory anyway.
    pub cache: &'store Mutex<RecordCache>,
}

/// Whether anything can be stored under a key.
pub fn is_key(key: &[u8]) -> bool {
    !key.is_empty() && key.len() <= KEY_BYTES_MAX
}

impl Reader<'_> {
    /// Several records.
    pub fn get_many<K: AsRef<[u8]>>(&self, keys: &[K]) -> Result<Vec<Option<Slice>>, StateError> {
        let staged = |key: &[u8]| self.overlays.iter().rev().find_map(|writes| writes.get(key)).cloned();
        let known: Vec<_> = {
            let cache = self.lock_cache()?;
            keys.iter().map(AsRef::as_ref).map(|key| staged(key).or_else(|| cache.get(self.height, key))).collect()
        };
        let mut missed = Vec::new();
        let mut values = Vec::with_capacity(keys.len());
        for (key, known) in keys.iter().map(AsRef::as_ref).zip(known) {
            values.push(match known {
                Some(value) => value,
                None if !is_key(key) => None,
                None => {
                    let value = self.view.record(key)?;
                    missed.push((key, value.clone()));
                    value
                }
            });
        }
        if !missed.is_empty() {
            let mut cache = self.lock_cache()?;
            for (key, value) in missed {
                cache.insert(self.height, key, value.as_deref());
            }
        }
        Ok(values)
    }

    /// Up to `limit` records with start <= key < end, ascending, or descending when `reverse`.
    pub fn scan(&self, start: &[u8], end: &[u8], limit: usize, reverse: bool) -> Result<Vec<Record>, StateError> {
        // No key is longer than the limit, so a longer bound is one just above its beginning; the marks stay out of sight, too.
        let first = if start.len() > KEY_BYTES_MAX { Excluded(&start[..KEY_BYTES_MAX]) } else { Included(start) };
        let last = if end.len() > KEY_BYTES_MAX { Included(&end[..KEY_BYTES_MAX]) } else { Excluded(end) };
        let nothing_between = matches!((first, last), (Excluded(first), Included(last)) if first == last);
        if start >= end || limit == 0 || nothing_between {
            return Ok(Vec::new());
        }
        let stored = self.view.records((first, last));
        let mut rows: Box<dyn Iterator<Item = Result<Record, StateError>> + '_> =
            if reverse { Box::new(stored.rev()) } else { Box::new(stored) };
        for overlay in &self.overlays {
            let staged = overlay.range::<[u8], _>((first, last));
            rows = if reverse { Box::new(Laid::new(rows, staged.rev(), true)) } else { Box::new(Laid::new(rows, staged, false)) };
        }
        rows.take(limit).collect()
    }

    fn lock_cache(&self) -> Result<MutexGuard<'_, RecordCache>, StateError> {
        self.cache.lock().map_err(|_| StateError::broken())
    }
}
