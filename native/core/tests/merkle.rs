//! RFC 6962 trees (COD-011) and the chain hash (COD-010).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::verbose_bit_mask)]

use yunhe_core::hash::{ChainHash, Digest, UnknownHash};
use yunhe_core::merkle::{NoSuchLeaf, path, root};

const HASH: ChainHash = ChainHash::Sha256;

fn bytes(hexadecimal: &str) -> Vec<u8> {
    (0..hexadecimal.len()).step_by(2).map(|at| u8::from_str_radix(&hexadecimal[at..at + 2], 16).unwrap()).collect()
}

/// The definition of RFC 6962 §2.1, from the top.
fn defined_root(leaves: &[Vec<u8>]) -> Digest {
    match leaves {
        [] => HASH.digest(&[]),
        [leaf] => HASH.digest(&[&[0], leaf]),
        _ => {
            let split = leaves.len().next_power_of_two() / 2;
            HASH.digest(&[&[1], &defined_root(&leaves[..split]), &defined_root(&leaves[split..])])
        }
    }
}

/// The definition of RFC 6962 §2.1.1, from the top.
fn defined_path(leaves: &[Vec<u8>], index: usize) -> Vec<Digest> {
    if leaves.len() <= 1 {
        return Vec::new();
    }
    let split = leaves.len().next_power_of_two() / 2;
    let (left, right) = leaves.split_at(split);
    let (mut path, sibling) = if index < split {
        (defined_path(left, index), defined_root(right))
    } else {
        (defined_path(right, index - split), defined_root(left))
    };
    path.push(sibling);
    path
}

fn sample_leaves(count: usize) -> Vec<Vec<u8>> {
    (0..count).map(|number| format!("leaf {number}").into_bytes()).collect()
}

#[test]
fn reference_tree_has_its_published_roots() {
    let vectors: serde_json::Value =
        serde_json::from_str(include_str!("../../../tests/vectors/merkle_certificate_transparency.json")).unwrap();
    let leaves: Vec<Vec<u8>> = vectors["leaves"].as_array().unwrap().iter().map(|leaf| bytes(leaf.as_str().unwrap())).collect();
    assert_eq!(root::<Vec<u8>>(HASH, &[]).to_vec(), bytes(vectors["empty_root"].as_str().unwrap()));
    for (index, expected) in vectors["roots"].as_array().unwrap().iter().enumerate() {
        assert_eq!(root(HASH, &leaves[..=index]).to_vec(), bytes(expected.as_str().unwrap()));
    }
}

// The inclusion path of leaf 0 of 8 in google/certificate-transparency (merkletree tests).
#[test]
fn reference_tree_has_its_published_path() {
    let leaves: Vec<Vec<u8>> = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
        .iter()
        .map(|leaf| bytes(leaf))
        .collect();
    let expected = [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ];
    assert_eq!(path(HASH, &leaves, 0).unwrap().iter().map(|node| node.to_vec()).collect::<Vec<_>>(), expected.map(bytes).to_vec());
}

// COD-011
#[test]
fn root_and_paths_are_the_recursive_definition_at_every_size() {
    for size in 0..70 {
        let leaves = sample_leaves(size);
        assert_eq!(root(HASH, &leaves), defined_root(&leaves), "{size}");
        for index in 0..size {
            assert_eq!(path(HASH, &leaves, index).unwrap(), defined_path(&leaves, index), "{index} of {size}");
        }
    }
}

// COD-011
#[test]
fn leaf_outside_the_tree_has_no_path() {
    for (size, index) in [(0, 0), (1, 1), (5, 5), (5, usize::MAX)] {
        assert_eq!(path(HASH, &sample_leaves(size), index), Err(NoSuchLeaf { index, size }));
    }
}

// FIPS 180-4, example of one block ("abc").
#[test]
fn sha256_hashes_the_concatenation_of_its_parts() {
    let expected = bytes("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_eq!(HASH.digest(&[b"abc"]).to_vec(), expected);
    assert_eq!(HASH.digest(&[b"a", b"", b"bc"]).to_vec(), expected);
}

// COD-010
#[test]
fn tagged_hash_separates_tag_and_data_by_a_zero_byte() {
    assert_eq!(HASH.tagged(b"yunhe/header/1", b"data"), HASH.digest(&[b"yunhe/header/1\0data"]));
    assert_ne!(HASH.tagged(b"yunhe/header/1", b"data"), HASH.tagged(b"yunhe/header/1d", b"ata"));
}

#[test]
fn hash_is_found_by_its_exact_name_only() {
    assert_eq!(ChainHash::by_name("sha256"), Ok(HASH));
    assert_eq!(ChainHash::by_name("sm3"), Ok(ChainHash::Sm3));
    for name in ["", "SHA256", "sha-256", "SM3"] {
        assert_eq!(ChainHash::by_name(name), Err(UnknownHash(name.to_owned())));
    }
}

#[test]
fn sm3_is_that_of_the_published_examples() {
    let vectors: serde_json::Value = serde_json::from_str(include_str!("../../../tests/vectors/sm3_gbt32905.json")).unwrap();
    let cases = vectors["vectors"].as_array().unwrap();
    assert_eq!(cases.len(), 2);
    for case in cases {
        let [message, digest] = ["message", "digest"].map(|name| bytes(case[name].as_str().unwrap()));
        assert_eq!(ChainHash::Sm3.digest(&[&message[..1], &message[1..]]).to_vec(), digest);
    }
}
