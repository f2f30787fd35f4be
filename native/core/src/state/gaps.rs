//! Stretches of state keys in which there is no record, remembered because finding that out took long.
//!
//! What a block deletes stays in the database as a mark until its tables are merged, and a scan steps over each mark. A contract that takes
//! from the front of a queue, or somebody who wants scans to be slow, leaves very many in one place. So a scan that took long to get from one
//! row to the next remembers that there is nothing between them, and the next one jumps over: each mark is stepped over about once.
//!
//! Nothing depends on what is remembered but time.

use std::collections::BTreeMap;
use std::mem::take;
use std::ops::Bound::{Excluded, Included, Unbounded};

use super::scan::Overlay;

/// Stretches that are remembered; all are forgotten when there are more.
const GAPS_MAX: usize = 65_536;
/// Pieces that a scan is cut into at most; it steps over what lies in the gaps beyond.
const PIECES_MAX: usize = 64;

/// Keys from the first, inclusive, to the second, exclusive.
pub type Stretch = (Vec<u8>, Vec<u8>);

/// Stretches without a record, of one version of the state.
#[derive(Default)]
pub struct Gaps {
    /// Beginning to end, inclusive and exclusive; no two touch.
    gaps: BTreeMap<Vec<u8>, Vec<u8>>,
    version: u64,
}

impl Gaps {
    /// The pieces of a stretch that are not known to be empty, in its order or backwards.
    pub fn pieces(&self, version: u64, stretch: Stretch, reverse: bool) -> Vec<Stretch> {
        let (mut from, mut to) = stretch;
        if version != self.version || self.gaps.is_empty() {
            return vec![(from, to)];
        }
        let mut pieces = Vec::new();
        while from < to && pieces.len() + 1 < PIECES_MAX {
            let Some((begin, end)) = (if reverse { self.last_in(&from, &to) } else { self.first_in(&from, &to) }) else { break };
            if reverse {
                pieces.push((end.max(&from).clone(), take(&mut to)));
                to.clone_from(begin);
            } else {
                pieces.push((take(&mut from), begin.min(&to).clone()));
                from.clone_from(end);
            }
        }
        pieces.push((from, to));
        pieces.retain(|(from, to)| from < to);
        pieces
    }

    /// Remember that there is no record in a stretch.
    pub fn remember(&mut self, version: u64, stretch: Stretch) {
        let (mut from, mut to) = stretch;
        if version != self.version || from >= to {
            return;
        }
        while let Some((begin, end)) = self.touching(&from, &to) {
            self.gaps.remove(&begin);
            from = from.min(begin);
            to = to.max(end);
        }
        if self.gaps.len() == GAPS_MAX {
            self.gaps.clear();
        }
        self.gaps.insert(from, to);
    }

    /// Follow the writes that lead to a version.
    pub fn follow(&mut self, version: u64, writes: &Overlay) {
        self.version = version;
        if self.gaps.is_empty() {
            return;
        }
        for (key, _) in writes.iter().filter(|(_, value)| value.is_some()) {
            let found = self.gaps.range::<[u8], _>((Unbounded, Included(key.as_ref()))).next_back();
            let Some((begin, end)) = found.filter(|(_, end)| end.as_slice() > key.as_ref()) else { continue };
            let (begin, end) = (begin.clone(), end.clone());
            self.gaps.remove(&begin);
            if *begin < **key {
                self.gaps.insert(begin, key.to_vec());
            }
            let after = successor(key);
            if after < end {
                self.gaps.insert(after, end);
            }
        }
        if self.gaps.len() > GAPS_MAX {
            self.gaps.clear();
        }
    }

    /// Forget everything: the version has nothing to do with the last one.
    pub fn forget(&mut self, version: u64) {
        self.gaps.clear();
        self.version = version;
    }

    /// The first gap that has a part in a stretch.
    fn first_in(&self, from: &[u8], to: &[u8]) -> Option<(&Vec<u8>, &Vec<u8>)> {
        let before = self.gaps.range::<[u8], _>((Unbounded, Included(from))).next_back().filter(|(_, end)| end.as_slice() > from);
        before.or_else(|| self.gaps.range::<[u8], _>((Excluded(from), Excluded(to))).next())
    }

    /// The last gap that has a part in a stretch.
    fn last_in(&self, from: &[u8], to: &[u8]) -> Option<(&Vec<u8>, &Vec<u8>)> {
        self.gaps.range::<[u8], _>((Unbounded, Excluded(to))).next_back().filter(|(_, end)| end.as_slice() > from)
    }

