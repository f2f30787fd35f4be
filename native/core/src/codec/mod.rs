//! Canonical CBOR (docs/spec/encoding.md, COD-001 to COD-004; RFC 8949 §4.2.1).
//!
//! One value has one encoding, and every other byte string is refused. The decoder checks that in the pass that builds the value, and
//! gives its parts to a [`Builder`], so that the binding makes Python objects with nothing in between. The encoder is told the parts in
//! turn and sorts maps itself. Neither knows any protocol type.

mod decoder;
mod encoder;

pub use decoder::{Builder, DecodeError, Fault, decode};
pub use encoder::{EncodeError, Encoder, MapStart};

/// Containers nested in one encoding: `CODEC_DEPTH_MAX` of `yunhe.limits` (COD-003).
pub const DEPTH_MAX: usize = 16;

/// Integer keys of one map: `CODEC_INTEGER_KEYS_MAX` of `yunhe.limits` (COD-006).
pub const INTEGER_KEYS_MAX: usize = 1024;

/// Major types (RFC 8949 §3.1).
mod major {
    pub const UNSIGNED: u8 = 0;
    pub const NEGATIVE: u8 = 1;
    pub const BYTES: u8 = 2;
    pub const TEXT: u8 = 3;
    pub const ARRAY: u8 = 4;
    pub const MAP: u8 = 5;
    pub const SIMPLE: u8 = 7;
}

/// Simple values (RFC 8949 §3.3).
mod simple {
    pub const FALSE: u8 = 20;
    pub const TRUE: u8 = 21;
    pub const NULL: u8 = 22;
}
