//! `StateStore` and `StateSnapshot`: the Python face of the state tree and its store.

use std::path::Path;
use std::sync::{Arc, RwLock};

use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
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
        StateError::DiskFull(_) => "DiskFullError",
        StateError::DiskReadOnly(_) => "DiskReadOnlyError",
        StateError::DiskFailed(_) => "DiskFailedError",
    };
    named_error(py, name, error.message().to_owned())
}

/// Python counts from -1, which is before the first block.
fn signed_height(height: Option<u64>) -> i64 {
    height.and_then(|height| i64::try_from(height).ok()).unwrap_or(-1)
}

/// The open store; None once it is closed, for its snapshots as well, so that closing frees the directory at once.
#[derive(Clone)]
struct Handle(Arc<RwLock<Option<Arc<state::StateStore>>>>);

impl Handle {
    /// Work on the store without the interpreter lock.
    fn with<T: Send>(&self, py: Python<'_>, work: impl FnOnce(&state::StateStore) -> Result<T, StateError> + Send) -> PyResult<T> {
        py.detach(|| {
            let store = self.0.read().map_err(|_| closed())?.clone().ok_or_else(closed)?;
            work(&store)
        })
        .map_err(|error| raised(py, &error))
    }
}

fn closed() -> StateError {
    StateError::Unavailable("the state store is closed".to_owned())
}

/// The store, shared with its snapshots, until it is closed.
#[pyclass(frozen, module = "yunhe_native")]
struct StateStore {
    handle: Handle,
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
        Ok(Self { handle: Handle(Arc::new(RwLock::new(Some(Arc::new(store))))) })
    }

    fn head<'py>(&self, py: Python<'py>) -> PyResult<(i64, Bound<'py, PyBytes>)> {
        let head = self.handle.with(py, state::StateStore::head)?;
        Ok((signed_height(head.height), PyBytes::new(py, &head.root)))
    }

    fn get<'py>(&self, py: Python<'py>, key: &[u8]) -> PyResult<Found<'py>> {
        Ok(found(py, self.handle.with(py, |store| store.get(key))?))
    }

    fn get_many<'py>(&self, py: Python<'py>, keys: Vec<PyBackedBytes>) -> PyResult<Vec<Found<'py>>> {
        Ok(self.handle.with(py, |store| store.get_many(&keys))?.into_iter().map(|value| found(py, value)).collect())
    }

    fn scan<'py>(&self, py: Python<'py>, start: &[u8], end: &[u8], limit: usize, reverse: bool) -> PyResult<Vec<Row<'py>>> {
        Ok(rows(py, self.handle.with(py, |store| store.scan(start, end, limit, reverse))?))
    }

    fn snapshot(&self, py: Python<'_>) -> PyResult<StateSnapshot> {
        let snapshot = self.handle.with(py, state::StateStore::snapshot)?;
        Ok(StateSnapshot { handle: self.handle.clone(), snapshot })
    }

    fn stage<'py>(
        &self,
        py: Python<'py>,
        height: i64,
        writes: Vec<(PyBackedBytes, Option<PyBackedBytes>)>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let root = self.handle.with(py, |store| {
            let writes: Vec<(&[u8], Option<&[u8]>)> = writes.iter().map(|(key, value)| (&**key, value.as_deref())).collect();
            let height = u64::try_from(height).map_err(|_| StateError::InvalidInput(format!("height {height} is negative")))?;
            store.stage(height, &writes)
        })?;
        Ok(PyBytes::new(py, &root))
    }

    fn apply(&self, py: Python<'_>, index: Vec<(PyBackedBytes, PyBackedBytes)>, sync: bool) -> PyResult<()> {
        self.handle.with(py, |store| {
            let entries: Vec<(&[u8], &[u8])> = index.iter().map(|(key, value)| (&**key, &**value)).collect();
            store.apply(&entries, sync)
        })
    }

    fn discard(&self, py: Python<'_>) -> PyResult<()> {
        self.handle.with(py, state::StateStore::discard)
    }

    fn index_get_many<'py>(&self, py: Python<'py>, keys: Vec<PyBackedBytes>) -> PyResult<Vec<Found<'py>>> {
        Ok(self.handle.with(py, |store| store.index_get_many(&keys))?.into_iter().map(|value| found(py, value)).collect())
    }

    #[allow(clippy::type_complexity)] // The tuple is the one that the stub documents.
    fn prove<'py>(
        &self,
        py: Python<'py>,
        height: i64,
        key: &[u8],
    ) -> PyResult<(Found<'py>, Bound<'py, PyBytes>, Vec<Bound<'py, PyBytes>>, Option<Row<'py>>)> {
        let proof = self.handle.with(py, |store| {
            let height =
                u64::try_from(height).map_err(|_| StateError::HistoryGone("nothing is provable before the first block".to_owned()))?;
            store.prove(height, key)
        })?;
        let siblings = proof.siblings.iter().map(|sibling| PyBytes::new(py, sibling)).collect();
        let other = proof.other.map(|leaf| (PyBytes::new(py, &leaf.path), PyBytes::new(py, &leaf.value_hash)));
        Ok((found(py, proof.value), PyBytes::new(py, &proof.bitmap), siblings, other))
    }

    fn prune(&self, py: Python<'_>, keep_from_height: i64) -> PyResult<u64> {
        self.handle.with(py, |store| store.prune(u64::try_from(keep_from_height).unwrap_or(0)))
    }

    fn sync(&self, py: Python<'_>) -> PyResult<()> {
        self.handle.with(py, state::StateStore::sync)
    }

    fn verify<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        Ok(PyBytes::new(py, &self.handle.with(py, state::StateStore::verify)?))
    }

    fn close(&self, py: Python<'_>) -> PyResult<()> {
        py.detach(|| {
            let store = self.handle.0.write().map_err(|_| closed())?.take();
            drop(store);
            Ok(())
        })
        .map_err(|error: StateError| raised(py, &error))
    }
}

/// The records of one applied block.
#[pyclass(frozen, module = "yunhe_native")]
struct StateSnapshot {
    handle: Handle,
    snapshot: state::StateSnapshot,
}

#[pymethods]
impl StateSnapshot {
    fn height(&self) -> i64 {
        signed_height(self.snapshot.height())
    }

    fn get<'py>(&self, py: Python<'py>, key: &[u8]) -> PyResult<Found<'py>> {
        let values = self.handle.with(py, |store| store.get_many_at(&self.snapshot, &[key]))?;
        Ok(found(py, values.into_iter().next().flatten()))
    }

    fn get_many<'py>(&self, py: Python<'py>, keys: Vec<PyBackedBytes>) -> PyResult<Vec<Found<'py>>> {
        let values = self.handle.with(py, |store| store.get_many_at(&self.snapshot, &keys))?;
        Ok(values.into_iter().map(|value| found(py, value)).collect())
    }

    fn scan<'py>(&self, py: Python<'py>, start: &[u8], end: &[u8], limit: usize, reverse: bool) -> PyResult<Vec<Row<'py>>> {
        let records = self.handle.with(py, |store| store.scan_at(&self.snapshot, start, end, limit, reverse))?;
        Ok(rows(py, records))
    }
}
