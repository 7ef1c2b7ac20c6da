//! Review: what a signature would cover, what the rules find, and what changed since the last one. Touches no key.

use rand_core::CryptoRng;

use super::surroundings::Surroundings;
use crate::artefact::{self, Kind, Prepared};
use crate::base::bytes::Digest;
use crate::base::clock::Instant;
use crate::base::disk::Document;
use crate::base::fault::Fault;
use crate::custody::{Catalogue, Record, TAMPERED};
use crate::format::x509;
use crate::key::{Environment, Line};
use crate::policy::{Profile, Review, Subject, expect_environment};

/// Which key a review is for, and what is said about it.
#[derive(Clone, Copy)]
pub struct Terms<'a> {
    /// The key line.
    pub line: &'a Line,
    /// The environment that the caller says it works for.
    pub environment: Option<Environment>,
    /// Why the profile's brake is released, when it is.
    pub released: Option<&'a str>,
    /// The time of the review.
    pub now: Instant,
}

/// Prepares a document for the line's key and reviews it.
pub fn review<'d>(
    catalogue: &Catalogue,
    kind: &dyn Kind,
    document: &'d Document,
    terms: Terms<'_>,
    random: &mut dyn CryptoRng,
) -> Result<(Review, Box<dyn Prepared + 'd>), Fault> {
    let Terms { line, environment, released, now } = terms;
    let record = catalogue.signing_record(line)?;
    let (key, public) = (record.key()?, record.public()?);
    expect_environment(&key, environment)?;
    record.stage().check_may_sign()?;
    let profile_text = catalogue.profile_text(line)?;
    let profile =
        Profile::parse(&profile_text).map_err(|fault| fault.at(format_args!("the profile of {line}")))?;
    profile.allow(kind.name(), line)?;
    let certificate = certificate(catalogue, &record)?;
    let last = catalogue.last_signed(line, kind.name(), &kind.subject(document)?)?;
    let terms = artefact::Terms {
        key: &key,
        public: &public,
        certificate: certificate.as_deref(),
        profile: &profile,
        now,
        last: last.as_ref(),
        vault: &Surroundings::new(catalogue),
        released,
    };
    let prepared = kind.prepare(document, &terms, random)?;
    let review = Review::of(Subject {
        kind: kind.name(),
        key: key.clone(),
        public: &public,
        profile_text: &profile_text,
        facts: prepared.facts().clone(),
        document: prepared.document(),
        octets: Digest::of(prepared.octets()),
        examined: prepared.examined().clone(),
        released,
    })?;
    Ok((review, prepared))
}

/// The certificate of a key, PEM. One that is for another key was exchanged, and is refused.
pub fn certificate(catalogue: &Catalogue, record: &Record) -> Result<Option<String>, Fault> {
    let key = record.key()?;
    let Some(pem) = catalogue.certificate(&key)? else { return Ok(None) };
    if x509::public_key(&pem)? == record.public()? {
        return Ok(Some(pem));
    }
    Err(TAMPERED
        .fault(format!("the certificate of {key} is for another key"))
        .hint("somebody exchanged it: look at who can write to the vault"))
}
