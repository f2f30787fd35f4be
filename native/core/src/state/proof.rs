//! The way from the root to the place of a path (PRF-014).

use super::error::StateError;
use super::hashing::TreeHasher;
use super::page::{Leaf, Page, SLOTS, Subtree, fold_leaves, split_at_bit};
use super::prefix::{PATH_BITS, PATH_NIBBLES, Prefix, bit, nibble};
use crate::hash::Digest;

/// Where a path ends, and what lies beside the way there.
#[derive(Debug, PartialEq, Eq)]
pub struct Place {
    /// What holds the place: nothing, the path's own leaf, or the leaf of another path.
    pub leaf: Option<Leaf>,
    /// Bit i (most significant first) set: level i has a sibling that is not empty.
    pub bitmap: Digest,
    /// The siblings that are not empty, root first.
    pub siblings: Vec<Digest>,
    depth: usize,
}

impl Place {
    fn pass(&mut self, sibling: Subtree) {
        if sibling.count > 0 {
            self.bitmap[self.depth / 8] |= 0x80 >> (self.depth % 8);
            self.siblings.push(sibling.hash);
        }
        self.depth += 1;
    }

    /// The root that follows from the place and its siblings.
    pub fn root(&self, hasher: TreeHasher, path: &Digest) -> Digest {
        let mut siblings = self.siblings.iter().rev();
        let mut hash = self.leaf.map_or(Subtree::EMPTY.hash, |leaf| leaf.hash);
        for level in (0..self.depth).rev() {
            let present = bit(&self.bitmap, level);
            let sibling = if present { siblings.next() } else { None }.copied().unwrap_or(Subtree::EMPTY.hash);
            hash = if bit(path, level) { hasher.node(&sibling, &hash) } else { hasher.node(&hash, &sibling) };
        }
        hash
    }
}

/// Go from the root page, read by `load` like those below it, to the place of `path`.
pub fn locate(
    hasher: TreeHasher,
    path: &Digest,
    mut load: impl FnMut(&Prefix) -> Result<Option<Page>, StateError>,
) -> Result<Place, StateError> {
    let mut place = Place { leaf: None, bitmap: [0; 32], siblings: Vec::new(), depth: 0 };
    let mut prefix = Prefix::ROOT;
    let Some(mut page) = load(&prefix)? else {
        return Ok(place);
    };
    loop {
        let slots = match page {
            Page::Bucket(leaves) => {
                place.leaf = among_leaves(hasher, path, &leaves, &mut place);
                return Ok(place);
            }
            Page::Branch(_) if prefix.len() == PATH_NIBBLES => return Err(too_deep()),
            Page::Branch(slots) => slots,
        };
        let Some(slot) = among_slots(hasher, nibble(path, prefix.len()), &slots, &mut place) else {
            return Ok(place);
        };
        prefix = prefix.child(slot).ok_or_else(too_deep)?;
        page = load(&prefix)?.ok_or_else(|| StateError::corrupt("a page of the tree is missing"))?;
    }
}

fn too_deep() -> StateError {
    StateError::corrupt("the tree is deeper than a path is long")
}

/// Go down a bucket to the one leaf, or none, that shares the place.
fn among_leaves(hasher: TreeHasher, path: &Digest, leaves: &[Leaf], place: &mut Place) -> Option<Leaf> {
    let mut held = leaves;
    while held.len() > 1 && place.depth < PATH_BITS {
        let (left, right) = split_at_bit(held, place.depth);
        let (mine, other) = if bit(path, place.depth) { (right, left) } else { (left, right) };
        place.pass(fold_leaves(hasher, other, place.depth + 1));
        held = mine;
    }
    held.first().copied()
}

/// Go down a branch; returns the slot whose page goes on, or None when the place is empty.
///
/// A place that holds a single record ends the way there, wherever below it the record is stored: its slot need not be the path's.
fn among_slots(hasher: TreeHasher, own: u8, slots: &[Subtree; SLOTS], place: &mut Place) -> Option<u8> {
    let mut held = 0..SLOTS;
    while held.len() > 1 {
        let filled = slots[held.clone()].iter().fold(0_u64, |sum, part| sum.saturating_add(part.count));
        if filled <= 1 {
            break;
        }
        let middle = held.start + held.len() / 2;
        let (left, right) = (held.start..middle, middle..held.end);
        let (mine, other) = if usize::from(own) < middle { (left, right) } else { (right, left) };
        place.pass(Subtree::fold(hasher, &slots[other]));
        held = mine;
    }
    (0_u8..).zip(slots).find(|(slot, part)| held.contains(&usize::from(*slot)) && part.count > 0).map(|(slot, _)| slot)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::ChainHash;

    #[test]
    fn tree_without_an_end_is_damage() {
        let hasher = TreeHasher::new(ChainHash::Sha256);
        let branch = Page::Branch(Box::new([Subtree { count: 40, hash: [7; 32] }; SLOTS]));
        let located = locate(hasher, &[0xA5; 32], |_| Ok(Some(branch.clone())));
        assert!(matches!(located, Err(StateError::Corruption(_))));
    }
}
