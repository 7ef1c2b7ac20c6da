//! What all documents have in common that are sets of public keys: how keys come in, how they are written, how such a
//! document is examined, signed and verified.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::carried::Carrier;
use super::compose;
use super::detached::{self, Content, Detached, Form};
use super::openid::signing;
use super::{ALTERED, COMPOSED, Fingerprints, Prepared, Terms, VaultKey, Verified, read_all, read_plain};
use crate::base::bytes::{base64, from_base64};
use crate::base::disk::Document;
use crate::base::fault::Fault;
use crate::format::jose::{self, Jwk, JwkSet};
use crate::format::json::{self, Limits, Numbers};
use crate::format::{private, x509};
use crate::key::{Hash, Parts, PublicKey, Scheme};
use crate::policy::{Examiner, Fact, Facts, Standard};

/// The kinds of documents that are sets of keys.
const SETS: [&str; 3] = ["jwks", "kubernetes", "spiffe-bundle"];
const DOCUMENT_BYTES_MAX: u64 = 4 << 20;

/// One key of a composed document.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct KeyInput {
    /// Taken in by [`compose::open`]; what is still here came over standard input.
    file: Option<String>,
    /// A public key or a certificate.
    pem: Option<String>,
    /// A JSON Web Key.
    jwk: Option<String>,
    /// Whether it is the key of the line that signs; in a set, all keys of the line that belong there now.
    line: bool,
    /// What it is for.
    #[serde(rename = "use")]
    pub(super) purpose: Option<String>,
    /// Its name.
    pub(super) kid: Option<String>,
    /// Its algorithm in JOSE.
    alg: Option<String>,
}

/// A key that came in.
pub(super) struct Key {
    pub(super) public: PublicKey,
    /// Its certificate, DER.
    pub(super) certificate: Option<Vec<u8>>,
    pub(super) kid: Option<String>,
    alg: Option<String>,
    /// What it is for, where somebody says so: the operator, or else its JWK.
    purpose: Option<String>,
}

/// How others encrypt to a key (RFC 7518, section 4.1): `RSA1_5` is left out, for it leaks.
const RSA_ENCRYPTION: [&str; 4] = ["RSA-OAEP", "RSA-OAEP-256", "RSA-OAEP-384", "RSA-OAEP-512"];
const EC_ENCRYPTION: [&str; 4] = ["ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A192KW", "ECDH-ES+A256KW"];

impl KeyInput {
    /// Reads the key.
    pub(super) fn key(&self, terms: &Terms<'_>) -> Result<Key, Fault> {
        let ways = [self.file.is_some(), self.pem.is_some(), self.jwk.is_some(), self.line];
        if ways.into_iter().filter(|is_given| *is_given).count() != 1 {
            return Err(COMPOSED.fault("a key is given by one of file, pem, jwk and line = true"));
        }
        let mut key = if let Some(pem) = &self.pem {
            from_pem(pem)?
        } else if let Some(text) = &self.jwk {
            let jwk = Jwk::read(&json::read(text.as_bytes(), Numbers::Whole, &Limits::default())?)?;
            let purpose = jwk.member("use").and_then(Value::as_str);
            let [kid, alg, purpose] = [jwk.kid(), jwk.alg(), purpose].map(|text| text.map(str::to_owned));
            Key { public: jwk.key().clone(), certificate: None, kid, alg, purpose }
        } else if self.line {
            let certificate = terms.certificate.map(from_pem).transpose()?.and_then(|key| key.certificate);
            Key { public: terms.public.clone(), certificate, kid: None, alg: None, purpose: None }
        } else {
            return Err(COMPOSED
                .fault("the file of the key was not read: only a document in TOML that is given as a file names files")
                .hint("write it in TOML and give it as a file, or give the key as pem or jwk"));
        };
        key.kid = self.kid.clone().or(key.kid);
        key.alg = self.alg.clone().or(key.alg);
        key.purpose = self.purpose.clone().or(key.purpose);
        Ok(key)
    }

