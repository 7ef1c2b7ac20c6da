//! Public keys as JSON Web Keys (RFC 7517), and their names: thumbprints (RFC 7638) and what Kubernetes calls them.
//!
//! Only public keys come in. No message repeats a value, in case it was a private one.

use std::collections::HashSet;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{JWK, MISUSED, UNSUPPORTED, WEAK};
use crate::base::bytes::{base64url, from_base64, from_base64url};
use crate::base::fault::Fault;
use crate::format::{private, x509};
use crate::key::{self, Parts, PublicKey, Scheme, curve, has_roca_fingerprint, is_jose_alg};

/// Longer names, numbers and other texts are of no honest key: what is kept of keys has to fit. RSA of 24,576 bits does.
const TEXT_BYTES_MAX: usize = 4_096;
/// Shorter moduli are not trusted (NIST SP 800-131A).
const RSA_BITS_MIN: usize = 2048;

/// The key as a JWK for signatures. Its `kid` is its thumbprint; `alg` is written when the key can sign in one way only.
pub fn jwk(key: &PublicKey) -> Value {
    let only = match key.algorithm().schemes() {
        [scheme] => Some(scheme),
        _ => None,
    };
    written(key, &thumbprint(key), only)
}

/// The key as a JWK for signatures of one way, under this `kid`.
pub fn jwk_as(key: &PublicKey, kid: &str, scheme: &Scheme) -> Value {
    written(key, kid, Some(scheme))
}

fn written(key: &PublicKey, kid: &str, scheme: Option<&Scheme>) -> Value {
    let mut jwk = required(key);
    if let Value::Object(members) = &mut jwk {
        members.insert("kid".into(), kid.into());
        members.insert("use".into(), "sig".into());
        members.extend(scheme.map(|scheme| ("alg".into(), scheme.jose.into())));
    }
    jwk
}

/// The SHA-256 thumbprint of the key (RFC 7638), in base64url.
pub fn thumbprint(key: &PublicKey) -> String {
    base64url(&Sha256::digest(required(key).to_string()))
}

/// The name that Kubernetes gives a key: SHA-256 over its SubjectPublicKeyInfo, in base64url
/// (`pkg/serviceaccount/jwt.go`, `keyIDFromPublicKey`).
pub fn kubernetes_kid(key: &PublicKey) -> String {
    base64url(key.fingerprint().as_bytes())
}

/// The members a thumbprint covers, in the order of RFC 7638, section 3.2, and RFC 8037, section 2.
fn required(key: &PublicKey) -> Value {
    match key.parts() {
        Parts::Rsa { n, e } => json!({"e": base64url(e), "kty": "RSA", "n": base64url(n)}),
        Parts::Ec { curve, x, y, .. } => {
            json!({"crv": curve, "kty": "EC", "x": base64url(x), "y": base64url(y)})
        }
        Parts::Okp { curve, x } => json!({"crv": curve, "kty": "OKP", "x": base64url(x)}),
    }
}

/// The SHA-256 thumbprint of any EC, RSA or OKP key (RFC 7638), one that is not used here among them.
pub fn thumbprint_of(jwk: &Value) -> Result<String, Fault> {
    private::refuse(jwk)?;
    let members = object(jwk)?;
    let names: &[&str] = match text(members, "kty")? {
        Some("RSA") => &["e", "kty", "n"],
        Some("EC") => &["crv", "kty", "x", "y"],
        Some("OKP") => &["crv", "kty", "x"],
        _ => return Err(UNSUPPORTED.fault("a thumbprint is known for keys of kty EC, RSA and OKP only")),
    };
    let mut covered = Map::new();
    for name in names {
        let value = text(members, name)?.ok_or_else(|| lacks(name))?;
        if !["crv", "kty"].contains(name) {
            number(members, name)?;
        }
        covered.insert((*name).into(), value.into());
    }
    Ok(base64url(&Sha256::digest(Value::Object(covered).to_string())))
}

/// The number that tells a JWK from others, as it is written: `n` of RSA, `x` of other keys.
pub fn number_of(jwk: &Value) -> Option<&str> {
    let name = if jwk.get("kty").is_some_and(|kty| kty == "RSA") { "n" } else { "x" };
    jwk.get(name).and_then(Value::as_str)
}

/// A public key as its owner describes it.
#[derive(Clone, Debug)]
pub struct Jwk {
    key: PublicKey,
    members: Map<String, Value>,
}

