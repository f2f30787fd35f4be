//! The authenticated state tree and its store (`docs/spec/ledger.md`, "State tree"; `docs/spec/storage.md`, "State store").
//!
//! What: `StateStore` keeps the records of the ledger, the compact sparse Merkle tree over them, what the last blocks replaced, and
//! small tables of the caller, in one directory. Why: reads, roots and proofs of presence and absence at recent heights must be fast
//! at a million records and more, with flat memory.
//!
//! Rules: LED-030, LED-031, PRF-014 (tree and proofs), COD-061 (limits), STO-020 to STO-026 (store).
//!
//! What it does not do: it is not the truth. The block log is, and rolls this store forward; a damaged store is rebuilt from it.

mod cache;
mod database;
mod error;
mod gaps;
mod hashing;
mod history;
mod page;
mod past;
mod prefix;
mod proof;
mod reader;
mod scan;
mod store;
mod tree;
mod trunk;
mod update;
mod verify;

pub use database::{FORMAT_VERSION, Head, KEY_BYTES_MAX};
pub use error::StateError;
pub use hashing::{EMPTY, TreeHasher};
pub use page::{BUCKET_LEAVES_MAX, Leaf};
pub use past::Proof;
pub use reader::StateSnapshot;
pub use scan::Record;
pub use store::{RECORD_BYTES_MAX, StateStore};
