//! SPIFFE bundles: the keys of a trust domain (SPIFFE Trust Domain and Bundle, section 4). They are unsigned by their
//! nature; the signature stands beside them.

use std::io::Write;
use std::path::Path;

use rand_core::CryptoRng;
use serde::Deserialize;
use serde_json::{Value, json};

use super::compose::{self, Input};
use super::keyset::{self, Key, KeyInput, Ready, keys};
use super::{COMPOSED, Fingerprints, Kind, Listing, Prepared, Terms, VaultKey, Verified};
use crate::base::bytes::{Digest, from_base64};
use crate::base::clock::{Instant, Span};
use crate::base::disk::Document;
use crate::base::fault::Fault;
use crate::format::x509::Authority;
use crate::key::PublicKey;
use crate::policy::{Facts, Last, Profile, REVOKED, next_sequence};

pub(super) struct Spiffe;

const X509: &str = "x509-svid";
const JWT: &str = "jwt-svid";
/// What the review tells of a bundle beside its members.
const OURS: [&str; 4] = ["trust_domain", "authority", "revoke_all", REVOKED];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Composed {
    trust_domain: String,
    /// By itself one more than signed last, or far ahead of it, where a key of the line was revoked since.
    sequence: Option<u64>,
    /// The highest one that anybody saw, where that is not ours.
    sequence_seen: Option<u64>,
    /// From the profile by itself.
    refresh_hint: Option<String>,
    /// Only the keys for this: some consumers take no others.
    only: Option<Only>,
    /// Whether a set without keys is meant: it revokes everything.
    #[serde(default)]
    revoke_all: bool,
    #[serde(default)]
    keys: Vec<KeyInput>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Only {
    X509,
    Jwt,
}

impl Only {
    const fn name(self) -> &'static str {
        match self {
            Self::X509 => X509,
            Self::Jwt => JWT,
        }
    }
}

impl Kind for Spiffe {
    fn name(&self) -> &'static str {
        "spiffe-bundle"
    }

    fn about(&self) -> &'static str {
        "the trust bundle of a SPIFFE trust domain"
    }

    fn wants(&self, profile: &Profile) -> Option<&'static str> {
        profile.spiffe.trust_domain.is_empty().then_some("spiffe.trust_domain")
    }

    fn open(&self, path: &Path) -> Result<Document, Fault> {
        compose::open(path)
    }

    /// Bundles with keys of one use only have sequences of their own.
    fn subject(&self, document: &Document) -> Result<String, Fault> {
        match compose::read(document).map_err(|fault| fault.at(document.name()))? {
            Input::Composed(Composed { only: Some(only), .. }) => Ok(only.name().to_owned()),
            _ => Ok(String::new()),
        }
    }

    fn prepare<'d>(
        &self,
        document: &'d Document,
        terms: &Terms<'_>,
        _random: &mut dyn CryptoRng,
        record: Option<&mut dyn Write>,
    ) -> Result<Box<dyn Prepared + 'd>, Fault> {
        let input: Input<Composed> = compose::read(document).map_err(|fault| fault.at(document.name()))?;
        let mut facts = Facts::default();
        if let Some(revoked) = revoked(terms)? {
            facts.add(REVOKED, &revoked);
        }
        let mut ready = match input {
            Input::Composed(composed) => composed.ready(document, terms, facts)?,
            Input::Ready(bytes, value) => {
                if let Some(name) = OURS.iter().find(|name| value.get(name).is_some()) {
                    return Err(COMPOSED
                        .fault(format!(
                            "{}: it has '{name}', as the review calls something else",
                            document.name()
                        ))
                        .hint("take the member out: SPIFFE knows none of this name"));
                }
                facts.add_with("trust_domain", &terms.profile.spiffe.trust_domain, "from the profile");
                Ready { document: bytes, value, others: vec![], facts, subject: String::new() }
            }
        };
        let domain = &terms.profile.spiffe.trust_domain;
        for authority in keys(&ready.value).filter_map(authority) {
            ready.facts.add("authority", authority);
        }
        let breaches = keys(&ready.value).flat_map(|key| authorities(key, domain, terms.now)).collect();
        keyset::prepare(
            ("spiffe-bundle", &["spiffe-bundle", "jwks"]),
            document,
            terms,
            record,
            ready,
            breaches,
        )
    }

    fn carries(&self, document: &Document) -> Result<Fingerprints, Fault> {
        keyset::carries("spiffe-bundle", document)
    }

    fn verify(&self, document: &Document, trust: &[PublicKey]) -> Result<Verified, Fault> {
        keyset::verify("spiffe-bundle", document, &[], trust).map(|(verified, ..)| verified)
    }
}

