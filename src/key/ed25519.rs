//! Ed25519 (RFC 8032; RFC 8410 for the keys): others sign with it, no key line does.

use const_oid::db::rfc8410::ID_ED_25519;
use der::asn1::ObjectIdentifier;
use ed25519_dalek::VerifyingKey;

use super::{Algorithm, Hash, MALFORMED, Parts, Scheme, Signature};
use crate::base::fault::Fault;

pub(super) struct Ed25519;

/// The hash is the one inside of the algorithm: the octets are signed as they are.
static SCHEME: Scheme = Scheme {
    name: "Ed25519",
    hash: Hash::Sha512,
    jose: "EdDSA",
    xml_uri: "http://www.w3.org/2021/04/xmldsig-more#eddsa-ed25519",
    x509: ID_ED_25519,
};

impl Algorithm for Ed25519 {
    fn name(&self) -> &'static str {
        "ed25519"
    }

    fn title(&self) -> &'static str {
        "Ed25519"
    }

    fn schemes(&self) -> &'static [Scheme] {
        std::slice::from_ref(&SCHEME)
    }

    fn scheme(&self, _hash: Hash) -> &'static Scheme {
        &SCHEME
    }

    fn oid(&self) -> ObjectIdentifier {
        ID_ED_25519
    }

    fn read_public(&self, spki: &[u8]) -> Result<Parts, Fault> {
        let key = read(spki).ok_or_else(|| MALFORMED.fault("not an Ed25519 public key"))?;
        if key.is_weak() {
            return Err(MALFORMED.fault("the Ed25519 public key is a point of small order"));
        }
        Ok(Parts::Okp { curve: "Ed25519", x: key.as_bytes().to_vec() })
    }

    fn verify(&self, spki: &[u8], _scheme: &Scheme, octets: &[u8], signature: &Signature) -> bool {
        let signature = ed25519_dalek::Signature::from_slice(signature.as_bytes());
        matches!((read(spki), signature), (Some(key), Ok(signature)) if key.verify_strict(octets, &signature).is_ok())
    }

    fn x509_signature(&self, signature: &Signature) -> Result<Vec<u8>, Fault> {
        Ok(signature.as_bytes().to_vec())
    }

    fn read_x509_signature(&self, bytes: &[u8]) -> Option<Signature> {
        Some(Signature::from_bytes(bytes.to_vec()))
    }
}

fn read(spki: &[u8]) -> Option<VerifyingKey> {
    let info = spki::SubjectPublicKeyInfoRef::try_from(spki).ok()?;
    let bytes = info.subject_public_key.as_bytes().filter(|_| info.algorithm.parameters.is_none())?;
    VerifyingKey::from_bytes(bytes.try_into().ok()?).ok()
}
