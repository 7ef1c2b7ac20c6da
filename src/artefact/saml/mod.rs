//! SAML metadata (SAML V2.0 Metadata, saml-metadata-2.0-os): one enveloped signature over the root element, section 3.

mod certificate;
mod entity;
mod facts;
mod oddities;
mod prepare;
mod splice;

use std::io::Read;

use rand_core::CryptoRng;

use self::facts::Collector;
use super::{ALTERED, EXPIRED, Kind, OTHER, Prepared, Terms, UNTRUSTED, Verified, WEAK};
use crate::base::clock::Instant;
use crate::base::disk::Document;
use crate::base::fault::Fault;
use crate::format::xml::dsig::{self, Rules};
use crate::format::xml::{Limits, StartTag};
use crate::key::{PublicKey, Signature, scheme};
use crate::policy::Recorder;

/// The namespace of SAML metadata.
const MD: &str = "urn:oasis:names:tc:SAML:2.0:metadata";

pub(super) struct SamlMetadata;

impl Kind for SamlMetadata {
    fn name(&self) -> &'static str {
        "saml"
    }

    fn about(&self) -> &'static str {
        "SAML metadata: one entity or an aggregate"
    }

    fn prepare<'d>(
        &self,
        document: &'d Document,
        terms: &Terms<'_>,
        random: &mut dyn CryptoRng,
    ) -> Result<Box<dyn Prepared + 'd>, Fault> {
        prepare::prepare(document, terms, random)
    }

    fn verify(&self, document: &Document, trust: &[PublicKey]) -> Result<Verified, Fault> {
        verify(document.reader(), trust, None).map_err(|fault| fault.at(document.name()))
    }
}

/// Verifies a stream of signed metadata, and records what it covers.
fn verify(source: impl Read, trust: &[PublicKey], recorder: Option<Recorder<'_>>) -> Result<Verified, Fault> {
    let mut collector = Collector::new();
    if let Some(recorder) = recorder {
        collector = collector.recording(recorder);
    }
    let found = dsig::verify(source, Limits::default(), Rules::default(), |event| collector.event(event))?;
    let method = &found.signature.signature_method;
    let (algorithm, scheme) = scheme(method).ok_or_else(|| {
        WEAK.fault(format!("signatures of the kind '{method}' are not accepted"))
            .hint("RSA-SHA256, RSA-SHA384, RSA-SHA512 and ECDSA-SHA384 are")
    })?;
    let value = Signature::from_bytes(found.signature.value.clone());
    let signed = |key: &&PublicKey| {
        key.algorithm().oid() == algorithm.oid() && key.verify(scheme, &found.signed_info, &value)
    };
    let key = trust.iter().find(signed).ok_or_else(|| {
        UNTRUSTED
            .fault("no trusted key made this signature")
            .hint("get the federation's key over another channel, and name it with --trust")
    })?;
    if !found.is_intact() {
        return Err(ALTERED.fault("the document is not the one that was signed: its digest differs"));
    }
    let (facts, _) = collector.finish()?;
    let valid_until = facts.value("validUntil").map(Instant::parse).transpose().map_err(|fault| {
        EXPIRED.fault(format!(
            "the signature is good, but until when the document is valid cannot be read: {fault}"
        ))
    })?;
    let covers = "the whole root element".to_owned();
    Ok(Verified { facts, key: key.clone(), scheme, covers, valid_from: None, valid_until })
}

/// Refuses a root element that is not SAML metadata.
fn check_root(root: StartTag<'_>) -> Result<(), Fault> {
    if root.is(MD, "EntitiesDescriptor") || root.is(MD, "EntityDescriptor") {
        return Ok(());
    }
    let name = root.name().chars().take(80).collect::<String>();
    let fault = OTHER.fault(format!("{}: the root element is {name}, not SAML metadata", root.position()));
    Err(fault.hint(format!("EntitiesDescriptor or EntityDescriptor of {MD} was expected")))
}
