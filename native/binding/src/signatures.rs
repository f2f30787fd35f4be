//! Ed25519 verification, singly and in batches on all cores.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};
use yunhe_core::ed25519::{self, Item};

/// Adds the functions of this module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(ed25519_verify, module)?)?;
    module.add_function(wrap_pyfunction!(ed25519_invalid, module)?)
}

#[pyfunction]
fn ed25519_verify(py: Python<'_>, public_key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    py.detach(|| Item { public_key, message, signature }.is_valid())
}

#[pyfunction]
fn ed25519_invalid(py: Python<'_>, items: &Bound<'_, PyList>) -> PyResult<Vec<usize>> {
    // References are taken to every part, because the list may change while the interpreter lock is released; the bytes cannot.
    let owners: Vec<(Bound<'_, PyBytes>, Bound<'_, PyBytes>, Bound<'_, PyBytes>)> = items.extract()?;
    let items: Vec<Item<'_>> = owners
        .iter()
        .map(|(key, message, signature)| Item { public_key: key.as_bytes(), message: message.as_bytes(), signature: signature.as_bytes() })
        .collect();
    Ok(py.detach(|| ed25519::invalid(&items)))
}
