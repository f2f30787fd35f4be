//! The encoder: told the parts of a value in turn, it writes their one encoding.

use std::fmt;
use std::ops::Range;

use super::{DEPTH_MAX, INTEGER_KEYS_MAX, major, simple};

/// Why a value has no encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EncodeError {
    /// COD-001: two keys of a map have the same encoding.
    KeyTwice,
    /// COD-003: too many containers in one another.
    TooDeep,
    /// COD-006: too many integer keys in one map.
    IntegerKeys,
}

impl fmt::Display for EncodeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeyTwice => write!(formatter, "COD-001: a map has the same key twice"),
            Self::TooDeep => write!(formatter, "COD-003: more than {DEPTH_MAX} containers are nested"),
            Self::IntegerKeys => write!(formatter, "COD-006: a map has more than {INTEGER_KEYS_MAX} integer keys"),
        }
    }
}

impl std::error::Error for EncodeError {}

/// Writes one canonical item.
///
/// The caller writes the parts in order: after `begin_array(n)`, n items and `end_array`; after `begin_map(n)`, n times a key,
/// [`Encoder::key_done`] and a value, in any order of keys, then [`Encoder::end_map`].
#[derive(Debug, Default)]
pub struct Encoder {
    out: Vec<u8>,
    depth: usize,
    /// Entries of all unfinished maps.
    entries: Vec<Entry>,
}

/// Where a map began.
#[derive(Debug)]
pub struct MapStart {
    /// Its first entry among all.
    base: usize,
    /// Offset of its first key.
    offset: usize,
    sorted: bool,
    integer_keys: usize,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    key: usize,
    value: usize,
}

impl Encoder {
    /// Returns an encoder that has written nothing.
    pub fn new() -> Self {
        Self { out: Vec::with_capacity(256), depth: 0, entries: Vec::new() }
    }

    /// Returns what was written.
    pub fn as_bytes(&self) -> &[u8] {
        &self.out
    }

    /// Writes `false` or `true`.
    pub fn boolean(&mut self, value: bool) {
        self.out.push(major::SIMPLE << 5 | if value { simple::TRUE } else { simple::FALSE });
    }

    /// Writes `null`.
    pub fn null(&mut self) {
        self.out.push(major::SIMPLE << 5 | simple::NULL);
    }

    /// Writes an integer.
    pub fn integer(&mut self, value: i64) {
        // For a negative n the argument is −1 − n, which is n with every bit turned over (RFC 8949 §3.1).
        if value < 0 {
            self.head(major::NEGATIVE, !value.cast_unsigned());
        } else {
            self.head(major::UNSIGNED, value.cast_unsigned());
        }
    }

    /// Writes a byte string.
    pub fn bytes(&mut self, value: &[u8]) {
        self.head(major::BYTES, value.len() as u64);
        self.out.extend_from_slice(value);
    }

    /// Writes a text string.
    pub fn text(&mut self, value: &str) {
        self.head(major::TEXT, value.len() as u64);
        self.out.extend_from_slice(value.as_bytes());
    }

    /// Begins an array of `length` items.
    pub fn begin_array(&mut self, length: usize) -> Result<(), EncodeError> {
        self.enter()?;
        self.head(major::ARRAY, length as u64);
        Ok(())
    }

    /// Ends the innermost array.
    pub fn end_array(&mut self) {
        self.depth -= 1;
    }

    /// Begins a map of `length` entries.
    pub fn begin_map(&mut self, length: usize) -> Result<MapStart, EncodeError> {
        self.enter()?;
        self.head(major::MAP, length as u64);
        Ok(MapStart { base: self.entries.len(), offset: self.out.len(), sorted: true, integer_keys: 0 })
    }

    /// Says that the key which began at `key` (the length of what was written before it) is complete and its value follows.
    pub fn key_done(&mut self, map: &mut MapStart, key: usize) {
        if let Some(previous) = self.entries[map.base..].last() {
            map.sorted = map.sorted && self.out[previous.key..previous.value] < self.out[key..];
        }
        map.integer_keys += usize::from(self.out[key] >> 5 != major::TEXT);
        self.entries.push(Entry { key, value: self.out.len() });
    }

    /// Ends the map and puts its entries into order.
    pub fn end_map(&mut self, map: &MapStart) -> Result<(), EncodeError> {
        self.depth -= 1;
        // COD-006
        if map.integer_keys > INTEGER_KEYS_MAX {
            return Err(EncodeError::IntegerKeys);
        }
        // COD-001: what was ascending from the start needs no second look.
        if !map.sorted {
            self.sort(map)?;
        }
        self.entries.truncate(map.base);
        Ok(())
    }

    fn sort(&mut self, map: &MapStart) -> Result<(), EncodeError> {
        let entries = &self.entries[map.base..];
        let ends = entries.iter().skip(1).map(|entry| entry.key).chain([self.out.len()]);
        let mut parts: Vec<(Range<usize>, Range<usize>)> =
            entries.iter().zip(ends).map(|(entry, end)| (entry.key..entry.value, entry.key..end)).collect();
        parts.sort_unstable_by(|(first, _), (second, _)| self.out[first.clone()].cmp(&self.out[second.clone()]));
        // COD-001
        if parts.windows(2).any(|pair| self.out[pair[0].0.clone()] == self.out[pair[1].0.clone()]) {
            return Err(EncodeError::KeyTwice);
        }
        let mut ordered = Vec::with_capacity(self.out.len() - map.offset);
        for (_, part) in parts {
            ordered.extend_from_slice(&self.out[part]);
        }
        self.out[map.offset..].copy_from_slice(&ordered);
        Ok(())
    }

    fn enter(&mut self) -> Result<(), EncodeError> {
        // COD-003
        if self.depth == DEPTH_MAX {
            return Err(EncodeError::TooDeep);
        }
        self.depth += 1;
        Ok(())
    }

    #[inline]
    #[allow(clippy::cast_possible_truncation, reason = "each arm's range fits the type that it is cast to")]
    fn head(&mut self, major: u8, argument: u64) {
        let initial = major << 5;
        match argument {
            0..24 => self.out.push(initial | argument as u8),
            24..0x100 => self.out.extend_from_slice(&[initial | 0x18, argument as u8]),
            0x100..0x1_0000 => self.wide(initial | 0x19, &(argument as u16).to_be_bytes()),
            0x1_0000..0x1_0000_0000 => self.wide(initial | 0x1A, &(argument as u32).to_be_bytes()),
            _ => self.wide(initial | 0x1B, &argument.to_be_bytes()),
        }
    }

    fn wide(&mut self, initial: u8, argument: &[u8]) {
        self.out.push(initial);
        self.out.extend_from_slice(argument);
    }
}
