//! Roots and proofs: LED-030, LED-031, PRF-014.

use std::collections::BTreeMap;

use yunhe_core::state::{StateError, StateStore};

use crate::definition::{path_of, root_of_proof, state_root};
use crate::workload::{Model, Random, commit, follow, key, open, stage};

/// Blocks that take a store through growth, change and shrinking, with the model after each.
fn build(store: &StateStore, seed: u64, keys: u64) -> Vec<Model> {
    let mut random = Random(seed);
    let mut model = Model::new();
    let mut models = Vec::new();
    let plan = [(400, 1), (900, 1), (200, 5), (1, 0), (0, 0), (600, 9), (600, 9), (900, 10), (300, 1), (20, 5)];
    for (height, (count, deleted)) in (0..).zip(plan) {
        let writes = random.block(count, keys, deleted);
        follow(&mut model, &writes);
        let root = commit(store, height, &writes);
        assert_eq!(root, state_root(&model), "height {height}");
        assert_eq!(store.head().unwrap().root, root);
        models.push(model.clone());
    }
    models
}

/// Proofs of all sorts of keys at a height lead to that height's root and show its values.
pub fn check_height(store: &StateStore, height: u64, model: &Model, step: usize) {
    let root = state_root(model);
    for number in (0..1_700).step_by(step) {
        let key = key(number);
        let proof = store.prove(height, &key).unwrap();
        assert_eq!(proof.value.as_ref(), model.get(&key), "height {height}, key {number}");
        assert_eq!(root_of_proof(&key, &proof), Some(root), "height {height}, key {number}");
    }
}

#[test]
fn led_030_root_of_every_block_is_the_definition_of_the_records() {
    for (seed, keys) in [(1, 1_500), (2, 40), (3, 5)] {
        let directory = tempfile::tempdir().unwrap();
        let store = open(directory.path());
        let models = build(&store, seed, keys);
        assert_eq!(store.verify().unwrap(), state_root(&models[9]));
    }
}

#[test]
fn led_030_root_does_not_depend_on_the_order_of_writes_and_deletions() {
    let mut random = Random(7);
    let kept: Vec<_> = (0..700).map(|number| (key(number), Some(format!("value {number}").into_bytes()))).collect();
    let gone: Vec<_> = (700..1_400).map(|number| (key(number), Some(b"soon gone".to_vec()))).collect();
    let model: Model = kept.iter().map(|(key, value)| (key.clone(), value.clone().unwrap())).collect();
    for round in 0..4 {
        let mut writes = [kept.clone(), gone.clone()].concat();
        for index in (1..writes.len()).rev() {
            writes.swap(index, random.below(index as u64 + 1) as usize);
        }
        let mut removals: Vec<_> = gone.iter().map(|(key, _)| (key.clone(), None)).collect();
        if round % 2 == 1 {
            removals.reverse();
        }
        let directory = tempfile::tempdir().unwrap();
        let store = open(directory.path());
        let blocks = writes.chunks(100 + 300 * round).chain(removals.chunks(90 + 200 * round));
        let root = (0..).zip(blocks).map(|(height, block)| commit(&store, height, block)).last();
        assert_eq!(root, Some(state_root(&model)));
        store.verify().unwrap();
    }
}

#[test]
fn led_030_root_after_deleting_everything_is_zero() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let writes = Random(5).block(300, 1_000, 0);
    commit(&store, 0, &writes);
    let removals: Vec<_> = writes.iter().map(|(key, _)| (key.clone(), None)).collect();
    assert_eq!(commit(&store, 1, &removals), [0; 32]);
    assert_eq!(store.verify().unwrap(), [0; 32]);
    let absence = store.prove(1, &key(3)).unwrap();
    assert_eq!((absence.value, absence.siblings.len(), absence.other), (None, 0, None));
    check_height(&store, 0, &writes.iter().map(|(key, value)| (key.clone(), value.clone().unwrap())).collect(), 17);
}

#[test]
fn led_031_proofs_at_every_kept_height_lead_to_its_root() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let models = build(&store, 11, 1_500);
    for (height, model) in (0..).zip(&models) {
        check_height(&store, height, model, 13);
    }
}

#[test]
fn prf_014_absence_is_shown_by_an_empty_place_and_by_another_leaf() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    build(&store, 12, 1_500);
    let proofs: Vec<_> = (10_000..10_400).map(|number| store.prove(9, &key(number)).unwrap()).collect();
    assert!(proofs.iter().all(|proof| proof.value.is_none()));
    assert!(proofs.iter().any(|proof| proof.other.is_some()));
    assert!(proofs.iter().any(|proof| proof.other.is_none()));
}

#[test]
fn sto_025_proofs_survive_reopening_and_pruning() {
    let directory = tempfile::tempdir().unwrap();
    let models = build(&open(directory.path()), 13, 1_500);
    let store = open(directory.path());
    assert!(store.prune(6).unwrap() > 0);
    assert_eq!(store.prune(6).unwrap(), 0);
    for height in 0..6 {
        assert!(matches!(store.prove(height, &key(1)), Err(StateError::HistoryGone(_))), "height {height}");
    }
    for (height, model) in (0..).zip(&models).skip(6) {
        check_height(&store, height, model, 29);
    }
    assert!(matches!(store.prove(10, &key(1)), Err(StateError::NotFound(_))));
    drop(store);
    let store = open(directory.path());
    assert!(matches!(store.prove(5, &key(1)), Err(StateError::HistoryGone(_))));
    check_height(&store, 6, &models[6], 101);
    // The head stays provable whatever is asked.
    store.prune(u64::MAX).unwrap();
    assert!(matches!(store.prove(8, &key(1)), Err(StateError::HistoryGone(_))));
    check_height(&store, 9, &models[9], 29);
    assert_eq!(store.verify().unwrap(), state_root(&models[9]));
}