impl Jwk {
    /// Reads one JWK and holds what it says of the key against the key.
    ///
    /// # Errors
    ///
    /// `jwk.private`, `jwk.malformed`, `jwk.unsupported` for kinds of keys that are not used here, `jwk.weak` for RSA below
    /// 2048 bits and keys of the ROCA kind, `jwk.mismatch`.
    pub fn read(value: &Value) -> Result<Self, Fault> {
        private::refuse(value)?;
        let members = object(value)?;
        if text(members, "kid")?.is_some_and(str::is_empty) {
            return Err(JWK.fault("the kid of a JSON Web Key is empty"));
        }
        let parts = match text(members, "kty")?.ok_or_else(|| lacks("kty"))? {
            "RSA" => rsa(members)?,
            "EC" => ec(members)?,
            "OKP" => okp(members)?,
            _ => {
                return Err(UNSUPPORTED
                    .fault("keys of this kty are not used here")
                    .hint("EC, RSA and OKP are"));
            }
        };
        let key = PublicKey::from_parts(&parts).map_err(|fault| {
            let code = if fault.code() == &key::UNSUPPORTED { &UNSUPPORTED } else { &JWK };
            code.fault(fault.message())
        })?;
        let jwk = Self { key, members: members.clone() };
        jwk.check_alg()?;
        jwk.check_use()?;
        jwk.check_certificate()?;
        Ok(jwk)
    }

    /// The key.
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// Its name, opaque: whoever published it chose it.
    pub fn kid(&self) -> Option<&str> {
        self.str("kid")
    }

    /// The algorithm it is bound to, if it is bound to one.
    pub fn alg(&self) -> Option<&str> {
        self.str("alg")
    }

    /// Any member of it.
    pub fn member(&self, name: &str) -> Option<&Value> {
        self.members.get(name)
    }

    /// What [`number_of`] it says.
    pub fn number(&self) -> &str {
        let name = if self.str("kty") == Some("RSA") { "n" } else { "x" };
        self.str(name).unwrap_or_default()
    }

    /// Its SHA-256 thumbprint (RFC 7638).
    pub fn thumbprint(&self) -> String {
        thumbprint(&self.key)
    }

    /// The way a signature of this `alg` by this key is verified.
    ///
    /// # Errors
    ///
    /// `jwk.mismatch` when the key is not of this algorithm, is bound to another one, or is not for signatures.
    pub fn scheme(&self, alg: &str) -> Result<&'static Scheme, Fault> {
        let scheme = self.key.jose_scheme(alg).ok_or_else(|| {
            MISUSED.fault(format!("a {} key does not sign with the algorithm '{alg}'", self.key.title()))
        })?;
        if let Some(own) = self.alg().filter(|own| *own != alg) {
            return Err(MISUSED.fault(format!("the key is bound to '{own}', and the signature says '{alg}'")));
        }
        if self.str("use").is_some_and(|own| own != "sig") {
            return Err(MISUSED.fault("the key is not for signatures: its use is not 'sig'"));
        }
        if self.operations().is_some_and(|all| !all.contains(&"verify")) {
            return Err(MISUSED.fault("the key is not for verifying: its key_ops do not say 'verify'"));
        }
        Ok(scheme)
    }

    fn str(&self, name: &str) -> Option<&str> {
        self.members.get(name).and_then(Value::as_str)
    }

    fn operations(&self) -> Option<Vec<&str>> {
        self.members.get("key_ops")?.as_array().map(|all| all.iter().filter_map(Value::as_str).collect())
    }

    /// A signature algorithm of another kind of key is a lie; one for encryption is none of ours.
    fn check_alg(&self) -> Result<(), Fault> {
        let Some(alg) = text(&self.members, "alg")? else { return Ok(()) };
        let is_signature = is_jose_alg(alg) || super::jws::is_refused(alg);
        if is_signature && self.key.jose_scheme(alg).is_none() {
            return Err(MISUSED.fault(format!("the alg '{alg}' does not fit a {} key", self.key.title())));
        }
        Ok(())
    }

    fn check_use(&self) -> Result<(), Fault> {
        let own = text(&self.members, "use")?;
        let Some(operations) = self.members.get("key_ops") else { return Ok(()) };
        let all = operations.as_array().filter(|all| all.iter().all(Value::is_string));
        let all = all.ok_or_else(|| JWK.fault("the key_ops of a JSON Web Key is not an array of strings"))?;
        let mut seen = HashSet::new();
        if !all.iter().filter_map(Value::as_str).all(|one| seen.insert(one)) {
            return Err(JWK.fault("an operation stands twice in key_ops"));
        }
        let signs = |one: &Value| one == "sign" || one == "verify";
        let fits = match own {
            Some("sig") => all.iter().all(signs),
            Some("enc") => !all.iter().any(signs),
            _ => true,
        };
        if fits {
            Ok(())
        } else {
            Err(MISUSED.fault("the use and the key_ops of a JSON Web Key contradict each other"))
        }
    }

    /// The first certificate of `x5c` holds the key (RFC 7517, section 4.7), and `x5t#S256` is its digest.
    fn check_certificate(&self) -> Result<(), Fault> {
        let Some(chain) = self.members.get("x5c") else { return Ok(()) };
        let wrong = || JWK.fault("the x5c of a JSON Web Key is not an array of certificates in base64");
        let ders: Option<Vec<Vec<u8>>> =
            chain.as_array().and_then(|all| all.iter().map(|one| from_base64(one.as_str()?)).collect());
        let ders = ders.ok_or_else(wrong)?;
        let first = ders.first().ok_or_else(wrong)?;
        if x509::public_key_der(first).map_err(|_| wrong())? != self.key {
            return Err(MISUSED.fault("the first certificate of x5c holds another key"));
        }
        match text(&self.members, "x5t#S256")? {
            Some(digest) if digest != base64url(&Sha256::digest(first)) => {
                Err(MISUSED.fault("x5t#S256 is not the digest of the first certificate of x5c"))
            }
            _ => Ok(()),
        }
    }
}