    /// Reads what stands in a set: for the line, all its keys that its rotation wants in this kind of channel.
    pub(super) fn keys(&self, terms: &Terms<'_>, channel: &str) -> Result<Vec<Key>, Fault> {
        let vault = if self.line { terms.vault.keys()? } else { Arc::default() };
        let is_wanted =
            |key: &&VaultKey| key.id.line == terms.key.line && key.is_wanted_in(channel) == Some(true);
        let wanted: Vec<_> = vault.iter().filter(is_wanted).collect();
        if wanted.is_empty() {
            return self.key(terms).map(|key| vec![key]);
        }
        if let Some(kid) = self.kid.as_ref().filter(|_| wanted.len() > 1) {
            return Err(COMPOSED
                .fault(format!("line = true stands for {} keys now, and '{kid}' names one", wanted.len()))
                .hint("leave kid out: each key is then called by its thumbprint"));
        }
        let key = |key: &VaultKey| {
            let certificate = terms.vault.certificate(&key.id)?.as_deref().map(from_pem).transpose()?;
            let certificate = certificate.and_then(|key| key.certificate);
            let [kid, alg, purpose] = [&self.kid, &self.alg, &self.purpose].map(Clone::clone);
            Ok(Key { public: key.public.clone(), certificate, kid, alg, purpose })
        };
        wanted.into_iter().map(key).collect()
    }
}

fn from_pem(pem: &str) -> Result<Key, Fault> {
    private::refuse_text(pem)?;
    if pem.matches("-----BEGIN ").count() != 1 {
        return Err(COMPOSED.fault("a key is one block of PEM: a PUBLIC KEY or a CERTIFICATE"));
    }
    let pem = pem.get(pem.find("-----BEGIN ").unwrap_or_default()..).unwrap_or_default();
    let (public, certificate) = if pem.starts_with("-----BEGIN CERTIFICATE-----") {
        let body: String = pem.lines().skip(1).take_while(|line| !line.starts_with("-----")).collect();
        let der = from_base64(&body).ok_or_else(|| COMPOSED.fault("the certificate is not PEM"))?;
        (x509::public_key_der(&der)?, Some(der))
    } else {
        (PublicKey::from_pem(pem)?, None)
    };
    Ok(Key { public, certificate, kid: None, alg: None, purpose: None })
}

impl Key {
    /// The way it signs: as it says, and else RS256 for RSA, and the only way of a curve.
    pub(super) fn scheme(&self) -> Result<&'static Scheme, Fault> {
        let Some(alg) = &self.alg else { return Ok(self.public.algorithm().scheme(Hash::Sha256)) };
        self.public.jose_scheme(alg).ok_or_else(|| {
            COMPOSED.fault(format!("a {} key does not sign with the algorithm '{alg}'", self.public.title()))
        })
    }

    /// As a JWK: its numbers, and these members before them.
    pub(super) fn written(&self, members: &[(&str, String)]) -> Value {
        let mut jwk = Map::new();
        let plain = jose::jwk(&self.public);
        jwk.extend(plain.get("kty").map(|kty| ("kty".to_owned(), kty.clone())));
        jwk.extend(members.iter().map(|(name, value)| ((*name).to_owned(), Value::from(value.as_str()))));
        let numbers: &[&str] = match self.public.parts() {
            Parts::Rsa { .. } => &["n", "e"],
            Parts::Ec { .. } => &["crv", "x", "y"],
            Parts::Okp { .. } => &["crv", "x"],
        };
        for name in numbers {
            jwk.extend(plain.get(name).map(|value| ((*name).to_owned(), value.clone())));
        }
        Value::Object(jwk)
    }

    /// What it is for: signatures, if nobody says anything else.
    pub(super) fn purpose(&self) -> &str {
        self.purpose.as_deref().unwrap_or("sig")
    }

    /// As a JWK for signatures, where no other key belongs.
    pub(super) fn signing(&self) -> Result<Value, Fault> {
        match self.purpose() {
            "sig" => self.named("sig"),
            other => Err(COMPOSED
                .fault(format!("the use of the key is '{other}', and keys for signatures stand here"))
                .hint("take a key that signs: one is never used for both")),
        }
    }

    /// As a JWK under a name: the given one, else its thumbprint.
    pub(super) fn named(&self, purpose: &str) -> Result<Value, Fault> {
        let kid = self.kid.clone().unwrap_or_else(|| jose::thumbprint(&self.public));
        let alg = match purpose {
            "sig" | "jwt-svid" => Some(self.scheme()?.jose.to_owned()),
            "enc" => self.encryption()?,
            other => {
                return Err(COMPOSED
                    .fault(format!("the use of the key is '{other}', which names none"))
                    .hint("write sig or enc; the keys of a SPIFFE bundle are for x509-svid or jwt-svid"));
            }
        };
        let mut members = vec![("kid", kid), ("use", purpose.to_owned())];
        members.extend(alg.map(|alg| ("alg", alg)));
        Ok(self.written(&members))
    }

    /// The algorithm of a key that others encrypt to, where one is said (RFC 7518, section 4.1).
    fn encryption(&self) -> Result<Option<String>, Fault> {
        let is_rsa = matches!(self.public.parts(), Parts::Rsa { .. });
        let taken = if is_rsa { &RSA_ENCRYPTION } else { &EC_ENCRYPTION };
        match &self.alg {
            Some(alg) if !taken.contains(&alg.as_str()) => Err(COMPOSED
                .fault(format!("nobody encrypts to a {} key with the algorithm '{alg}'", self.public.title()))
                .hint(format!("write one of {}, or leave alg out", taken.join(", ")))),
            alg => Ok(alg.clone()),
        }
    }

    /// Its certificate as `x5c` has it: base64 (RFC 7517, section 4.7).
    pub(super) fn x5c(&self) -> Option<String> {
        self.certificate.as_deref().map(base64)
    }
}

