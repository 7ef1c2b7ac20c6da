//! Documents that are signed together, each on its own: what a kind gives so that a batch can be reviewed, skipped where
//! nothing changed, signed on every core and published.

use std::sync::Arc;

use crate::base::bytes::Digest;
use crate::base::clock::Instant;
use crate::base::fault::{Fault, INTERNAL};
use crate::key::{Scheme, Signature};
use crate::policy::{Examined, Facts, Items};

/// The documents of one batch, in an order that does not change. Several threads ask at once.
pub trait Batch: Sync {
    /// What is reviewed: the facts of all of it.
    fn facts(&self) -> &Facts;

    /// What the rules found in all of it, and the difference to what was signed last.
    fn examined(&self) -> &Examined;

    /// The digest of the input as it was given.
    fn document(&self) -> Digest;

    /// The way the documents are to be signed.
    fn scheme(&self) -> &'static Scheme;

    /// Files beside the documents that nobody signs, such as a list of them: name, media type, bytes.
    fn beside(&self) -> Vec<(&str, &'static str, &[u8])> {
        Vec::new()
    }

    /// The kind and the subject that the next review of the document at a place compares by, where it is reviewed by
    /// itself.
    fn record_of(&self, _place: usize) -> Result<Option<(&'static str, String)>, Fault> {
        Ok(None)
    }

    /// What that review compares with.
    fn record(&self, _place: usize) -> Result<Vec<u8>, Fault> {
        Ok(Vec::new())
    }

    /// The documents.
    fn members(&self) -> &Arc<dyn Members>;

    /// What the review tells of each document beside the facts, where these do not.
    fn items(&self) -> Option<Arc<dyn Items>> {
        None
    }

    /// The names that a document about this would have.
    fn names(&self, id: &str) -> Vec<String>;

    /// The document at a place, with all that its signature has to cover filled in. The octets are the same each time.
    fn draft(&self, place: usize) -> Result<Box<dyn Draft + '_>, Fault>;
}

/// The documents of a batch, by their places. There may be many, and they need not stand in memory.
pub trait Members: Send + Sync {
    /// How many there are.
    fn count(&self) -> usize;

    /// The one at a place.
    ///
    /// # Errors
    ///
    /// Those of reading it again.
    fn member(&self, place: usize) -> Result<Member, Fault>;
}

impl Members for Vec<Member> {
    fn count(&self) -> usize {
        self.len()
    }

    fn member(&self, place: usize) -> Result<Member, Fault> {
        self.get(place).cloned().ok_or_else(|| INTERNAL.fault("the batch has no such place"))
    }
}

/// One document of a batch.
#[derive(Clone)]
pub struct Member {
    /// What it is about, such as an entityID; foreign text.
    pub id: Arc<str>,
    /// Where it is published, below the batch's folder: file names that are safe. All of them stand for the same file.
    pub names: Arc<[String]>,
    /// What web servers call it.
    pub media_type: &'static str,
    /// How many bytes it has unsigned, about.
    pub length: u64,
}

/// Looks at each document of a batch once it has been read, while others still are, on several cores at once: at its place,
/// at what it is about, and at what would be signed. A fault ends the batch.
pub type Look<'a> = &'a (dyn Fn(usize, &Member, &dyn Draft) -> Result<(), Fault> + Sync);

/// One document that needs only its signature.
pub trait Draft {
    /// The exact octets to be signed.
    fn octets(&self) -> Result<Vec<u8>, Fault>;

    /// The digest of what it says, whenever it is signed.
    fn content(&self) -> Result<Digest, Fault>;

    /// Looks at what was published for it before. Nothing in it is trusted: `Current` and `Expiring` mean that it is byte
    /// for byte what would be signed now, but for its dates, and that its signature was made by this key.
    fn judge(&self, published: &[u8]) -> Judged;

    /// The finished document, checked as it is written.
    fn finish(&self, signature: &Signature) -> Result<Vec<u8>, Fault>;

    /// Until when the finished document is valid.
    fn valid_until(&self) -> Option<Instant>;
}

/// What was found of an earlier signature.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Judged {
    /// How it stands.
    pub standing: Standing,
    /// Until when it is valid; only when it is current.
    pub valid_until: Option<Instant>,
}

/// How a document stands with what was published for it before.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Standing {
    /// Nothing was published.
    New,
    /// Nothing changed, and it stays valid long enough.
    Current,
    /// Nothing changed, and it will soon be no longer valid.
    Expiring,
    /// Nothing changed, and the proof that the profile wants beside it is missing, or does not hold.
    Unproven,
    /// It says something else, or says it differently.
    Changed,
    /// What was published is damaged, or was not signed by this key.
    Foreign,
}

impl Standing {
    /// Its word in reports and in the index.
    pub const fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Current => "unchanged",
            Self::Expiring | Self::Unproven => "renewed",
            Self::Changed => "changed",
            Self::Foreign => "restored",
        }
    }
}
