//! `StateStore`: the Python face of the state tree and its store.

use pyo3::prelude::*;

/// Adds the classes of this module.
pub fn register(_module: &Bound<'_, PyModule>) -> PyResult<()> {
    Ok(())
}
