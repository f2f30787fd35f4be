//! Signatures of any suites, decided singly and in batches on all cores; key files; and the private keys of SM2.

use pyo3::prelude::*;
use pyo3::pybacked::PyBackedStr;
use pyo3::types::{PyBytes, PyList};
use yunhe_core::signatures::{self, Item, Suite, sm2};
use yunhe_core::sm2_keys::{KeyError, PrivateKey, encrypt_key_file as encrypt};

use crate::errors::named_error;

/// Adds the functions of this module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(signature_is_valid, module)?)?;
    module.add_function(wrap_pyfunction!(invalid_signatures, module)?)?;
    module.add_function(wrap_pyfunction!(encrypt_key_file, module)?)?;
    module.add_function(wrap_pyfunction!(sm2_is_public_key, module)?)?;
    module.add_function(wrap_pyfunction!(sm2_generate, module)?)?;
    module.add_function(wrap_pyfunction!(sm2_public_key, module)?)?;
    module.add_function(wrap_pyfunction!(sm2_sign, module)?)?;
    module.add_function(wrap_pyfunction!(sm2_encrypt_key, module)?)?;
    module.add_function(wrap_pyfunction!(sm2_decrypt_key, module)?)
}

#[pyfunction]
fn signature_is_valid(py: Python<'_>, suite: &str, public_key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let suite = Suite::by_name(suite);
    py.detach(|| Item { suite, public_key, message, signature }.is_valid())
}

#[pyfunction]
#[allow(clippy::type_complexity)] // The tuple is the one that the stub documents.
fn invalid_signatures(py: Python<'_>, items: &Bound<'_, PyList>) -> PyResult<Vec<usize>> {
    // References are taken to every part, because the list may change while the interpreter lock is released; the bytes cannot.
    let owners: Vec<(PyBackedStr, Bound<'_, PyBytes>, Bound<'_, PyBytes>, Bound<'_, PyBytes>)> = items.extract()?;
    let items: Vec<Item<'_>> = owners
        .iter()
        .map(|(suite, key, message, signature)| Item {
            suite: Suite::by_name(suite),
            public_key: key.as_bytes(),
            message: message.as_bytes(),
            signature: signature.as_bytes(),
        })
        .collect();
    Ok(py.detach(|| signatures::invalid(&items)))
}

#[pyfunction]
fn encrypt_key_file<'py>(py: Python<'py>, private_key_info: &[u8], passphrase: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
    let pem = py.detach(|| encrypt(private_key_info, passphrase)).map_err(|error| raised(py, error))?;
    Ok(PyBytes::new(py, pem.as_bytes()))
}

#[pyfunction]
fn sm2_is_public_key(public_key: &[u8]) -> bool {
    sm2::is_public_key(public_key)
}

#[pyfunction]
fn sm2_generate(py: Python<'_>) -> PyResult<Bound<'_, PyBytes>> {
    let key = PrivateKey::generate().map_err(|error| raised(py, error))?;
    Ok(PyBytes::new(py, &key.to_bytes()))
}

#[pyfunction]
fn sm2_public_key<'py>(py: Python<'py>, private_key: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
    Ok(PyBytes::new(py, &opened(py, private_key)?.public_key()))
}

#[pyfunction]
fn sm2_sign<'py>(py: Python<'py>, private_key: &[u8], message: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
    let key = opened(py, private_key)?;
    let signature = py.detach(|| key.sign(message)).map_err(|error| raised(py, error))?;
    Ok(PyBytes::new(py, &signature))
}

#[pyfunction]
fn sm2_encrypt_key<'py>(py: Python<'py>, private_key: &[u8], passphrase: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
    let key = opened(py, private_key)?;
    let pem = py.detach(|| key.to_pem(passphrase)).map_err(|error| raised(py, error))?;
    Ok(PyBytes::new(py, pem.as_bytes()))
}

#[pyfunction]
fn sm2_decrypt_key<'py>(py: Python<'py>, pem: &[u8], passphrase: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
    let pem = str::from_utf8(pem).map_err(|_| raised(py, KeyError::NotAKeyFile))?;
    let key = py.detach(|| PrivateKey::from_pem(pem, passphrase)).map_err(|error| raised(py, error))?;
    Ok(PyBytes::new(py, &key.to_bytes()))
}

fn opened(py: Python<'_>, private_key: &[u8]) -> PyResult<PrivateKey> {
    PrivateKey::from_bytes(private_key).map_err(|error| raised(py, error))
}

fn raised(py: Python<'_>, error: KeyError) -> PyErr {
    let name = match error {
        KeyError::NotAKey | KeyError::NotAKeyFile | KeyError::AnotherKind => "InvalidKeyError",
        KeyError::WrongPassphrase => "WrongPassphraseError",
        KeyError::NoRandomNumbers => "UnavailableError",
    };
    named_error(py, name, error.to_string())
}
