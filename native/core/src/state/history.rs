//! What a block replaced: enough to read the state as it was before the block.
//!
//! For each height there are few rows, keyed by height first, so that they are appended in order and dropped in order:
//!
//! | Row | Holds |
//! |---|---|
//! | mark | the root after the block |
//! | upper | changes of the pages with fewer than two nibbles |
//! | lower, by first byte of the path | changes of the other pages |
//! | values, by first byte of the path | replaced values (or that there was none) |
//!
//! A page's change lists only the slots or leaves that differ. The state at height h is the head with the rows of the heights above
//! h undone; of several changes of one slot the oldest counts.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::error::StateError;
use super::hashing::TreeHasher;
use super::page::{Leaf, Page, SLOTS, Subtree, read_number, read_subtree, write_number, write_subtree};
use super::prefix::Prefix;
use super::update::PageChange;
use crate::hash::Digest;

/// A row's key: height, kind, chunk.
pub type RowKey = [u8; 10];

/// Kinds of rows of one height.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Row {
    /// The root after the block.
    Mark,
    /// Pages with fewer than two nibbles.
    Upper,
    /// Pages whose paths begin with this byte.
    Lower(u8),
    /// Replaced values whose paths begin with this byte.
    Values(u8),
}

impl Row {
    /// The last row that a height can have.
    pub const LAST: Self = Self::Values(0xFF);

    /// The row in which a change of the page at `prefix` is kept.
    pub fn of_page(prefix: &Prefix) -> Self {
        if prefix.len() < 2 { Self::Upper } else { Self::Lower(prefix.first_byte()) }
    }

    /// Its key for the block of `height`.
    pub fn key(self, height: u64) -> RowKey {
        let (kind, chunk) = match self {
            Self::Mark => (0, 0),
            Self::Upper => (1, 0),
            Self::Lower(byte) => (2, byte),
            Self::Values(byte) => (3, byte),
        };
        let mut key = [0; 10];
        key[..8].copy_from_slice(&height.to_be_bytes());
        key[8] = kind;
        key[9] = chunk;
        key
    }

    /// Height and row of a key; None if it is not one.
    pub fn of_key(key: &[u8]) -> Option<(u64, Self)> {
        let (height, rest) = key.split_first_chunk::<8>()?;
        let row = match *rest {
            [0, 0] => Self::Mark,
            [1, 0] => Self::Upper,
            [2, byte] => Self::Lower(byte),
            [3, byte] => Self::Values(byte),
            _ => return None,
        };
        Some((u64::from_be_bytes(*height), row))
    }
}

/// How to get from a page back to what it was before a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PageUndo {
    /// There was none.
    Absent,
    /// It was this page, of the other kind (or there is none any more).
    Whole(Page),
    /// It was a branch with these slots instead.
    Slots(Vec<(u8, Subtree)>),
    /// It was a bucket with these leaves instead (path, value hash; None: no such leaf).
    Leaves(Vec<(Digest, Option<Digest>)>),
}

impl PageUndo {
    /// The way back from a change.
    pub fn of(change: &PageChange) -> Self {
        match (change.before.as_deref(), change.after.as_deref()) {
            (None, _) => Self::Absent,
            (Some(Page::Branch(before)), Some(Page::Branch(after))) => Self::Slots(
                (0_u8..).zip(before.iter().zip(after.iter())).filter(|(_, (b, a))| b != a).map(|(slot, (b, _))| (slot, *b)).collect(),
            ),
            (Some(Page::Bucket(before)), Some(Page::Bucket(after))) => Self::Leaves(leaves_undo(before, after)),
            (Some(before), _) => Self::Whole(before.clone()),
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Absent => out.push(0),
            Self::Whole(page) => {
                let encoded = page.encode();
                out.push(1);
                write_number(out, encoded.len() as u64);
                out.extend_from_slice(&encoded);
            }
            Self::Slots(slots) => {
                out.push(2);
                write_number(out, slots.len() as u64);
                for (slot, part) in slots {
                    let filled = part.count > 0;
                    out.push(slot << 1 | u8::from(filled));
                    if filled {
                        write_subtree(out, part);
                    }
                }
            }
            Self::Leaves(leaves) => {
                out.push(3);
                write_number(out, leaves.len() as u64);
                for (path, value_hash) in leaves {
                    out.extend_from_slice(path);
                    out.push(u8::from(value_hash.is_some()));
                    out.extend(value_hash.iter().flatten());
                }
            }
        }
    }

    fn read(hasher: TreeHasher, bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (&kind, rest) = bytes.split_first()?;
        if kind == 0 {
            return Some((Self::Absent, rest));
        }
        let (length, mut rest) = read_number(rest)?;
        let length = usize::try_from(length).ok()?;
        match kind {
            1 => {
                let (page, rest) = rest.split_at_checked(length)?;
                Some((Self::Whole(Page::decode(hasher, page).ok()?), rest))
            }
            2 if length <= SLOTS => {
                let mut slots = Vec::with_capacity(length);
                for _ in 0..length {
                    let (&head, after) = rest.split_first()?;
                    let (part, after) = if head & 1 == 1 { read_subtree(after)? } else { (Subtree::EMPTY, after) };
                    slots.push(((head >> 1 < 16).then_some(head >> 1)?, part));
                    rest = after;
                }
                Some((Self::Slots(slots), rest))
            }
            3 => {
                let mut leaves = Vec::new();
                for _ in 0..length {
                    let (path, after) = rest.split_first_chunk::<32>()?;
                    let (&present, after) = after.split_first()?;
                    let (value_hash, after) = match present {
                        0 => (None, after),
                        1 => after.split_first_chunk::<32>().map(|(hash, after)| (Some(*hash), after))?,
                        _ => return None,
                    };
                    leaves.push((*path, value_hash));
                    rest = after;
                }
                Some((Self::Leaves(leaves), rest))
            }
            _ => None,
        }
    }
}

