//! Proofs of the Merkle tree (RFC 6962, section 2.1): made in one pass over the entries, checked without any.

use super::tree::{Hash, Tree, leaf, node};
use crate::base::bytes::Digest;

/// The runs of leaves whose roots a proof consists of.
pub(super) struct Plan {
    runs: Vec<(u64, u64, Tree)>,
}

impl Plan {
    /// The proof of inclusion of one leaf in the tree of the first `size` (section 2.1.1); `None` when it is not there.
    pub(super) fn inclusion(index: u64, size: u64) -> Option<Self> {
        if index >= size {
            return None;
        }
        let (mut runs, mut from, mut to) = (Vec::new(), 0, size);
        while to - from > 1 {
            let middle = from + split(to - from);
            if index < middle {
                runs.push((middle, to));
                to = middle;
            } else {
                runs.push((from, middle));
                from = middle;
            }
        }
        runs.reverse();
        Some(Self::of(runs))
    }

    /// The proof that the tree of the first `size` leaves begins with that of the first `old` (section 2.1.2).
    pub(super) fn consistency(old: u64, size: u64) -> Option<Self> {
        if old > size {
            return None;
        }
        let (mut runs, mut from, mut to) = (Vec::new(), 0, size);
        // SUBPROOF: as long as the old tree is not exactly what is left.
        while old != 0 && old != to {
            let middle = from + split(to - from);
            if old <= middle {
                runs.push((middle, to));
                to = middle;
            } else {
                runs.push((from, middle));
                from = middle;
            }
        }
        if from > 0 {
            runs.push((from, to));
        }
        runs.reverse();
        Some(Self::of(runs))
    }

    fn of(runs: Vec<(u64, u64)>) -> Self {
        Self { runs: runs.into_iter().map(|(from, to)| (from, to, Tree::default())).collect() }
    }

    /// Takes the leaf of this index; leaves come in order.
    pub(super) fn push(&mut self, index: u64, leaf: Hash) {
        for (from, to, tree) in &mut self.runs {
            if (*from..*to).contains(&index) {
                tree.push(leaf);
            }
        }
    }

    /// The proof, once all leaves were pushed.
    pub(super) fn proof(self) -> Option<Vec<Hash>> {
        let roots =
            self.runs.into_iter().map(|(from, to, tree)| (tree.size() == to - from).then(|| tree.root()));
        roots.collect()
    }
}

/// The tree over the digests of a batch, all of it in memory, so that each of them is proved at little cost.
pub(super) struct Whole {
    /// The hashes of the leaves, then of their parents, and so on. A last one without a sibling is its own parent.
    levels: Vec<Vec<Hash>>,
}

impl Whole {
    pub(super) fn new(digests: &[Digest]) -> Self {
        let mut levels = vec![digests.iter().map(|digest| leaf(digest.as_bytes())).collect::<Vec<_>>()];
        while let Some(below) = levels.last().filter(|level| level.len() > 1) {
            let parents = below.chunks(2).filter_map(|pair| match pair {
                [left, right] => Some(node(left, right)),
                [alone] => Some(*alone),
                _ => None,
            });
            levels.push(parents.collect());
        }
        Self { levels }
    }

    /// The proof of inclusion of the leaf at this place (RFC 6962, section 2.1.1).
    pub(super) fn path(&self, place: usize) -> Vec<Hash> {
        let at_level = |(height, level): (usize, &Vec<Hash>)| level.get((place >> height) ^ 1).copied();
        self.levels.iter().enumerate().filter_map(at_level).collect()
    }
}

/// The largest power of two below a number above one.
fn split(count: u64) -> u64 {
    1 << (u64::BITS - 1 - (count - 1).leading_zeros())
}

