//! JSON Web Signatures in compact serialisation (RFC 7515, section 7.1), with the payload inside or detached and as it is
//! (RFC 7797).
//!
//! Headers that come in give names and nothing else: no key is taken from one. Headers that go out are built here.

use serde_json::{Map, Value, json};

use super::{ALGORITHM, CRITICAL, JWS, Jwk, SIGNATURE};
use crate::base::bytes::{base64url, from_base64url};
use crate::base::fault::Fault;
use crate::format::json::{self, Limits, Numbers};
use crate::key::{PublicKey, Scheme, Signature, is_jose_alg};

/// Longer ones are not read.
const TEXT_BYTES_MAX: usize = 8 << 20;
const HEADER: Limits = Limits { bytes: 1 << 20, depth: 16, values: 20_000 };

/// Parameters that RFC 7515 and RFC 7518 define: `crit` must not name them (RFC 7515, section 4.1.11).
const STANDARD: [&str; 20] = [
    "alg", "jku", "jwk", "kid", "x5u", "x5c", "x5t", "x5t#S256", "typ", "cty", "crit", "enc", "zip", "epk",
    "apu", "apv", "iv", "tag", "p2s", "p2c",
];

/// Algorithms that prove nothing to a third party: none at all, and those whose key is shared.
pub(super) fn is_refused(alg: &str) -> bool {
    alg.eq_ignore_ascii_case("none")
        || alg == "dir"
        || alg.starts_with("HS")
        || alg.starts_with('A') && alg.contains("KW")
}

/// The protected header of a JWS.
#[derive(Clone, Debug)]
pub struct Header {
    members: Map<String, Value>,
    alg: String,
}

impl Header {
    /// Reads a header; `understood` are the extensions that the caller heeds when `crit` names them.
    fn read(text: &str, understood: &[&str]) -> Result<Self, Fault> {
        let bytes =
            from_base64url(text).ok_or_else(|| JWS.fault("the header is not base64url without padding"))?;
        let members =
            json::object(&bytes, Numbers::Whole, &HEADER).map_err(|fault| fault.at("the header"))?;
        let alg = match members.get("alg") {
            Some(Value::String(alg)) => alg.clone(),
            _ => return Err(JWS.fault("the header has no 'alg'")),
        };
        if is_refused(&alg) {
            return Err(ALGORITHM
                .fault(format!("the algorithm '{alg}' is never accepted: it proves nothing to others")));
        }
        if !is_jose_alg(&alg) {
            return Err(ALGORITHM
                .fault(format!("the algorithm '{alg}' is not known here"))
                .hint("RS, PS and ES with 256, 384 and 512 are, and EdDSA"));
        }
        for name in ["kid", "typ", "cty"] {
            if members.get(name).is_some_and(|value| !value.is_string()) {
                return Err(JWS.fault(format!("the header's '{name}' is not a string")));
            }
        }
        let header = Self { members, alg };
        header.check_critical(understood)?;
        Ok(header)
    }

    fn check_critical(&self, understood: &[&str]) -> Result<(), Fault> {
        let b64 = self.members.get("b64");
        let Some(critical) = self.members.get("crit") else {
            return match b64 {
                None => Ok(()),
                Some(_) => {
                    Err(CRITICAL
                        .fault("the header has 'b64' and no 'crit' that names it (RFC 7797, section 6)"))
                }
            };
        };
        let names = json::name_set(critical)
            .ok_or_else(|| CRITICAL.fault("crit is not an array of one or more different names"))?;
        for name in &names {
            if STANDARD.contains(name) {
                return Err(CRITICAL.fault(format!("crit names '{name}', which the standard defines")));
            }
            if !self.members.contains_key(*name) {
                return Err(CRITICAL.fault(format!("crit names '{name}', which the header does not have")));
            }
            if *name != "b64" && !understood.contains(name) {
                return Err(
                    CRITICAL.fault(format!("the header's '{name}' is critical and not understood here"))
                );
            }
        }
        match b64 {
            Some(_) if !names.contains(&"b64") => {
                Err(CRITICAL.fault("the header has 'b64' and crit does not name it"))
            }
            Some(value) if !value.is_boolean() => {
                Err(CRITICAL.fault("the header's 'b64' is neither true nor false"))
            }
            _ => Ok(()),
        }
    }

    /// The algorithm; one that is known here.
    pub fn alg(&self) -> &str {
        &self.alg
    }

    /// The name of the key, opaque.
    pub fn kid(&self) -> Option<&str> {
        self.members.get("kid").and_then(Value::as_str)
    }

    /// The type of the whole.
    pub fn typ(&self) -> Option<&str> {
        self.members.get("typ").and_then(Value::as_str)
    }

    /// Any parameter.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.members.get(name)
    }

    /// Whether the payload is signed in base64url, as it is unless `b64` says otherwise (RFC 7797, section 3).
    fn is_encoded(&self) -> bool {
        self.members.get("b64").and_then(Value::as_bool).unwrap_or(true)
    }
}

/// A JWS that was read and not yet verified.
#[derive(Clone, Debug)]
pub struct Jws {
    header: Header,
    signed: Vec<u8>,
    payload: Vec<u8>,
    signature: Signature,
}

