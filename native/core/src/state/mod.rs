//! The authenticated state tree and its store.
