//! Python face of `yunhe-core`: translates bytes, integers and batches, and releases the interpreter lock around long work.

mod errors;
mod state;

use pyo3::prelude::*;

#[pymodule]
#[pyo3(name = "_core")]
fn native_module(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    state::register(module)
}