/// The root that a proof of inclusion leads to (RFC 9162, section 2.1.3.2); `None` when it does not fit.
pub(super) fn root_of(index: u64, size: u64, leaf: Hash, proof: &[Hash]) -> Option<Hash> {
    let mut last = size.checked_sub(1).filter(|&last| index <= last)?;
    let (mut at, mut hash) = (index, leaf);
    for other in proof {
        if last == 0 {
            return None;
        }
        if at & 1 == 1 || at == last {
            hash = node(other, &hash);
            while at & 1 == 0 && at != 0 {
                (at, last) = (at >> 1, last >> 1);
            }
        } else {
            hash = node(&hash, other);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    (last == 0).then_some(hash)
}

/// Whether a proof of consistency leads from one root to another (RFC 9162, section 2.1.4.2).
pub(super) fn is_consistent(old: (u64, Hash), new: (u64, Hash), proof: &[Hash]) -> bool {
    follow(old, new, proof) == Some(true)
}

fn follow((old, old_root): (u64, Hash), (size, root): (u64, Hash), proof: &[Hash]) -> Option<bool> {
    if old > size {
        return Some(false);
    }
    if old == 0 || old == size {
        return Some(proof.is_empty() && (old == 0 || old_root == root));
    }
    let whole: Vec<Hash>;
    let proof = if old.is_power_of_two() {
        whole = [&[old_root], proof].concat();
        &whole
    } else {
        proof
    };
    let (mut at, mut last) = (old - 1, size - 1);
    while at & 1 == 1 {
        (at, last) = (at >> 1, last >> 1);
    }
    let (first, rest) = proof.split_first()?;
    let (mut from, mut to) = (*first, *first);
    for other in rest {
        if last == 0 {
            return Some(false);
        }
        if at & 1 == 1 || at == last {
            (from, to) = (node(other, &from), node(other, &to));
            while at & 1 == 0 && at != 0 {
                (at, last) = (at >> 1, last >> 1);
            }
        } else {
            to = node(&to, other);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    Some(from == old_root && to == root && last == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves(count: u64) -> Vec<Hash> {
        (0..count).map(|i| leaf(&i.to_be_bytes())).collect()
    }

    fn mth(leaves: &[Hash]) -> Hash {
        let mut tree = Tree::default();
        for leaf in leaves {
            tree.push(*leaf);
        }
        tree.root()
    }

    fn k(count: usize) -> usize {
        count.next_power_of_two() / 2
    }

    /// PATH, word for word from RFC 6962, section 2.1.1.
    fn path(m: usize, d: &[Hash]) -> Vec<Hash> {
        if d.len() == 1 {
            return Vec::new();
        }
        let (left, right) = d.split_at(k(d.len()));
        if m < left.len() {
            [path(m, left), vec![mth(right)]].concat()
        } else {
            [path(m - left.len(), right), vec![mth(left)]].concat()
        }
    }

    /// SUBPROOF, word for word from RFC 6962, section 2.1.2.
    fn subproof(m: usize, d: &[Hash], b: bool) -> Vec<Hash> {
        if m == d.len() {
            return if b { Vec::new() } else { vec![mth(d)] };
        }
        let (left, right) = d.split_at(k(d.len()));
        if m <= left.len() {
            [subproof(m, left, b), vec![mth(right)]].concat()
        } else {
            [subproof(m - left.len(), right, false), vec![mth(left)]].concat()
        }
    }

    fn made(plan: Option<Plan>, leaves: &[Hash]) -> Vec<Hash> {
        let mut plan = plan.unwrap();
        (0..).zip(leaves).for_each(|(index, leaf)| plan.push(index, *leaf));
        plan.proof().unwrap()
    }

    #[test]
    fn proofs_are_those_of_the_definition_and_pass() {
        let all = leaves(40);
        for size in 1..=40_u64 {
            let d = &all[..usize::try_from(size).unwrap()];
            let root = mth(d);
            for m in 0..size {
                let (at, proof) = (usize::try_from(m).unwrap(), made(Plan::inclusion(m, size), &all));
                assert_eq!(proof, path(at, d), "{m} in {size}");
                assert_eq!(root_of(m, size, d[at], &proof), Some(root), "{m} in {size}");
                let (old, proof) = (m + 1, made(Plan::consistency(m + 1, size), &all));
                assert_eq!(proof, subproof(at + 1, d, true), "{old} to {size}");
                assert!(is_consistent((old, mth(&d[..=at])), (size, root), &proof), "{old} to {size}");
            }
            let mut tree = Tree::default();
            d[..d.len() - 1].iter().for_each(|leaf| tree.push(*leaf));
            assert_eq!(tree.path_of_next(), path(d.len() - 1, d), "the last of {size}");
        }
    }

    #[test]
    fn proofs_of_a_batch_are_those_of_the_definition() {
        let digests: Vec<Digest> = (0..70).map(|byte| Digest::from_bytes([byte; 32])).collect();
        let leaves: Vec<Hash> = digests.iter().map(|digest| leaf(digest.as_bytes())).collect();
        for size in 1..=70 {
            let whole = Whole::new(&digests[..size]);
            for at in 0..size {
                assert_eq!(whole.path(at), path(at, &leaves[..size]), "{at} in {size}");
            }
        }
    }

    #[test]
    fn every_other_proof_is_refused() {
        let all = leaves(21);
        for size in 1..=21_u64 {
            let d = &all[..usize::try_from(size).unwrap()];
            let root = mth(d);
            for m in 0..size {
                let at = usize::try_from(m).unwrap();
                let good = path(at, d);
                let mut bad = vec![[&good[..], &[root]].concat(), [&[root], &good[..]].concat()];
                for place in 0..good.len() {
                    let mut wrong = good.clone();
                    wrong[place][0] ^= 1;
                    bad.extend([wrong, good[..place].to_vec()]);
                }
                assert!(
                    bad.iter().all(|proof| root_of(m, size, d[at], proof) != Some(root)),
                    "{m} in {size}"
                );
                assert_ne!(root_of(m, size, [0; 32], &good), Some(root));
                for other in (0..size + 2).filter(|&other| other != m) {
                    assert_ne!(root_of(other, size, d[at], &good), Some(root), "{other} for {m} in {size}");
                }
                let (old, old_root) = (m + 1, mth(&d[..=at]));
                let proof = subproof(at + 1, d, true);
                for place in 0..proof.len() {
                    let mut wrong = proof.clone();
                    wrong[place][31] ^= 1;
                    assert!(!is_consistent((old, old_root), (size, root), &wrong));
                    assert!(!is_consistent((old, old_root), (size, root), &proof[..place]));
                }
                assert!(!is_consistent((old, [0; 32]), (size, root), &proof));
                assert!(!is_consistent((old, old_root), (size, [0; 32]), &proof));
                assert!(!is_consistent((old, old_root), (size, root), &[&proof[..], &[root]].concat()));
                assert!(!is_consistent((size + 1, old_root), (size, root), &proof));
            }
        }
        assert!(Plan::inclusion(3, 3).is_none() && Plan::consistency(4, 3).is_none());
        assert!(Plan::inclusion(2, 3).unwrap().proof().is_none(), "leaves are missing");
    }
}
