//! Native core of Yunhe: what a node does for every transaction.
//!
//! The meaning is defined in Python (`yunhe.verifier`, `yunhe.ledger`) and in `docs/spec`; this crate repeats it faster and is
//! held equal to it by differential tests. It knows nothing of Python, does no I/O outside `state`, and has no `unsafe` of its own.

#![forbid(unsafe_code)]

pub mod codec;
pub mod hash;
pub mod merkle;
pub mod signatures;
pub mod sm2_keys;
pub mod state;
