//! Which names of a document stood there before, and which only look like one that did.

use std::collections::hash_map::{Entry, RandomState};
use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher;

use super::likeness::skeleton;

/// What is known of a name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Sight {
    /// Nothing like it stood there before.
    New,
    /// It stood there before.
    Again,
    /// One that looks like it stood there before, on this line first.
    Like(u32),
}

/// The names of a document. They stand here as hashes under a key that is drawn for each run: so nobody can choose two that
/// fall together, and by chance they do so once in many millions of runs.
#[derive(Default)]
pub(super) struct Lookalikes {
    hash: RandomState,
    /// By the hash of what a name looks like, the first that looks so: half of its hash, and its line.
    first: HashMap<u64, (u32, u32)>,
    /// The hashes of all others.
    others: HashSet<u64>,
}

impl Lookalikes {
    /// Takes in the next name, which stands on this line.
    pub(super) fn look(&mut self, name: &str, line: u64) -> Sight {
        let hash = self.hash.hash_one(name);
        let half = u32::try_from(hash >> 32).unwrap_or_default();
        match self.first.entry(self.hash.hash_one(skeleton(name))) {
            Entry::Vacant(vacant) => {
                vacant.insert((half, u32::try_from(line).unwrap_or(u32::MAX)));
                Sight::New
            }
            Entry::Occupied(first) => match *first.get() {
                (same, _) if same == half => Sight::Again,
                (_, line) if self.others.insert(hash) => Sight::Like(line),
                _ => Sight::Again,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_name_and_one_that_looks_like_it_are_told_apart() {
        let mut names = Lookalikes::default();
        for (name, line, sight) in [
            ("https://a.example/", 3, Sight::New),
            ("https://b.example/", 5, Sight::New),
            ("https://A.example", 7, Sight::Like(3)),
            ("https://a.example/", 8, Sight::Again),
            ("https://A.example", 9, Sight::Again),
            ("https://\u{430}.example", 11, Sight::Like(3)),
        ] {
            assert_eq!(names.look(name, line), sight, "{name} on {line}");
        }
    }
}