fn object(value: &Value) -> Result<&Map<String, Value>, Fault> {
    value.as_object().ok_or_else(|| JWK.fault("a JSON Web Key is not an object"))
}

fn lacks(name: &str) -> Fault {
    JWK.fault(format!("a JSON Web Key lacks the member '{name}'"))
}

/// A member that is a string, if it is there.
fn text<'a>(members: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, Fault> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) if text.len() <= TEXT_BYTES_MAX => Ok(Some(text)),
        Some(Value::String(text)) => {
            Err(JWK.fault(format!("the member '{name}' of a JSON Web Key is {} bytes long", text.len())))
        }
        Some(_) => Err(JWK.fault(format!("the member '{name}' of a JSON Web Key is not a string"))),
    }
}

/// A member that is a number in strict base64url.
fn number(members: &Map<String, Value>, name: &str) -> Result<Vec<u8>, Fault> {
    from_base64url(text(members, name)?.ok_or_else(|| lacks(name))?)
        .filter(|bytes| !bytes.is_empty())
        .ok_or_else(|| {
            JWK.fault(format!("the member '{name}' of a JSON Web Key is not base64url without padding"))
        })
}

fn rsa(members: &Map<String, Value>) -> Result<Parts, Fault> {
    let (n, e) = (number(members, "n")?, number(members, "e")?);
    if n.first() == Some(&0) || e.first() == Some(&0) {
        return Err(JWK.fault("an RSA number begins with a zero octet (RFC 7518, section 6.3.1.1)"));
    }
    let bits = n.len() * 8 - n.first().map_or(0, |first| first.leading_zeros() as usize);
    if bits < RSA_BITS_MIN {
        return Err(WEAK.fault(format!("an RSA key of {bits} bits")).hint("2048 to 8192 are used"));
    }
    if has_roca_fingerprint(&n) {
        return Err(WEAK.fault("the RSA key has the ROCA fingerprint (CVE-2017-15361)"));
    }
    Ok(Parts::Rsa { n, e })
}

fn ec(members: &Map<String, Value>) -> Result<Parts, Fault> {
    let name = text(members, "crv")?.ok_or_else(|| lacks("crv"))?;
    let (x, y) = (number(members, "x")?, number(members, "y")?);
    let curve = curve(name).ok_or_else(|| {
        UNSUPPORTED.fault("keys on this curve are not used here").hint("P-256, P-384 and P-521 are")
    })?;
    Ok(Parts::Ec { curve: curve.jose, urn: curve.urn, x, y })
}

fn okp(members: &Map<String, Value>) -> Result<Parts, Fault> {
    let (name, x) = (text(members, "crv")?.ok_or_else(|| lacks("crv"))?, number(members, "x")?);
    if name != "Ed25519" {
        return Err(UNSUPPORTED.fault("keys on this curve are not used here").hint("Ed25519 is"));
    }
    Ok(Parts::Okp { curve: "Ed25519", x })
}
