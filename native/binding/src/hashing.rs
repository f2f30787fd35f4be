//! Chain hash and Merkle trees over batches of byte strings.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};
use yunhe_core::hash::{ChainHash, Digest};
use yunhe_core::merkle;

use crate::errors::named_error;

/// Adds the functions of this module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(digest, module)?)?;
    module.add_function(wrap_pyfunction!(tagged_digests, module)?)?;
    module.add_function(wrap_pyfunction!(merkle_root, module)?)?;
    module.add_function(wrap_pyfunction!(merkle_path, module)?)
}

#[pyfunction]
fn digest<'py>(py: Python<'py>, hash_name: &str, data: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
    let hash = chain_hash(py, hash_name)?;
    Ok(PyBytes::new(py, &hash.digest(&[data])))
}

#[pyfunction]
fn tagged_digests<'py>(py: Python<'py>, hash_name: &str, tag: &[u8], items: &Bound<'py, PyList>) -> PyResult<Bound<'py, PyList>> {
    let hash = chain_hash(py, hash_name)?;
    let owners = byte_strings(items)?;
    let items = slices(&owners);
    let digests: Vec<Digest> = py.detach(|| items.iter().map(|item| hash.tagged(tag, item)).collect());
    digest_list(py, &digests)
}

#[pyfunction]
fn merkle_root<'py>(py: Python<'py>, hash_name: &str, leaves: &Bound<'py, PyList>) -> PyResult<Bound<'py, PyBytes>> {
    let hash = chain_hash(py, hash_name)?;
    let owners = byte_strings(leaves)?;
    let leaves = slices(&owners);
    Ok(PyBytes::new(py, &py.detach(|| merkle::root(hash, &leaves))))
}

#[pyfunction]
fn merkle_path<'py>(py: Python<'py>, hash_name: &str, leaves: &Bound<'py, PyList>, index: isize) -> PyResult<Bound<'py, PyList>> {
    let hash = chain_hash(py, hash_name)?;
    let owners = byte_strings(leaves)?;
    let leaves = slices(&owners);
    // COD-011
    let found = usize::try_from(index).ok().and_then(|index| py.detach(|| merkle::path(hash, &leaves, index)).ok());
    let path = found.ok_or_else(|| {
        let message = format!("COD-011: there is no leaf {index} in a tree of {}", leaves.len());
        named_error(py, "InvalidInputError", message)
    })?;
    digest_list(py, &path)
}

fn chain_hash(py: Python<'_>, name: &str) -> PyResult<ChainHash> {
    ChainHash::by_name(name).map_err(|error| named_error(py, "ConfigurationError", error.to_string()))
}

/// Takes a reference to every item, because the list may change while the interpreter lock is released; the bytes cannot.
fn byte_strings<'py>(items: &Bound<'py, PyList>) -> PyResult<Vec<Bound<'py, PyBytes>>> {
    items.iter().map(|item| Ok(item.cast_into::<PyBytes>()?)).collect()
}

fn slices<'a>(owners: &'a [Bound<'_, PyBytes>]) -> Vec<&'a [u8]> {
    owners.iter().map(|owner| owner.as_bytes()).collect()
}

fn digest_list<'py>(py: Python<'py>, digests: &[Digest]) -> PyResult<Bound<'py, PyList>> {
    PyList::new(py, digests.iter().map(|digest| PyBytes::new(py, digest)))
}
