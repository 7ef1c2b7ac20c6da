//! The documents of a batch, while every core signs them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Splitting;
use super::carrying::Carrying;
use super::documents::Documents;
use crate::artefact::{Batch, Draft};
use crate::base::bytes::Digest;
use crate::base::fault::{Fault, INTERNAL};
use crate::base::staging::Staging;
use crate::custody::{self, Outstanding, Piece, Pieces, Vault};
use crate::key::Signature;
use crate::lifecycle::{self, Lists};
use crate::policy::Review;

/// What the journal says of finished documents.
pub(super) struct OnRecord<'a> {
    pub(super) batch: &'a dyn Batch,
    pub(super) documents: &'a Documents,
    /// Where they belong, and which keys those that list any list.
    pub(super) channel: (String, Lists),
    pub(super) carrying: &'a Carrying,
}

impl OnRecord<'_> {
    /// For those at these places that are finished.
    pub(super) fn outstanding(&self, places: &[usize]) -> Result<Outstanding, Fault> {
        let (_, lists) = &self.channel;
        let mut ends: BTreeMap<String, u64> = BTreeMap::new();
        let mut documents = Vec::new();
        for &at in places {
            let document = self.documents.get(at)?;
            let Some((digest, _)) = document.file else { continue };
            let of = self.batch.record_of(at)?;
            let is_listing = match lists {
                Lists::Nothing => false,
                // the first stands for all: each introduces the key that signed it
                Lists::Own => documents.is_empty(),
                Lists::Keys(_) => {
                    of.as_ref().is_some_and(|(kind, _)| lifecycle::Kind::of_document(kind).is_listed_in(kind))
                }
            };
            let (name, until) = (document.names.first().map_or("", String::as_str), document.valid_until);
            let carries = self.carrying.part(&document.id);
            let replacing = of.filter(|(kind, _)| until.is_none() && lifecycle::Kind::takes_place(kind));
            if is_listing || !carries.is_empty() || replacing.is_some() {
                let lists = if is_listing { lists } else { &Lists::Nothing };
                let subject = replacing.as_ref().map_or(&*document.id, |(_, subject)| subject);
                let listed = custody::Document::new(name, digest, until, lists).carrying(subject, carries);
                let kind = replacing.map(|(kind, _)| kind.to_owned());
                documents.push(custody::Document { kind, ..listed });
                continue;
            }
            let end = until.map_or_else(|| custody::NEVER.to_owned(), |until| until.to_string());
            *ends.entry(end).or_default() += 1;
        }
        Ok((documents, ends))
    }

    /// Puts on record what an interrupted run signed and is published now, as far as no entry has it. Yields the entry.
    pub(super) fn resume(
        &self,
        vault: &mut Vault<'_>,
        review: &Review,
        splitting: &Splitting<'_>,
    ) -> Result<Option<u64>, Fault> {
        let (mut places, mut digests) = (Vec::new(), Vec::new());
        for (at, document) in self.documents.iter().enumerate() {
            let document = document?;
            if let Some((digest, _)) = document.file.filter(|_| document.is_adopted) {
                places.push(at);
                digests.push(digest);
            }
        }
        if places.is_empty() {
            return Ok(None);
        }
        let unrecorded = vault.unrecorded(&review.key.line, &digests)?;
        let both = places.into_iter().zip(digests).filter(|(_, digest)| unrecorded.contains(digest));
        let (places, digests): (Vec<_>, Vec<_>) = both.unzip();
        if places.is_empty() {
            return Ok(None);
        }
        let of = (&review.key, review.kind, &*splitting.folder.display().to_string());
        let outstanding = (self.channel.0.clone(), self.outstanding(&places)?);
        vault.note_resumed(of, &digests, outstanding, splitting.reason).map(Some)
    }
}

/// Derives, finishes and keeps documents for the threads that sign.
pub(super) struct Work<'a> {
    pub(super) staging: &'a Staging,
    pub(super) places: &'a [usize],
    pub(super) terms: &'a OnRecord<'a>,
    pub(super) signed: &'a AtomicU64,
}

impl Pieces for Work<'_> {
    fn name(&self) -> String {
        self.staging.folder().path().display().to_string()
    }

    fn piece(&self, place: usize) -> Result<Box<dyn Piece + '_>, Fault> {
        let at = self.places.get(place).copied();
        let at = at.ok_or_else(|| INTERNAL.fault("the batch has no such place"))?;
        let names = self.terms.batch.members().member(at)?.names;
        let draft = self.terms.batch.draft(at)?;
        Ok(Box::new(Part { work: self, at, names, octets: draft.octets()?, draft }))
    }

    fn channel(&self) -> String {
        self.terms.channel.0.clone()
    }

    fn outstanding(&self) -> Result<Outstanding, Fault> {
        self.terms.outstanding(self.places)
    }

    fn settle(&self) -> Result<(), Fault> {
        self.staging.settle()
    }
}

struct Part<'a> {
    work: &'a Work<'a>,
    at: usize,
    names: Arc<[String]>,
    octets: Vec<u8>,
    draft: Box<dyn Draft + 'a>,
}

impl Piece for Part<'_> {
    fn octets(&self) -> &[u8] {
        &self.octets
    }

    fn deliver(self: Box<Self>, signature: &Signature) -> Result<Digest, Fault> {
        let bytes = self.draft.finish(signature)?;
        self.work.staging.write(self.names.first().map_or("", String::as_str), &bytes)?;
        let digest = Digest::of(&bytes);
        self.work.terms.documents.finish(self.at, (digest, bytes.len() as u64))?;
        self.work.signed.fetch_add(1, Ordering::Relaxed);
        Ok(digest)
    }
}
