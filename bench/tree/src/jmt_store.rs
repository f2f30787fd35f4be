//! Crate `jmt` over the same database: nodes by version and path, stale nodes dropped, a bounded cache of decoded nodes.
//!
//! Node keys begin with the version, so a block's nodes are appended in order.

use std::cell::RefCell;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use fjall::config::CompressionPolicy;
use fjall::{CompressionType, Keyspace};
use jmt::storage::{LeafNode, Node, NodeKey, TreeReader, TreeUpdateBatch};
use jmt::{JellyfishMerkleTree, KeyHash, OwnedValue, Version};
use quick_cache::Weighter;
use quick_cache::unsync::Cache;
use sha2::Sha256;

use crate::records::{Records, plain};
use crate::workload::Write;
use crate::{Candidate, Shown};

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
    records: Records,
    nodes: Keyspace,
    stale: Keyspace,
    cache: RefCell<Cache<NodeKey, Arc<Node>, NodeWeighter>>,
    staged: Option<(Version, TreeUpdateBatch, Vec<Write>)>,
    head: Version,
    pruned_to: Version,
    /// The key that is being proved: `jmt` asks for values by hash.
    proving: Vec<u8>,
}

impl JmtStore {
    pub fn open(path: &Path, cache_mib: u64) -> Result<Self> {
        let cache_bytes = cache_mib * 1024 * 1024;
        let records = Records::open(path, cache_bytes / 2)?;
        let hashes = || plain().data_block_compression_policy(CompressionPolicy::all(CompressionType::None)).expect_point_read_hits(true);
        Ok(Self {
            nodes: records.database.keyspace("nodes", hashes)?,
            stale: records.database.keyspace("stale", hashes)?,
            records,
            cache: RefCell::new(Cache::with_weighter((cache_bytes / 1024) as usize, cache_bytes / 2, NodeWeighter)),
            staged: None,
            head: 0,
            pruned_to: 0,
            proving: Vec::new(),
        })
    }
}

/// Version first, so that the nodes of a block stand together.
fn stored(key: &NodeKey) -> Result<Vec<u8>> {
    let mut bytes = key.version().to_be_bytes().to_vec();
    borsh::to_writer(&mut bytes, key.nibble_path())?;
    Ok(bytes)
}

impl TreeReader for JmtStore {
    fn get_node_option(&self, key: &NodeKey) -> Result<Option<Node>> {
        if let Some(node) = self.cache.borrow().get(key) {
            return Ok(Some((**node).clone()));
        }
        let Some(bytes) = self.nodes.get(stored(key)?)? else {
            return Ok(None);
        };
        let node: Node = borsh::from_slice(&bytes)?;
        self.cache.borrow_mut().insert(key.clone(), Arc::new(node.clone()));
        Ok(Some(node))
    }

    fn get_value_option(&self, max_version: Version, _key_hash: KeyHash) -> Result<Option<OwnedValue>> {
        Ok(self.records.get_at(max_version, self.head, &self.proving)?.map(|value| value.to_vec()))
    }

    fn get_rightmost_leaf(&self) -> Result<Option<(NodeKey, LeafNode)>> {
        Ok(None)
    }
}

impl Candidate for JmtStore {
    fn read(&mut self, writes: &[Write]) -> Result<()> {
        self.records.read(writes)
    }

    fn stage(&mut self, height: u64, writes: &[Write]) -> Result<()> {
        let values = writes.iter().map(|(key, value)| (KeyHash(self.records.path(key)), value.clone())).collect::<Vec<_>>();
        let (_root, batch) = Tree::new(self).put_value_set(values, height)?;
        self.staged = Some((height, batch, writes.to_vec()));
        Ok(())
    }

    fn commit(&mut self, sync: bool) -> Result<()> {
        let (height, tree, writes) = self.staged.take().context("nothing is staged")?;
        let mut batch = self.records.batch(sync);
        self.records.write(&mut batch, height, &writes);
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
        self.head = height;
        Ok(())
    }

    fn prune(&mut self, keep_from: u64) -> Result<()> {
        if keep_from <= self.pruned_to {
            return Ok(());
        }
        let mut batch = self.records.batch(false);
        for row in self.stale.range((self.pruned_to + 1).to_be_bytes()..(keep_from + 1).to_be_bytes()) {
            let key = row.key()?;
            batch.remove(&self.nodes, &key[8..]);
            batch.remove(&self.stale, key);
        }
        self.records.drop_replaced(&mut batch, self.pruned_to + 1, keep_from + 1)?;
        batch.commit()?;
        self.pruned_to = keep_from;
        Ok(())
    }

    fn prove(&mut self, height: u64, key: &[u8]) -> Result<Option<Shown>> {
        self.proving = key.to_vec();
        let (value, proof) = Tree::new(self).get_with_proof(KeyHash(self.records.path(key)), height)?;
        Ok(Some(Shown { is_present: value.is_some(), bytes: borsh::to_vec(&proof)?.len() }))
    }
}
