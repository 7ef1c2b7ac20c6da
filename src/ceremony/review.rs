//! Review: what a signature would cover, what the rules find, and what changed since the last one. Touches no key.

use std::io::Write;
use std::path::Path;

use rand_core::CryptoRng;

use super::FORGOTTEN;
use super::surroundings::Surroundings;
use crate::artefact::{self, Batch, Kind, Prepared, Surroundings as _};
use crate::base::bytes::{Digest, digest_of_list};
use crate::base::clock::Instant;
use crate::base::disk::{Document, Pending};
use crate::base::fault::Fault;
use crate::custody::{Catalogue, Record, TAMPERED};
use crate::format::x509;
use crate::key::{Environment, KeyId, Line, PublicKey};
use crate::policy::{Covers, Examined, Facts, Last, Memory, Profile, Review, Subject, expect_environment};

/// Which key a review is for, and what is said about it.
#[derive(Clone, Copy)]
pub struct Terms<'a> {
    /// The key line.
    pub line: &'a Line,
    /// Which key of the line; the one that signs, when none is named.
    pub version: Option<u32>,
    /// The environment that the caller says it works for.
    pub environment: Option<Environment>,
    /// Why the profile's brake is released, when it is.
    pub released: Option<&'a str>,
    /// The time of the review.
    pub now: Instant,
}

/// Prepares a document for the line's key and reviews it. What the next review compares with is
/// written to `keep`.
pub fn review<'d>(
    catalogue: &Catalogue,
    kind: &dyn Kind,
    document: &'d Document,
    terms: Terms<'_>,
    random: &mut dyn CryptoRng,
    keep: Option<&mut dyn Write>,
) -> Result<(Review, Box<dyn Prepared + 'd>), Fault> {
    let standing = Standing::of(catalogue, kind, document, terms)?;
    standing.review(kind, document, terms, random, keep)
}

/// Splits a document for the line's key and reviews it as a batch of which nothing is signed yet: the request is the one
/// that signing it asks for. Nothing is written but a nameless file in the scratch folder.
pub fn review_split(
    catalogue: &Catalogue,
    kind: &dyn Kind,
    document: &Document,
    terms: Terms<'_>,
    scratch: &Path,
) -> Result<Review, Fault> {
    let standing = Standing::of(catalogue, kind, document, terms)?;
    let spare = Pending::beside(&scratch.join("spare"))?;
    let batch = kind.split(document, &standing.terms(terms), spare, &mut std::io::sink(), None)?;
    standing.review_batch(kind, terms, batch.as_ref(), &[])
}

/// What the line's key, its profile, its past and the vault around it say to a review.
pub(super) struct Standing<'v> {
    vault: Surroundings<'v>,
    key: KeyId,
    public: PublicKey,
    pub(super) profile: Profile,
    profile_text: String,
    certificate: String,
    ends: Option<Instant>,
    /// What the document is about: what was signed last is kept under it.
    pub(super) about: String,
    /// What it signed last.
    pub(super) last: Option<Last>,
    memory: Memory,
}

/// The brake compares with what was signed last.
fn forgotten(line: &Line, kind: &dyn Kind) -> Fault {
    let name = kind.name();
    FORGOTTEN
        .fault(format!(
            "{line} has signed a document of the kind {name}, and the record of the last one, signed/{line}/{name}.last, is gone, of an earlier version, or that of another document; without it the brake of its profile does not hold"
        ))
        .hint("put it back from a backup; where its loss is explained, or that document never came out, give --release-brake REASON to review and sign")
}

