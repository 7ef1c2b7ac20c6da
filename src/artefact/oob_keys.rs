//! The keys of a trust anchor for another channel (OpenID Federation 1.0, section 11.3): a JWK set with thumbprints to compare,
//! a page to print, and a JWS in general JSON serialisation (RFC 7515, section 7.2.1) beside it, which every key of the
//! document may sign, one after the other.

use std::io::Write;
use std::path::Path;

use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::commands;
use super::compose;
use super::detached::{beside, place};
use super::grant::{self, Breach};
use super::jwt;
use super::keyset::KeyInput;
use super::oob_page::{self, Signed};
use super::{ALTERED, COMPOSED, Kind, Prepared, Terms, UNTRUSTED, Verified, read_all};
use crate::base::bytes::{Digest, base64url, from_base64url, hex};
use crate::base::clock::Instant;
use crate::base::disk::{self, Document};
use crate::base::fault::{Fault, INTERNAL};
use crate::base::text::without_value;
use crate::base::words;
use crate::format::jose::{self, Draft, Jwk, JwkSet, Jws};
use crate::key::{Parts, PublicKey, Scheme, Signature};
use crate::policy::{Examined, Examiner, Facts, Profile, Standard};

pub(super) struct OobKeys;

const KIND: &str = "oob-keys";
const TYP: &str = "oob-keys+jws";
const BYTES_MAX: u64 = 1 << 20;
const ENDINGS: [&str; 2] = [".jws", ".html"];
/// All that a document says; nothing else is signed.
const MEMBERS: [&str; 6] = ["entity_id", "iat", "exp", "contact", "thumbprints", "keys"];
/// All that is said of a key: what the key is, and how it is called and used.
const KEY_MEMBERS: [&str; 9] = ["kty", "crv", "x", "y", "n", "e", "kid", "use", "alg"];
/// Clocks may differ by so much.
const SKEW_SECONDS: i64 = 120;

/// What the operator decides; the line's own key is always among the keys.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Where to ask whether the thumbprints are right.
    contact: Option<String>,
    #[serde(default)]
    keys: Vec<KeyInput>,
}

/// A finished document that another key signs too.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Finished {
    document: String,
    signatures: Signatures,
}

/// A JWS in general JSON serialisation (RFC 7515, section 7.2.1); its payload is the document, octet by octet.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Signatures {
    payload: String,
    signatures: Vec<One>,
}

#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct One {
    protected: String,
    signature: String,
}

impl One {
    /// Compact, without the document.
    fn detached(&self, payload: &[u8]) -> Result<Jws, Fault> {
        Jws::read_detached(&format!("{}..{}", self.protected, self.signature), payload, &[])
    }

    fn commands(&self, payload: &[u8], key: &PublicKey, scheme: &Scheme) -> Result<String, Fault> {
        let base64url = "openssl base64 -A | tr '+/' '-_' | tr -d '='";
        let octets = format!("{{ printf %s. {}; gzip -dcf \"$document\" | {base64url}; }}", self.protected);
        commands::jws(&self.detached(payload)?, &octets, key, scheme)
    }
}

