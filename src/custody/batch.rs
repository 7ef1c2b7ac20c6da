//! Signing a batch: one intent, the key opened once, every core at work, one outcome.
//!
//! Another kind uses it so: prepare every document and take the digest of its octets; review them with
//! [`Covers::Batch`](crate::policy::Covers::Batch); [`Review::approve_batch`]; then [`Vault::sign_batch`] with
//! [`Pieces`] that derive each document anew, put its signature in and keep it where nobody sees it. Publish what was kept
//! once this returns. `ceremony::batch` does all of that for kinds that split one document.

use std::collections::BTreeMap;
use std::io::Write;

use serde_json::json;

use super::journal::What;
use super::rotation::close;
use super::vault::{Prompt, Ready, Vault};
use super::{Catalogue, NEVER, entries, work};
use crate::base::bytes::{Digest, digest_of_list, list_of};
use crate::base::disk::{self, Pending};
use crate::base::fault::Fault;
use crate::key::Signature;
use crate::policy::{BatchApproval, Review};

/// Lines of a list that are written together.
const LINES: usize = 1_000;

/// What a batch leaves for the journal: the documents that list keys, and how many of the others end when, `never` included.
pub type Outstanding = (Vec<super::Document>, BTreeMap<String, u64>);

/// The kind of a document, and what it is about.
pub(super) type OfSubject = (&'static str, String);

/// What the next review of a document compares with, where there is news.
pub(super) type LastRecord = Option<(OfSubject, Vec<u8>)>;

/// The documents of a batch. Several threads ask at once, in any order.
pub trait Pieces: Sync {
    /// Where they will stand; the outcome names it.
    fn name(&self) -> String;

    /// Derives the document at a place of the approved list anew.
    fn piece(&self, place: usize) -> Result<Box<dyn Piece + '_>, Fault>;

    /// The channel of the line, for the journal.
    fn channel(&self) -> String;

    /// What was delivered, for the journal. Called once, when no more is.
    ///
    /// # Errors
    ///
    /// Those of reading again what was noted of it.
    fn outstanding(&self) -> Result<Outstanding, Fault>;

    /// Makes durable all that was delivered. Called once, when no more is.
    fn settle(&self) -> Result<(), Fault>;
}

/// One document of a batch that needs only its signature.
pub trait Piece {
    /// The octets that its signature covers.
    fn octets(&self) -> &[u8];

    /// Puts the signature in, and keeps the finished document where nobody sees it yet. Yields the document's digest.
    fn deliver(self: Box<Self>, signature: &Signature) -> Result<Digest, Fault>;
}

/// What came of a batch.
pub struct SignedBatch {
    /// The place of the intent in the ledger; the outcome names it.
    pub intent: u64,
    /// The digests of the finished documents, in the order of the approved list.
    pub artefacts: Vec<Digest>,
}

impl Vault<'_> {
    /// Signs what was approved, as [`sign`](Self::sign) does with one document: the intent goes to the ledger, then the key
    /// is opened and used on every core, each signature is verified and delivered, all of it is made durable, then the
    /// outcome goes to the ledger. The lists behind the intent and the outcome are kept beside the ledger, each under its
    /// digest. A fault ends the batch: the outcome says how much of it was signed.
    pub fn sign_batch(
        &mut self,
        approval: BatchApproval,
        prompt: &mut dyn Prompt,
        pieces: &dyn Pieces,
    ) -> Result<(SignedBatch, Review), Fault> {
        let review = approval.review();
        let about = json!({"kind": review.kind, "key": review.key.to_string(), "reason": approval.reason()});
        let ready = self.ready(review, approval.public(), prompt).and_then(|ready| {
            keep_list(&self.catalogue, approval.digests())?;
            Ok(ready)
        });
        let Ready { record, sealed, opener } = match ready {
            Ok(ready) => ready,
            Err(fault) => return Err(self.deny("sign", &about, fault.but("nothing was signed"))),
        };
        let intent = entries::batch_intent(&approval);
        let intent = entries::with_operator(intent, approval.reason(), &self.operator);
        let (key, of) = (review.key.to_string(), approval.digests().len());
        let now = self.clock.now();
        let permit = self.ledger.intend_batch(&key, approval.digests(), &intent, now)?;
        let index = permit.index();
        let delivered = match work::sign_batch(&permit, &record, &sealed, opener, &approval, pieces) {
            Ok(delivered) => delivered,
            Err(fault) => {
                permit.denied(&entries::refused(&fault), self.clock.now())?;
                return Err(fault.but("nothing was signed"));
            }
        };
        let artefacts: Vec<Digest> = delivered.artefacts.into_iter().flatten().collect();
        let kept = pieces.settle().and_then(|()| keep_list(&self.catalogue, &artefacts));
        let ((documents, ends), unknown) = match pieces.outstanding() {
            Ok(outstanding) => (outstanding, None),
            // What nobody can say any more of what was signed counts as if it never ended.
            Err(fault) => ((vec![], [(NEVER.to_owned(), artefacts.len() as u64)].into()), Some(fault)),
        };
        let fault = delivered.fault.or(kept.err()).or(unknown);
        let outcome = entries::batch_signed(&artefacts, of, &pieces.name(), fault.as_ref());
        let what = if artefacts.is_empty() {
            What::Nothing {}
        } else {
            What::Signed { key, kind: review.kind.to_owned(), channel: pieces.channel(), documents, ends }
        };
        close(&mut self.catalogue, permit, what, outcome, self.clock.now())?;
        match fault {
            Some(fault) => Err(fault.but(&format!(
                "{} of {of} documents were signed before that; the ledger has them as entry {index}",
                artefacts.len()
            ))),
            None => Ok((SignedBatch { intent: index, artefacts }, approval.into_review())),
        }
    }
}

/// Keeps a list under its digest, durably. The same list may be there already.
fn keep_list(catalogue: &Catalogue, digests: &[Digest]) -> Result<(), Fault> {
    let path = catalogue.list_path(&digest_of_list(digests));
    if let Some(folder) = path.parent() {
        disk::create_folder(folder)?;
    }
    let mut pending = Pending::in_place_of(&path)?;
    for some in digests.chunks(LINES) {
        pending.write_all(list_of(some).as_bytes()).map_err(|e| disk::fault("write", &path, &e))?;
    }
    pending.replace()
}