impl Composed {
    fn ready(self, document: &Document, terms: &Terms<'_>, mut facts: Facts) -> Result<Ready, Fault> {
        let mut jwks = Vec::new();
        for (number, input) in self.keys.iter().enumerate() {
            let at = |fault: Fault| fault.at(format_args!("{}: key {}", document.name(), number + 1));
            for key in input.keys(terms, keyset::channel("spiffe-bundle")).map_err(at)? {
                let jwk = written(&key, input.purpose.as_deref()).map_err(at)?;
                let is_wanted = |only: Only| jwk.get("use").and_then(Value::as_str) == Some(only.name());
                if self.only.is_none_or(is_wanted) {
                    jwks.push(jwk);
                }
            }
        }
        let profile = &terms.profile.spiffe;
        facts.add("trust_domain", &self.trust_domain);
        if self.revoke_all {
            facts.add("revoke_all", "true");
        }
        let next = || {
            let ours = sequence(terms.last).unwrap_or_default();
            next_sequence(&facts, terms.last.map(Last::facts), ours, self.sequence_seen)
        };
        let sequence = self.sequence.map_or_else(next, Ok)?;
        let hint = match &self.refresh_hint {
            Some(hint) => Span::parse(hint).map_err(|fault| fault.at(document.name()))?,
            None => profile.refresh_hint,
        };
        let value = json!({"spiffe_sequence": sequence, "spiffe_refresh_hint": hint.seconds(), "keys": jwks});
        let subject = self.only.map_or("", Only::name).to_owned();
        Ok(Ready { document: compose::text(&value), value, others: vec![], facts, subject })
    }
}

/// The keys of the line that somebody else may hold: whoever has one may have signed a bundle with any sequence.
fn revoked(terms: &Terms<'_>) -> Result<Option<String>, Fault> {
    let keys = terms.vault.keys()?;
    let is_stolen = |key: &&VaultKey| match &key.listing {
        Listing::Revoked(revoked) => revoked.as_ref().is_none_or(|revoked| revoked.reason != SUPERSEDED),
        _ => false,
    };
    let of_line = keys.iter().filter(|key| key.id.line == terms.key.line);
    let stolen: Vec<_> = of_line.filter(is_stolen).map(|key| format!("#{}", key.id.version)).collect();
    Ok((!stolen.is_empty()).then(|| stolen.join(", ")))
}

/// The reason of a key that was only replaced (OpenID Federation 1.0, section 8.7.4).
const SUPERSEDED: &str = "superseded";

/// The sequence that was signed last.
fn sequence(last: Option<&Last>) -> Option<u64> {
    last?.facts().value("spiffe_sequence")?.parse().ok()
}

/// What tells the authority of a key from others: the digest of its certificate, or its kid.
fn authority(key: &Value) -> Option<String> {
    let certificate = key.get("x5c").and_then(|chain| chain.get(0)?.as_str());
    let certificate = certificate.map(|one| Digest::of(one.as_bytes()).to_string());
    certificate.or_else(|| key.get("kid")?.as_str().map(str::to_owned))
}

/// A key as a bundle has it: a certificate without a kid for X.509-SVIDs, a kid for JWT-SVIDs (sections 4.2.2 and 4.2.3).
fn written(key: &Key, purpose: Option<&str>) -> Result<Value, Fault> {
    let purpose = purpose.unwrap_or(if key.certificate.is_some() { X509 } else { JWT });
    if purpose != X509 {
        return key.named(purpose);
    }
    let Some(certificate) = key.x5c() else {
        return Err(COMPOSED
            .fault(format!("a key for {X509} is given by its certificate"))
            .hint("give the certificate of the authority, in PEM"));
    };
    let mut jwk = key.written(&[("use", purpose.to_owned())]);
    if let Value::Object(members) = &mut jwk {
        members.insert("x5c".into(), vec![certificate].into());
    }
    Ok(jwk)
}

/// What the certificates of a key for X.509-SVIDs breach (X509-SVID, sections 4 and 5; Trust Domain and Bundle, section 4.2.2).
fn authorities(key: &Value, domain: &str, now: Instant) -> Vec<(&'static str, String, String)> {
    let mut found = Vec::new();
    if key.get("use").and_then(Value::as_str) != Some(X509) {
        return found;
    }
    let certificates = key.get("x5c").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    for (number, certificate) in certificates.iter().enumerate() {
        let der = certificate.as_str().and_then(from_base64).unwrap_or_default();
        let place = format!("certificate {}", number + 1);
        let mut breach =
            |rule, detail: String| found.push((rule, String::new(), format!("{place} {detail}")));
        let Ok(authority) = Authority::from_der(&der) else {
            breach("spiffe-bundle.x509.authority", "cannot be read".into());
            continue;
        };
        let place = format!("the certificate of {}", authority.key.fingerprint());
        let mut breach =
            |rule, detail: String| found.push((rule, String::new(), format!("{place} {detail}")));
        if !authority.signs_certificates_only {
            breach("spiffe-bundle.x509.authority", "is not that of an authority and nothing else".into());
        }
        let id = format!("spiffe://{domain}");
        if authority.uris.len() > 1 || authority.uris.iter().any(|uri| *uri != id) {
            breach("spiffe-bundle.x509.uri", format!("is for {}, not {id}", authority.uris.join(", ")));
        }
        if !authority.is_self_issued {
            breach("spiffe-bundle.x509.self-signed", "was issued by another authority".into());
        }
        if now < authority.not_before || now >= authority.not_after {
            let (from, until) = (authority.not_before, authority.not_after);
            breach("spiffe-bundle.x509.valid", format!("is valid from {from} until {until}"));
        }
    }
    found
}
