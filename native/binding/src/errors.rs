//! Exceptions of `yunhe.errors`, found by name when one is raised.
//!
//! The classes are written in Python and only imported here, lazily: this module can be imported before `yunhe.errors` is, and no
//! exception class is ever defined in Rust.

use pyo3::prelude::*;
use pyo3::types::PyType;

/// Returns an instance of the class `name` of `yunhe.errors`, or the import error when there is no such class.
pub fn named_error(py: Python<'_>, name: &str, message: String) -> PyErr {
    let class = py.import("yunhe.errors").and_then(|module| module.getattr(name)).and_then(|class| Ok(class.cast_into::<PyType>()?));
    match class {
        Ok(class) => PyErr::from_type(class, message),
        Err(error) => error,
    }
}
