//! Documents that become the payload of a signed JWT (RFC 7519): what an operator decides comes in as TOML or JSON, and the
//! program adds the header, the dates and the names that belong to the key line.

use std::io::Write;

use rand_core::CryptoRng;
use serde::de::DeserializeOwned;

use super::commands;
use super::compose::{self, Input};
use super::{ALTERED, COMPOSED, Prepared, Terms, UNTRUSTED, Verified, read_all};
use crate::base::bytes::{Digest, base64url};
use crate::base::clock::{Instant, Span};
use crate::base::disk::{self, Document};
use crate::base::fault::{Fault, INTERNAL};
use crate::base::text::without_value;
use crate::format::jose::{Draft, Jws, thumbprint};
use crate::format::json::{self, Limits, Map, Numbers, Value};
use crate::key::{Hash, PublicKey, Scheme, Signature};
use crate::policy::{Examined, Examiner, Facts, PROFILE, Standard, member};

/// Longer documents are not read.
const BYTES_MAX: u64 = 8 << 20;

/// What an operator decided, in TOML or in JSON of the same shape.
///
/// # Errors
///
/// `document.composed` for a member that is missing, unknown or of another type; those of the strict JSON reader.
pub(super) fn input<T: DeserializeOwned>(document: &Document) -> Result<T, Fault> {
    let read = compose::read(document).and_then(|input| match input {
        Input::Composed(composed) => Ok(composed),
        Input::Ready(_, value) => {
            serde_json::from_value(value).map_err(|e| COMPOSED.fault(without_value(&e.to_string())))
        }
    });
    read.map_err(|fault| fault.at(document.name()))
}

/// A name that no other JWT has: 128 random bits (RFC 7519, section 4.1.7).
pub(super) fn unique(random: &mut dyn CryptoRng) -> String {
    let mut bytes = [0; 16];
    random.fill_bytes(&mut bytes);
    base64url(&bytes)
}

/// The way a key line signs: the profile's `alg`, or RS256 for RSA and ES384 for P-384.
pub(super) fn scheme(key: &PublicKey, alg: &str) -> Result<&'static Scheme, Fault> {
    if alg.is_empty() {
        return Ok(key.algorithm().scheme(Hash::Sha256));
    }
    key.jose_scheme(alg).ok_or_else(|| {
        PROFILE
            .fault(format!("its alg is '{alg}', which a {} key does not sign with", key.title()))
            .hint("take an alg of the key, or leave it out")
    })
}

/// The dates of a JWT.
#[derive(Clone, Copy)]
pub(super) struct Dates {
    /// When it is signed.
    pub(super) iat: Instant,
    /// From when on it counts, where that is not at once.
    pub(super) nbf: Option<Instant>,
    /// When it ends.
    pub(super) exp: Instant,
}

impl Dates {
    /// From now on for so long.
    pub(super) fn from(now: Instant, valid_for: Span) -> Result<Self, Fault> {
        Ok(Self { iat: now, nbf: None, exp: now.after(valid_for)? })
    }

    /// Adds the claims `iat`, `nbf` and `exp` (RFC 7519, section 4.1), whole seconds.
    pub(super) fn put(self, claims: &mut Map<String, Value>) {
        claims.insert("iat".into(), self.iat.unix().into());
        if let Some(nbf) = self.nbf {
            claims.insert("nbf".into(), nbf.unix().into());
        }
        claims.insert("exp".into(), self.exp.unix().into());
    }
}

/// A JWT that needs only its signature.
pub(super) struct Jwt {
    draft: Draft,
    facts: Facts,
    examined: Examined,
    digest: Digest,
    public: PublicKey,
    scheme: &'static Scheme,
}

/// What makes the JWTs of a kind: its name, its `typ` (RFC 8725, section 3.11), and the groups of rules it is judged by.
pub(super) struct Shape {
    pub(super) kind: &'static str,
    pub(super) typ: &'static str,
    pub(super) groups: &'static [&'static str],
}

