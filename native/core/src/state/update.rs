//! What a block's changes do to the pages of the tree.
//!
//! Changes come sorted by path and go down the pages together, so each page is read, changed and hashed once for a block.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::error::StateError;
use super::hashing::{EMPTY, TreeHasher};
use super::page::{BUCKET_LEAVES_MAX, Leaf, Page, SLOTS, Subtree, fold_leaves};
use super::prefix::{Prefix, nibble};
use crate::hash::Digest;

/// Where pages of the state before the change come from.
pub trait PageSource {
    /// The page at `prefix`, which is known to exist.
    fn load(&mut self, prefix: &Prefix) -> Result<Arc<Page>, StateError>;
}

/// One record's change as the tree sees it; None deletes.
#[derive(Clone, Copy, Debug)]
pub struct Change {
    /// Hash of the state key.
    pub path: Digest,
    /// Hash of the new value.
    pub value_hash: Option<Digest>,
}

/// A page before and after a block; None: there is none.
#[derive(Debug)]
pub struct PageChange {
    /// As it is stored.
    pub before: Option<Arc<Page>>,
    /// As it shall be.
    pub after: Option<Arc<Page>>,
}

/// The pages that a block changes, with the tree's new root.
pub struct TreeChange {
    /// The whole tree after the block.
    pub root: Subtree,
    /// Changed pages, in the order of their keys.
    pub pages: BTreeMap<Prefix, PageChange>,
}

/// Apply `changes`, ascending by path and each path once, to the tree whose root is `root`.
pub fn update(source: &mut impl PageSource, hasher: TreeHasher, root: &Digest, changes: &[Change]) -> Result<TreeChange, StateError> {
    let root = if *root == EMPTY { Subtree::EMPTY } else { whole_tree(source, hasher, root)? };
    let mut update = Update { source, hasher, pages: BTreeMap::new() };
    let root = update.descend(Prefix::ROOT, root, changes)?;
    let mut pages = update.pages;
    pages.retain(|_, page| page.before.is_some() || page.after.is_some());
    Ok(TreeChange { root, pages })
}

/// The tree as its root page has it.
fn whole_tree(source: &mut impl PageSource, hasher: TreeHasher, root: &Digest) -> Result<Subtree, StateError> {
    let whole = source.load(&Prefix::ROOT)?.subtree(hasher, &Prefix::ROOT);
    if whole.hash == *root { Ok(whole) } else { Err(StateError::corrupt("the root page is not that of the root")) }
}

struct Update<'source, S> {
    source: &'source mut S,
    hasher: TreeHasher,
    pages: BTreeMap<Prefix, PageChange>,
}

