//! What a key that stands in metadata without a certificate says (XML Signature 1.1, section 4.5.2): as little trusted as a
//! certificate, and judged like one.

use const_oid::db::rfc5912;
use der::Encode;
use der::asn1::{AnyRef, BitString, ObjectIdentifier, UintRef};
use spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfo};

use super::certificate;
use crate::base::bytes::{Digest, from_public_base64};
use crate::policy::{Certificate, Strength};

/// What of a key an element holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Number {
    Modulus,
    Exponent,
    /// Of a DSA key.
    Dsa,
    /// The element has it in its attribute `URI`.
    Curve,
    Point,
    /// A whole SubjectPublicKeyInfo.
    Der,
}

/// A key in the making.
#[derive(Debug, Default)]
pub(super) struct Bare {
    modulus: Vec<u8>,
    exponent: Vec<u8>,
    dsa: Vec<u8>,
    curve: Option<ObjectIdentifier>,
    point: Vec<u8>,
}

impl Bare {
    /// Takes one of its numbers in; none is what cannot be read.
    pub(super) fn take(&mut self, number: Number, text: &str) {
        let number = match number {
            Number::Modulus => &mut self.modulus,
            Number::Exponent => &mut self.exponent,
            Number::Dsa => &mut self.dsa,
            Number::Point => &mut self.point,
            Number::Curve => {
                self.curve = text.trim().strip_prefix("urn:oid:").and_then(|oid| oid.parse().ok());
                return;
            }
            Number::Der => return,
        };
        *number = from_public_base64(text).unwrap_or_default();
    }

    /// The key; nothing when it cannot be read.
    pub(super) fn read(&self) -> Option<Certificate> {
        if !self.dsa.is_empty() {
            let strength = Strength::Other("DSA".into());
            return Some(Certificate::without(Digest::of(&self.dsa), strength));
        }
        if let Some(curve) = &self.curve {
            let algorithm =
                AlgorithmIdentifierRef { oid: rfc5912::ID_EC_PUBLIC_KEY, parameters: Some(curve.into()) };
            return of_spki(&spki(algorithm, &self.point)?);
        }
        let key = rsa::pkcs1::RsaPublicKey {
            modulus: UintRef::new(&self.modulus).ok()?,
            public_exponent: UintRef::new(&self.exponent).ok()?,
        };
        let is_whole = !self.modulus.is_empty() && !self.exponent.is_empty();
        of_spki(&is_whole.then(|| key.to_der().ok()).flatten().and_then(|key| rsa_spki(&key))?)
    }
}

/// The SubjectPublicKeyInfo of an RSA key in DER (RFC 3279, section 2.3.1).
pub(super) fn rsa_spki(key: &[u8]) -> Option<Vec<u8>> {
    spki(AlgorithmIdentifierRef { oid: rfc5912::RSA_ENCRYPTION, parameters: Some(AnyRef::NULL) }, key)
}

/// The key whose SubjectPublicKeyInfo this is, in base64.
pub(super) fn read_der(text: &str) -> Option<Certificate> {
    of_spki(&from_public_base64(text)?)
}

fn spki(algorithm: AlgorithmIdentifierRef<'_>, key: &[u8]) -> Option<Vec<u8>> {
    let subject_public_key = BitString::from_bytes(key).ok()?;
    SubjectPublicKeyInfo { algorithm, subject_public_key }.to_der().ok()
}

fn of_spki(der: &[u8]) -> Option<Certificate> {
    let (fingerprint, strength) = certificate::key_of(der)?;
    Some(Certificate::without(fingerprint, strength))
}
