//! SAML metadata (SAML V2.0 Metadata, saml-metadata-2.0-os): one enveloped signature over the root element, section 3.

mod bare;
mod certificate;
mod content;
mod coverage;
mod element;
mod entity;
mod facts;
mod groups;
mod inheritance;
mod key_info;
mod mdq;
mod oddities;
mod parts;
mod places;
mod prepare;
mod private;
mod published;
mod recast;
mod room;
mod splice;
mod split;
mod standalone;
mod structure;

use std::io::{Read, Write};
use std::path::Path;

use rand_core::CryptoRng;

use self::coverage::Outside;
use self::facts::Collector;
use super::published::is_index;
use super::{
    ALTERED, BATCH, Batch, Cast, EXPIRED, Fingerprints, Kind, Look, OTHER, Prepared, Terms, UNTRUSTED,
    Verified, WEAK,
};
use crate::base::clock::Instant;
use crate::base::disk::{Document, Pending};
use crate::base::fault::Fault;
use crate::format::xml::dsig;
use crate::format::xml::{Event, Limits, StartTag};
use crate::key::{PublicKey, Scheme, Signature, scheme};
use crate::policy::Facts;

/// The rule about keys of the vault in metadata.
const CARRIED: &str = "saml.key.line";

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
        record: Option<&mut dyn Write>,
    ) -> Result<Box<dyn Prepared + 'd>, Fault> {
        prepare::prepare(document, terms, random, record)
    }

    fn split<'d>(
        &self,
        document: &'d Document,
        terms: &Terms<'_>,
        spare: Pending,
        record: &mut dyn Write,
        look: Option<Look<'_>>,
    ) -> Result<Box<dyn Batch + 'd>, Fault> {
        split::split(document, terms, spare, record, look)
    }

    fn carries(&self, document: &Document) -> Result<Fingerprints, Fault> {
        recast::carries(document)
    }

    fn recast(&self, document: &Document, cast: &Cast, to: &mut dyn Write) -> Result<(), Fault> {
        recast::recast(document, cast, to)
    }

    /// A folder is one that `--split` wrote.
    fn open_signed(&self, path: &Path) -> Result<Document, Fault> {
        super::published::open(path)
    }

    fn verify(&self, document: &Document, trust: &[PublicKey]) -> Result<Verified, Fault> {
        if is_index(document) {
            return published::verify(document, trust);
        }
        verify(document.content()?, trust).map_err(|fault| fault.at(document.name()))
    }
}

/// Verifies a stream of signed metadata.
fn verify(source: impl Read, trust: &[PublicKey]) -> Result<Verified, Fault> {
    let mut collector = Collector::new();
    let mut outside = Outside::default();
    let Checked { found, key, scheme, value } = check(source, trust, |event| {
        outside.event(event);
        collector.event(event)
    })?;
    let mut coverage = outside.coverage(&found);
    coverage.extend(collector.oddities().map(|(name, count)| (name, count.into())));
    let (facts, _) = collector.finish()?;
    let valid_until = valid_until(&facts)?;
    let commands = Some(outside.commands(&found, key, scheme, &value)?);
    let is_whole = found.signature.reference_uri.is_empty();
    let covers = if is_whole { "the whole document" } else { "the whole root element" }.to_owned();
    Ok(Verified {
        facts,
        covers,
        coverage,
        commands,
        key: key.clone(),
        scheme,
        valid_from: None,
        valid_until,
    })
}

/// A document whose digest and signature are right.
struct Checked<'k> {
    found: dsig::Verified,
    key: &'k PublicKey,
    scheme: &'static Scheme,
    value: Signature,
}

/// Checks the signature of a stream and the digest it speaks of; `visit` sees what the signature covers.
fn check(
    source: impl Read,
    trust: &[PublicKey],
    visit: impl FnMut(&Event<'_>) -> Result<(), Fault>,
) -> Result<Checked<'_>, Fault> {
    let found = dsig::verify(source, Limits::default(), visit)?;
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
        return Err(ALTERED
            .fault("the document is not the one that was signed: its digest differs")
            .hint("do not use it: get it anew from where it is published"));
    }
    Ok(Checked { found, key, scheme, value })
}

/// Until when a signed document is valid.
fn valid_until(facts: &Facts) -> Result<Option<Instant>, Fault> {
    facts.value("validUntil").map(Instant::parse_xml).transpose().map_err(|fault| {
        EXPIRED.fault(format!(
            "the signature is good, but until when the document is valid cannot be read: {fault}"
        ))
    })
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
