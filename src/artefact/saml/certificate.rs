//! What a certificate in metadata says of its key. Nothing in it is trusted: it is only looked at.

use const_oid::ObjectIdentifier;
use const_oid::db::rfc5912;
use der::DateTime;

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

/// The tags of what a certificate consists of (X.690, section 8; RFC 5280, section 4.1).
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const NULL: u8 = 0x05;
const OID: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xA0;

/// Reads the text of a `ds:X509Certificate`; nothing when it is none. Names and extensions are stepped over: consumers of
/// metadata ignore them, and there are tens of thousands.
pub(super) fn read(text: &str) -> Option<Certificate> {
    of_der(&from_public_base64(text)?)
}

fn of_der(der: &[u8]) -> Option<Certificate> {
    let mut certificate = Elements(only(der, SEQUENCE)?);
    let mut tbs = Elements(certificate.take(SEQUENCE)?);
    let (signature, _) = algorithm(certificate.take(SEQUENCE)?)?;
    bits(certificate.take(BIT_STRING)?)?;
    if tbs.0.first() == Some(&VERSION) {
        tbs.take(VERSION)?;
    }
    tbs.take(INTEGER)?; // the serial number
    algorithm(tbs.take(SEQUENCE)?)?;
    tbs.take(SEQUENCE)?; // the issuer
    let mut validity = Elements(tbs.take(SEQUENCE)?);
    validity.time()?;
    let end = validity.time().filter(|_| validity.0.is_empty())?;
    tbs.take(SEQUENCE)?; // the subject
    let spki = tbs.0;
    tbs.take(SEQUENCE)?;
    let spki = spki.get(..spki.len() - tbs.0.len())?;
    let broken = WEAK.iter().find(|(oid, _)| *oid == signature);
    Some(Certificate {
        fingerprint: Digest::of(spki),
        digest: Some(Digest::of(der)),
        strength: strength_of(spki)?,
        expires: i64::try_from(end.unix_duration().as_secs())
            .ok()
            .and_then(|end| Instant::from_unix(end).ok()),
        weak_hash: broken.map(|(_, name)| *name),
    })
}

/// Elements in DER, one behind the other.
struct Elements<'a>(&'a [u8]);

impl<'a> Elements<'a> {
    /// Steps over the next one, which has this tag. Yields its contents.
    fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (length, rest) = match self.0.strip_prefix(&[tag])? {
            [length @ ..=0x7F, rest @ ..] | [0x81, length @ 0x80..=0xFF, rest @ ..] => {
                (usize::from(*length), rest)
            }
            // no text is looked at that holds more
            [0x82, high @ 1..=0xFF, low, rest @ ..] => (usize::from(u16::from_be_bytes([*high, *low])), rest),
            _ => return None,
        };
        let (contents, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(contents)
    }

    /// Steps over a time (RFC 5280, section 4.1.2.5).
    fn time(&mut self) -> Option<DateTime> {
        let is_utc = self.0.first() == Some(&UTC_TIME);
        let text = self.take(if is_utc { UTC_TIME } else { GENERALIZED_TIME })?;
        let (digits, []) = text.strip_suffix(b"Z")?.as_chunks::<2>() else { return None };
        let two = |digits: &[u8; 2]| match digits.map(|digit| digit.wrapping_sub(b'0')) {
            [high @ ..10, low @ ..10] => Some(10 * high + low),
            _ => None,
        };
        let (century, digits) = match digits {
            [year, ..] if is_utc => (if two(year)? < 50 { 20 } else { 19 }, digits),
            [century, rest @ ..] => (two(century)?, rest),
            [] => return None,
        };
        let [year, month, day, hour, minute, second] = digits else { return None };
        let year = 100 * u16::from(century) + u16::from(two(year)?);
        DateTime::new(year, two(month)?, two(day)?, two(hour)?, two(minute)?, two(second)?).ok()
    }
}

/// The contents of an element behind which there is nothing.
fn only(der: &[u8], tag: u8) -> Option<&[u8]> {
    let mut all = Elements(der);
    all.take(tag).filter(|_| all.0.is_empty())
}

/// An algorithm, and its parameters as they stand.
fn algorithm(contents: &[u8]) -> Option<(ObjectIdentifier, &[u8])> {
    let mut parts = Elements(contents);
    let oid = ObjectIdentifier::from_bytes(parts.take(OID)?).ok()?;
    match parts.0 {
        [tag @ (NULL | OID | SEQUENCE), ..] => only(parts.0, *tag).map(|_| (oid, parts.0)),
        [] => Some((oid, parts.0)),
        _ => None,
    }
}

/// The octets of a bit string.
fn bits(contents: &[u8]) -> Option<&[u8]> {
    let (unused, octets) = contents.split_first()?;
    (*unused < 8 && (*unused == 0 || !octets.is_empty())).then_some(octets)
}