#[test]
fn sto_025_heights_kept_from_between_two_blocks_on_are_provable() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let mut random = Random(31);
    let mut model = Model::new();
    let mut models = BTreeMap::new();
    for height in [0, 6, 13, 15] {
        let writes = random.block(100, 300, 3);
        follow(&mut model, &writes);
        commit(&store, height, &writes);
        models.insert(height, model.clone());
    }
    let before = |height: u64| models.range(..=height).next_back().unwrap().1;
    for keep_from in [3, 7, 12, 14] {
        store.prune(keep_from).unwrap();
        assert!(matches!(store.prove(keep_from - 1, &key(1)), Err(StateError::HistoryGone(_))), "height {}", keep_from - 1);
        for height in keep_from..=15 {
            check_height(&store, height, before(height), 61);
        }
    }
}

#[test]
fn led_031_a_height_between_two_blocks_is_proved_as_the_one_before() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let mut random = Random(17);
    let mut model = Model::new();
    let mut models = Vec::new();
    for height in [4, 9, 1_000_000_000_000] {
        let writes = random.block(200, 500, 3);
        follow(&mut model, &writes);
        commit(&store, height, &writes);
        models.push(model.clone());
    }
    assert!(matches!(store.prove(3, &key(1)), Err(StateError::HistoryGone(_))));
    for (height, model) in [(4, 0), (8, 0), (9, 1), (999_999_999_999, 1), (1_000_000_000_000, 2)] {
        check_height(&store, height, &models[model], 41);
    }
}

#[test]
fn sto_024_a_staged_block_is_not_provable_and_can_be_replaced_and_forgotten() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    assert!(matches!(store.prove(0, &key(1)), Err(StateError::HistoryGone(_))));
    let first = Random(19).block(100, 100, 0);
    let root = commit(&store, 0, &first);
    let other = stage(&store, 1, &[(key(1), Some(b"one".to_vec()))]);
    let replaced = stage(&store, 1, &[(key(2), Some(b"two".to_vec()))]);
    assert_ne!(other, replaced);
    assert!(matches!(store.prove(1, &key(1)), Err(StateError::NotFound(_))));
    store.discard().unwrap();
    assert!(matches!(store.apply(&[], false), Err(StateError::Conflict(_))));
    assert_eq!(store.head().unwrap().root, root);
    stage(&store, 1, &[(key(3), Some(b"three".to_vec()))]);
    drop(store);
    // What was only staged is gone with the process.
    let store = open(directory.path());
    assert_eq!((store.head().unwrap().height, store.head().unwrap().root), (Some(0), root));
    assert_eq!(stage(&store, 1, &[(key(2), Some(b"two".to_vec()))]), replaced);
}

/// Keys whose paths all begin with the 16 bits of the first one's, found by trying: so few records go that deep by themselves.
const CROWDED: [u32; 40] = [
    0, 5_002, 14_068, 75_709, 106_383, 109_102, 133_230, 195_556, 256_925, 284_403, 341_125, 448_243, 462_945, 482_872, 573_877, 580_352,
    646_155, 677_179, 742_948, 755_429, 838_039, 843_754, 988_187, 1_284_011, 1_410_841, 1_437_302, 1_533_423, 1_534_179, 1_544_837,
    1_595_228, 1_643_014, 1_698_872, 1_727_235, 1_838_068, 1_931_857, 2_117_793, 2_177_756, 2_182_092, 2_244_150, 2_308_292,
];

#[test]
fn led_030_records_that_crowd_one_path_grow_deep_pages_and_shrink_again() {
    let crowded = CROWDED.map(|number| format!("deep\0t\0\u{2}{number}\0").into_bytes());
    assert!(crowded.iter().all(|key| path_of(key)[..2] == path_of(&crowded[0])[..2]));
    let directory = tempfile::tempdir().unwrap();
    let mut random = Random(41);
    let (mut model, mut models) = (Model::new(), Vec::new());
    for height in 0..14_u64 {
        // Up to all forty, which is more than one bucket holds, then down to few, then up again, beside some others.
        let wanted = [20, 33, 40, 40, 32, 10, 34, 0, 40, 31, 33, 1, 0, 40][height as usize];
        let mut writes = random.block(8, 60, 5);
        for (place, key) in crowded.iter().enumerate() {
            let value = (place < wanted).then(|| height.to_be_bytes().to_vec());
            if value.is_none() || !model.contains_key(key) || random.below(3) == 0 {
                writes.push((key.clone(), value));
            }
        }
        // Opened anew each time: the trunk has to be built from what is stored.
        let store = open(directory.path());
        follow(&mut model, &writes);
        assert_eq!(commit(&store, height, &writes), state_root(&model), "height {height}");
        assert_eq!(store.verify().unwrap(), state_root(&model), "height {height}");
        models.push(model.clone());
        for (height, model) in (0..).zip(&models) {
            for key in crowded.iter().step_by(5) {
                let proof = store.prove(height, key).unwrap();
                assert_eq!(proof.value.as_ref(), model.get(key));
                assert_eq!(root_of_proof(key, &proof), Some(state_root(model)), "height {height}");
            }
        }
    }
}