/// Leaves of `before` that `after` lacks or has otherwise, and paths that only `after` has; all are ascending by path.
fn leaves_undo(before: &[Leaf], after: &[Leaf]) -> Vec<(Digest, Option<Digest>)> {
    let (mut then, mut now) = (before.iter().peekable(), after.iter().peekable());
    let mut undo = Vec::new();
    loop {
        let order = match (then.peek(), now.peek()) {
            (Some(old), Some(new)) => old.path.cmp(&new.path),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => return undo,
        };
        let old = if order.is_le() { then.next() } else { None };
        let new = if order.is_ge() { now.next() } else { None };
        match (old, new) {
            (Some(old), new) if new.is_none_or(|new| new.value_hash != old.value_hash) => undo.push((old.path, Some(old.value_hash))),
            (None, Some(new)) => undo.push((new.path, None)),
            _ => {}
        }
    }
}

/// Append one page's way back to its row.
pub fn write_page(out: &mut Vec<u8>, prefix: &Prefix, undo: &PageUndo) {
    prefix.write(out);
    undo.write(out);
}

/// Read a row of pages.
pub fn read_pages(hasher: TreeHasher, mut bytes: &[u8]) -> Result<Vec<(Prefix, PageUndo)>, StateError> {
    let mut pages = Vec::new();
    while !bytes.is_empty() {
        let (prefix, rest) = Prefix::read(bytes).ok_or_else(unreadable)?;
        let (undo, rest) = PageUndo::read(hasher, rest).ok_or_else(unreadable)?;
        pages.push((prefix, undo));
        bytes = rest;
    }
    Ok(pages)
}

/// Append one record's replaced value to its row.
pub fn write_value(out: &mut Vec<u8>, path: &Digest, value: Option<&[u8]>) {
    out.extend_from_slice(path);
    match value {
        None => write_number(out, 0),
        Some(value) => {
            write_number(out, value.len() as u64 + 1);
            out.extend_from_slice(value);
        }
    }
}

/// A replaced value in a row: its path, and the value if there was one.
pub type OldValue<'a> = (Digest, Option<&'a [u8]>);

/// Read a row of values.
pub fn read_values(mut bytes: &[u8]) -> Result<Vec<OldValue<'_>>, StateError> {
    let mut values = Vec::new();
    while let Some((path, rest)) = bytes.split_first_chunk::<32>() {
        let (length, rest) = read_number(rest).ok_or_else(unreadable)?;
        let (value, rest) = match usize::try_from(length).map_err(|_| unreadable())?.checked_sub(1) {
            None => (None, rest),
            Some(length) => rest.split_at_checked(length).map(|(value, rest)| (Some(value), rest)).ok_or_else(unreadable)?,
        };
        values.push((*path, value));
        bytes = rest;
    }
    if bytes.is_empty() { Ok(values) } else { Err(unreadable()) }
}

/// A row that `write_page` or `write_value` did not write.
pub fn unreadable() -> StateError {
    StateError::corrupt("a row of the state history cannot be read")
}

/// A page at a height, or that there was none.
type FormerPage = Option<Page>;

/// Changes of one page, undone one after the other from the oldest to the newest.
#[derive(Default)]
pub struct Rewind {
    base: Option<FormerPage>,
    slots: BTreeMap<u8, Subtree>,
    leaves: BTreeMap<Digest, Option<Digest>>,
}

impl Rewind {
    /// Add the way back over the next newer block that changed the page.
    pub fn add(&mut self, undo: PageUndo) {
        if self.base.is_some() {
            return;
        }
        match undo {
            PageUndo::Absent => self.base = Some(None),
            PageUndo::Whole(page) => self.base = Some(Some(page)),
            PageUndo::Slots(slots) => {
                for (slot, part) in slots {
                    self.slots.entry(slot).or_insert(part);
                }
            }
            PageUndo::Leaves(leaves) => {
                for (path, hash) in leaves {
                    self.leaves.entry(path).or_insert(hash);
                }
            }
        }
    }

    /// The page as it was; `head` reads it as it is.
    pub fn finish(self, hasher: TreeHasher, head: impl FnOnce() -> Result<Option<Page>, StateError>) -> Result<FormerPage, StateError> {
        let base = match self.base {
            Some(base) => base,
            None => head()?,
        };
        match base {
            Some(Page::Branch(mut slots)) if self.leaves.is_empty() => {
                for (slot, part) in self.slots {
                    slots[usize::from(slot)] = part;
                }
                Ok(Some(Page::Branch(slots)))
            }
            Some(Page::Bucket(leaves)) if self.slots.is_empty() => {
                let mut then: BTreeMap<_, _> = leaves.into_iter().map(|leaf| (leaf.path, leaf)).collect();
                for (path, value_hash) in self.leaves {
                    match value_hash {
                        Some(value_hash) => then.insert(path, Leaf::new(hasher, path, value_hash)),
                        None => then.remove(&path),
                    };
                }
                Ok(Some(Page::Bucket(then.into_values().collect())))
            }
            None if self.slots.is_empty() && self.leaves.is_empty() => Ok(None),
            _ => Err(unreadable()),
        }
    }
}
