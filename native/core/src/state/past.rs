//! Proofs at the head and at the kept heights before it (LED-031).

use std::collections::HashMap;

use fjall::Slice;

use super::database::View;
use super::error::StateError;
use super::hashing::TreeHasher;
use super::history::{Rewind, Row, read_pages, read_values};
use super::page::Leaf;
use super::prefix::Prefix;
use super::proof::{Place, locate};
use super::tree::Tree;
use crate::hash::Digest;

/// A record, or its absence, shown under the root of a height (PRF-014).
#[derive(Debug, PartialEq, Eq)]
pub struct Proof {
    /// The record; None when there was none.
    pub value: Option<Vec<u8>>,
    /// Bit i (most significant first) set: level i has a sibling that is not empty.
    pub bitmap: Digest,
    /// The siblings that are not empty, root first.
    pub siblings: Vec<Digest>,
    /// The leaf that holds the place of an absent record, if one does.
    pub other: Option<Leaf>,
}

/// Show the record of `key`, or its absence, as it was after block `height`.
///
/// What is shown is checked against the root of that height first: a damaged store answers with an error, never with a wrong proof.
pub fn prove(tree: &Tree<'_>, height: u64, key: &[u8]) -> Result<Proof, StateError> {
    let (view, hasher) = (&tree.view, tree.hasher);
    // STO-025
    let head = match (view.head()?.height, view.kept()?) {
        (Some(head), _) if height > head => {
            return Err(StateError::NotFound(format!("height {height} is above the head {head}")));
        }
        (Some(head), Some(kept)) if height >= kept.oldest => head,
        (_, kept) => {
            let oldest = kept.map_or("nothing".to_owned(), |kept| format!("heights from {}", kept.oldest));
            return Err(StateError::HistoryGone(format!("this node keeps {oldest}; height {height} is proved by an exported bundle")));
        }
    };
    let path = hasher.path(key);
    let mut past = Past::read(view, hasher, &path, height, head)?;
    let place = locate(hasher, &path, |prefix| {
        // The leaf that holds the place of an absent record can be on a page beside the way.
        let rewind =
            if prefix.covers(&path) { past.pages.remove(&prefix.len()) } else { Some(page_beside(view, hasher, prefix, height, head)?) };
        rewind.unwrap_or_default().finish(hasher, || tree.page(prefix))
    })?;
    // STO-026
    check_root(view, hasher, height, &path, &place)?;
    match place.leaf {
        Some(leaf) if leaf.path == path => {
            let value = match past.value {
                Some(value) => value,
                None => view.record(key)?.map(|value| value.to_vec()),
            };
            let value = value.filter(|value| hasher.value(value) == leaf.value_hash);
            let value = value.ok_or_else(|| StateError::corrupt("a record is not the one that the tree holds"))?;
            Ok(Proof { value: Some(value), bitmap: place.bitmap, siblings: place.siblings, other: None })
        }
        other => Ok(Proof { value: None, bitmap: place.bitmap, siblings: place.siblings, other }),
    }
}

/// The root that follows from the place is the one that the block at `height` reached.
fn check_root(view: &View<'_>, hasher: TreeHasher, height: u64, path: &Digest, place: &Place) -> Result<(), StateError> {
    let reached = match view.height_at(height)? {
        Some(reached) => view.history(reached, Row::Mark)?,
        None => None,
    };
    if reached.is_some_and(|root| *root == place.root(hasher, path)) {
        Ok(())
    } else {
        Err(StateError::corrupt(format!("the tree at height {height} does not have the root of that height")))
    }
}

/// The next height after `at`, up to `head`, whose block changed anything, with its upper row.
///
/// Such a block always changes the root page, which is in the upper row. Heights that no block of ours has are skipped.
fn next_change(view: &View<'_>, at: u64, head: u64) -> Result<Option<(u64, Slice)>, StateError> {
    let mut at = at;
    while at < head {
        if let Some(upper) = view.history(at + 1, Row::Upper)? {
            return Ok(Some((at + 1, upper)));
        }
        let Some(next) = view.height_from(at + 1)? else { break };
        at = if next == at + 1 { next } else { next - 1 };
    }
    Ok(None)
}

/// What the blocks after a height changed of one page.
fn page_beside(view: &View<'_>, hasher: TreeHasher, prefix: &Prefix, height: u64, head: u64) -> Result<Rewind, StateError> {
    let mut rewind = Rewind::default();
    let mut at = height;
    while let Some((next, upper)) = next_change(view, at, head)? {
        at = next;
        let row = if Row::of_page(prefix) == Row::Upper { Some(upper) } else { view.history(at, Row::of_page(prefix))? };
        let pages = row.map_or(Ok(Vec::new()), |row| read_pages(hasher, &row))?;
        pages.into_iter().filter(|(changed, _)| changed == prefix).for_each(|(_, undo)| rewind.add(undo));
    }
    Ok(rewind)
}

/// A record at a height, or that there was none.
type FormerValue = Option<Vec<u8>>;

/// What the blocks after a height replaced on the way to one path.
struct Past {
    /// By number of nibbles: the pages on the way.
    pages: HashMap<u8, Rewind>,
    /// The record's value at that height, if a later block replaced it.
    value: Option<FormerValue>,
}

impl Past {
    /// Read the history of the heights above `height` up to `head`, oldest first.
    fn read(view: &View<'_>, hasher: TreeHasher, path: &Digest, height: u64, head: u64) -> Result<Self, StateError> {
        let mut past = Self { pages: HashMap::new(), value: None };
        let mut at = height;
        while let Some((next, upper)) = next_change(view, at, head)? {
            at = next;
            past.undo_pages(hasher, &upper, path)?;
            if let Some(lower) = view.history(at, Row::Lower(path[0]))? {
                past.undo_pages(hasher, &lower, path)?;
            }
            if past.value.is_none()
                && let Some(values) = view.history(at, Row::Values(path[0]))?
            {
                let replaced = read_values(&values)?.into_iter().find(|(replaced, _)| replaced == path);
                past.value = replaced.map(|(_, value)| value.map(<[u8]>::to_vec));
            }
        }
        Ok(past)
    }

    fn undo_pages(&mut self, hasher: TreeHasher, row: &[u8], path: &Digest) -> Result<(), StateError> {
        for (prefix, undo) in read_pages(hasher, row)? {
            if prefix.covers(path) {
                self.pages.entry(prefix.len()).or_default().add(undo);
            }
        }
        Ok(())
    }
}
