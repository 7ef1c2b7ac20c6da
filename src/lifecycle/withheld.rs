//! Documents that were signed, and of which an officer says that nobody ever published them. A receipt knows better, whether it
//! came before that or comes later: what was seen is out there.

use std::collections::HashSet;

use crate::base::bytes::Digest;

/// What is said of documents, and what is known.
#[derive(Clone, Debug, Default)]
pub struct Withheld {
    said: HashSet<Digest>,
    seen: HashSet<Digest>,
}

impl Withheld {
    /// An officer says that this document was never published.
    pub fn say(&mut self, digest: Digest) {
        self.said.insert(digest);
    }

    /// It was seen.
    pub fn see(&mut self, digest: Digest) {
        self.seen.insert(digest);
    }

    /// Whether nobody has this document, as far as is said and known: nothing waits for its end.
    pub fn holds(&self, digest: &Digest) -> bool {
        self.said.contains(digest) && !self.seen.contains(digest)
    }
}