/// A set of keys that is ready to be examined.
pub(super) struct Ready {
    /// The document as it is written, and its value.
    pub(super) document: Vec<u8>,
    pub(super) value: Value,
    /// Others beside it, which the signature covers too.
    pub(super) others: Vec<(&'static str, Vec<u8>)>,
    /// What is to be shown before the document's own facts.
    pub(super) facts: Facts,
    /// What it is about, where the line signs several side by side.
    pub(super) subject: String,
}

/// The kind of channel in which consumers find the keys of a set.
pub(super) fn channel(kind: &str) -> &'static str {
    if kind == "spiffe-bundle" { "spiffe" } else { "jwks" }
}

/// Examines and readies a set: the rules of its own group, those about sets, and what the kind found while it read.
pub(super) fn prepare<'d>(
    (kind, groups): (&'static str, &'static [&'static str]),
    document: &Document,
    terms: &Terms<'_>,
    record: Option<&mut dyn Write>,
    ready: Ready,
    breaches: Vec<(&'static str, String, String)>,
) -> Result<Box<dyn Prepared + 'd>, Fault> {
    let set = JwkSet::read(&ready.value).map_err(|fault| fault.at(document.name()))?;
    // Whoever verifies it reads it so.
    for written in std::iter::once(&ready.document).chain(ready.others.iter().map(|(_, other)| other)) {
        compose::value(written).map_err(|fault| fault.at(document.name()))?;
    }
    let standard =
        Standard { profile: terms.profile, key: terms.public, now: terms.now, released: terms.released };
    let record = record.map(|to| to as &mut dyn Write);
    let mut examiner = Examiner::new(kind, groups, standard, terms.last, record);
    for (rule, subject, detail) in breaches {
        examiner.breach(rule, &subject, detail);
    }
    let mut facts = ready.facts;
    facts.add_json("", &ready.value);
    for owner in owners(terms, &set, &facts)? {
        examiner.breach("jwks.key.taken", "", owner);
    }
    let mut carrier = Carrier::new(terms, kind, "jwks.key.line")?;
    carrier.set(&ready.subject, &set, channel(kind));
    if facts.value("revoke_all") != Some("true") {
        carrier.judge(&mut examiner);
    }
    let found = carrier.finish(examiner.finish_json(&facts, &ready.value)?);
    let given = document.digest()?;
    let content = Content { document: ready.document, others: ready.others };
    Ok(Box::new(Detached::new(terms, given, (content, &[Form::jws(kind)]), (facts, found))))
}

/// Which keys of the set are others': keys of another line of the vault, such as another line gives out in a set of its own, or
/// federation keys of a subordinate (RFC 7517 knows no owner; SPIFFE Federation, section 6.2).
fn owners(terms: &Terms<'_>, set: &JwkSet, facts: &Facts) -> Result<Vec<String>, Fault> {
    let here = &terms.key.line;
    let mut found = Vec::new();
    for own in terms.vault.keys()?.iter().filter(|own| own.id.line != *here) {
        let same = set.keys.iter().filter(|jwk| *jwk.key() == own.public);
        found.extend(same.map(|jwk| format!("the key {} is {} of this vault", jwk.thumbprint(), own.id)));
    }
    for kind in SETS {
        for (line, theirs) in terms.vault.signed(kind)?.iter().filter(|(line, _)| line != here) {
            let theirs: BTreeSet<&str> = numbers(theirs).map(|fact| fact.value.as_str()).collect();
            let both = numbers(facts).filter(|fact| theirs.contains(fact.value.as_str()));
            let named = both.map(|fact| fact.path.rsplit_once('.').map_or("", |(key, _)| key));
            found.extend(named.map(|key| format!("{key} stands in the {kind} of {line}, too")));
        }
    }
    for jwk in &set.keys {
        found.extend(signing::holders(terms, jwk)?);
    }
    Ok(found)
}

/// Which sets of lines of the vault hold a key that signs for a federation. Foreign text.
///
/// # Errors
///
/// Those of reading the vault.
pub(super) fn holding(terms: &Terms<'_>, jwk: &Jwk) -> Result<Vec<String>, Fault> {
    let (mut own, mut found) = (Facts::default(), Vec::new());
    own.add_json("", &JwkSet::written(&[jose::jwk(jwk.key())]));
    for kind in SETS {
        for (line, theirs) in terms.vault.signed(kind)?.iter() {
            if numbers(theirs).any(|fact| numbers(&own).any(|own| own.value == fact.value)) {
                let kid = jwk.kid().unwrap_or_default();
                found.push(format!("the key '{kid}' stands in the {kind} of {line}, too"));
            }
        }
    }
    Ok(found)
}

/// What tells the keys of a set: the modulus, or the first coordinate.
fn numbers(facts: &Facts) -> impl Iterator<Item = &Fact> {
    let is_number =
        |path: &str| path.starts_with("keys[") && (path.ends_with("].n") || path.ends_with("].x"));
    facts.iter().filter(move |fact| is_number(&fact.path))
}

/// Verifies a set with the signature beside it; `others` stand there too, behind these endings.
pub(super) fn verify(
    kind: &'static str,
    document: &Document,
    others: &[&str],
    trust: &[PublicKey],
) -> Result<(Verified, Value, Vec<Value>), Fault> {
    let place = detached::place(document)?;
    let bytes = read_plain(document, DOCUMENT_BYTES_MAX)?;
    let mut payload = bytes.clone();
    let mut values = Vec::new();
    for ending in others {
        let path = detached::beside(place, ending);
        let other = read_plain(&Document::open(&path)?, DOCUMENT_BYTES_MAX)?;
        values.push(as_written(&other).map_err(|fault| fault.at(path.display()))?);
        payload.extend(other);
    }
    let found = detached::verify(place, (&payload, others), &[Form::jws(kind)], trust)?;
    // The signature is over one behind the other: only as they are written does each end where it ends.
    let read = if others.is_empty() { compose::value } else { as_written };
    let value = read(&bytes).map_err(|fault| fault.at(document.name()))?;
    JwkSet::read(&value).map_err(|fault| fault.at(document.name()))?;
    let mut facts = Facts::default();
    facts.add_json("", &value);
    let covers = if others.is_empty() { "the whole document" } else { "the set and what stands beside it" };
    Ok((
        Verified {
            facts,
            key: found.key,
            scheme: found.scheme,
            covers: covers.into(),
            coverage: vec![],
            commands: Some(found.commands),
            valid_from: None,
            valid_until: None,
        },
        value,
        values,
    ))
}

/// A document of ours, that is as we write it.
fn as_written(bytes: &[u8]) -> Result<Value, Fault> {
    let value = compose::value(bytes)?;
    if compose::text(&value) == bytes {
        return Ok(value);
    }
    Err(ALTERED
        .fault("it is not as it was written, though it says the same")
        .hint("take it as it was delivered"))
}

/// The keys of a finished set.
pub(super) fn carries(kind: &str, document: &Document) -> Result<Fingerprints, Fault> {
    let value = compose::value(&read_all(document, DOCUMENT_BYTES_MAX)?);
    let set = value.and_then(|value| JwkSet::read(&value)).map_err(|fault| fault.at(document.name()))?;
    Ok(set.keys.iter().map(|jwk| (channel(kind), jwk.key().fingerprint())).collect())
}

/// The members of a set's keys.
pub(super) fn keys(value: &Value) -> impl Iterator<Item = &Value> {
    value.get("keys").and_then(Value::as_array).into_iter().flatten()
}