impl Kind for OobKeys {
    fn name(&self) -> &'static str {
        KIND
    }

    fn about(&self) -> &'static str {
        "a trust anchor's keys for another channel: to print, to compare, to pin"
    }

    fn wants(&self, profile: &Profile) -> Option<&'static str> {
        profile.oob_keys.entity_id.is_empty().then_some("oob_keys.entity_id")
    }

    /// Opens what an operator composed, or a finished document with its signatures, for another key to sign.
    fn open(&self, path: &Path) -> Result<Document, Fault> {
        let document = compose::open(path)?;
        let bytes = read_all(&document, BYTES_MAX)?;
        if !bytes.trim_ascii_start().starts_with(b"{") {
            return Ok(document);
        }
        let finished = Finished { document: text(bytes, path)?, signatures: signatures(path)? };
        let json = serde_json::to_vec(&finished).map_err(|e| INTERNAL.fault(e.to_string()))?;
        Ok(Document::from_path(path, json))
    }

    fn prepare<'d>(
        &self,
        document: &'d Document,
        terms: &Terms<'_>,
        _random: &mut dyn CryptoRng,
        record: Option<&mut dyn Write>,
    ) -> Result<Box<dyn Prepared + 'd>, Fault> {
        let at = |fault: Fault| fault.at(document.name());
        let bytes = read_all(document, BYTES_MAX)?;
        let issuer = grant::issuer("oob_keys", &terms.profile.oob_keys.entity_id, terms)?;
        let mut breaches = Vec::new();
        let (payload, signatures) = if bytes.trim_ascii_start().starts_with(b"{") {
            let finished: Finished = jwt::input(document)?;
            (finished.document.into_bytes(), finished.signatures)
        } else {
            let payload = compose::text(&written(&jwt::input(document)?, issuer, terms)?);
            let signatures = Signatures { payload: base64url(&payload), signatures: vec![] };
            (payload, signatures)
        };
        let content = Content::read(&payload).map_err(at)?;
        let signers = content.signers(&payload, &signatures).map_err(at)?;
        content.check_signer(issuer, terms, &signers).map_err(at)?;
        content.judge(terms, signers.len() + 1, &mut breaches)?;
        let scheme = jwt::scheme(terms.public, &terms.profile.oob_keys.alg)?;
        let mut facts = content.facts();
        let count = format!("{} of {} keys", signers.len() + 1, content.keys.keys.len());
        facts.add_with("signed by", count, scheme.jose);
        let standard =
            Standard { profile: terms.profile, key: terms.public, now: terms.now, released: terms.released };
        let record = record.map(|to| to as &mut dyn Write);
        let mut examiner = Examiner::new(KIND, &[KIND], standard, terms.last, record);
        for (rule, detail) in breaches {
            examiner.breach(rule, "", detail);
        }
        Ok(Box::new(Ready {
            examined: examiner.finish_json(&facts, &content.value)?,
            draft: Draft::new(scheme, TYP, &jose::thumbprint(terms.public), &payload),
            given: document.digest()?,
            public: terms.public.clone(),
            facts,
            payload,
            signatures,
            scheme,
        }))
    }

    fn verify(&self, document: &Document, trust: &[PublicKey]) -> Result<Verified, Fault> {
        let at = |fault: Fault| fault.at(document.name());
        let payload = read_all(document, BYTES_MAX)?;
        let content = Content::read(&payload).map_err(at)?;
        let signatures = signatures(place(document)?)?;
        let signers = content.signers(&payload, &signatures).map_err(at)?;
        let mut trusted =
            signers.iter().zip(&signatures.signatures).filter(|((key, _), _)| trust.contains(key));
        let ((key, scheme), one) = trusted.next().ok_or_else(|| {
            UNTRUSTED
                .fault(format!("{}: none of its {} signers is trusted", document.name(), signers.len()))
                .hint("compare the thumbprints over another channel, then name one of the keys with --trust")
        })?;
        Ok(Verified {
            facts: content.facts(),
            key: key.clone(),
            scheme,
            covers: format!(
                "the whole document; {} of its {} keys signed it",
                signers.len(),
                content.keys.keys.len()
            ),
            coverage: vec![],
            commands: Some(one.commands(&payload, key, scheme)?),
            valid_from: content.date("iat").map_err(at)?,
            valid_until: content.date("exp").map_err(at)?,
        })
    }
}

/// The document, from what the operator decides.
fn written(input: &Input, entity: &str, terms: &Terms<'_>) -> Result<Value, Fault> {
    let scheme = jwt::scheme(terms.public, &terms.profile.oob_keys.alg)?;
    let mut keys = vec![jose::jwk_as(terms.public, &jose::thumbprint(terms.public), scheme)];
    for (number, key) in input.keys.iter().enumerate() {
        let jwk = key.key(terms).and_then(|key| key.signing());
        keys.push(jwk.map_err(|fault| fault.at(format_args!("key {}", number + 1)))?);
    }
    let thumbprints =
        keys.iter().map(|jwk| thumbprint(&Jwk::read(jwk)?)).collect::<Result<Vec<_>, Fault>>()?;
    let mut value = Map::new();
    value.insert("entity_id".into(), entity.into());
    value.insert("iat".into(), terms.now.unix().into());
    value.insert("exp".into(), terms.now.after(terms.profile.oob_keys.valid_for)?.unix().into());
    if let Some(contact) = &input.contact {
        value.insert("contact".into(), grant::stated("contact", contact)?.into());
    }
    value.insert("thumbprints".into(), thumbprints.into());
    value.insert("keys".into(), keys.into());
    Ok(Value::Object(value))
}