    /// A gap that overlaps a stretch or begins or ends where it does.
    fn touching(&self, from: &[u8], to: &[u8]) -> Option<Stretch> {
        let found = self.gaps.range::<[u8], _>((Unbounded, Included(to))).next_back().filter(|(_, end)| end.as_slice() >= from);
        found.map(|(begin, end)| (begin.clone(), end.clone()))
    }
}

/// The smallest key above a key.
pub fn successor(key: &[u8]) -> Vec<u8> {
    let mut after = Vec::with_capacity(key.len() + 1);
    after.extend_from_slice(key);
    after.push(0);
    after
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use fjall::Slice;

    use super::*;

    fn stretch(from: u8, to: u8) -> Stretch {
        (vec![from], vec![to])
    }

    /// Keys of one byte that the pieces of a stretch have.
    fn covered(pieces: &[Stretch]) -> Vec<u8> {
        pieces.iter().flat_map(|(from, to)| (0..=255).filter(|key| *from <= vec![*key] && vec![*key] < *to)).collect()
    }

    #[test]
    fn pieces_leave_out_what_is_remembered_in_both_directions() {
        let mut gaps = Gaps::default();
        gaps.remember(0, stretch(10, 20));
        gaps.remember(0, stretch(30, 40));
        assert_eq!(gaps.pieces(0, stretch(5, 50), false), vec![stretch(5, 10), stretch(20, 30), stretch(40, 50)]);
        assert_eq!(gaps.pieces(0, stretch(5, 50), true), vec![stretch(40, 50), stretch(20, 30), stretch(5, 10)]);
        assert_eq!(gaps.pieces(0, stretch(15, 35), false), vec![stretch(20, 30)]);
        assert_eq!(gaps.pieces(0, stretch(15, 35), true), vec![stretch(20, 30)]);
        assert_eq!(gaps.pieces(0, stretch(12, 18), false), Vec::new());
        assert_eq!(gaps.pieces(1, stretch(12, 18), false), vec![stretch(12, 18)]);
    }

    #[test]
    fn gaps_that_touch_become_one() {
        let mut gaps = Gaps::default();
        for (from, to) in [(10, 20), (30, 40), (20, 25), (24, 30)] {
            gaps.remember(0, stretch(from, to));
        }
        assert_eq!(gaps.gaps.len(), 1);
        assert_eq!(gaps.pieces(0, stretch(0, 50), false), vec![stretch(0, 10), stretch(40, 50)]);
    }

    #[test]
    fn what_is_remembered_of_another_version_is_not_taken() {
        let mut gaps = Gaps::default();
        gaps.remember(3, stretch(10, 20));
        gaps.remember(0, stretch(20, 20));
        assert_eq!(gaps.gaps.len(), 0);
    }

    #[test]
    fn any_writes_and_findings_leave_every_record_in_a_piece() {
        let mut seed = 7_u64;
        let mut below = |limit: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            u8::try_from((seed >> 33) % limit).unwrap_or(0)
        };
        let mut gaps = Gaps::default();
        let mut records: BTreeSet<u8> = BTreeSet::new();
        for version in 1..3000_u64 {
            let mut writes = Overlay::new();
            for _ in 0..below(4) {
                let key = below(100);
                let value = (below(2) == 0).then(|| Slice::from(b"x".as_slice()));
                if value.is_some() {
                    records.insert(key)
                } else {
                    records.remove(&key)
                };
                writes.insert(Slice::from([key].as_slice()), value);
            }
            gaps.follow(version, &writes);
            let (from, to) = (below(100), below(101));
            for reverse in [false, true] {
                let pieces = gaps.pieces(version, stretch(from, to), reverse);
                let mut found = covered(&pieces);
                assert!(pieces.windows(2).all(|pair| if reverse { pair[1].1 <= pair[0].0 } else { pair[0].1 <= pair[1].0 }));
                found.retain(|key| records.contains(key));
                found.sort_unstable();
                let expected: Vec<_> = records.iter().copied().filter(|key| from <= *key && *key < to).collect();
                assert_eq!(found, expected);
            }
            // What a scan finds out: nothing between two records that follow one another.
            let from = below(100);
            if let Some(next) = records.range(from + 1..).next() {
                let begin = if records.contains(&from) { successor(&[from]) } else { vec![from] };
                gaps.remember(version, (begin, vec![*next]));
            }
        }
        assert!(!gaps.gaps.is_empty());
    }

    #[test]
    fn more_gaps_than_are_kept_are_forgotten_together() {
        let mut gaps = Gaps::default();
        for number in 0..=GAPS_MAX {
            let key = (2 * number).to_be_bytes().to_vec();
            gaps.remember(0, (key.clone(), successor(&key)));
        }
        assert_eq!(gaps.gaps.len(), 1);
    }
}
