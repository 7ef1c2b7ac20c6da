//! The leave to use a key: what a durable intent gives, and what its outcome takes back.

use serde_json::{Value, json};

use crate::base::bytes::Digest;
use crate::base::clock::Instant;
use crate::base::fault::Fault;

use super::compose::Draft;
use super::{Appended, EntryKind, Ledger};

/// The leave to use one key, on exactly the octets of these digests, each once: its intent is on the medium. It is used up by
/// [`outcome`](Self::outcome) or [`denied`](Self::denied); dropped, it records the denial `{"result":"aborted"}`, so drop
/// it only when no signature leaves.
#[must_use = "record the outcome"]
pub struct SignPermit<'a> {
    ledger: &'a mut Ledger,
    index: u64,
    key: String,
    octets: Vec<Digest>,
    time: Instant,
    is_open: bool,
}

impl<'a> SignPermit<'a> {
    pub(super) fn new(
        ledger: &'a mut Ledger,
        index: u64,
        key: &str,
        octets: Vec<Digest>,
        time: Instant,
    ) -> Self {
        Self { ledger, index, key: key.to_owned(), octets, time, is_open: true }
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

    /// Records what became of it. Where this fails, the intent stays open.
    pub fn outcome(self, body: &Value, now: Instant) -> Result<Appended, Fault> {
        self.close(EntryKind::Outcome, body, now)
    }

    /// Records that the key was not used after all, and why.
    pub fn denied(self, body: &Value, now: Instant) -> Result<Appended, Fault> {
        self.close(EntryKind::Denied, body, now)
    }

    fn close(mut self, kind: EntryKind, body: &Value, now: Instant) -> Result<Appended, Fault> {
        self.is_open = false;
        self.ledger.record(&Draft::closing(kind, self.index, body, now), None)
    }
}

impl Drop for SignPermit<'_> {
    fn drop(&mut self) {
        if self.is_open {
            // Where this fails, the intent stays open, and that is seen.
            let body = json!({ "result": "aborted" });
            let _ =
                self.ledger.record(&Draft::closing(EntryKind::Denied, self.index, &body, self.time), None);
        }
    }
}