/// What people compare: the thumbprint (RFC 7638) and the digest of the SubjectPublicKeyInfo.
fn thumbprint(jwk: &Jwk) -> Result<Value, Fault> {
    let thumbprint = jwk.thumbprint();
    let bytes = from_base64url(&thumbprint).ok_or_else(|| INTERNAL.fault("a thumbprint is no base64url"))?;
    Ok(json!({
        "kid": jwk.kid(),
        "jwk_sha256": hex(&bytes),
        "jwk_sha256_words": words::of(&bytes).join(" "),
        "spki_sha256": hex(jwk.key().fingerprint().as_bytes()),
    }))
}

/// Refuses keys that say more than such a document does, and one that is called as another key is: people compare by it.
fn check_keys(value: &Value, keys: &JwkSet) -> Result<(), Fault> {
    let given = value.get("keys").and_then(Value::as_array).into_iter().flatten();
    for (number, members) in given.filter_map(Value::as_object).enumerate() {
        if let Some(name) = members.keys().find(|name| !KEY_MEMBERS.contains(&name.as_str())) {
            let number = number + 1;
            return Err(ALTERED.fault(format!(
                "key {number} has the member '{name}', which no key of such a document has"
            )));
        }
    }
    for jwk in &keys.keys {
        let kid = jwk.kid().unwrap_or_default();
        let own = [jwk.thumbprint(), jose::kubernetes_kid(jwk.key())];
        // 32 octets in base64url are a SHA-256, and that of another key
        if from_base64url(kid).is_some_and(|digest| digest.len() == 32) && !own.iter().any(|own| own == kid) {
            return Err(ALTERED
                .fault(format!(
                    "the key with the thumbprint {} is called {kid}, like another key",
                    jwk.thumbprint()
                ))
                .hint("its kid is the key's own thumbprint, or a name that is none"));
        }
    }
    Ok(())
}

/// A document that was read and checked against itself.
pub(super) struct Content {
    pub(super) value: Value,
    pub(super) keys: JwkSet,
}

impl Content {
    /// Reads a document. Its thumbprints are those of its keys, in the same order.
    pub(super) fn read(payload: &[u8]) -> Result<Self, Fault> {
        let value = compose::value(payload)?;
        let keys = JwkSet::read(&value)?;
        let members = value.as_object().into_iter().flatten();
        if let Some((name, _)) = members.clone().find(|(name, _)| !MEMBERS.contains(&name.as_str())) {
            return Err(ALTERED.fault(format!("it has the member '{name}', which no such document has")));
        }
        check_keys(&value, &keys)?;
        for name in ["entity_id", "contact"] {
            if value.get(name).is_some_and(|text| !text.is_string()) {
                return Err(ALTERED.fault(format!("{name} is no text")));
            }
        }
        let told = value.get("thumbprints").and_then(Value::as_array);
        let own = keys.keys.iter().map(thumbprint).collect::<Result<Vec<_>, Fault>>()?;
        if told != Some(&own) || keys.keys.is_empty() || !keys.unused.is_empty() {
            return Err(ALTERED.fault("the thumbprints are not those of the keys"));
        }
        for name in ["iat", "exp"] {
            if value.get(name).and_then(Value::as_i64).is_none() {
                return Err(ALTERED.fault(format!("{name} is missing, or no number")));
            }
        }
        Ok(Self { value, keys })
    }

    pub(super) fn date(&self, name: &str) -> Result<Option<Instant>, Fault> {
        self.value.get(name).and_then(Value::as_i64).map(Instant::from_unix).transpose()
    }

