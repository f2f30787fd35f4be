//! What a damaged, cut or foreign directory gets: STO-021 to STO-023.

use std::fs;
use std::path::{Path, PathBuf};

use fjall::{Database, Keyspace, KeyspaceCreateOptions};
use yunhe_core::hash::{ChainHash, Digest};
use yunhe_core::state::{StateError, StateStore};

use crate::workload::{CACHE_BYTES, Random, commit, key, open};

/// A keyspace and what is done to it.
type Damage<'a> = (&'a str, &'a dyn Fn(&Keyspace));

fn attempt(path: &Path) -> Result<StateStore, StateError> {
    StateStore::open(path, ChainHash::Sha256, CACHE_BYTES)
}

/// A store with a few blocks, closed again.
fn made() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let mut random = Random(29);
    for height in 0..3 {
        commit(&store, height, &random.block(400, 1_000, 2));
    }
    directory
}

/// Change a keyspace behind the store's back.
fn tamper(path: &Path, keyspace: &str, change: impl FnOnce(&Keyspace)) {
    let database = Database::builder(path).open().unwrap();
    change(&database.keyspace(keyspace, KeyspaceCreateOptions::default).unwrap());
}

fn first_row(keyspace: &Keyspace) -> (Vec<u8>, Vec<u8>) {
    let (key, value) = keyspace.iter().next().unwrap().into_inner().unwrap();
    (key.to_vec(), value.to_vec())
}

#[test]
fn sto_021_another_format_or_chain_hash_is_refused_by_name() {
    for (format, named) in [(b"\0\0\0\x02sha256".as_slice(), "format 2"), (b"\0\0\0\x01sm3", "sm3"), (b"", "format 0")] {
        let directory = made();
        tamper(directory.path(), "meta", |meta| meta.insert("format", format).unwrap());
        match attempt(directory.path()).err() {
            Some(StateError::Configuration(message)) => assert!(message.contains(named), "{message}"),
            other => panic!("{other:?}"),
        }
    }
    let directory = made();
    tamper(directory.path(), "meta", |meta| meta.remove("format").unwrap());
    assert!(matches!(attempt(directory.path()).err(), Some(StateError::Corruption(_))));
}

#[test]
fn sto_022_a_keyspace_of_another_block_is_refused() {
    let mark = vec![0xFF; 513];
    let cases: [Damage; 6] = [
        ("records", &|part| part.insert(mark.as_slice(), [0; 40]).unwrap()),
        ("index", &|part| part.remove(mark.as_slice()).unwrap()),
        ("meta", &|part| part.remove("head").unwrap()),
        ("history", &|part| {
            for row in part.range(2_u64.to_be_bytes()..).map(|row| row.key().unwrap()).collect::<Vec<_>>() {
                part.remove(row).unwrap();
            }
        }),
        ("pages", &|part| {
            let (key, _) = first_row(part);
            part.remove(key).unwrap();
        }),
        ("pages", &|part| {
            let (key, mut page) = first_row(part);
            page[40] ^= 1;
            part.insert(key, page).unwrap();
        }),
    ];
    for (number, (keyspace, change)) in cases.iter().enumerate() {
        let directory = made();
        tamper(directory.path(), keyspace, change);
        assert!(matches!(attempt(directory.path()).err(), Some(StateError::Corruption(_))), "case {number}, {keyspace}");
    }
    open(made().path()).verify().unwrap();
}

#[test]
fn sto_022_a_page_whose_leaves_nothing_tells_apart_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    commit(&open(directory.path()), 0, &[(key(1), Some(b"one".to_vec())), (key(2), Some(b"two".to_vec()))]);
    tamper(directory.path(), "pages", |part| {
        let (key, page) = first_row(part);
        part.insert(key, [&page[..65], &page[1..65]].concat()).unwrap();
    });
    assert!(matches!(attempt(directory.path()).err(), Some(StateError::Corruption(_))));
}

#[test]
fn sto_023_verify_finds_a_changed_missing_or_surplus_record_or_page() {
    let cases: [Damage; 7] = [
        ("records", &|part| part.insert(first_row(part).0, "another").unwrap()),
        ("records", &|part| part.remove(first_row(part).0).unwrap()),
        ("records", &|part| part.insert("surplus", "record").unwrap()),
        // Below the pages that opening reads.
        ("pages", &|part| part.insert([6, 0, 0, 0], [2; 65]).unwrap()),
        ("pages", &|part| part.insert([9, 9, 9, 9, 9, 0x90], b"?").unwrap()),
        ("history", &|part| part.insert([0, 0, 0, 0, 0, 0, 0, 1, 9, 0], b"?").unwrap()),
        ("history", &|part| part.insert([0, 0, 0, 0, 0, 0, 0, 1, 2, 7], [1; 30]).unwrap()),
    ];
    for (number, (keyspace, change)) in cases.iter().enumerate() {
        let directory = made();
        tamper(directory.path(), keyspace, change);
        let store = open(directory.path());
        assert!(matches!(store.verify(), Err(StateError::Corruption(_))), "case {number}, {keyspace}");
    }
}

#[test]
fn sto_026_a_proof_of_a_changed_record_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    commit(&store, 0, &[(key(1), Some(b"true".to_vec())), (key(2), Some(b"other".to_vec()))]);
    drop(store);
    tamper(directory.path(), "records", |part| part.insert(key(1), "false").unwrap());
    let store = open(directory.path());
    assert!(matches!(store.prove(0, &key(1)), Err(StateError::Corruption(_))));
    assert_eq!(store.prove(0, &key(2)).unwrap().value.as_deref(), Some(b"other".as_slice()));
}

fn journals(path: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|file| file.extension().is_some_and(|extension| extension == "jnl")).collect()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            copy(&source, &target);
        } else {
            fs::copy(&source, &target).unwrap();
        }
    }
}

#[test]
fn sto_022_a_cut_or_altered_journal_gives_an_earlier_block_whole_or_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let roots: Vec<Digest> = {
        let store = open(directory.path());
        let mut random = Random(31);
        (0..12).map(|height| commit(&store, height, &random.block(60, 300, 3))).collect()
    };
    let journal = journals(directory.path()).pop().unwrap();
    let bytes = fs::read(&journal).unwrap();
    let length = bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    let mut random = Random(37);
    for round in 0..40 {
        let scratch = tempfile::tempdir().unwrap();
        copy(directory.path(), scratch.path());
        let mut damaged = bytes.clone();
        let at = random.below(length as u64) as usize;
        let cut = round % 2 == 0;
        if cut {
            damaged.truncate(at);
        } else {
            damaged[at] ^= 1 << random.below(8);
        }
        fs::write(scratch.path().join(journal.file_name().unwrap()), damaged).unwrap();
        match attempt(scratch.path()) {
            Ok(store) => {
                let head = store.head().unwrap();
                assert!(head.height < Some(11), "round {round}: the last block cannot be there");
                let root = head.height.map_or([0; 32], |height| roots[usize::try_from(height).unwrap()]);
                assert_eq!(head.root, root, "round {round}");
                assert_eq!(store.verify().unwrap(), root, "round {round}");
            }
            // A process that is killed leaves a cut journal, never an altered one: that must always open.
            Err(StateError::Corruption(_)) if !cut => {}
            Err(other) => panic!("round {round}: {other:?}"),
        }
    }
}
