//! The place of a page in the tree: the first nibbles of the paths below it.

use crate::hash::Digest;

/// Nibbles of a whole path.
pub const PATH_NIBBLES: u8 = 64;

/// Bits of a whole path.
pub const PATH_BITS: usize = 256;

/// The first `len` nibbles of a path; what follows them is zero, so equal prefixes are equal values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Prefix {
    len: u8,
    path: Digest,
}

/// Nibble `index` of a path, most significant first; 0 beyond its end, where only a damaged tree leads ([`Prefix::child`] has no place there).
pub fn nibble(path: &Digest, index: u8) -> u8 {
    let byte = path.get(usize::from(index / 2)).copied().unwrap_or(0);
    if index.is_multiple_of(2) { byte >> 4 } else { byte & 0x0F }
}

/// Bit `index` of a path, most significant first.
pub fn bit(path: &Digest, index: usize) -> bool {
    path[index / 8] >> (7 - index % 8) & 1 == 1
}

impl Prefix {
    /// Place of the root page.
    pub const ROOT: Self = Self { len: 0, path: [0; 32] };

    /// Place of the page below slot `slot` of the page here; None below the last nibble.
    pub fn child(&self, slot: u8) -> Option<Self> {
        if self.len == PATH_NIBBLES {
            return None;
        }
        let mut child = *self;
        child.path[usize::from(self.len / 2)] |= if self.len.is_multiple_of(2) { slot << 4 } else { slot & 0x0F };
        child.len += 1;
        Some(child)
    }

    /// Place of the page above and the slot there; None at the root.
    pub fn parent(&self) -> Option<(Self, u8)> {
        let len = self.len.checked_sub(1)?;
        let slot = nibble(&self.path, len);
        let mut parent = Self { len, ..*self };
        parent.path[usize::from(len / 2)] &= if len.is_multiple_of(2) { 0x00 } else { 0xF0 };
        Some((parent, slot))
    }

    /// How many nibbles it has.
    pub fn len(&self) -> u8 {
        self.len
    }

    /// How many bits it has: the depth of the page in the binary tree.
    pub fn bits(&self) -> usize {
        usize::from(self.len) * 4
    }

    /// First byte of the paths below; meaningful from two nibbles on.
    pub fn first_byte(&self) -> u8 {
        self.path[0]
    }

    /// Whether `path` lies below.
    pub fn covers(&self, path: &Digest) -> bool {
        (0..self.len).all(|index| nibble(path, index) == nibble(&self.path, index))
    }

    /// Bytes of the key under which the page is stored: number of nibbles, then the nibbles, two a byte.
    pub fn key(&self) -> Vec<u8> {
        let mut key = Vec::with_capacity(1 + self.path_bytes().len());
        self.write(&mut key);
        key
    }

    /// Append the stored form to `out`.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.push(self.len);
        out.extend_from_slice(self.path_bytes());
    }

    /// Read the stored form from the front of `bytes`; None if it is not one.
    pub fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (&len, rest) = bytes.split_first()?;
        if len > PATH_NIBBLES {
            return None;
        }
        let (stored, rest) = rest.split_at_checked(usize::from(len).div_ceil(2))?;
        let mut path = [0; 32];
        path[..stored.len()].copy_from_slice(stored);
        if !len.is_multiple_of(2) && nibble(&path, len) != 0 {
            return None;
        }
        Some((Self { len, path }, rest))
    }

    fn path_bytes(&self) -> &[u8] {
        &self.path[..usize::from(self.len).div_ceil(2)]
    }
}
