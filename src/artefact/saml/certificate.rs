//! What a certificate in metadata says of its key. Nothing in it is trusted: it is only looked at.

use const_oid::db::rfc5912;
use der::asn1::{AnyRef, BitStringRef, ObjectIdentifier};
use der::{Decode, Reader, SliceReader, Tagged};
use spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};
use x509_cert::certificate::Rfc5280;
use x509_cert::time::Validity;

use crate::base::bytes::{Digest, from_public_base64};
use crate::base::clock::Instant;
use crate::key::has_roca_fingerprint;
use crate::policy::{Certificate, Strength};

/// Hashes that are broken, by the signature algorithms they stand in.
const WEAK: [(ObjectIdentifier, &str); 4] = [
    (rfc5912::MD_5_WITH_RSA_ENCRYPTION, "MD5"),
    (rfc5912::SHA_1_WITH_RSA_ENCRYPTION, "SHA-1"),
    (rfc5912::DSA_WITH_SHA_1, "SHA-1"),
    (ObjectIdentifier::new_unwrap("1.2.840.10045.4.1"), "SHA-1"),
];

const CURVES: [(ObjectIdentifier, &str); 6] = [
    (rfc5912::SECP_256_R_1, "P-256"),
    (rfc5912::SECP_384_R_1, "P-384"),
    (rfc5912::SECP_521_R_1, "P-521"),
    (rfc5912::SECP_224_R_1, "P-224"),
    (ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.1"), "P-192"),
    (ObjectIdentifier::new_unwrap("1.3.132.0.10"), "secp256k1"),
];

/// Reads the text of a `ds:X509Certificate`; nothing when it is none. Names and extensions are stepped over: consumers of
/// metadata ignore them, and there are tens of thousands.
pub(super) fn read(text: &str) -> Option<Certificate> {
    let der = from_public_base64(text)?;
    let certificate = AnyRef::from_der(&der).ok()?;
    let mut outer = SliceReader::new(certificate.value()).ok()?;
    let tbs = AnyRef::decode(&mut outer).ok()?;
    let signature = AlgorithmIdentifierRef::decode(&mut outer).ok()?;
    BitStringRef::decode(&mut outer).ok()?;
    let mut inner = SliceReader::new(tbs.value()).ok()?;
    if AnyRef::decode(&mut inner).ok()?.tag().is_context_specific() {
        AnyRef::decode(&mut inner).ok()?; // the serial number, behind a version
    }
    AlgorithmIdentifierRef::decode(&mut inner).ok()?;
    AnyRef::decode(&mut inner).ok()?; // the issuer
    let validity = Validity::<Rfc5280>::decode(&mut inner).ok()?;
    AnyRef::decode(&mut inner).ok()?; // the subject
    let spki = inner.tlv_bytes().ok()?;
    let key = SubjectPublicKeyInfoRef::from_der(spki).ok()?;
    let end = i64::try_from(validity.not_after.to_unix_duration().as_secs()).ok();
    let broken = WEAK.iter().find(|(oid, _)| *oid == signature.oid);
    Some(Certificate {
        fingerprint: Digest::of(spki),
        strength: strength(&key),
        expires: end.and_then(|end| Instant::from_unix(end).ok()),
        weak_hash: broken.map(|(_, name)| *name),
    })
}

/// What kind of key it is, and how strong.
pub(super) fn strength(key: &SubjectPublicKeyInfoRef<'_>) -> Strength {
    let (algorithm, key) = (&key.algorithm, key.subject_public_key.raw_bytes());
    match algorithm.oid {
        rfc5912::RSA_ENCRYPTION => match rsa::pkcs1::RsaPublicKeyRef::from_der(key) {
            Ok(key) => rsa(key.modulus.as_bytes(), key.public_exponent.as_bytes()),
            Err(_) => Strength::Other("RSA, and the key cannot be read".into()),
        },
        rfc5912::ID_EC_PUBLIC_KEY => {
            let curve = algorithm.parameters.and_then(|any| any.decode_as::<ObjectIdentifier>().ok());
            let name =
                curve.and_then(|oid| CURVES.iter().find(|(own, _)| *own == oid)).map(|(_, name)| *name);
            Strength::Curve(
                name.map_or_else(
                    || curve.map_or("no named curve".into(), |oid| oid.to_string()),
                    str::to_owned,
                ),
            )
        }
        other => Strength::Other(other.to_string()),
    }
}

fn rsa(modulus: &[u8], exponent: &[u8]) -> Strength {
    let zeros: u32 = modulus.first().map_or(8, |first| first.leading_zeros());
    let bits = (modulus.len() * 8).saturating_sub(zeros as usize);
    let bad_exponent = exponent.last().is_none_or(|last| last % 2 == 0) || exponent == [1];
    Strength::Rsa { bits, is_roca: has_roca_fingerprint(modulus), bad_exponent }
}
