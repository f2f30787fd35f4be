//! Python face of `yunhe-core`: translates bytes, integers and batches, and releases the interpreter lock around long work.
//!
//! Docstrings are in the stub, `python/yunhe_native/_core.pyi`; a wrong type of argument is a `TypeError`, everything else that is
//! refused is a class of `yunhe.errors`.

// PyO3 hands extracted arguments over by value, and its lifetimes read better spelt out.
#![allow(clippy::elidable_lifetime_names, clippy::needless_pass_by_value, clippy::redundant_closure_for_method_calls)]

mod codec;
mod errors;
mod hashing;
mod signatures;
mod state;

use pyo3::prelude::*;

#[pymodule]
#[pyo3(name = "_core")]
fn native_module(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    codec::register(module)?;
    hashing::register(module)?;
    signatures::register(module)?;
    state::register(module)
}
