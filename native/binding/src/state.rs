//! `StateStore` and `StateSnapshot`: the Python face of the state tree and its store.

use std::path::Path;
use std::sync::{Arc, RwLock};

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use yunhe_core::hash::ChainHash;
use yunhe_core::state::{self, StateError};

use crate::errors::named_error;

type Found<'py> = Option<Bound<'py, PyBytes>>;
type Row<'py> = (Bound<'py, PyBytes>, Bound<'py, PyBytes>);

/// Adds the classes of this module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<StateStore>()?;
    module.add_class::<StateSnapshot>()
}

fn raised(py: Python<'_>, error: &StateError) -> PyErr {
    let name = match error {
        StateError::InvalidInput(_) => "InvalidInputError",
        StateError::TooLarge(_) => "TooLargeError",
        StateError::Conflict(_) => "ConflictError",
        StateError::HistoryGone(_) => "HistoryGoneError",
        StateError::NotFound(_) => "NotFoundError",
        StateError::Configuration(_) => "ConfigurationError",
        StateError::Corruption(_) => "CorruptionError",
        StateError::Unavailable(_) => "UnavailableError",
    };
    named_error(py, name, error.message().to_owned())
}

fn signed_height(height: Option<u64>) -> i64 {
    height.and_then(|height| i64::try_from(height).ok()).unwrap_or(-1)
}

/// The store, shared with its snapshots, until it is closed.
#[pyclass(frozen, module = "yunhe_native")]
struct StateStore {
    inner: RwLock<Option<Arc<state::StateStore>>>,
}

impl StateStore {
    fn store(&self, py: Python<'_>) -> PyResult<Arc<state::StateStore>> {
        let guard = self.inner.read().map_err(|_| named_error(py, "UnavailableError", "the state store failed".to_owned()))?;
        guard.clone().ok_or_else(|| named_error(py, "UnavailableError", "the state store is closed".to_owned()))
    }

    /// Work on the store without the interpreter lock.
    fn with<T: Send>(&self, py: Python<'_>, work: impl FnOnce(&state::StateStore) -> Result<T, StateError> + Send) -> PyResult<T> {
        let store = self.store(py)?;
        py.detach(|| work(&store)).map_err(|error| raised(py, &error))
    }
}

fn found<'py>(py: Python<'py>, value: Option<impl AsRef<[u8]>>) -> Found<'py> {
    value.map(|value| PyBytes::new(py, value.as_ref()))
}

fn rows<'py, S: AsRef<[u8]>>(py: Python<'py>, records: Vec<(S, S)>) -> Vec<Row<'py>> {
    records.into_iter().map(|(key, value)| (PyBytes::new(py, key.as_ref()), PyBytes::new(py, value.as_ref()))).collect()
}

#[pymethods]
impl StateStore {
    #[staticmethod]
    fn open(py: Python<'_>, path: &str, hash_name: &str, cache_bytes: u64) -> PyResult<Self> {
        let hash = ChainHash::by_name(hash_name)
            .map_err(|unknown| named_error(py, "ConfigurationError", format!("the chain hash {:?} is unknown", unknown.0)))?;
        let store = py.detach(|| state::StateStore::open(Path::new(path), hash, cache_bytes)).map_err(|error| raised(py, &error))?;
        Ok(Self { inner: RwLock::new(Some(Arc::new(store))) })
    }

