//! Signing a batch: one intent, the key opened once, every core at work, one outcome.
//!
//! Another kind uses it so: prepare every document and take the digest of its octets; review them with
//! [`Covers::Batch`](crate::policy::Covers::Batch); [`Review::approve_batch`]; then [`Vault::sign_batch`] with
//! [`Pieces`] that derive each document anew, put its signature in and keep it where nobody sees it. Publish what was kept
//! once this returns. `ceremony::batch` does all of that for kinds that split one document.

use std::collections::{BTreeMap, HashSet};

use serde_json::json;

use super::journal::What;
use super::rotation::close;
use super::vault::{Prompt, Ready, Vault};
use super::{Catalogue, NEVER, entries, lists, work};
use crate::base::bytes::Digest;
use crate::base::fault::Fault;
use crate::key::{KeyId, Line, Signature};
use crate::ledger::EntryKind;
use crate::lifecycle::Lists;
use crate::policy::{BatchApproval, Review};

/// What a batch leaves for the journal: the documents that list keys, and how many of the others end when, `never` included.
pub type Outstanding = (Vec<super::Document>, BTreeMap<String, u64>);

/// The kind of a document, and what it is about.
pub(super) type OfSubject = (&'static str, String);

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

impl Catalogue {
    /// Which of these documents no batch of the line has on record.
    ///
    /// # Errors
    /// [`JOURNAL`](super::JOURNAL): a line of the journal is damaged, or a list of a batch is gone.
    pub fn unrecorded(&self, line: &Line, documents: &[Digest]) -> Result<HashSet<Digest>, Fault> {
        let mut batches = Vec::new();
        self.journal()?.each_line(Some(line), &mut |noted| {
            if let What::Signed { artefacts: Some(list), .. } = &noted.what {
                batches.push(list.parse::<Digest>()?);
            }
            Ok(())
        })?;
        let mut unrecorded: HashSet<Digest> = documents.iter().copied().collect();
        // mostly it was the last one
        while let Some(list) = batches.pop().filter(|_| !unrecorded.is_empty()) {
            lists::subtract(&self.ledger_folder(), &list, &mut unrecorded)?;
        }
        Ok(unrecorded)
    }

    /// The document that stands for the newest batch of the line that this one is of; none, where there is none.
    ///
    /// # Errors
    /// [`JOURNAL`](super::JOURNAL): a line of the journal is damaged, or a list of a batch is gone.
    pub fn standing_for(&self, line: &Line, document: &Digest) -> Result<Option<Digest>, Fault> {
        let mut batches = Vec::new();
        self.journal()?.each(Some(line), &mut |noted| {
            if let What::Signed { artefacts: Some(list), documents, .. } = &noted.what
                && let Some(own) = documents.iter().find(|document| document.lists() == Lists::Own)
            {
                batches.push((list.parse()?, own.digest.parse()?));
            }
            Ok(())
        })?;
        for (list, own) in batches.iter().rev() {
            if lists::contains(&self.ledger_folder(), list, document)? {
                return Ok(Some(*own));
            }
        }
        Ok(None)
    }
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
            lists::keep_digests(&self.catalogue.ledger_folder(), approval.digests())?;
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
        let ledger = self.catalogue.ledger_folder();
        let kept = pieces.settle().and_then(|()| lists::keep_digests(&ledger, &artefacts));
        let (list, fault) = kept.map_or_else(|fault| (None, Some(fault)), |list| (Some(list), None));
        let (outstanding, unknown) = match pieces.outstanding() {
            Ok(outstanding) => (outstanding, None),
            // What nobody can say any more of what was signed counts as if it never ended.
            Err(fault) => ((vec![], [(NEVER.to_owned(), artefacts.len() as u64)].into()), Some(fault)),
        };
        let fault = delivered.fault.or(fault).or(unknown);
        let outcome = entries::batch_signed(&artefacts, of, &pieces.name(), fault.as_ref());
        let what = if artefacts.is_empty() {
            What::Nothing {}
        } else {
            signed(&review.key, review.kind, (pieces.channel(), outstanding), list)
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

    /// Puts on record what an interrupted batch signed, before it is published.
    pub fn note_resumed(
        &mut self,
        (key, kind, folder): (&KeyId, &str, &str),
        artefacts: &[Digest],
        outstanding: (String, Outstanding),
        reason: Option<&str>,
    ) -> Result<u64, Fault> {
        let list = lists::keep_digests(&self.catalogue.ledger_folder(), artefacts)?;
        let body = entries::resumed(key, kind, artefacts, &list, folder);
        let what = signed(key, kind, outstanding, Some(list));
        self.note(EntryKind::Receipt, None, what, body, reason, self.clock.now())
    }

    /// Puts on record that documents are withdrawn: nothing lists them any longer, and their files are removed or stay.
    pub fn note_withdrawn(
        &mut self,
        of: (&KeyId, &str, &str),
        ids: &[&str],
        removes: bool,
        reason: Option<&str>,
    ) -> Result<u64, Fault> {
        let body = entries::withdrawn(of, ids, removes);
        self.note(EntryKind::Receipt, None, What::Nothing {}, body, reason, self.clock.now())
    }
}

/// What a batch leaves, as the journal has it.
fn signed(
    key: &KeyId,
    kind: &str,
    (channel, (documents, ends)): (String, Outstanding),
    list: Option<Digest>,
) -> What {
    let (key, kind, artefacts) = (key.to_string(), kind.to_owned(), list.map(|list| list.to_string()));
    What::Signed { key, kind, channel, documents, ends, artefacts, record: None, kept: None }
}
