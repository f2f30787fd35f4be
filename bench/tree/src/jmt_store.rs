//! Crate `jmt` over the same database: nodes by version and path, stale nodes dropped, a bounded cache of decoded nodes.
//!
//! Node keys begin with the version, so a block's nodes are appended in order. Records and replaced values are kept as our store keeps
//! them, so that only the tree differs.

use std::cell::{Cell, RefCell};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use fjall::config::CompressionPolicy;
use fjall::{CompressionType, Database, Keyspace, KeyspaceCreateOptions, OwnedWriteBatch, PersistMode, Slice};
use jmt::storage::{LeafNode, Node, NodeKey, TreeReader, TreeUpdateBatch};
use jmt::{JellyfishMerkleTree, KeyHash, OwnedValue, Version};
use quick_cache::Weighter;
use quick_cache::unsync::Cache;
use sha2::{Digest, Sha256};

use crate::Candidate;
use crate::workload::Write;

type Tree<'a> = JellyfishMerkleTree<'a, JmtStore, Sha256>;

/// Sixteen children of about a hundred bytes each in a hash map, or a leaf.
#[derive(Clone)]
struct NodeWeighter;

impl Weighter<NodeKey, Arc<Node>> for NodeWeighter {
    fn weight(&self, _key: &NodeKey, node: &Arc<Node>) -> u64 {
        match &**node {
            Node::Internal(inner) => 256 + 96 * inner.children_unsorted().count() as u64,
            _ => 256,
        }
    }
}

pub struct JmtStore {
    database: Database,
    records: Keyspace,
    nodes: Keyspace,
    stale: Keyspace,
    replaced: Keyspace,
    cache: RefCell<Cache<NodeKey, Arc<Node>, NodeWeighter>>,
    /// What `read` has read, which `apply` keeps for the history.
    replaced_values: Vec<Option<Slice>>,
    staged: Option<(Version, TreeUpdateBatch, Vec<Write>)>,
    pruned_to: Version,
    /// The key that is being proved: `jmt` asks for values by hash.
    proving: RefCell<Vec<u8>>,
    reads: Cell<u64>,
}

impl JmtStore {
    pub fn open(path: &Path, cache_mib: u64) -> Result<Self> {
        let cache_bytes = cache_mib * 1024 * 1024;
        let database = Database::builder(path).cache_size(cache_bytes / 2).max_journaling_size(256 * 1024 * 1024).open()?;
        let plain = || KeyspaceCreateOptions::default().max_memtable_size(32 * 1024 * 1024);
        let hashes = || plain().data_block_compression_policy(CompressionPolicy::all(CompressionType::None)).expect_point_read_hits(true);
        Ok(Self {
            records: database.keyspace("records", plain)?,
            nodes: database.keyspace("nodes", hashes)?,
            stale: database.keyspace("stale", hashes)?,
            replaced: database.keyspace("replaced", plain)?,
            cache: RefCell::new(Cache::with_weighter((cache_bytes / 1024) as usize, cache_bytes / 2, NodeWeighter)),
            database,
            replaced_values: Vec::new(),
            staged: None,
            pruned_to: 0,
            proving: RefCell::default(),
            reads: Cell::new(0),
        })
    }

    fn batch(&self, sync: bool) -> OwnedWriteBatch {
        let mode = if sync { PersistMode::SyncData } else { PersistMode::Buffer };
        OwnedWriteBatch::with_capacity(self.database.clone(), 65_536).durability(Some(mode))
    }
}

/// Version first, so that the nodes of a block stand together.
fn stored(key: &NodeKey) -> Result<Vec<u8>> {
    let mut bytes = key.version().to_be_bytes().to_vec();
    borsh::to_writer(&mut bytes, key.nibble_path())?;
    Ok(bytes)
}

fn path_of(key: &[u8]) -> KeyHash {
    KeyHash(Sha256::digest(key).into())
}