    pub(super) fn text(&self, name: &str) -> &str {
        self.value.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// The keys that signed. A signature that is by none of the document's keys, or by one that signed before, is refused.
    fn signers(
        &self,
        payload: &[u8],
        signatures: &Signatures,
    ) -> Result<Vec<(PublicKey, &'static Scheme)>, Fault> {
        let mut signers: Vec<(PublicKey, &'static Scheme)> = Vec::new();
        let together = "the document and the .jws beside it belong together, as they were delivered";
        if signatures.payload != base64url(payload) {
            return Err(ALTERED.fault("the signatures are over another document").hint(together));
        }
        for (number, one) in signatures.signatures.iter().enumerate() {
            let jws = one.detached(payload)?;
            let signer = self.keys.keys.iter().find_map(|jwk| Some((jwk.key(), jws.verify(jwk).ok()?)));
            let new = signer.filter(|(key, _)| !signers.iter().any(|(other, _)| other == *key));
            let (key, scheme) = new.filter(|_| jws.header().typ() == Some(TYP)).ok_or_else(|| {
                ALTERED
                    .fault(format!("signature {} is by none of the document's keys", number + 1))
                    .hint(together)
            })?;
            signers.push((key.clone(), scheme));
        }
        Ok(signers)
    }

    /// The key that is about to sign is one of the document's, and signs it once.
    fn check_signer(
        &self,
        issuer: &str,
        terms: &Terms<'_>,
        signers: &[(PublicKey, &'static Scheme)],
    ) -> Result<(), Fault> {
        let wrong = |why: String| Err(COMPOSED.fault(why));
        if self.text("entity_id") != issuer {
            return wrong(format!("it is for {}, and the line is for {issuer}", self.text("entity_id")));
        }
        if !self.keys.keys.iter().any(|jwk| jwk.key() == terms.public) {
            return wrong(format!("{} is not among its keys", terms.key));
        }
        if signers.iter().any(|(key, _)| key == terms.public) {
            return wrong(format!("{} signed it already", terms.key));
        }
        Ok(())
    }

    /// Another line may have made the document: its dates are judged as if they were ours.
    fn judge_dates(&self, terms: &Terms<'_>, breaches: &mut Vec<Breach>) -> Result<(), Fault> {
        let (now, most) = (terms.now, terms.profile.oob_keys.valid_for);
        let (Some(iat), Some(exp)) = (self.date("iat")?, self.date("exp")?) else { return Ok(()) };
        if iat.seconds_since(now) > SKEW_SECONDS {
            breaches.push(("oob-keys.iat.future", format!("it was made at {iat}, and it is {now}")));
        }
        if exp <= now || exp <= iat {
            breaches.push(("oob-keys.exp.past", format!("it ends at {exp}; made at {iat}, and it is {now}")));
        }
        let counts = exp.seconds_since(now).max(exp.seconds_since(iat) - SKEW_SECONDS);
        if counts > most.seconds() {
            breaches.push(("oob-keys.exp.too-far", format!("it would end at {exp}, and {most} is the most")));
        }
        Ok(())
    }

    fn judge(&self, terms: &Terms<'_>, signed: usize, breaches: &mut Vec<Breach>) -> Result<(), Fault> {
        self.judge_dates(terms, breaches)?;
        let own = &terms.key.line;
        for (number, jwk) in self.keys.keys.iter().enumerate() {
            let (key, thumbprint) = (jwk.key(), jwk.thumbprint());
            if self.keys.keys.iter().take(number).any(|before| before.key() == key) {
                breaches.push(("oob-keys.key.twice", format!("key {thumbprint}")));
            }
            if let Parts::Rsa { n, .. } = key.parts()
                && n.len() < 384
            {
                breaches.push(("oob-keys.key.weak", format!("key {thumbprint} is {}", key.title())));
            }
            let last = terms.last.iter().flat_map(|last| last.facts().values("thumbprint"));
            let kept = terms.vault.keys()?;
            if !kept.iter().any(|kept| kept.public == *key) && !last.into_iter().any(|one| one == thumbprint)
            {
                breaches.push(("oob-keys.key.unknown", format!("key {thumbprint}")));
            }
            for kept in kept.iter().filter(|kept| kept.public == *key) {
                let line = &kept.id.line;
                if line.tenant() != own.tenant() || line.environment() != own.environment() {
                    breaches.push(("oob-keys.key.other-line", format!("key {thumbprint} is {}", kept.id)));
                }
            }
        }
        let facts = self.facts();
        for gone in terms.last.iter().flat_map(|last| last.facts().values("thumbprint")) {
            if !facts.values("thumbprint").any(|own| own == gone) {
                breaches.push(("oob-keys.key.gone", format!("key {gone} is gone")));
            }
        }
        if signed < self.keys.keys.len() {
            let detail = format!("{signed} of {} keys will have signed it", self.keys.keys.len());
            breaches.push(("oob-keys.signature.missing", detail));
        }
        Ok(())
    }

    fn facts(&self) -> Facts {
        let mut facts = Facts::default();
        facts.add("entity_id", self.text("entity_id"));
        for name in ["iat", "exp"] {
            if let Ok(Some(instant)) = self.date(name) {
                facts.add_with(name, instant.to_string(), format!("NumericDate {}", instant.unix()));
            }
        }
        if let Some(contact) = self.value.get("contact") {
            facts.add_json("contact", contact);
        }
        for jwk in &self.keys.keys {
            facts.add_with("thumbprint", jwk.thumbprint(), jwk.key().title());
        }
        facts.add_json("keys", self.value.get("keys").unwrap_or(&Value::Null));
        facts
    }
}

/// The signatures beside a document.
fn signatures(path: &Path) -> Result<Signatures, Fault> {
    let path = beside(path, ".jws");
    let bytes = read_all(&Document::open(&path)?, BYTES_MAX)?;
    let read = compose::value(&bytes).and_then(|value| {
        if value.get("signatures").and_then(Value::as_array).is_some_and(Vec::is_empty) {
            return Err(ALTERED
                .fault("it holds no signature: nobody has signed the document")
                .hint("compose the document anew in TOML, and sign that"));
        }
        serde_json::from_value(value)
            .map_err(|e| ALTERED.fault(format!("it holds no signatures: {}", without_value(&e.to_string()))))
    });
    read.map_err(|fault| fault.at(path.display()))
}

fn text(bytes: Vec<u8>, path: &Path) -> Result<String, Fault> {
    String::from_utf8(bytes).map_err(|_| COMPOSED.fault(format!("{} is not UTF-8", path.display())))
}

/// A document that needs only its signature.
struct Ready {
    facts: Facts,
    examined: Examined,
    given: Digest,
    payload: Vec<u8>,
    signatures: Signatures,
    draft: Draft,
    public: PublicKey,
    scheme: &'static Scheme,
}

impl Prepared for Ready {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn examined(&self) -> &Examined {
        &self.examined
    }

    fn document(&self) -> Digest {
        self.given
    }

    fn octets(&self) -> Vec<&[u8]> {
        vec![self.draft.octets()]
    }

    fn scheme(&self) -> &'static Scheme {
        self.scheme
    }

    fn length_max(&self) -> u64 {
        self.payload.len() as u64
    }

    fn beside(&self) -> Vec<&'static str> {
        ENDINGS.to_vec()
    }

    fn finish_beside(&self, signatures: &[Signature]) -> Result<Vec<Vec<u8>>, Fault> {
        let [signature] = signatures else { return Err(INTERNAL.fault("there is one signature")) };
        let compact = self.draft.finish(signature);
        let parts: Vec<&str> = compact.split('.').collect();
        let [protected, _, signature] = parts.as_slice() else {
            return Err(INTERNAL.fault("a compact JWS has three parts"));
        };
        let mut signatures = self.signatures.clone();
        signatures
            .signatures
            .push(One { protected: (*protected).to_owned(), signature: (*signature).to_owned() });
        let content = Content::read(&self.payload)?;
        let signers = content.signers(&self.payload, &signatures)?;
        if signers.last().is_none_or(|(key, _)| *key != self.public) {
            return Err(INTERNAL.fault("the signature does not fit the document beside it"));
        }
        let value = serde_json::to_value(&signatures).map_err(|e| INTERNAL.fault(e.to_string()))?;
        let signed: Vec<Signed<'_>> = signers.iter().map(|(key, scheme)| Signed { key, scheme }).collect();
        let jws = format!("{value}\n").into_bytes();
        Ok(vec![jws, oob_page::page(&content, &self.payload, &signed)?.into_bytes()])
    }

    fn finish(&self, _signature: &Signature, output: &mut dyn Write) -> Result<(), Fault> {
        let failed = |error| disk::fault("write", "the signed document".as_ref(), &error);
        output.write_all(&self.payload).map_err(failed)
    }
}
