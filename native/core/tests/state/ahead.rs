//! Blocks that are staged on one another before the lowest is applied.

use std::collections::VecDeque;

use yunhe_core::state::StateError;

use crate::definition::state_root;
use crate::proofs::check_height;
use crate::records::check_reads;
use crate::workload::{Model, Random, commit, follow, key, open, stage};

#[test]
fn sto_024_blocks_staged_on_one_another_lead_where_single_ones_do() {
    // Few keys: each block changes what the one below it changed, and pages appear and vanish between them.
    for (seed, keys, deleted) in [(51, 1_500, 3), (52, 120, 6), (53, 12, 5)] {
        let directory = tempfile::tempdir().unwrap();
        let mut store = open(directory.path());
        let mut random = Random(seed);
        let mut models = vec![];
        let mut applied = Model::new();
        let mut ahead: VecDeque<Model> = VecDeque::new();
        while models.len() < 24 {
            let mut top = ahead.back().unwrap_or(&applied).clone();
            let height = (models.len() + ahead.len()) as u64;
            let writes = random.block(60, keys, deleted);
            follow(&mut top, &writes);
            assert_eq!(stage(&store, height, &writes), state_root(&top), "seed {seed}, height {height}");
            check_reads(&store, &top, &mut random);
            ahead.push_back(top);
            match random.below(12) {
                0 => {
                    store.discard().unwrap();
                    ahead.clear();
                    check_reads(&store, &applied, &mut random);
                }
                1 => {
                    ahead.clear();
                    drop(store);
                    store = open(directory.path());
                }
                _ => {}
            }
            while ahead.len() > random.below(4) as usize {
                store.apply(&[], false).unwrap();
                applied = ahead.pop_front().unwrap();
                models.push(applied.clone());
                assert_eq!(store.head().unwrap().root, state_root(&applied));
                assert_eq!(store.verify().unwrap(), state_root(&applied));
                check_reads(&store, ahead.back().unwrap_or(&applied), &mut random);
            }
        }
        for (height, model) in (0..).zip(&models) {
            check_height(&store, height, model, 53);
        }
    }
}

#[test]
fn sto_024_staging_again_replaces_that_height_and_all_above_it() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    commit(&store, 0, &[(key(1), Some(b"0".to_vec()))]);
    stage(&store, 1, &[(key(1), Some(b"1".to_vec()))]);
    stage(&store, 2, &[(key(2), Some(b"2".to_vec()))]);
    let other = stage(&store, 1, &[(key(3), Some(b"1".to_vec()))]);
    assert_eq!(store.get(&key(1)).unwrap().as_deref(), Some(b"0".as_slice()));
    assert_eq!(store.get(&key(2)).unwrap(), None);
    store.apply(&[], false).unwrap();
    assert_eq!((store.head().unwrap().height, store.head().unwrap().root), (Some(1), other));
    assert!(matches!(store.apply(&[], false), Err(StateError::Conflict(_))));
}
