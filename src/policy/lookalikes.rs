//! Which names of a document stood there before, and which only look like one that did.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

use super::likeness::skeleton;
use crate::base::marks::{Marks, Short, long, short};

/// What is known of a name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Sight {
    /// Nothing like it stood there before.
    New,
    /// It stood there before.
    Again,
    /// One that looks like it stood there before, on this line first.
    Like(u64),
}

/// The names of a document, as hashes.
#[derive(Default)]
pub(super) struct Lookalikes {
    hash: RandomState,
    /// By what a name looks like, the first that looks so: a part of its hash, and its line.
    first: Marks<Short>,
    /// All others.
    others: Marks<()>,
}

/// So many bits tell the line of a name; nobody looks further down than that. The others of 48 are of its hash: one in four
/// million that look like another passes for the other one again.
const LINE_BITS: u32 = 26;
const LINE_MAX: u64 = (1 << LINE_BITS) - 1;

impl Lookalikes {
    /// Takes in the next name, which stands on this line.
    pub(super) fn look(&mut self, name: &str, line: u64) -> Sight {
        let own = short(self.hash.hash_one(name) << LINE_BITS | line.min(LINE_MAX));
        match self.first.meet(skeleton(name), own).map(|first| long(*first)) {
            None => Sight::New,
            Some(first) if (first ^ long(own)) <= LINE_MAX => Sight::Again,
            Some(first) if self.others.meet(name, ()).is_none() => Sight::Like(first & LINE_MAX),
            Some(_) => Sight::Again,
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
