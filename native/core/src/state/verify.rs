//! The check of a whole store: the tree against itself, then every record against the tree.
//!
//! The pages are read down from the root: each must be what the one above says, hold what its kind allows, and nothing else may be
//! stored beside them. So their leaves have the root. Then every record must be one of the leaves, and there are as many of the one
//! as of the other: the records have the root (LED-030). Records are compared in batches sorted by path, so memory stays flat.

use super::error::StateError;
use super::history::{Row, read_pages, read_values};
use super::page::{BUCKET_LEAVES_MAX, Leaf, Page, Subtree};
use super::prefix::{Prefix, nibble};
use super::tree::Tree;
use super::trunk::in_trunk;
use crate::hash::Digest;

/// Records that are compared with the tree at a time.
const BATCH_LEAVES: usize = 262_144;

/// Check everything in the view (STO-023); returns the root.
pub fn verify(tree: &Tree<'_>) -> Result<Digest, StateError> {
    let mut check = Check { tree, pages: 0 };
    let whole = match tree.page(&Prefix::ROOT)? {
        Some(page) => check.part(&Prefix::ROOT, &page)?,
        None => Subtree::EMPTY,
    };
    if whole.hash != tree.view.head()?.root {
        return Err(StateError::corrupt("the tree does not have the root of the head"));
    }
    if check.pages != tree.view.page_count()? {
        return Err(StateError::corrupt("pages are stored that do not belong to the tree"));
    }
    if check.records()? != whole.count {
        return Err(StateError::corrupt("the tree holds more leaves than there are records"));
    }
    check.history()?;
    Ok(whole.hash)
}

struct Check<'tree> {
    tree: &'tree Tree<'tree>,
    /// Stored pages that were read.
    pages: u64,
}

impl Check<'_> {
    /// Check the page at `prefix` and all below it; returns what they amount to.
    fn part(&mut self, prefix: &Prefix, page: &Page) -> Result<Subtree, StateError> {
        self.pages += u64::from(!in_trunk(prefix, page));
        let slots = match page {
            Page::Bucket(leaves) => {
                let ordered = leaves.is_sorted_by(|a, b| a.path < b.path);
                if !ordered || leaves.len() > BUCKET_LEAVES_MAX || !leaves.iter().all(|leaf| prefix.covers(&leaf.path)) {
                    return Err(StateError::corrupt("a bucket of the tree holds what it should not"));
                }
                return Ok(page.subtree(self.tree.hasher, prefix));
            }
            Page::Branch(slots) => slots,
        };
        for (slot, part) in (0_u8..).zip(slots.iter()) {
            if part.count > 0 {
                let (below, page) = child(self.tree, prefix, slot)?;
                if self.part(&below, &page)? != *part {
                    return Err(StateError::corrupt("a page of the tree is not the one that the page above it names"));
                }
            }
        }
        let part = page.subtree(self.tree.hasher, prefix);
        if part.count > BUCKET_LEAVES_MAX as u64 { Ok(part) } else { Err(StateError::corrupt("a branch of the tree holds too little")) }
    }

    /// Check that every record is a leaf of the tree; returns how many there are.
    fn records(&self) -> Result<u64, StateError> {
        let mut count = 0;
        let mut batch = Vec::with_capacity(BATCH_LEAVES);
        for record in self.tree.view.all_records() {
            let (key, value) = record?;
            batch.push(Leaf::new(self.tree.hasher, self.tree.hasher.path(&key), self.tree.hasher.value(&value)));
            count += 1;
            if batch.len() == BATCH_LEAVES {
                self.leaves(&mut batch)?;
            }
        }
        self.leaves(&mut batch)?;
        Ok(count)
    }

    fn leaves(&self, batch: &mut Vec<Leaf>) -> Result<(), StateError> {
        batch.sort_unstable_by_key(|leaf| leaf.path);
        if !batch.is_empty() {
            let root = self.tree.page(&Prefix::ROOT)?.ok_or_else(|| StateError::corrupt("a page of the tree is missing"))?;
            self.held(&Prefix::ROOT, &root, batch)?;
        }
        batch.clear();
        Ok(())
    }

    /// Check that the page at `prefix` and those below it hold `leaves`, which are sorted.
    fn held(&self, prefix: &Prefix, page: &Page, leaves: &[Leaf]) -> Result<(), StateError> {
        match page {
            Page::Bucket(held) => {
                let all =
                    leaves.iter().all(|leaf| held.binary_search_by(|other| other.path.cmp(&leaf.path)).is_ok_and(|at| held[at] == *leaf));
                if all { Ok(()) } else { Err(StateError::corrupt("a record is not the one that the tree holds")) }
            }
            Page::Branch(slots) => {
                for group in leaves.chunk_by(|a, b| nibble(&a.path, prefix.len()) == nibble(&b.path, prefix.len())) {
                    let slot = nibble(&group[0].path, prefix.len());
                    if slots[usize::from(slot)].count == 0 {
                        return Err(StateError::corrupt("a record is missing in the tree"));
                    }
                    let (below, page) = child(self.tree, prefix, slot)?;
                    self.held(&below, &page, group)?;
                }
                Ok(())
            }
        }
    }

    /// Check that every row of the history can be read.
    fn history(&self) -> Result<(), StateError> {
        for row in self.tree.view.history_rows() {
            let (key, bytes) = row?;
            match Row::of_key(&key) {
                Some((_, Row::Mark)) if bytes.len() == size_of::<Digest>() => {}
                Some((_, Row::Upper | Row::Lower(_))) => drop(read_pages(self.tree.hasher, &bytes)?),
                Some((_, Row::Values(_))) => drop(read_values(&bytes)?),
                _ => return Err(StateError::corrupt("a row of the state history cannot be read")),
            }
        }
        Ok(())
    }
}

fn child(tree: &Tree<'_>, prefix: &Prefix, slot: u8) -> Result<(Prefix, Page), StateError> {
    let below = prefix.child(slot).ok_or_else(|| StateError::corrupt("the tree is deeper than a path is long"))?;
    let page = tree.page(&below)?.ok_or_else(|| StateError::corrupt("a page of the tree is missing"))?;
    Ok((below, page))
}