impl Jwt {
    /// Judges claims and readies them for the line's key, which signs under its thumbprint (RFC 7638). `breaches` are what
    /// the kind found itself: rule and detail.
    pub(super) fn new(
        shape: &Shape,
        document: &Document,
        terms: &Terms<'_>,
        scheme: &'static Scheme,
        claims: Map<String, Value>,
        breaches: &[(&'static str, String)],
        record: Option<&mut dyn Write>,
    ) -> Result<Self, Fault> {
        let facts = facts(shape.typ, scheme.jose, &claims);
        let breaches = breaches.iter().map(|(rule, detail)| (*rule, String::new(), detail.clone()));
        Self::with(shape, document, terms, scheme, claims, (facts, breaches.collect()), record)
    }

    /// The same with the facts as the kind tells them, and with breaches that say whom they are about: rule, subject and
    /// detail.
    pub(super) fn with(
        shape: &Shape,
        document: &Document,
        terms: &Terms<'_>,
        scheme: &'static Scheme,
        claims: Map<String, Value>,
        (facts, breaches): (Facts, Vec<(&'static str, String, String)>),
        record: Option<&mut dyn Write>,
    ) -> Result<Self, Fault> {
        let standard =
            Standard { profile: terms.profile, key: terms.public, now: terms.now, released: terms.released };
        let record = record.map(|to| to as &mut dyn Write);
        let mut judge = Examiner::new(shape.kind, shape.groups, standard, terms.last, record);
        for (rule, subject, detail) in breaches {
            judge.breach(rule, &subject, detail);
        }
        let claims = Value::Object(claims);
        // Whoever verifies it reads it so.
        let payload = claims.to_string();
        let read = json::read(payload.as_bytes(), Numbers::Any, &Limits::default());
        if read.map_err(|fault| fault.at(document.name()))? != claims {
            return Err(INTERNAL.fault("the claims say something else when they are read again"));
        }
        let examined = judge.finish_json(&facts, &claims)?;
        Ok(Self {
            draft: Draft::new(scheme, shape.typ, &thumbprint(terms.public), payload.as_bytes()),
            facts,
            examined,
            digest: document.digest()?,
            public: terms.public.clone(),
            scheme,
        })
    }
}

/// What a JWT says. Dates are told as people read them; what differs in every JWT has a remark, and counts as no change.
pub(super) fn facts(typ: &str, alg: &str, claims: &Map<String, Value>) -> Facts {
    let mut facts = Facts::default();
    facts.add("typ", typ);
    facts.add("alg", alg);
    for (name, value) in claims {
        let instant = value.as_i64().and_then(|seconds| Instant::from_unix(seconds).ok());
        match (name.as_str(), instant) {
            ("iat" | "nbf" | "exp", Some(instant)) => {
                facts.add_with(name, instant.to_string(), format!("NumericDate {}", instant.unix()));
            }
            ("jti", _) if value.is_string() => {
                facts.add_with(name, value.as_str().unwrap_or_default(), "of this one alone");
            }
            _ => facts.add_json(&member("", name), value),
        }
    }
    let seconds = |name: &str| claims.get(name).and_then(Value::as_i64);
    if let (Some(iat), Some(exp)) = (seconds("iat"), seconds("exp")) {
        facts.add("lifetime", Span::of_seconds(exp - iat).to_string());
    }
    facts
}

impl Prepared for Jwt {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn examined(&self) -> &Examined {
        &self.examined
    }

    fn document(&self) -> Digest {
        self.digest
    }

    fn octets(&self) -> Vec<&[u8]> {
        vec![self.draft.octets()]
    }

    fn scheme(&self) -> &'static Scheme {
        self.scheme
    }

    fn length_max(&self) -> u64 {
        // base64url of the longest signature, RSA with 4096 bits, and a dot.
        self.draft.octets().len() as u64 + 684
    }

    fn finish(&self, signature: &Signature, output: &mut dyn Write) -> Result<(), Fault> {
        let text = self.draft.finish(signature);
        if Jws::read(&text, &[])?.verify_with(&self.public).is_err() {
            return Err(INTERNAL.fault("the signature does not fit the JWT"));
        }
        let failed = |error| disk::fault("write", "the signed document".as_ref(), &error);
        output.write_all(text.as_bytes()).map_err(failed)
    }
}

/// A document that is text.
pub(super) fn text(document: &Document) -> Result<String, Fault> {
    String::from_utf8(read_all(document, BYTES_MAX)?)
        .map_err(|_| ALTERED.fault(format!("{} is not text", document.name())))
}

/// Verifies a compact JWS of this `typ` with a trusted key, whatever its header says of keys; yields its claims too.
pub(super) fn verify(
    document: &Document,
    typ: &str,
    trust: &[PublicKey],
) -> Result<(Map<String, Value>, Verified), Fault> {
    let text = text(document)?;
    let at = |fault: Fault| fault.at(document.name());
    let jws = Jws::read(text.trim_ascii_end(), &[]).map_err(at)?;
    let signed = trust.iter().find_map(|key| Some((key, jws.verify_with(key).ok()?)));
    let (key, scheme) = signed.ok_or_else(|| {
        UNTRUSTED
            .fault(format!("{}: no trusted key made this signature", document.name()))
            .hint("get the issuer's key over another channel, and name it with --trust")
    })?;
    let found = jws.header().typ().unwrap_or_default();
    if !found.strip_prefix("application/").unwrap_or(found).eq_ignore_ascii_case(typ) {
        return Err(at(ALTERED
            .fault(format!("the signature is good, but the typ is '{found}', not '{typ}'"))
            .hint("one kind of JWT never stands in for another (RFC 8725, section 3.11)")));
    }
    let claims = json::object(jws.payload(), Numbers::Any, &Limits::default()).map_err(at)?;
    // They are the document up to its second dot.
    let octets = format!("gzip -dcf \"$document\" | head -c {}", jws.signed().len());
    let verified = Verified {
        facts: facts(found, scheme.jose, &claims),
        key: key.clone(),
        scheme,
        covers: "its header and every claim".to_owned(),
        coverage: vec![],
        commands: Some(commands::jws(&jws, &octets, key, scheme)?),
        valid_from: date(&claims, "nbf").map_err(at)?.max(date(&claims, "iat").map_err(at)?),
        valid_until: date(&claims, "exp").map_err(at)?,
    };
    Ok((claims, verified))
}

/// A NumericDate (RFC 7519, section 2), if the claim is there; a fraction is dropped.
fn date(claims: &Map<String, Value>, name: &str) -> Result<Option<Instant>, Fault> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    #[expect(clippy::cast_possible_truncation, reason = "a cast of a float saturates")]
    let seconds = value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds.floor() as i64));
    let seconds = seconds.ok_or_else(|| ALTERED.fault(format!("its {name} is no number")))?;
    Instant::from_unix(seconds).map(Some)
}

/// Claims that are names (RFC 7519, section 4.1; RFC 9068, section 2.2): no number or `null` stands in for one.
const NAMES: [&str; 7] = ["iss", "sub", "client_id", "jti", "tenant", "env", "scope"];

/// Refuses a JWT that lacks one of these claims, or in which one that is a name is no text.
pub(super) fn demand(claims: &Map<String, Value>, names: &[&str], document: &Document) -> Result<(), Fault> {
    for name in names {
        let why = match claims.get(*name) {
            None => "is missing",
            Some(value) if NAMES.contains(name) && value.as_str().is_none_or(str::is_empty) => "is no text",
            Some(_) => continue,
        };
        return Err(ALTERED
            .fault(format!("{}: the signature is good, but the claim '{name}' {why}", document.name())));
    }
    Ok(())
}
