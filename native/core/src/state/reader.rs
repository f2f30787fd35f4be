//! Reading records: of the head with what is staged over it, or of a snapshot.

use std::ops::Bound::{Excluded, Included};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use fjall::{Slice, Snapshot};

use super::cache::RecordCache;
use super::database::{KEY_BYTES_MAX, View};
use super::error::StateError;
use super::gaps::{Gaps, Stretch, successor};
use super::scan::{Laid, Overlay, Record};

/// How long a scan may take from one row to the next before it remembers that nothing lies between them.
const LONG_STEP: Duration = Duration::from_micros(50);

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
    /// Where there is nothing, in versions of this state.
    pub gaps: &'store Mutex<Gaps>,
    /// The version of the gaps that this state is.
    pub version: u64,
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
        let (from, to) = (first_key(start), first_key(end));
        if from >= to || limit == 0 {
            return Ok(Vec::new());
        }
        let mut found: Vec<Record> = Vec::new();
        let mut clock = Instant::now();
        let pieces = self.lock_gaps()?.pieces(self.version, (from.clone(), to.clone()), reverse);
        for piece in pieces {
            for row in self.rows(&piece, reverse) {
                let row = row?;
                self.note(clock, found.last(), Some(&row), (&from, &to), reverse)?;
                found.push(row);
                if found.len() == limit {
                    return Ok(found);
                }
                clock = Instant::now();
            }
        }
        self.note(clock, found.last(), None, (&from, &to), reverse)?;
        Ok(found)
    }

    /// The records of a stretch with what is staged laid over them, in its order or backwards.
    fn rows<'a>(&'a self, (from, to): &'a Stretch, reverse: bool) -> Box<dyn Iterator<Item = Result<Record, StateError>> + 'a> {
        let range = (Included(from.as_slice()), Excluded(to.as_slice()));
        let stored = self.view.records(range);
        let mut rows: Box<dyn Iterator<Item = Result<Record, StateError>> + '_> =
            if reverse { Box::new(stored.rev()) } else { Box::new(stored) };
        for overlay in &self.overlays {
            let staged = overlay.range::<[u8], _>(range);
            rows = if reverse { Box::new(Laid::new(rows, staged.rev(), true)) } else { Box::new(Laid::new(rows, staged, false)) };
        }
        rows
    }

    /// Remember that nothing lies between two rows of a scan, or between one and the scan's end, if it took long to find out.
    fn note(
        &self,
        clock: Instant,
        last: Option<&Record>,
        next: Option<&Record>,
        (from, to): (&[u8], &[u8]),
        reverse: bool,
    ) -> Result<(), StateError> {
        if clock.elapsed() < LONG_STEP {
            return Ok(());
        }
        let (lower, upper) = if reverse { (next, last) } else { (last, next) };
        let begin = lower.map_or_else(|| from.to_vec(), |(key, _)| successor(key));
        let end = upper.map_or_else(|| to.to_vec(), |(key, _)| key.to_vec());
        self.lock_gaps()?.remember(self.version, (begin, end));
        Ok(())
    }

    fn lock_gaps(&self) -> Result<MutexGuard<'_, Gaps>, StateError> {
        self.gaps.lock().map_err(|_| StateError::broken())
    }

    fn lock_cache(&self) -> Result<MutexGuard<'_, RecordCache>, StateError> {
        self.cache.lock().map_err(|_| StateError::broken())
    }
}

/// The first key at or above a bound. No key is longer than the limit, so behind a longer bound comes what follows its beginning; the marks
/// of the keyspaces, which are longer, stay out of sight.
fn first_key(bound: &[u8]) -> Vec<u8> {
    if bound.len() > KEY_BYTES_MAX { successor(&bound[..KEY_BYTES_MAX]) } else { bound.to_vec() }
}
