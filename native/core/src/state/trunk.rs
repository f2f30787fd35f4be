//! The uppermost branches of the tree: always in memory, never stored.
//!
//! Nearly every block changes nearly all of them, so storing them would be a third of what a block writes. They follow from the pages
//! below: opening reads those at the trunk's edge (at most 65,536), builds the trunk again, and so also finds out whether they have
//! the root of the head (STO-022).

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::error::StateError;
use super::hashing::TreeHasher;
use super::page::{Page, SLOTS, Subtree};
use super::prefix::Prefix;
use super::update::PageChange;

/// Branches with fewer nibbles than this belong to the trunk.
pub const TRUNK_NIBBLES: u8 = 4;

/// The trunk of one state.
#[derive(Clone, Debug, Default)]
pub struct Trunk {
    branches: HashMap<Prefix, Arc<Page>>,
}

/// Whether a page belongs to the trunk; all others are stored.
pub fn in_trunk(prefix: &Prefix, page: &Page) -> bool {
    prefix.len() < TRUNK_NIBBLES && matches!(page, Page::Branch(_))
}

impl Trunk {
    /// Build the trunk over the stored pages with up to `TRUNK_NIBBLES` nibbles.
    pub fn build(hasher: TreeHasher, pages: impl Iterator<Item = Result<(Prefix, Page), StateError>>) -> Result<Self, StateError> {
        let mut levels = vec![BTreeMap::<Prefix, Subtree>::new(); usize::from(TRUNK_NIBBLES) + 1];
        for page in pages {
            let (prefix, page) = page?;
            let level = levels.get_mut(usize::from(prefix.len())).filter(|_| !in_trunk(&prefix, &page));
            level.ok_or_else(misplaced)?.insert(prefix, page.subtree(hasher, &prefix));
        }
        let mut trunk = Self::default();
        while let (Some(lower), Some(upper)) = (levels.pop(), levels.last_mut()) {
            let mut branches: BTreeMap<Prefix, Box<[Subtree; SLOTS]>> = BTreeMap::new();
            for (prefix, part) in lower {
                let (parent, slot) = prefix.parent().ok_or_else(misplaced)?;
                branches.entry(parent).or_insert_with(|| Box::new([Subtree::EMPTY; SLOTS]))[usize::from(slot)] = part;
            }
            for (prefix, slots) in branches {
                let page = Page::Branch(slots);
                if upper.insert(prefix, page.subtree(hasher, &prefix)).is_some() {
                    return Err(misplaced());
                }
                trunk.branches.insert(prefix, Arc::new(page));
            }
        }
        Ok(trunk)
    }

    /// The branch at `prefix`, if the trunk has one there.
    pub fn get(&self, prefix: &Prefix) -> Option<&Arc<Page>> {
        if prefix.len() < TRUNK_NIBBLES { self.branches.get(prefix) } else { None }
    }

    /// The trunk after a block.
    pub fn after<'a>(&self, changes: impl IntoIterator<Item = (&'a Prefix, &'a PageChange)>) -> Self {
        let mut after = self.clone();
        for (prefix, change) in changes {
            match &change.after {
                Some(page) if in_trunk(prefix, page) => {
                    after.branches.insert(*prefix, page.clone());
                }
                _ if prefix.len() < TRUNK_NIBBLES => {
                    after.branches.remove(prefix);
                }
                _ => {}
            }
        }
        after
    }
}

fn misplaced() -> StateError {
    StateError::corrupt("a page of the tree is stored where none belongs")
}