/// The octets of an integer that is not negative.
fn unsigned(contents: &[u8]) -> Option<&[u8]> {
    match contents {
        [0, octets @ ..] if octets.first().is_none_or(|first| *first >= 0x80) => Some(octets),
        [1..0x80, ..] => Some(contents),
        _ => None,
    }
}

/// What kind of key a SubjectPublicKeyInfo holds, and how strong it is.
pub(super) fn strength_of(spki: &[u8]) -> Option<Strength> {
    let mut parts = Elements(only(spki, SEQUENCE)?);
    let (kind, parameters) = algorithm(parts.take(SEQUENCE)?)?;
    let key = bits(parts.take(BIT_STRING).filter(|_| parts.0.is_empty())?)?;
    Some(strength(kind, parameters, key))
}

fn strength(kind: ObjectIdentifier, parameters: &[u8], key: &[u8]) -> Strength {
    match kind {
        rfc5912::RSA_ENCRYPTION => match rsa_key(key) {
            Some((modulus, exponent)) => rsa(modulus, exponent),
            None => Strength::Other("RSA, and the key cannot be read".into()),
        },
        rfc5912::ID_EC_PUBLIC_KEY => {
            let curve = only(parameters, OID).and_then(|oid| ObjectIdentifier::from_bytes(oid).ok());
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

/// Modulus and exponent (RFC 8017, section A.1.1).
fn rsa_key(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut parts = Elements(only(der, SEQUENCE)?);
    let key = (unsigned(parts.take(INTEGER)?)?, unsigned(parts.take(INTEGER)?)?);
    parts.0.is_empty().then_some(key)
}

fn rsa(modulus: &[u8], exponent: &[u8]) -> Strength {
    let zeros: u32 = modulus.first().map_or(8, |first| first.leading_zeros());
    let bits = (modulus.len() * 8).saturating_sub(zeros as usize);
    let bad_exponent = exponent.last().is_none_or(|last| last % 2 == 0) || exponent == [1];
    Strength::Rsa { bits, is_roca: has_roca_fingerprint(modulus), bad_exponent }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use der::asn1::{AnyRef, BitStringRef};
    use der::{Decode, Reader, SliceReader, Tagged};
    use spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};
    use x509_cert::certificate::Rfc5280;
    use x509_cert::time::Validity;

    use super::*;

    /// Two by openssl: RSA with 1024 bits, signed with SHA-1; P-256, with an end in 2065.
    const CERTIFICATES: [&str; 2] = [
        "\
        MIICBDCCAW2gAwIBAgIUPcqOf7uneb1v936PVQwwH5192AEwDQYJKoZIhvcNAQEFBQAwFDESMBAGA1UEAwwJYS5leGFtcGxl\
        MB4XDTI2MTEyODE0MTIxN1oXDTM2MTEyNTE0MTIxN1owFDESMBAGA1UEAwwJYS5leGFtcGxlMIGfMA0GCSqGSIb3DQEBAQUA\
        A4GNADCBiQKBgQDVAQq5eHeyIPKqMAtT2iZbpQ6qQLteZ+KUzEK/baJ0wbCziqD/5kPzWAjNU3PZqz+j++FVDgSGCnsPX67i\
        N8inHJUIImQyfA47Ddx9G/UXPQAZsychhSue3eL/lTs03sAverv6YI04EAn9LKzs6ronGqR0zMnOI/ertGV6a8f52wIDAQAB\
        o1MwUTAdBgNVHQ4EFgQUBS15Cw5HURxEK2AWep8vnMJH1gEwHwYDVR0jBBgwFoAUBS15Cw5HURxEK2AWep8vnMJH1gEwDwYD\
        VR0TAQH/BAUwAwEB/zANBgkqhkiG9w0BAQUFAAOBgQAZHIzooRqUvGlcgVaDnPD4Ig2ehKP3lPe0AFIJfyQePdNnIVUn3SWc\
        hXeplcnnsPG3pl/K5y6OGTgw3Ml91fFLM38txi1/WCLz+XYjy8QPaZN7w/7MwpAx7IaabgL5Fl5YPCVPFpfEPHWadZtdJeBy\
        piikHSUIbpVACcCS+I7zuA==",
        "\
        MIIBgDCCASWgAwIBAgIUMU4grPtP5DnOssG1gKubOFu37SswCgYIKoZIzj0EAwIwFDESMBAGA1UEAwwJYi5leGFtcGxlMCAX\
        DTI2MTEyODE0MTIxN1oYDzIwNjUwMzI4MTQxMjE3WjAUMRIwEAYDVQQDDAliLmV4YW1wbGUwWTATBgcqhkjOPQIBBggqhkjO\
        PQMBBwNCAASWgeyEFiYopIEr2M0JxRXHcKL0QddPHVNeKikN1RIjFMgjUYILYX2qUVAXED42SC4ek+eZdGJ8jDxx7b1c2und\
        o1MwUTAdBgNVHQ4EFgQUnEbzBUlUNXbJJlU8X9Msfp3xgecwHwYDVR0jBBgwFoAUnEbzBUlUNXbJJlU8X9Msfp3xgecwDwYD\
        VR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNJADBGAiEApYFloPlmAU4QfksqVXRLy0mz0afp27XVnRMIO8SFua4CIQClWt95\
        HGG0+2MGnMX0ksnf1YjQQcwRhtlMjnbkkpXlHw==",
    ];

    type Read = (Digest, Option<Instant>, Option<&'static str>, Option<Strength>);

    fn stepped(der: &[u8]) -> Option<Read> {
        let Certificate { fingerprint, strength, expires, weak_hash, .. } = of_der(der)?;
        Some((fingerprint, expires, weak_hash, matches!(strength, Strength::Rsa { .. }).then_some(strength)))
    }

    /// What decoders of whole elements make of it.
    fn decoded(der: &[u8]) -> Option<Read> {
        let certificate = AnyRef::from_der(der).ok()?;
        let mut outer = SliceReader::new(certificate.value()).ok()?;
        let tbs = AnyRef::decode(&mut outer).ok()?;
        let signature = AlgorithmIdentifierRef::decode(&mut outer).ok()?;
        BitStringRef::decode(&mut outer).ok()?;
        let mut inner = SliceReader::new(tbs.value()).ok()?;
        if AnyRef::decode(&mut inner).ok()?.tag().is_context_specific() {
            AnyRef::decode(&mut inner).ok()?;
        }
        AlgorithmIdentifierRef::decode(&mut inner).ok()?;
        AnyRef::decode(&mut inner).ok()?;
        let validity = Validity::<Rfc5280>::decode(&mut inner).ok()?;
        AnyRef::decode(&mut inner).ok()?;
        let spki = inner.tlv_bytes().ok()?;
        let key = SubjectPublicKeyInfoRef::from_der(spki).ok()?;
        let end = i64::try_from(validity.not_after.to_unix_duration().as_secs()).ok();
        let broken = WEAK.iter().find(|(oid, _)| *oid == signature.oid).map(|(_, name)| *name);
        let octets = key.subject_public_key.raw_bytes();
        let is_rsa = key.algorithm.oid == rfc5912::RSA_ENCRYPTION;
        let rsa = rsa::pkcs1::RsaPublicKeyRef::from_der(octets).ok().filter(|_| is_rsa);
        let strength = rsa.map(|key| super::rsa(key.modulus.as_bytes(), key.public_exponent.as_bytes()));
        Some((Digest::of(spki), end.and_then(|end| Instant::from_unix(end).ok()), broken, strength))
    }

    #[test]
    fn stepping_finds_what_decoding_finds_and_refuses_what_it_refuses() {
        for text in CERTIFICATES {
            let der = from_public_base64(text).unwrap();
            assert!(stepped(&der).is_some());
            assert_eq!(stepped(&der), decoded(&der));
            for length in 0..der.len() {
                assert_eq!(stepped(&der[..length]), None);
            }
            let others =
                |byte: u8| [0, 1, 2, 5, 6, b'0', b'9', 0x7F, 0x80, 0x81, 0x82, 0xFF, byte ^ 1, byte ^ 0x20];
            let mut stricter = BTreeSet::new();
            for at in 0..der.len() {
                for other in others(der[at]) {
                    let mut changed = der.clone();
                    changed[at] = other;
                    let (ours, theirs) = (stepped(&changed), decoded(&changed));
                    if ours != theirs {
                        assert_eq!(ours, None, "byte {at} as {other:02x}");
                        stricter.insert(der[at]);
                    }
                }
            }
            // they take any element for the certificate, its serial number, its issuer, its subject and for parameters
            let loose = [INTEGER, NULL, OID, SEQUENCE, VERSION];
            assert!(stricter.iter().all(|tag| loose.contains(tag)), "{stricter:02x?}");
        }
    }

    #[test]
    fn keys_are_measured_by_what_they_are() {
        let [rsa, p256] = CERTIFICATES.map(|text| read(text).unwrap());
        assert_eq!(rsa.strength, Strength::Rsa { bits: 1024, is_roca: false, bad_exponent: false });
        assert_eq!((rsa.weak_hash, p256.weak_hash), (Some("SHA-1"), None));
        assert_eq!(p256.strength, Strength::Curve("P-256".into()));
    }
}
