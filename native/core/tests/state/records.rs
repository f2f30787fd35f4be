//! Reading and writing records: what is staged, scans, snapshots, the small tables, limits.

use yunhe_core::hash::ChainHash;
use yunhe_core::state::{KEY_BYTES_MAX, RECORD_BYTES_MAX, Record, StateError, StateStore};

use crate::definition::state_root;
use crate::workload::{CACHE_BYTES, Model, Random, commit, follow, key, open, stage};

fn expected(model: &Model, start: &[u8], end: &[u8], limit: usize, reverse: bool) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut found: Vec<_> = model.iter().filter(|(key, _)| start <= key.as_slice() && key.as_slice() < end).collect();
    if reverse {
        found.reverse();
    }
    found.into_iter().take(limit).map(|(key, value)| (key.clone(), value.clone())).collect()
}

fn plain(records: Vec<Record>) -> Vec<(Vec<u8>, Vec<u8>)> {
    records.into_iter().map(|(key, value)| (key.to_vec(), value.to_vec())).collect()
}

pub fn check_reads(store: &StateStore, model: &Model, random: &mut Random) {
    let keys: Vec<_> = (0..120).map(key).collect();
    let found = store.get_many(&keys).unwrap();
    for (key, value) in keys.iter().zip(found) {
        assert_eq!(value.as_deref(), model.get(key).map(Vec::as_slice));
        assert_eq!(store.get(key).unwrap().as_deref(), model.get(key).map(Vec::as_slice));
    }
    for _ in 0..20 {
        let (start, end) = (key(random.below(120)), key(random.below(120)));
        let (limit, reverse) = (random.below(60) as usize, random.below(2) == 1);
        assert_eq!(plain(store.scan(&start, &end, limit, reverse).unwrap()), expected(model, &start, &end, limit, reverse));
    }
    for reverse in [false, true] {
        let everything = store.scan(b"", &[0xFF; 600], usize::MAX, reverse).unwrap();
        assert_eq!(plain(everything), expected(model, b"", &[0xFF; 600], usize::MAX, reverse));
    }
}

#[test]
fn sto_024_reads_show_what_is_staged_over_what_is_applied() {
    let directory = tempfile::tempdir().unwrap();
    let mut store = open(directory.path());
    let mut random = Random(23);
    let mut model = Model::new();
    for height in 0..12 {
        let writes = random.block(40, 120, 4);
        let mut staged = model.clone();
        follow(&mut staged, &writes);
        stage(&store, height, &writes);
        check_reads(&store, &staged, &mut random);
        if height % 3 == 1 {
            store.discard().unwrap();
            check_reads(&store, &model, &mut random);
            stage(&store, height, &writes);
        }
        store.apply(&[], false).unwrap();
        model = staged;
        check_reads(&store, &model, &mut random);
        if height % 4 == 3 {
            drop(store);
            store = open(directory.path());
            check_reads(&store, &model, &mut random);
        }
    }
}

#[test]
fn a_key_written_twice_in_a_block_has_the_last_value() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let once = stage(&store, 0, &[(key(1), Some(b"b".to_vec()))]);
    assert_eq!(stage(&store, 0, &[(key(1), Some(b"a".to_vec())), (key(1), Some(b"b".to_vec()))]), once);
}

#[test]
fn a_snapshot_shows_its_block_whatever_follows() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let empty = store.snapshot().unwrap();
    assert_eq!(empty.height(), None);
    commit(&store, 0, &[(key(1), Some(b"old".to_vec())), (key(2), Some(b"gone".to_vec()))]);
    let first = store.snapshot().unwrap();
    stage(&store, 1, &[(key(1), Some(b"new".to_vec())), (key(2), None), (key(3), Some(b"more".to_vec()))]);
    let staged = store.snapshot().unwrap();
    store.apply(&[], false).unwrap();
    let second = store.snapshot().unwrap();
    let read = |at| {
        let found = store.get_many_at(at, &[key(1), key(2), key(3)]).unwrap();
        let scanned = store.scan_at(at, b"a", b"z", 10, false).unwrap();
        assert_eq!(scanned.len(), found.iter().flatten().count());
        found.into_iter().map(|value| value.map(|value| String::from_utf8(value.to_vec()).unwrap())).collect::<Vec<_>>()
    };
    let old = vec![Some("old".to_owned()), Some("gone".to_owned()), None];
    assert_eq!(read(&empty), vec![None, None, None]);
    assert_eq!((read(&first), first.height()), (old.clone(), Some(0)));
    assert_eq!((read(&staged), staged.height()), (old, Some(0)));
    assert_eq!((read(&second), second.height()), (vec![Some("new".to_owned()), None, Some("more".to_owned())], Some(1)));
}

#[test]
fn entries_of_the_small_tables_appear_with_their_block() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    stage(&store, 0, &[]);
    assert_eq!(store.index_get_many(&[b"t1".as_slice()]).unwrap(), vec![None]);
    store.apply(&[(b"t1", b"0,0"), (b"t2", b"0,1")], true).unwrap();
    drop(store);
    let store = open(directory.path());
    let found = store.index_get_many(&[b"t2".as_slice(), b"t3", b"", b"t1", &[0xFF; KEY_BYTES_MAX + 1]]).unwrap();
    let found: Vec<_> = found.iter().map(Option::as_deref).collect();
    assert_eq!(found, vec![Some(b"0,1".as_slice()), None, None, Some(b"0,0"), None]);
}

