//! The decoder: one pass that refuses whatever the encoder would not have written.

use std::fmt;
use std::vec::Drain;

use super::{DEPTH_MAX, INTEGER_KEYS_MAX, major, simple};

/// Makes values of the parts that the decoder finds, innermost first.
pub trait Builder {
    /// What is built.
    type Value;
    /// What can fail: the input, and perhaps the building.
    type Error: From<DecodeError>;

    /// Makes `false`, `true`.
    fn boolean(&mut self, value: bool) -> Result<Self::Value, Self::Error>;
    /// Makes `null`.
    fn null(&mut self) -> Result<Self::Value, Self::Error>;
    /// Makes an integer.
    fn integer(&mut self, value: i64) -> Result<Self::Value, Self::Error>;
    /// Makes a byte string.
    fn bytes(&mut self, value: &[u8]) -> Result<Self::Value, Self::Error>;
    /// Makes a text string.
    fn text(&mut self, value: &str) -> Result<Self::Value, Self::Error>;
    /// Makes an array of all of `items`.
    fn array(&mut self, items: Drain<'_, Self::Value>) -> Result<Self::Value, Self::Error>;
    /// Makes a map of `entries`, which are key, value, key, value, …; keys are integers or text and all different.
    fn map(&mut self, entries: Drain<'_, Self::Value>) -> Result<Self::Value, Self::Error>;
}

/// Why bytes are refused, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// What is wrong.
    pub fault: Fault,
    /// Offset in the input of the item that is wrong.
    pub offset: usize,
}

/// What is wrong with an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// COD-001: additional information 28 to 31.
    IndefiniteOrReserved,
    /// COD-001: the argument would fit a shorter head.
    NotShortest,
    /// COD-001: a key is not above the one before it.
    KeyOrder,
    /// COD-002: an integer outside the signed 64 bits.
    IntegerRange,
    /// COD-002: a text that is not UTF-8.
    NotUtf8,
    /// COD-002: a tag, a float or another simple value.
    NotAllowed,
    /// COD-002: a key that is neither text nor an integer.
    KeyType,
    /// COD-003: too many containers in one another.
    TooDeep,
    /// COD-006: too many integer keys in one map.
    IntegerKeys,
    /// COD-004: the input ends where an item is expected.
    Missing,
    /// COD-004: the input ends within a head.
    HeadCut,
    /// COD-004: an item is longer than what is left of the input.
    LongerThanInput,
    /// COD-004: something follows the item.
    Trailing,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.offset;
        match self.fault {
            Fault::IndefiniteOrReserved => write!(formatter, "COD-001: an indefinite or reserved length at offset {at}"),
            Fault::NotShortest => write!(formatter, "COD-001: the head at offset {at} is not the shortest"),
            Fault::KeyOrder => write!(formatter, "COD-001: the map key at offset {at} is out of order or comes twice"),
            Fault::IntegerRange => write!(formatter, "COD-002: the integer at offset {at} is outside the signed 64 bits"),
            Fault::NotUtf8 => write!(formatter, "COD-002: the text at offset {at} is not valid UTF-8"),
            Fault::NotAllowed => write!(formatter, "COD-002: a tag, a float or another simple value at offset {at}"),
            Fault::KeyType => write!(formatter, "COD-002: the map key at offset {at} is neither text nor an integer"),
            Fault::TooDeep => write!(formatter, "COD-003: more than {DEPTH_MAX} containers are nested at offset {at}"),
            Fault::IntegerKeys => {
                write!(formatter, "COD-006: more than {INTEGER_KEYS_MAX} integer keys in the map that has one at offset {at}")
            }
            Fault::Missing => write!(formatter, "COD-004: the input ends at offset {at}, where an item is expected"),
            Fault::HeadCut => write!(formatter, "COD-004: the input ends within the head at offset {at}"),
            Fault::LongerThanInput => write!(formatter, "COD-004: the item at offset {at} is longer than what is left"),
            Fault::Trailing => write!(formatter, "COD-004: bytes follow the item that ends at offset {at}"),
        }
    }
}

impl std::error::Error for DecodeError {}

/// Decodes exactly one canonical item.
///
/// Time and memory are linear in `data`: every size is compared with what is left before anything is made of that size.
pub fn decode<B: Builder>(data: &[u8], builder: &mut B) -> Result<B::Value, B::Error> {
    let mut decoder = Decoder { data, position: 0, depth: 0, pending: Vec::with_capacity(32) };
    let value = decoder.item(builder)?;
    // COD-004
    if decoder.position != data.len() {
        return Err(refuse(Fault::Trailing, decoder.position).into());
    }
    Ok(value)
}

struct Decoder<'a, V> {
    data: &'a [u8],
    position: usize,
    /// Containers around the current item.
    depth: usize,
    /// Items of all unfinished containers, so that no container allocates for itself.
    pending: Vec<V>,
}

struct Head {
    major: u8,
    argument: u64,
}

fn refuse(fault: Fault, offset: usize) -> DecodeError {
    DecodeError { fault, offset }
}

