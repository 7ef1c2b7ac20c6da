//! The leave to use a key: what a durable intent gives, and what its outcome takes back.

use serde_json::Value;

use crate::base::bytes::Digest;
use crate::base::clock::Instant;
use crate::base::fault::Fault;

use super::compose::Draft;
use super::{Appended, EntryKind, Ledger};

/// The leave to use one key, on exactly the octets of these digests, each once: its intent is on the medium. It is used up by
/// [`outcome`](Self::outcome) or [`denied`](Self::denied); dropped, it leaves the intent open, which everybody sees: what
/// became of it, whoever drops it does not know.
#[must_use = "record the outcome"]
pub struct SignPermit<'a> {
    ledger: &'a mut Ledger,
    index: u64,
    key: String,
    octets: Vec<Digest>,
}

impl<'a> SignPermit<'a> {
    pub(super) fn new(ledger: &'a mut Ledger, index: u64, key: &str, octets: Vec<Digest>) -> Self {
        Self { ledger, index, key: key.to_owned(), octets }
    }

    /// The index of the intent.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// The only key that may be used.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The digests of the only octets that may be signed; of a batch, the digest of the list of theirs.
    pub fn octets(&self) -> &[Digest] {
        &self.octets
    }

    /// The index that the outcome will have.
    pub fn outcome_index(&self) -> u64 {
        self.ledger.len()
    }

    /// The time that the outcome will claim.
    pub fn outcome_time(&self, now: Instant) -> Instant {
        self.ledger.time(now)
    }

    /// Records what became of it. Where this fails, the intent stays open.
    pub fn outcome(self, body: &Value, now: Instant) -> Result<Appended, Fault> {
        self.close(EntryKind::Outcome, body, None, now)
    }

    /// The same with the digest of the journal up to the line of the outcome.
    pub fn outcome_noted(self, body: &Value, journal: Digest, now: Instant) -> Result<Appended, Fault> {
        self.close(EntryKind::Outcome, body, Some(journal), now)
    }

    /// Records that the key was not used after all, and why.
    pub fn denied(self, body: &Value, now: Instant) -> Result<Appended, Fault> {
        self.close(EntryKind::Denied, body, None, now)
    }

    fn close(
        self,
        kind: EntryKind,
        body: &Value,
        journal: Option<Digest>,
        now: Instant,
    ) -> Result<Appended, Fault> {
        let draft = Draft { journal, ..Draft::closing(kind, self.index, body, now) };
        self.ledger.record(&draft, None)
    }
}
