//! `encode` and `decode`: canonical CBOR straight from and to Python objects.
//!
//! Both hold the interpreter lock throughout and run no Python code, so nothing changes beneath them.

use std::vec::Drain;

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyInt, PyList, PyString, PyTuple};
use yunhe_core::codec::{self, Builder, DecodeError, EncodeError, Encoder};

use crate::errors::named_error;

/// Adds the functions of this module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(encode, module)?)?;
    module.add_function(wrap_pyfunction!(decode, module)?)
}

#[pyfunction]
fn decode<'py>(py: Python<'py>, data: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    codec::decode(data, &mut Objects { py }).map_err(|refusal| match refusal {
        Refusal::Input(error) => named_error(py, "EncodingError", error.to_string()),
        Refusal::Python(error) => error,
    })
}

#[pyfunction]
fn encode<'py>(value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    let mut encoder = Encoder::new();
    write(&mut encoder, value)?;
    Ok(PyBytes::new(value.py(), encoder.as_bytes()))
}

enum Refusal {
    Input(DecodeError),
    Python(PyErr),
}

impl From<DecodeError> for Refusal {
    fn from(error: DecodeError) -> Self {
        Self::Input(error)
    }
}

impl From<PyErr> for Refusal {
    fn from(error: PyErr) -> Self {
        Self::Python(error)
    }
}

/// Builds Python objects.
struct Objects<'py> {
    py: Python<'py>,
}

impl<'py> Builder for Objects<'py> {
    type Value = Bound<'py, PyAny>;
    type Error = Refusal;

    fn boolean(&mut self, value: bool) -> Result<Self::Value, Refusal> {
        Ok(PyBool::new(self.py, value).to_owned().into_any())
    }

    fn null(&mut self) -> Result<Self::Value, Refusal> {
        Ok(self.py.None().into_bound(self.py))
    }

    #[inline]
    fn integer(&mut self, value: i64) -> Result<Self::Value, Refusal> {
        Ok(PyInt::new(self.py, value).into_any())
    }

    #[inline]
    fn bytes(&mut self, value: &[u8]) -> Result<Self::Value, Refusal> {
        Ok(PyBytes::new(self.py, value).into_any())
    }

    #[inline]
    fn text(&mut self, value: &str) -> Result<Self::Value, Refusal> {
        Ok(PyString::new(self.py, value).into_any())
    }

    fn array(&mut self, items: Drain<'_, Self::Value>) -> Result<Self::Value, Refusal> {
        Ok(PyList::new(self.py, items)?.into_any())
    }

    fn map(&mut self, mut entries: Drain<'_, Self::Value>) -> Result<Self::Value, Refusal> {
        let map = PyDict::new(self.py);
        while let (Some(key), Some(value)) = (entries.next(), entries.next()) {
            map.set_item(key, value)?;
        }
        Ok(map.into_any())
    }
}

/// Writes one value. Exact types, which are nearly all, are told apart by comparing pointers; their subclasses come after them.
fn write(encoder: &mut Encoder, value: &Bound<'_, PyAny>) -> PyResult<()> {
    if let Ok(text) = value.cast_exact::<PyString>() {
        write_text(encoder, text)
    } else if let Ok(number) = value.cast_exact::<PyInt>() {
        write_integer(encoder, number)
    } else if let Ok(bytes) = value.cast_exact::<PyBytes>() {
        encoder.bytes(bytes.as_bytes());
        Ok(())
    } else if let Ok(items) = value.cast_exact::<PyList>() {
        write_array(encoder, items, items.len(), items.iter())
    } else if let Ok(entries) = value.cast_exact::<PyDict>() {
        write_map(encoder, entries)
    } else if value.is_none() {
        encoder.null();
        Ok(())
    } else if let Ok(boolean) = value.cast_exact::<PyBool>() {
        // No subclass of bool can be made, so an integer below is never a truth value.
        encoder.boolean(boolean.is_true());
        Ok(())
    } else if let Ok(items) = value.cast::<PyTuple>() {
        write_array(encoder, items, items.len(), items.iter())
    } else {
        write_subclass(encoder, value)
    }
}

/// Writes a value whose class extends one of the encodable ones.
fn write_subclass(encoder: &mut Encoder, value: &Bound<'_, PyAny>) -> PyResult<()> {
    if let Ok(text) = value.cast::<PyString>() {
        write_text(encoder, text)
    } else if let Ok(number) = value.cast::<PyInt>() {
        write_integer(encoder, number)
    } else if let Ok(bytes) = value.cast::<PyBytes>() {
        encoder.bytes(bytes.as_bytes());
        Ok(())
    } else if let Ok(items) = value.cast::<PyList>() {
        write_array(encoder, items, items.len(), items.iter())
    } else if let Ok(entries) = value.cast::<PyDict>() {
        write_map(encoder, entries)
    } else {
        // COD-002
        let name = value.get_type().name()?;
        Err(refuse(value, format!("COD-002: a value of type {name} has no encoding")))
    }
}

fn write_text(encoder: &mut Encoder, text: &Bound<'_, PyString>) -> PyResult<()> {
    // COD-002: a text with lone surrogates has no UTF-8.
    let utf8 = text.to_str().map_err(|_| refuse(text, "COD-002: text is not valid Unicode".to_owned()))?;
    encoder.text(utf8);
    Ok(())
}

fn write_integer(encoder: &mut Encoder, number: &Bound<'_, PyInt>) -> PyResult<()> {
    // COD-002
    let number64 = number.extract::<i64>().map_err(|_| refuse(number, "COD-002: an integer is outside the signed 64 bits".to_owned()))?;
    encoder.integer(number64);
    Ok(())
}

fn write_array<'py>(
    encoder: &mut Encoder,
    array: &Bound<'py, PyAny>,
    length: usize,
    items: impl Iterator<Item = Bound<'py, PyAny>>,
) -> PyResult<()> {
    encoder.begin_array(length).map_err(|error| refuse_structure(array, error))?;
    for item in items {
        write(encoder, &item)?;
    }
    encoder.end_array();
    Ok(())
}

fn write_map(encoder: &mut Encoder, entries: &Bound<'_, PyDict>) -> PyResult<()> {
    let mut map = encoder.begin_map(entries.len()).map_err(|error| refuse_structure(entries, error))?;
    for (key, value) in entries.iter() {
        let start = encoder.as_bytes().len();
        if let Ok(text) = key.cast::<PyString>() {
            write_text(encoder, text)?;
        } else if let Ok(number) = key.cast::<PyInt>()
            && !key.is_exact_instance_of::<PyBool>()
        {
            write_integer(encoder, number)?;
        } else {
            // COD-002
            return Err(refuse(&key, "COD-002: a map's key is neither text nor an integer".to_owned()));
        }
        encoder.key_done(&mut map, start);
        write(encoder, &value)?;
    }
    encoder.end_map(&map).map_err(|error| refuse_structure(entries, error))
}

fn refuse(value: &Bound<'_, PyAny>, message: String) -> PyErr {
    named_error(value.py(), "ValueNotEncodableError", message)
}

fn refuse_structure(value: &Bound<'_, PyAny>, error: EncodeError) -> PyErr {
    refuse(value, error.to_string())
}
