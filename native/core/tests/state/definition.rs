//! LED-030 and PRF-014 word for word, slow and independent of the store.

use yunhe_core::hash::{ChainHash, Digest};
use yunhe_core::state::Proof;

use crate::workload::Model;

const HASH: ChainHash = ChainHash::Sha256;

pub fn path_of(key: &[u8]) -> Digest {
    HASH.tagged(b"yunhe/state-key/1", key)
}

pub fn value_hash_of(value: &[u8]) -> Digest {
    HASH.tagged(b"yunhe/state-value/1", value)
}

fn bit(path: &Digest, depth: usize) -> bool {
    path[depth / 8] & (0x80 >> (depth % 8)) != 0
}

/// root(S, d) of LED-030.
fn root(set: &[(Digest, Digest)], depth: usize) -> Digest {
    match set {
        [] => [0; 32],
        [(path, value_hash)] => HASH.digest(&[&[0x02], path, value_hash]),
        _ => {
            let (right, left): (Vec<_>, Vec<_>) = set.iter().copied().partition(|(path, _)| bit(path, depth));
            HASH.digest(&[&[0x03], &root(&left, depth + 1), &root(&right, depth + 1)])
        }
    }
}

/// The state root of LED-030.
pub fn state_root(model: &Model) -> Digest {
    let set: Vec<_> = model.iter().map(|(key, value)| (path_of(key), value_hash_of(value))).collect();
    root(&set, 0)
}

/// The root that a proof leads to; None when PRF-014 refuses it.
pub fn root_of_proof(key: &[u8], proof: &Proof) -> Option<Digest> {
    let path = path_of(key);
    let levels: Vec<usize> = (0..256).filter(|level| bit(&proof.bitmap, *level)).collect();
    let depth = levels.last().map_or(0, |last| last + 1);
    let mut hash = match (&proof.value, &proof.other) {
        (Some(value), None) => HASH.digest(&[&[0x02], &path, &value_hash_of(value)]),
        (None, None) => [0; 32],
        (None, Some(other)) => {
            let shared = (0..256).take_while(|level| bit(&path, *level) == bit(&other.path, *level)).count();
            if other.path == path || shared < depth {
                return None;
            }
            HASH.digest(&[&[0x02], &other.path, &other.value_hash])
        }
        (Some(_), Some(_)) => return None,
    };
    if levels.len() != proof.siblings.len() {
        return None;
    }
    let mut siblings = proof.siblings.iter().rev();
    for level in (0..depth).rev() {
        let sibling = if bit(&proof.bitmap, level) { *siblings.next()? } else { [0; 32] };
        hash = if bit(&path, level) { HASH.digest(&[&[0x03], &sibling, &hash]) } else { HASH.digest(&[&[0x03], &hash, &sibling]) };
    }
    Some(hash)
}
