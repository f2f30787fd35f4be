//! The tree at the head of one view of the database.

use std::sync::Arc;

use super::database::View;
use super::error::StateError;
use super::hashing::TreeHasher;
use super::page::Page;
use super::prefix::Prefix;
use super::trunk::Trunk;

/// A view together with the part of its tree that is not stored.
pub struct Tree<'db> {
    /// The stored part, and the records.
    pub view: View<'db>,
    /// The branches above it, of the same block as the view.
    pub trunk: Arc<Trunk>,
    /// The hashes of the tree.
    pub hasher: TreeHasher,
}

impl Tree<'_> {
    /// A page, if there is one at `prefix`.
    pub fn page(&self, prefix: &Prefix) -> Result<Option<Page>, StateError> {
        match self.trunk.get(prefix) {
            Some(page) => Ok(Some(Page::clone(page))),
            None => self.view.page(prefix),
        }
    }
}