impl<S: PageSource> Update<'_, S> {
    /// Change the part of the tree at `prefix`, which is `part` so far.
    fn descend(&mut self, prefix: Prefix, part: Subtree, changes: &[Change]) -> Result<Subtree, StateError> {
        if changes.is_empty() {
            return Ok(part);
        }
        if part.count == 0 {
            return self.grow(prefix, None, merge(self.hasher, &[], changes));
        }
        let before = self.source.load(&prefix)?;
        match &*before {
            Page::Bucket(leaves) => {
                let merged = merge(self.hasher, leaves, changes);
                if merged == *leaves { Ok(part) } else { self.grow(prefix, Some(before), merged) }
            }
            Page::Branch(held) => {
                let mut slots = held.clone();
                for group in changes.chunk_by(|a, b| nibble(&a.path, prefix.len()) == nibble(&b.path, prefix.len())) {
                    let slot = nibble(&group[0].path, prefix.len());
                    let part = &mut slots[usize::from(slot)];
                    *part = self.descend(child(&prefix, slot)?, *part, group)?;
                }
                if slots == *held { Ok(part) } else { self.settle(prefix, before, slots) }
            }
        }
    }

    /// Keep a branch, or gather what is left of it into a bucket.
    fn settle(&mut self, prefix: Prefix, before: Arc<Page>, slots: Box<[Subtree; SLOTS]>) -> Result<Subtree, StateError> {
        let total = slots.iter().fold(0_u64, |sum, part| sum.saturating_add(part.count));
        if total > BUCKET_LEAVES_MAX as u64 {
            let page = Page::Branch(slots);
            let part = page.subtree(self.hasher, &prefix);
            self.record(prefix, Some(before), Some(Arc::new(page)));
            return Ok(part);
        }
        let mut leaves = Vec::with_capacity(BUCKET_LEAVES_MAX);
        for (slot, part) in (0_u8..).zip(slots.iter()) {
            if part.count > 0 {
                self.take_leaves(child(&prefix, slot)?, &mut leaves)?;
            }
        }
        self.grow(prefix, Some(before), leaves)
    }

    /// Move the leaves of the bucket at `prefix` into `leaves`; the bucket is no more.
    fn take_leaves(&mut self, prefix: Prefix, leaves: &mut Vec<Leaf>) -> Result<(), StateError> {
        let changed = self.pages.get(&prefix).map(|page| page.after.clone());
        let (before, page) = match changed {
            Some(Some(page)) => (None, page),
            Some(None) => return Err(StateError::corrupt("a page of the tree is counted but gone")),
            None => {
                let page = self.source.load(&prefix)?;
                (Some(page.clone()), page)
            }
        };
        let Page::Bucket(held) = &*page else {
            return Err(StateError::corrupt("a branch of the tree holds fewer records than a branch does"));
        };
        leaves.extend_from_slice(held);
        self.record(prefix, before, None);
        Ok(())
    }

    /// Write the pages for `leaves`, which are all there is below `prefix`.
    fn grow(&mut self, prefix: Prefix, before: Option<Arc<Page>>, leaves: Vec<Leaf>) -> Result<Subtree, StateError> {
        if leaves.is_empty() {
            self.record(prefix, before, None);
            return Ok(Subtree::EMPTY);
        }
        if leaves.len() <= BUCKET_LEAVES_MAX {
            let part = fold_leaves(self.hasher, &leaves, prefix.bits());
            self.record(prefix, before, Some(Arc::new(Page::Bucket(leaves))));
            return Ok(part);
        }
        let mut slots = Box::new([Subtree::EMPTY; SLOTS]);
        for group in leaves.chunk_by(|a, b| nibble(&a.path, prefix.len()) == nibble(&b.path, prefix.len())) {
            let slot = nibble(&group[0].path, prefix.len());
            slots[usize::from(slot)] = self.grow(child(&prefix, slot)?, None, group.to_vec())?;
        }
        let page = Page::Branch(slots);
        let part = page.subtree(self.hasher, &prefix);
        self.record(prefix, before, Some(Arc::new(page)));
        Ok(part)
    }

    /// Note a changed page; what was stored before the block stays noted when a page changes twice.
    fn record(&mut self, prefix: Prefix, before: Option<Arc<Page>>, after: Option<Arc<Page>>) {
        self.pages.entry(prefix).and_modify(|page| page.after.clone_from(&after)).or_insert(PageChange { before, after });
    }
}

/// Place of the page below; leaves that agree in every nibble are one leaf, so nothing is ever below the last.
fn child(prefix: &Prefix, slot: u8) -> Result<Prefix, StateError> {
    prefix.child(slot).ok_or_else(|| StateError::corrupt("the tree is deeper than a path is long"))
}

/// Leaves after `changes`; both are ascending by path.
fn merge(hasher: TreeHasher, leaves: &[Leaf], changes: &[Change]) -> Vec<Leaf> {
    let mut merged = Vec::with_capacity(leaves.len() + changes.len());
    let mut rest = leaves;
    for change in changes {
        let (smaller, others) = rest.split_at(rest.partition_point(|leaf| leaf.path < change.path));
        merged.extend_from_slice(smaller);
        rest = match others.split_first() {
            Some((first, after)) if first.path == change.path => after,
            _ => others,
        };
        merged.extend(change.value_hash.map(|value_hash| Leaf::new(hasher, change.path, value_hash)));
    }
    merged.extend_from_slice(rest);
    merged
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::ChainHash;

    /// The same page everywhere.
    struct Endless(Page);

    impl PageSource for Endless {
        fn load(&mut self, _prefix: &Prefix) -> Result<Arc<Page>, StateError> {
            Ok(Arc::new(self.0.clone()))
        }
    }

    #[test]
    fn tree_without_an_end_is_damage() {
        let hasher = TreeHasher::new(ChainHash::Sha256);
        let leaf = Leaf::new(hasher, [3; 32], [4; 32]);
        for page in [Page::Branch(Box::new([Subtree { count: 40, hash: [7; 32] }; SLOTS])), Page::Bucket(vec![leaf; BUCKET_LEAVES_MAX + 2])]
        {
            let root = page.subtree(hasher, &Prefix::ROOT).hash;
            let changes = [Change { path: [0xA5; 32], value_hash: Some([1; 32]) }];
            let updated = update(&mut Endless(page), hasher, &root, &changes);
            assert!(matches!(updated, Err(StateError::Corruption(_))));
        }
    }
}
