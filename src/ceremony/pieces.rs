//! The documents of a batch, while every core signs them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::carrying::Carrying;
use super::{Published, Splitting};
use crate::artefact::{Batch, Draft};
use crate::base::bytes::Digest;
use crate::base::fault::{Fault, INTERNAL};
use crate::base::staging::Staging;
use crate::custody::{self, Outstanding, Piece, Pieces, Vault};
use crate::key::Signature;
use crate::lifecycle::{self, Lists};
use crate::policy::Review;

/// A finished document: its place, its digest, its bytes.
pub(super) type Finished = (usize, Digest, u64);

/// What the journal says of finished documents.
pub(super) struct OnRecord<'a> {
    pub(super) batch: &'a dyn Batch,
    pub(super) documents: &'a [Published],
    /// Where they belong, and which keys those that list any list.
    pub(super) channel: (String, Lists),
    pub(super) carrying: &'a Carrying,
}

impl OnRecord<'_> {
    /// For these, in the order of the batch.
    pub(super) fn outstanding(&self, files: &[Finished]) -> Outstanding {
        let (channel, lists) = &self.channel;
        let mut ends: BTreeMap<String, u64> = BTreeMap::new();
        let mut documents = Vec::new();
        for (at, digest, _) in files {
            let until = self.documents.get(*at).and_then(|document| document.valid_until);
            let is_listing = match lists {
                Lists::Nothing => false,
                // the first stands for all: each introduces the key that signed it
                Lists::Own => documents.is_empty(),
                Lists::Keys(_) => self
                    .batch
                    .record_of(*at)
                    .is_some_and(|(kind, _)| lifecycle::Kind::of_document(kind).is_listed_in(kind)),
            };
            let (name, id) =
                self.batch.members().get(*at).map_or(("", ""), |member| {
                    (member.names.first().map_or("", String::as_str), &*member.id)
                });
            let carries = self.carrying.part(id);
            if is_listing || !carries.is_empty() {
                let lists = if is_listing { lists } else { &Lists::Nothing };
                documents.push(custody::Document::new(name, *digest, until, lists).carrying(id, carries));
                continue;
            }
            let end = until.map_or_else(|| custody::NEVER.to_owned(), |until| until.to_string());
            *ends.entry(end).or_default() += 1;
        }
        (channel.clone(), documents, ends)
    }

    /// Puts on record what an interrupted run signed and is published now, as far as no entry has it. Yields the entry.
    pub(super) fn resume(
        &self,
        vault: &mut Vault<'_>,
        review: &Review,
        splitting: &Splitting<'_>,
    ) -> Result<Option<u64>, Fault> {
        let left = self.documents.iter().enumerate().filter(|(_, document)| document.is_adopted);
        let mut left: Vec<Finished> =
            left.filter_map(|(at, left)| left.file.map(|(digest, bytes)| (at, digest, bytes))).collect();
        if !left.is_empty() {
            let digests: Vec<Digest> = left.iter().map(|(_, digest, _)| *digest).collect();
            let unrecorded = vault.unrecorded(&review.key.line, &digests)?;
            left.retain(|(_, digest, _)| unrecorded.contains(digest));
        }
        if left.is_empty() {
            return Ok(None);
        }
        let digests: Vec<Digest> = left.iter().map(|(_, digest, _)| *digest).collect();
        let of = (&review.key, review.kind, &*splitting.folder.display().to_string());
        vault.note_resumed(of, &digests, self.outstanding(&left), splitting.reason).map(Some)
    }
}

/// Derives, finishes and keeps documents for the threads that sign.
pub(super) struct Work<'a> {
    pub(super) staging: &'a Staging,
    pub(super) places: &'a [usize],
    pub(super) terms: &'a OnRecord<'a>,
    pub(super) signed: &'a AtomicU64,
    pub(super) files: Mutex<Vec<Finished>>,
}

impl Work<'_> {
    pub(super) fn into_files(self) -> Vec<Finished> {
        self.files.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Notes what was finished.
pub(super) fn note(files: &[Finished], documents: &mut [Published]) {
    for (at, digest, bytes) in files {
        if let Some(document) = documents.get_mut(*at) {
            document.file = Some((*digest, *bytes));
        }
    }
}

impl Pieces for Work<'_> {
    fn name(&self) -> String {
        self.staging.folder().display().to_string()
    }

    fn piece(&self, place: usize) -> Result<Box<dyn Piece + '_>, Fault> {
        let at = self.places.get(place).copied();
        let member = at.and_then(|at| Some((at, self.terms.batch.members().get(at)?)));
        let (at, member) = member.ok_or_else(|| INTERNAL.fault("the batch has no such place"))?;
        let name = member.names.first().map_or("", String::as_str);
        let draft = self.terms.batch.draft(at)?;
        Ok(Box::new(Part { work: self, at, name, octets: draft.octets()?, draft }))
    }

    fn outstanding(&self) -> Outstanding {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        files.sort_unstable_by_key(|(at, ..)| *at);
        self.terms.outstanding(&files)
    }

    fn settle(&self) -> Result<(), Fault> {
        self.staging.settle()
    }
}

struct Part<'a> {
    work: &'a Work<'a>,
    at: usize,
    name: &'a str,
    octets: Vec<u8>,
    draft: Box<dyn Draft + 'a>,
}

impl Piece for Part<'_> {
    fn octets(&self) -> &[u8] {
        &self.octets
    }

    fn deliver(self: Box<Self>, signature: &Signature) -> Result<Digest, Fault> {
        let bytes = self.draft.finish(signature)?;
        self.work.staging.write(self.name, &bytes)?;
        let digest = Digest::of(&bytes);
        let mut files = self.work.files.lock().unwrap_or_else(PoisonError::into_inner);
        files.push((self.at, digest, bytes.len() as u64));
        self.work.signed.fetch_add(1, Ordering::Relaxed);
        Ok(digest)
    }
}
