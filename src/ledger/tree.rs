//! The Merkle tree of RFC 6962, section 2.1, as a compact range: what is needed to grow it and to know its root.

use sha2::{Digest as _, Sha256};

use crate::base::bytes::Digest;

/// A SHA-256 hash.
pub(super) type Hash = [u8; 32];

/// The hash of a leaf (RFC 6962, section 2.1), which is also the link of the chain.
pub(super) fn leaf(line: &[u8]) -> Hash {
    Sha256::new().chain_update([0]).chain_update(line).finalize().into()
}

pub(super) fn node(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

/// The Merkle root over the digests of a batch (RFC 6962, section 2.1): each digest, 32 bytes, is the content of a leaf.
pub fn root_of(digests: &[Digest]) -> [u8; 32] {
    let mut tree = Tree::default();
    for digest in digests {
        tree.push(leaf(digest.as_bytes()));
    }
    tree.root()
}

/// The roots of the complete subtrees that cover the leaves from left to right, the largest first.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Tree {
    size: u64,
    peaks: Vec<Hash>,
}

impl Tree {
    /// The most peaks that a tree can have.
    pub(super) const PEAKS_MAX: usize = 64;

    /// Takes up a tree again; `None` unless there is one peak for each one in the size's binary digits.
    pub(super) fn resume(size: u64, peaks: Vec<Hash>) -> Option<Self> {
        (u32::try_from(peaks.len()) == Ok(size.count_ones())).then_some(Self { size, peaks })
    }

    /// The number of leaves.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// The peaks, the largest first.
    pub(super) fn peaks(&self) -> &[Hash] {
        &self.peaks
    }

    /// Adds a leaf on the right.
    pub(super) fn push(&mut self, leaf: Hash) {
        let mut hash = leaf;
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                hash = node(&left, &hash);
            }
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    /// The proof of inclusion of the leaf that is pushed next, in the tree that it completes (RFC 6962, section 2.1.1):
    /// all that stands to its left, and nothing else is there yet.
    pub(super) fn path_of_next(&self) -> Vec<Hash> {
        self.peaks.iter().rev().copied().collect()
    }

    /// The root: what a checkpoint signs.
    pub(super) fn root(&self) -> Hash {
        let folded = self.peaks.iter().rev().copied().reduce(|right, left| node(&left, &right));
        folded.unwrap_or_else(|| Sha256::digest([]).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// MTH, word for word from RFC 6962, section 2.1.
    fn mth(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => Sha256::digest([]).into(),
            [one] => *one,
            _ => {
                let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
                node(&mth(left), &mth(right))
            }
        }
    }

    #[test]
    fn agrees_with_the_recursive_definition() {
        let (mut tree, mut leaves) = (Tree::default(), Vec::new());
        for size in 0..=300_u64 {
            assert_eq!(tree.size(), size);
            assert_eq!(tree.root(), mth(&leaves), "size {size}");
            assert_eq!(Tree::resume(size, tree.peaks().to_vec()), Some(tree.clone()));
            assert_eq!(
                Tree::resume(size + 1, tree.peaks().to_vec()).is_some(),
                (size + 1).count_ones() == size.count_ones()
            );
            leaves.push(leaf(&size.to_be_bytes()));
            tree.push(leaf(&size.to_be_bytes()));
        }
    }

    #[test]
    fn the_root_of_a_batch_has_digests_as_the_content_of_its_leaves() {
        let digests: Vec<Digest> = (0..5).map(|byte| Digest::from_bytes([byte; 32])).collect();
        let leaves: Vec<Hash> = digests.iter().map(|digest| leaf(digest.as_bytes())).collect();
        assert_eq!(root_of(&digests), mth(&leaves));
        assert_ne!(root_of(&digests), root_of(&digests[1..]));
    }

    #[test]
    fn leaves_and_nodes_are_told_apart() {
        assert_eq!(
            crate::base::bytes::hex(&leaf(b"")),
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
        );
        let (left, right) = (leaf(b"a"), leaf(b"b"));
        assert_ne!(node(&left, &right), leaf(&[left, right].concat()));
    }
}
