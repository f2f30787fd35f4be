//! The state store against the definition of the tree (LED-030), a verifier of its proofs written from PRF-014, and damage.

// A test's helpers may fail as loudly as the test.
#![allow(clippy::unwrap_used, clippy::panic, clippy::cast_possible_truncation)]

mod ahead;
mod damage;
mod definition;
mod proofs;
mod records;
mod workload;
