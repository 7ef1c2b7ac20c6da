//! Review: what a signature would cover, what the rules find, and what changed since the last one. Touches no key.

use rand_core::CryptoRng;

use crate::artefact::{Kind, Prepared, Terms};
use crate::base::bytes::Digest;
use crate::base::clock::Instant;
use crate::base::disk::Document;
use crate::base::fault::Fault;
use crate::custody::{Catalogue, Record, TAMPERED};
use crate::format::x509;
use crate::key::{Environment, Line};
use crate::policy::{Profile, Review, Subject, expect_environment};

/// Prepares a document for the line's key and reviews it.
pub fn review<'d>(
    catalogue: &Catalogue,
    kind: &dyn Kind,
    document: &'d Document,
    line: &Line,
    expected: Option<Environment>,
    now: Instant,
    random: &mut dyn CryptoRng,
) -> Result<(Review, Box<dyn Prepared + 'd>), Fault> {
    let record = catalogue.signing_record(line)?;
    let (key, public) = (record.key()?, record.public()?);
    expect_environment(&key, expected)?;
    record.stage().check_may_sign()?;
    let profile_text = catalogue.profile_text(line)?;
    let profile =
        Profile::parse(&profile_text).map_err(|fault| fault.at(format_args!("the profile of {line}")))?;
    profile.allow(kind.name(), line)?;
    let certificate = certificate(catalogue, &record)?;
    let terms =
        Terms { key: &key, public: &public, certificate: certificate.as_deref(), profile: &profile, now };
    let prepared = kind.prepare(document, &terms, random)?;
    let last = catalogue.last_signed(line, kind.name())?;
    let review = Review::of(Subject {
        kind: kind.name(),
        key: key.clone(),
        public: &public,
        profile_text: &profile_text,
        facts: prepared.facts().clone(),
        document: prepared.document(),
        octets: Digest::of(prepared.octets()),
        last: last.as_ref(),
        now,
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