impl<'v> Standing<'v> {
    pub(super) fn of(
        catalogue: &'v Catalogue,
        kind: &dyn Kind,
        document: &Document,
        terms: Terms<'_>,
    ) -> Result<Self, Fault> {
        let Terms { line, environment, .. } = terms;
        let record = match terms.version {
            Some(version) => catalogue.record(&line.version(version))?,
            None => catalogue.signing_record(line)?,
        };
        let (key, public) = (record.key()?, record.public()?);
        expect_environment(&key, environment)?;
        catalogue.check_signer(&record, kind.name(), terms.now)?;
        let profile_text = catalogue.profile_text(line)?;
        let profile =
            Profile::parse(&profile_text).map_err(|fault| fault.at(format_args!("the profile of {line}")))?;
        profile.allow(kind.name(), line)?;
        let certificate = certificate(catalogue, &record)?;
        let ends = catalogue.planned_end(&key)?;
        let about = kind.subject(document)?;
        let last = catalogue.last_signed(line, kind.name(), &about)?.filter(Last::compares);
        let vault = Surroundings::new(catalogue);
        let memory = match about.as_str() {
            "" => catalogue.memory(line, kind.name(), last.as_ref().map(Last::digest))?,
            about if last.is_none() && vault.has_signed(line, kind.name(), about)? => Memory::Gone,
            _ => Memory::Whole,
        };
        let is_gone = memory == Memory::Gone;
        if is_gone && about.is_empty() && profile.brake.is_some() && terms.released.is_none() {
            return Err(forgotten(line, kind));
        }
        let last = last.filter(|_| !is_gone);
        Ok(Self { vault, key, public, profile, profile_text, certificate, ends, about, last, memory })
    }

    /// Prepares the document and reviews it; see [`review`].
    pub(super) fn review<'d>(
        &self,
        kind: &dyn Kind,
        document: &'d Document,
        terms: Terms<'_>,
        random: &mut dyn CryptoRng,
        keep: Option<&mut dyn Write>,
    ) -> Result<(Review, Box<dyn Prepared + 'd>), Fault> {
        let prepared = kind.prepare(document, &self.terms(terms), random, keep)?;
        let review = Review::of(Subject {
            facts: prepared.facts().clone(),
            document: prepared.document(),
            covers: Covers::octets(prepared.octets()),
            examined: prepared.examined().clone(),
            ..self.subject(kind, terms)
        })?;
        Ok((review, prepared))
    }

    pub(super) fn terms<'a>(&'a self, terms: Terms<'a>) -> artefact::Terms<'a> {
        artefact::Terms {
            key: &self.key,
            public: &self.public,
            certificate: Some(&self.certificate),
            ends: self.ends,
            profile: &self.profile,
            now: terms.now,
            last: self.last.as_ref(),
            vault: &self.vault,
            released: terms.released,
        }
    }

    /// Reviews a batch of which the octets with these digests are to be signed.
    pub(super) fn review_batch(
        &self,
        kind: &dyn Kind,
        terms: Terms<'_>,
        batch: &dyn Batch,
        digests: &[Digest],
    ) -> Result<Review, Fault> {
        let documents = batch.members().count() as u64;
        Review::of(Subject {
            facts: batch.facts().clone(),
            items: batch.items(),
            document: batch.document(),
            covers: Covers::Batch { documents, list: digest_of_list(digests) },
            examined: batch.examined().clone(),
            ..self.subject(kind, terms)
        })
    }

    /// The subject of a review, without its document.
    fn subject<'a>(&'a self, kind: &dyn Kind, terms: Terms<'a>) -> Subject<'a> {
        let nothing = Digest::of(&[]);
        Subject {
            kind: kind.name(),
            key: self.key.clone(),
            public: &self.public,
            profile_text: &self.profile_text,
            facts: Facts::default(),
            items: None,
            document: nothing,
            covers: Covers::Octets(nothing),
            examined: Examined::default(),
            released: terms.released,
            memory: self.memory,
        }
    }
}

/// The certificate of a key, PEM. One that is for another key was exchanged, and is refused.
pub fn certificate(catalogue: &Catalogue, record: &Record) -> Result<String, Fault> {
    let key = record.key()?;
    let pem = catalogue.certificate(&key)?;
    if x509::public_key(&pem)? == record.public()? {
        return Ok(pem);
    }
    Err(TAMPERED
        .fault(format!("the certificate of {key} is for another key"))
        .hint("somebody exchanged it: look at who can write to the vault"))
}