impl<'a, V> Decoder<'a, V> {
    // Items are decoded by recursion, which `DEPTH_MAX` bounds.
    fn item<B: Builder<Value = V>>(&mut self, builder: &mut B) -> Result<V, B::Error> {
        let start = self.position;
        let head = self.head()?;
        match head.major {
            major::UNSIGNED => builder.integer(integer(head.argument, start)?),
            major::NEGATIVE => builder.integer(-1 - integer(head.argument, start)?),
            major::BYTES => builder.bytes(self.take(head.argument, start)?),
            major::TEXT => {
                // COD-002
                let text = str::from_utf8(self.take(head.argument, start)?).map_err(|_| refuse(Fault::NotUtf8, start))?;
                builder.text(text)
            }
            major::ARRAY => {
                let count = self.enter(head.argument, 1, start)?;
                let base = self.pending.len();
                for _ in 0..count {
                    let item = self.item(builder)?;
                    self.pending.push(item);
                }
                self.depth -= 1;
                builder.array(self.pending.drain(base..))
            }
            major::MAP => {
                let count = self.enter(head.argument, 2, start)?;
                let base = self.pending.len();
                self.entries(count, builder)?;
                self.depth -= 1;
                builder.map(self.pending.drain(base..))
            }
            // `head` lets no other simple value through, and no tag.
            _ if head.argument == u64::from(simple::NULL) => builder.null(),
            _ => builder.boolean(head.argument == u64::from(simple::TRUE)),
        }
    }

    fn entries<B: Builder<Value = V>>(&mut self, count: usize, builder: &mut B) -> Result<(), B::Error> {
        let mut previous: &'a [u8] = &[];
        let mut integer_keys = 0;
        for _ in 0..count {
            let start = self.position;
            // COD-002: the key's type is in its first byte; a key that is missing or damaged is named by `item`.
            let major = self.data.get(start).map_or(major::TEXT, |byte| byte >> 5);
            let key = self.item(builder)?;
            if !matches!(major, major::UNSIGNED | major::NEGATIVE | major::TEXT) {
                return Err(refuse(Fault::KeyType, start).into());
            }
            // COD-006: checked before the map is built.
            integer_keys += usize::from(major != major::TEXT);
            if integer_keys > INTEGER_KEYS_MAX {
                return Err(refuse(Fault::IntegerKeys, start).into());
            }
            // COD-001: ascending order also means that no key comes twice.
            let encoding = &self.data[start..self.position];
            if encoding <= previous {
                return Err(refuse(Fault::KeyOrder, start).into());
            }
            previous = encoding;
            self.pending.push(key);
            let value = self.item(builder)?;
            self.pending.push(value);
        }
        Ok(())
    }

    #[inline]
    fn head(&mut self) -> Result<Head, DecodeError> {
        let start = self.position;
        // COD-004
        let &initial = self.data.get(start).ok_or(refuse(Fault::Missing, start))?;
        let (major, additional) = (initial >> 5, initial & 31);
        // COD-002: majors are 0 to 7; 6 is a tag.
        if major > major::MAP && !(major == major::SIMPLE && (simple::FALSE..=simple::NULL).contains(&additional)) {
            return Err(refuse(Fault::NotAllowed, start));
        }
        self.position += 1;
        let (argument, least) = match additional {
            0..24 => return Ok(Head { major, argument: u64::from(additional) }),
            24 => (u64::from(u8::from_be_bytes(self.argument(start)?)), 24),
            25 => (u64::from(u16::from_be_bytes(self.argument(start)?)), 1 << 8),
            26 => (u64::from(u32::from_be_bytes(self.argument(start)?)), 1 << 16),
            27 => (u64::from_be_bytes(self.argument(start)?), 1 << 32),
            // COD-001: 28 to 30 are reserved, 31 is the indefinite length.
            _ => return Err(refuse(Fault::IndefiniteOrReserved, start)),
        };
        // COD-001
        if argument < least {
            return Err(refuse(Fault::NotShortest, start));
        }
        Ok(Head { major, argument })
    }

    fn argument<const N: usize>(&mut self, start: usize) -> Result<[u8; N], DecodeError> {
        // COD-004
        let &bytes = self.data[self.position..].first_chunk::<N>().ok_or(refuse(Fault::HeadCut, start))?;
        self.position += N;
        Ok(bytes)
    }

    fn take(&mut self, length: u64, start: usize) -> Result<&'a [u8], DecodeError> {
        let length = self.fitting(length, 1, start)?;
        let taken = &self.data[self.position..self.position + length];
        self.position += length;
        Ok(taken)
    }

    fn enter(&mut self, count: u64, items_each: u64, start: usize) -> Result<usize, DecodeError> {
        let count = self.fitting(count, items_each, start)?;
        // COD-003
        if self.depth == DEPTH_MAX {
            return Err(refuse(Fault::TooDeep, start));
        }
        self.depth += 1;
        Ok(count)
    }

    /// COD-004: each byte of a string, and each item of a container, takes at least one byte of the input.
    fn fitting(&self, count: u64, items_each: u64, start: usize) -> Result<usize, DecodeError> {
        let left = self.data.len() - self.position;
        usize::try_from(count)
            .ok()
            .filter(|_| count.checked_mul(items_each).is_some_and(|bytes| bytes <= left as u64))
            .ok_or(refuse(Fault::LongerThanInput, start))
    }
}

/// COD-002
fn integer(argument: u64, start: usize) -> Result<i64, DecodeError> {
    i64::try_from(argument).map_err(|_| refuse(Fault::IntegerRange, start))
}