#[test]
fn cod_061_keys_and_values_up_to_the_limits_are_kept_and_longer_ones_refused() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let longest = vec![0xFF; KEY_BYTES_MAX];
    let largest = vec![7; RECORD_BYTES_MAX];
    commit(&store, 0, &[(longest.clone(), Some(largest.clone())), (vec![0], Some(Vec::new()))]);
    assert_eq!(store.get(&longest).unwrap().as_deref(), Some(largest.as_slice()));
    assert_eq!(store.get(&[0]).unwrap().as_deref(), Some(b"".as_slice()));
    let all = [longest.as_slice(), &[0xFF]].concat();
    assert_eq!(store.scan(b"", &all, 10, true).unwrap().len(), 2);
    assert_eq!(store.scan(b"", &longest, 10, true).unwrap().len(), 1);
    assert_eq!(store.scan(&all, &[0xFF; 9_999], 10, false).unwrap().len(), 0);
    assert_eq!(store.scan(&longest, &all, 10, false).unwrap().len(), 1);
    assert_eq!(store.get(&all).unwrap(), None);
    assert_eq!(store.get(b"").unwrap(), None);
    assert_eq!(store.get(&vec![1; 100_000]).unwrap(), None);
    for (key, value) in [(all.as_slice(), b"".as_slice()), (b"k", &[largest.as_slice(), &[0]].concat())] {
        assert!(matches!(store.stage(1, &[(key, Some(value))]), Err(StateError::TooLarge(_))));
    }
    assert!(matches!(store.stage(1, &[(b"", Some(b"v"))]), Err(StateError::InvalidInput(_))));
    stage(&store, 1, &[]);
    assert!(matches!(store.apply(&[(all.as_slice(), b"")], false), Err(StateError::TooLarge(_))));
    assert!(matches!(store.apply(&[(b"", b"")], false), Err(StateError::InvalidInput(_))));
    store.apply(&[(longest.as_slice(), b"last")], false).unwrap();
    store.verify().unwrap();
}

#[test]
fn sto_024_heights_only_grow() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    commit(&store, 5, &[(key(1), Some(b"v".to_vec()))]);
    for height in [0, 4, 5] {
        assert!(matches!(store.stage(height, &[]), Err(StateError::Conflict(_))));
    }
    let root = store.head().unwrap().root;
    assert_eq!(commit(&store, 6, &[]), root);
    // Writing what is there already, and deleting what is not, changes nothing.
    assert_eq!(commit(&store, 7, &[(key(1), Some(b"v".to_vec())), (key(2), None)]), root);
    store.verify().unwrap();
}

#[test]
fn sto_020_a_second_opener_is_refused_until_the_first_has_closed() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let second = StateStore::open(directory.path(), ChainHash::Sha256, CACHE_BYTES);
    assert!(matches!(second.err(), Some(StateError::Conflict(_))));
    drop(store);
    open(directory.path());
}

#[test]
fn a_store_larger_than_what_is_held_in_memory_is_read_back_from_its_tables() {
    let directory = tempfile::tempdir().unwrap();
    let mut random = Random(43);
    let mut model = Model::new();
    let mut store = open(directory.path());
    for height in 0..6 {
        // Each block is larger than the caches, and all of them than what is written before a table is made of it.
        let mut writes = random.block(400, 5_000, 2);
        writes.extend((0..50).map(|number| (key(random.below(70)), Some(vec![number; 200 * 1024]))));
        follow(&mut model, &writes);
        assert_eq!(commit(&store, height, &writes), state_root(&model));
        if height == 3 {
            drop(store);
            store = open(directory.path());
        }
    }
    assert_eq!(store.verify().unwrap(), state_root(&model));
    check_reads(&store, &model, &mut random);
}

#[test]
fn scans_over_many_deleted_records_stay_right_whatever_is_written_into_the_gap() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let mut random = Random(31);
    let mut model = Model::new();
    let rows = 20_000;
    let all: Vec<_> = (0..rows).map(|number| (key(number), Some(b"value".to_vec()))).collect();
    let most: Vec<_> = (0..rows).filter(|number| number % 5_000 != 4_321).map(|number| (key(number), None)).collect();
    for (height, writes) in [all, most].into_iter().enumerate() {
        follow(&mut model, &writes);
        commit(&store, height as u64, &writes);
    }
    for height in 2..40 {
        let writes: Vec<_> = (0..random.below(6))
            .map(|_| (key(random.below(rows)), (random.below(3) > 0).then(|| b"other".to_vec())))
            .collect::<std::collections::BTreeMap<_, _>>()
            .into_iter()
            .collect();
        let before = (model.clone(), store.snapshot().unwrap());
        follow(&mut model, &writes);
        stage(&store, height, &writes);
        for _ in 0..10 {
            let (start, end) = (key(random.below(rows)), key(random.below(rows)));
            let (limit, reverse) = (random.below(4) as usize, random.below(2) == 1);
            let found = store.scan(&start, &end, limit, reverse).unwrap();
            assert_eq!(plain(found), expected(&model, &start, &end, limit, reverse));
            let found = store.scan_at(&before.1, &start, &end, limit, reverse).unwrap();
            assert_eq!(plain(found), expected(&before.0, &start, &end, limit, reverse));
        }
        if height % 5 == 4 {
            store.discard().unwrap();
            model = before.0;
            stage(&store, height, &[]);
        }
        store.apply(&[], false).unwrap();
    }
}