impl TreeReader for JmtStore {
    fn get_node_option(&self, key: &NodeKey) -> Result<Option<Node>> {
        if let Some(node) = self.cache.borrow().get(key) {
            return Ok(Some((**node).clone()));
        }
        self.reads.set(self.reads.get() + 1);
        let Some(bytes) = self.nodes.get(stored(key)?)? else {
            return Ok(None);
        };
        let node: Node = borsh::from_slice(&bytes)?;
        self.cache.borrow_mut().insert(key.clone(), Arc::new(node.clone()));
        Ok(Some(node))
    }

    fn get_value_option(&self, _max_version: Version, _key_hash: KeyHash) -> Result<Option<OwnedValue>> {
        Ok(self.records.get(&*self.proving.borrow())?.map(|value| value.to_vec()))
    }

    fn get_rightmost_leaf(&self) -> Result<Option<(NodeKey, LeafNode)>> {
        Ok(None)
    }
}

impl Candidate for JmtStore {
    fn read(&mut self, writes: &[Write]) -> Result<usize> {
        self.replaced_values.clear();
        for (key, _) in writes {
            self.replaced_values.push(self.records.get(key)?);
        }
        Ok(self.replaced_values.iter().flatten().count())
    }

    fn stage(&mut self, height: u64, writes: &[Write]) -> Result<[u8; 32]> {
        let values = writes.iter().map(|(key, value)| (path_of(key), value.clone())).collect::<Vec<_>>();
        let (root, batch) = Tree::new(self).put_value_set(values, height)?;
        self.staged = Some((height, batch, writes.to_vec()));
        Ok(root.0)
    }

    fn apply(&mut self, sync: bool) -> Result<()> {
        let (height, tree, writes) = self.staged.take().context("nothing is staged")?;
        let mut batch = self.batch(sync);
        self.replaced_values.resize(writes.len(), None);
        for ((key, value), before) in writes.into_iter().zip(self.replaced_values.drain(..)) {
            if let Some(before) = before {
                let row = [&height.to_be_bytes()[..], &path_of(&key).0].concat();
                batch.insert(&self.replaced, row, before);
            }
            match value {
                Some(value) => batch.insert(&self.records, key, value),
                None => batch.remove(&self.records, key),
            }
        }
        for (key, node) in tree.node_batch.nodes() {
            batch.insert(&self.nodes, stored(key)?, borsh::to_vec(node)?);
        }
        for stale in &tree.stale_node_index_batch {
            let row = [&stale.stale_since_version.to_be_bytes()[..], &stored(&stale.node_key)?].concat();
            batch.insert(&self.stale, row, []);
        }
        batch.commit()?;
        let mut cache = self.cache.borrow_mut();
        for stale in &tree.stale_node_index_batch {
            cache.remove(&stale.node_key);
        }
        for (key, node) in tree.node_batch.nodes() {
            cache.insert(key.clone(), Arc::new(node.clone()));
        }
        Ok(())
    }

    fn prune(&mut self, keep_from: u64) -> Result<()> {
        if keep_from <= self.pruned_to {
            return Ok(());
        }
        let mut batch = self.batch(false);
        let (from, to) = ((self.pruned_to + 1).to_be_bytes(), (keep_from + 1).to_be_bytes());
        for row in self.stale.range(from..to) {
            let key = row.key()?;
            batch.remove(&self.nodes, &key[8..]);
            batch.remove(&self.stale, key);
        }
        for row in self.replaced.range(from..to) {
            batch.remove(&self.replaced, row.key()?);
        }
        batch.commit()?;
        self.pruned_to = keep_from;
        Ok(())
    }

    fn verify(&mut self) -> Result<bool> {
        Ok(false)
    }

    fn prove(&mut self, height: u64, key: &[u8]) -> Result<usize> {
        *self.proving.borrow_mut() = key.to_vec();
        let (_, proof) = Tree::new(self).get_with_proof(path_of(key), height)?;
        Ok(borsh::to_vec(&proof)?.len())
    }
}