    fn head<'py>(&self, py: Python<'py>) -> PyResult<(i64, Bound<'py, PyBytes>)> {
        let head = self.with(py, state::StateStore::head)?;
        Ok((signed_height(head.height), PyBytes::new(py, &head.root)))
    }

    fn get<'py>(&self, py: Python<'py>, key: &[u8]) -> PyResult<Found<'py>> {
        Ok(found(py, self.with(py, |store| store.get(key))?))
    }

    fn get_many<'py>(&self, py: Python<'py>, keys: Vec<Vec<u8>>) -> PyResult<Vec<Found<'py>>> {
        Ok(self.with(py, |store| store.get_many(&keys))?.into_iter().map(|value| found(py, value)).collect())
    }

    fn scan<'py>(&self, py: Python<'py>, start: &[u8], end: &[u8], limit: usize, reverse: bool) -> PyResult<Vec<Row<'py>>> {
        Ok(rows(py, self.with(py, |store| store.scan(start, end, limit, reverse))?))
    }

    fn snapshot(&self, py: Python<'_>) -> PyResult<StateSnapshot> {
        let store = self.store(py)?;
        let snapshot = py.detach(|| store.snapshot()).map_err(|error| raised(py, &error))?;
        Ok(StateSnapshot { store, snapshot })
    }

    fn stage<'py>(&self, py: Python<'py>, height: u64, writes: Vec<(Vec<u8>, Option<Vec<u8>>)>) -> PyResult<Bound<'py, PyBytes>> {
        let root = self.with(py, |store| {
            let writes: Vec<(&[u8], Option<&[u8]>)> = writes.iter().map(|(key, value)| (key.as_slice(), value.as_deref())).collect();
            store.stage(height, &writes)
        })?;
        Ok(PyBytes::new(py, &root))
    }

    fn apply(&self, py: Python<'_>, index: Vec<(Vec<u8>, Vec<u8>)>, sync: bool) -> PyResult<()> {
        self.with(py, |store| {
            let entries: Vec<(&[u8], &[u8])> = index.iter().map(|(key, value)| (key.as_slice(), value.as_slice())).collect();
            store.apply(&entries, sync)
        })
    }

    fn discard(&self, py: Python<'_>) -> PyResult<()> {
        self.with(py, state::StateStore::discard)
    }

    fn index_get_many<'py>(&self, py: Python<'py>, keys: Vec<Vec<u8>>) -> PyResult<Vec<Found<'py>>> {
        Ok(self.with(py, |store| store.index_get_many(&keys))?.into_iter().map(|value| found(py, value)).collect())
    }

    #[allow(clippy::type_complexity)] // The tuple is the one that the stub documents.
    fn prove<'py>(
        &self,
        py: Python<'py>,
        height: u64,
        key: &[u8],
    ) -> PyResult<(Found<'py>, Bound<'py, PyBytes>, Vec<Bound<'py, PyBytes>>, Option<Row<'py>>)> {
        let proof = self.with(py, |store| store.prove(height, key))?;
        let siblings = proof.siblings.iter().map(|sibling| PyBytes::new(py, sibling)).collect();
        let other = proof.other.map(|leaf| (PyBytes::new(py, &leaf.path), PyBytes::new(py, &leaf.value_hash)));
        Ok((found(py, proof.value), PyBytes::new(py, &proof.bitmap), siblings, other))
    }

    fn prune(&self, py: Python<'_>, keep_from_height: u64) -> PyResult<u64> {
        self.with(py, |store| store.prune(keep_from_height))
    }

    fn sync(&self, py: Python<'_>) -> PyResult<()> {
        self.with(py, state::StateStore::sync)
    }

    fn verify<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        Ok(PyBytes::new(py, &self.with(py, state::StateStore::verify)?))
    }

    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let mut guard = self.inner.write().map_err(|_| named_error(py, "UnavailableError", "the state store failed".to_owned()))?;
        let store = guard.take();
        drop(guard);
        py.detach(|| drop(store));
        Ok(())
    }
}

/// The records of one applied block; keeps the store open as long as it lives.
#[pyclass(frozen, module = "yunhe_native")]
struct StateSnapshot {
    store: Arc<state::StateStore>,
    snapshot: state::StateSnapshot,
}

#[pymethods]
impl StateSnapshot {
    fn height(&self) -> i64 {
        signed_height(self.snapshot.height())
    }

    fn get<'py>(&self, py: Python<'py>, key: &[u8]) -> PyResult<Found<'py>> {
        let values = py.detach(|| self.store.get_many_at(&self.snapshot, &[key])).map_err(|error| raised(py, &error))?;
        Ok(found(py, values.into_iter().next().flatten()))
    }

    fn get_many<'py>(&self, py: Python<'py>, keys: Vec<Vec<u8>>) -> PyResult<Vec<Found<'py>>> {
        let values = py.detach(|| self.store.get_many_at(&self.snapshot, &keys)).map_err(|error| raised(py, &error))?;
        Ok(values.into_iter().map(|value| found(py, value)).collect())
    }

    fn scan<'py>(&self, py: Python<'py>, start: &[u8], end: &[u8], limit: usize, reverse: bool) -> PyResult<Vec<Row<'py>>> {
        let records = py.detach(|| self.store.scan_at(&self.snapshot, start, end, limit, reverse)).map_err(|error| raised(py, &error))?;
        Ok(rows(py, records))
    }
}