impl Jws {
    /// Reads a compact JWS with its payload inside. `understood` are header extensions that the caller heeds.
    ///
    /// # Errors
    ///
    /// `jws.malformed`, `jws.algorithm`, `jws.crit`, and those of the strict JSON reader for the header.
    pub fn read(text: &str, understood: &[&str]) -> Result<Self, Fault> {
        let [head, payload, signature] = split(text)?;
        let header = Header::read(head, understood)?;
        if !header.is_encoded() {
            return Err(JWS.fault("the payload is not encoded (b64 is false), so it has to be detached"));
        }
        let signed = [head.as_bytes(), b".", payload.as_bytes()].concat();
        let payload = from_base64url(payload)
            .ok_or_else(|| JWS.fault("the payload is not base64url without padding"))?;
        Ok(Self { header, signed, payload, signature: decoded(signature)? })
    }

    /// Reads a compact JWS whose payload is elsewhere (RFC 7515, appendix F), encoded or as it is.
    ///
    /// # Errors
    ///
    /// Those of [`Jws::read`].
    pub fn read_detached(text: &str, payload: &[u8], understood: &[&str]) -> Result<Self, Fault> {
        let [head, between, signature] = split(text)?;
        let header = Header::read(head, understood)?;
        if !between.is_empty() {
            return Err(JWS.fault("the payload is not detached: something stands between the two dots"));
        }
        let signed = if header.is_encoded() {
            [head, ".", &base64url(payload)].concat().into_bytes()
        } else {
            [head.as_bytes(), b".", payload].concat()
        };
        Ok(Self { header, signed, payload: payload.to_vec(), signature: decoded(signature)? })
    }

    /// Its header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// What is signed, decoded.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The octets that are signed.
    pub fn signed(&self) -> &[u8] {
        &self.signed
    }

    /// The signature.
    pub fn signature(&self) -> &Signature {
        &self.signature
    }

    /// Verifies the signature with a key as its owner describes it.
    ///
    /// # Errors
    ///
    /// `jwk.mismatch` when the key is not for this, `jws.signature` when the signature is wrong.
    pub fn verify(&self, jwk: &Jwk) -> Result<&'static Scheme, Fault> {
        self.check(jwk.key(), jwk.scheme(&self.header.alg)?)
    }

    /// Verifies the signature with a key of which nothing else is said.
    ///
    /// # Errors
    ///
    /// `jws.signature`.
    pub fn verify_with(&self, key: &PublicKey) -> Result<&'static Scheme, Fault> {
        let alg = &self.header.alg;
        let scheme = key
            .jose_scheme(alg)
            .ok_or_else(|| SIGNATURE.fault(format!("a {} key does not sign with '{alg}'", key.title())))?;
        self.check(key, scheme)
    }

    fn check(&self, key: &PublicKey, scheme: &'static Scheme) -> Result<&'static Scheme, Fault> {
        if key.verify(scheme, &self.signed, &self.signature) {
            return Ok(scheme);
        }
        Err(SIGNATURE.fault(format!("the {} signature is not by this key over these octets", scheme.jose)))
    }
}

fn split(text: &str) -> Result<[&str; 3], Fault> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(JWS.fault(format!("the JWS has {} bytes, more than {TEXT_BYTES_MAX}", text.len())));
    }
    let mut parts = text.split('.');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(header), Some(payload), Some(signature), None) => Ok([header, payload, signature]),
        _ => Err(JWS.fault("not a compact JWS: that has three parts, and a dot between each two")),
    }
}

fn decoded(signature: &str) -> Result<Signature, Fault> {
    let bytes = from_base64url(signature).filter(|bytes| !bytes.is_empty());
    bytes
        .map(Signature::from_bytes)
        .ok_or_else(|| JWS.fault("the signature is not base64url without padding"))
}

/// A JWS that needs only its signature.
pub struct Draft {
    head: String,
    octets: Vec<u8>,
    is_detached: bool,
}

impl Draft {
    /// A JWS of this type with the payload inside. The header is `alg`, `typ`, `kid`, in this order.
    pub fn new(scheme: &Scheme, typ: &str, kid: &str, payload: &[u8]) -> Self {
        let head = base64url(json!({"alg": scheme.jose, "typ": typ, "kid": kid}).to_string().as_bytes());
        let octets = [&head, ".", &base64url(payload)].concat().into_bytes();
        Self { head, octets, is_detached: false }
    }

    /// A JWS of this type over a payload that stays where it is, signed as it is (RFC 7797).
    pub fn detached(scheme: &Scheme, typ: &str, kid: &str, payload: &[u8]) -> Self {
        let header = json!({"alg": scheme.jose, "typ": typ, "kid": kid, "b64": false, "crit": ["b64"]});
        let head = base64url(header.to_string().as_bytes());
        let octets = [head.as_bytes(), b".", payload].concat();
        Self { head, octets, is_detached: true }
    }

    /// A JWS whose octets were made before.
    pub const fn of_octets(octets: Vec<u8>) -> Self {
        Self { head: String::new(), octets, is_detached: false }
    }

    /// The exact octets to be signed (RFC 7515, section 5.1).
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// The finished compact JWS.
    pub fn finish(&self, signature: &Signature) -> String {
        let signature = base64url(signature.as_bytes());
        if self.is_detached {
            return format!("{}..{signature}", self.head);
        }
        format!("{}.{signature}", String::from_utf8_lossy(&self.octets))
    }
}
