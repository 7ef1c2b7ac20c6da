//! ECDSA on the curve P-384 with SHA-384 (FIPS 186-5, section 6; RFC 5480 for the keys).

use std::array;
use std::sync::LazyLock;

use const_oid::db::rfc5912::{ECDSA_WITH_SHA_384, ID_EC_PUBLIC_KEY, SECP_384_R_1};
use der::asn1::ObjectIdentifier;
use p384::ecdsa::signature::{RandomizedSigner, Verifier};
use p384::ecdsa::{Signature as Ecdsa, SigningKey, VerifyingKey};
use p384::elliptic_curve::array::sizes::U6;
use p384::elliptic_curve::ff::PrimeField;
use p384::elliptic_curve::group::Group;
use p384::elliptic_curve::ops::{Invert, Reduce};
use p384::elliptic_curve::point::AffineCoordinates;
use p384::elliptic_curve::sec1::ToSec1Point;
use p384::pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey};
use p384::{FieldBytes, ProjectivePoint, Scalar, SecretKey};
use rand_core::CryptoRng;
use sha2::{Digest, Sha384};
use wnaf::{WnafBase, WnafScalar};

use super::algorithm::{IN_USE, called};
use super::{
    Algorithm, Curve, FAILED, Hash, LineAlgorithm, MALFORMED, Parts, PrivateKey, PublicKey, Readied, Scheme,
    Signature, UNFIT, UNSUPPORTED,
};
use crate::base::fault::Fault;
use crate::base::secret::Secret;

pub(super) struct P384;

static SCHEMES: [Scheme; 1] = [Scheme {
    name: "ECDSA-SHA384",
    hash: Hash::Sha384,
    jose: "ES384",
    xml_uri: "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384",
    x509: ECDSA_WITH_SHA_384,
}];

static CURVE: Curve = Curve { oid: SECP_384_R_1, jose: "P-384", urn: "urn:oid:1.3.132.0.34", bytes: 48 };

impl Algorithm for P384 {
    fn name(&self) -> &'static str {
        "p384"
    }

    fn title(&self) -> &'static str {
        "ECDSA P-384"
    }

    fn schemes(&self) -> &'static [Scheme] {
        &SCHEMES
    }

    /// Always SHA-384, the hash of the curve's strength (NIST SP 800-57 part 1, section 5.6.3).
    fn scheme(&self, _hash: Hash) -> &'static Scheme {
        let [sha384] = &SCHEMES;
        sha384
    }

    fn oid(&self) -> ObjectIdentifier {
        ID_EC_PUBLIC_KEY
    }

    fn curve(&self) -> Option<&'static Curve> {
        Some(&CURVE)
    }

    fn read_public(&self, spki: &[u8]) -> Result<Parts, Fault> {
        let key = p384::PublicKey::from_public_key_der(spki)
            .map_err(|_| MALFORMED.fault("the public point does not lie on P-384"))?;
        let point = key.to_sec1_point(false);
        match (point.x(), point.y()) {
            (Some(x), Some(y)) => {
                Ok(Parts::Ec { curve: CURVE.jose, urn: CURVE.urn, x: x.to_vec(), y: y.to_vec() })
            }
            _ => Err(MALFORMED.fault("the public point is the point at infinity")),
        }
    }

    fn verify(&self, spki: &[u8], _scheme: &Scheme, octets: &[u8], signature: &Signature) -> bool {
        let (Ok(key), Ok(signature)) =
            (VerifyingKey::from_public_key_der(spki), Ecdsa::from_slice(signature.as_bytes()))
        else {
            return false;
        };
        key.verify(octets, &signature).is_ok()
    }

    fn ready(&self, spki: &[u8]) -> Option<Box<dyn Readied>> {
        let key = p384::PublicKey::from_public_key_der(spki).ok()?;
        Some(Box::new(Multiples::of(key.to_projective())))
    }

    fn x509_signature(&self, signature: &Signature) -> Result<Vec<u8>, Fault> {
        let signature =
            Ecdsa::from_slice(signature.as_bytes()).map_err(|_| FAILED.fault("not an ECDSA signature"))?;
        Ok(signature.to_der().as_bytes().to_vec())
    }

    fn read_x509_signature(&self, bytes: &[u8]) -> Option<Signature> {
        Some(Signature::from_bytes(Ecdsa::from_der(bytes).ok()?.to_bytes().to_vec()))
    }
}

/// A scalar is taken apart into twelve numbers of 32 bits.
const DIGITS: usize = 48 / DIGIT_BYTES;
const DIGIT_BYTES: usize = 4;

/// The point of a public key times 2^0, 2^32, 2^64, …, each ready to be multiplied. With the same of the generator, the sum
/// u₁G + u₂Q of a verification is 24 short multiples, which share 32 doublings where two long ones share 384: a third of
/// the work. Nothing in it is secret.
struct Multiples([WnafBase<ProjectivePoint, U6>; DIGITS]);

static OF_GENERATOR: LazyLock<Multiples> = LazyLock::new(|| Multiples::of(ProjectivePoint::GENERATOR));

impl Multiples {
    fn of(mut point: ProjectivePoint) -> Self {
        Self(array::from_fn(|_| {
            let base = WnafBase::new(&point);
            (0..8 * DIGIT_BYTES).for_each(|_| point = point.double());
            base
        }))
    }
}

/// The digits of a scalar to the base 2^32, the lowest first.
fn digits(scalar: &Scalar) -> [WnafScalar<Scalar, U6>; DIGITS] {
    let mut bytes = scalar.to_repr();
    bytes.reverse();
    let mut chunks = bytes.chunks_exact(DIGIT_BYTES);
    array::from_fn(|_| WnafScalar::from_le_bytes(chunks.next().unwrap_or_default()))
}

impl Readied for Multiples {
    /// FIPS 186-5, section 6.4.2.
    fn verify(&self, octets: &[u8], signature: &Signature) -> bool {
        let Ok(signature) = Ecdsa::from_slice(signature.as_bytes()) else { return false };
        let (r, s) = signature.split_scalars();
        let hash = <Scalar as Reduce<FieldBytes>>::reduce(&Sha384::digest(octets));
        let inverse = *Invert::invert_vartime(&s);
        let (of_generator, of_key) = (digits(&(hash * inverse)), digits(&(*r * inverse)));
        let bases = OF_GENERATOR.0.iter().chain(&self.0);
        let sum = WnafBase::multiscalar_mul(bases.zip(of_generator.iter().chain(&of_key)));
        <Scalar as Reduce<FieldBytes>>::reduce(&sum.to_affine().x()) == *r
    }
}

impl LineAlgorithm for P384 {
    fn generate(&self, mut random: &mut dyn CryptoRng) -> Result<Box<dyn PrivateKey>, Fault> {
        use p384::elliptic_curve::Generate;
        Ok(Box::new(Key::new(SecretKey::generate_from_rng(&mut random))))
    }

    fn read_private(&self, pkcs8: &[u8]) -> Result<Box<dyn PrivateKey>, Fault> {
        let info = pkcs8::PrivateKeyInfoRef::try_from(pkcs8)
            .map_err(|e| MALFORMED.fault(format!("not a PKCS#8 private key: {e}")))?;
        check_curve(info.algorithm.parameters_oid().ok())?;
        let inner = sec1::EcPrivateKey::try_from(info.private_key.as_bytes())
            .map_err(|e| MALFORMED.fault(format!("not an EC private key (RFC 5915): {e}")))?;
        if let Some(named) = inner.parameters.and_then(sec1::EcParameters::named_curve) {
            check_curve(Some(named))?;
        }
        if inner.private_key.len() != 48 {
            return Err(UNFIT.fault(format!("the scalar has {} bytes, not 48", inner.private_key.len())));
        }
        let key = SecretKey::from_pkcs8_der(pkcs8)
            .map_err(|_| UNFIT.fault("the scalar or the public point of the key is not right for P-384"))?;
        let point = key.public_key().to_sec1_point(false);
        let compressed = key.public_key().to_sec1_point(true);
        if inner.public_key.is_some_and(|given| given != point.as_bytes() && given != compressed.as_bytes()) {
            return Err(UNFIT.fault("the public point does not belong to the scalar"));
        }
        check_scalar(&key)?;
        Ok(Box::new(Key::new(key)))
    }
}

fn check_curve(named: Option<ObjectIdentifier>) -> Result<(), Fault> {
    match named {
        Some(SECP_384_R_1) => Ok(()),
        Some(other) => {
            Err(UNSUPPORTED.fault(format!("the curve {} is not used here", called(&other))).hint(IN_USE))
        }
        None => Err(UNSUPPORTED.fault("the curve is not named").hint(IN_USE)),
    }
}

/// Refuses a scalar that is 1 or n − 1: it was not drawn at random, and its public point is the generator's.
fn check_scalar(key: &SecretKey) -> Result<(), Fault> {
    let generator = p384::AffinePoint::GENERATOR.to_sec1_point(false);
    let point = key.public_key().to_sec1_point(false);
    if point.x() == generator.x() {
        return Err(UNFIT.fault("the scalar is 1 or n-1, which no generator draws"));
    }
    Ok(())
}

struct Key {
    secret: SecretKey,
    /// Knows its public half, which costs as much to compute as a signature.
    signer: SigningKey,
}

impl Key {
    fn new(secret: SecretKey) -> Self {
        let signer = SigningKey::from(&secret);
        Self { secret, signer }
    }
}

impl PrivateKey for Key {
    fn algorithm(&self) -> &'static dyn LineAlgorithm {
        &P384
    }

    fn public(&self) -> Result<PublicKey, Fault> {
        let spki = p384::PublicKey::from(self.signer.verifying_key())
            .to_public_key_der()
            .map_err(|e| FAILED.fault(format!("the public key cannot be written: {e}")))?;
        PublicKey::from_spki(spki.as_bytes())
    }

    fn to_pkcs8(&self) -> Result<Secret<Vec<u8>>, Fault> {
        let der = self
            .secret
            .to_pkcs8_der()
            .map_err(|e| FAILED.fault(format!("the key cannot be written: {e}")))?;
        Ok(Secret::new(der.as_bytes().to_vec()))
    }

    fn sign(
        &self,
        scheme: &Scheme,
        octets: &[u8],
        mut random: &mut dyn CryptoRng,
    ) -> Result<Signature, Fault> {
        if !SCHEMES.contains(scheme) {
            return Err(FAILED.fault(format!("a P-384 key does not sign {}", scheme.name)));
        }
        let signature: Ecdsa = self
            .signer
            .try_sign_with_rng(&mut random, octets)
            .map_err(|_| FAILED.fault("ECDSA signing failed"))?;
        Ok(Signature::from_bytes(signature.to_bytes().to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random;

    /// Both ways to verify say the same.
    fn verdict(public: &PublicKey, octets: &[u8], signature: &Signature) -> bool {
        let plain = P384.verify(public.spki(), &SCHEMES[0], octets, signature);
        let readied = P384.ready(public.spki()).unwrap().verify(octets, signature);
        assert_eq!(plain, readied, "{signature:?}");
        plain
    }

    #[test]
    fn a_readied_key_says_what_the_library_says() {
        let key = P384.generate(&mut random::system()).unwrap();
        let other = P384.generate(&mut random::system()).unwrap().public().unwrap();
        let public = key.public().unwrap();
        for number in 0..16_u8 {
            let octets = [number; 70];
            let signature = key.sign(&SCHEMES[0], &octets, &mut random::system()).unwrap();
            assert!(verdict(&public, &octets, &signature));
            assert!(!verdict(&public, &[number + 1; 70], &signature));
            assert!(!verdict(&other, &octets, &signature));
            let mut bytes = signature.as_bytes().to_vec();
            bytes[usize::from(number) * 6] ^= 1 << (number % 8);
            assert!(!verdict(&public, &octets, &Signature::from_bytes(bytes)));
        }
        for bad in [vec![], vec![0; 96], vec![0xff; 96], vec![1; 95], vec![1; 97]] {
            assert!(!verdict(&public, b"", &Signature::from_bytes(bad)));
        }
    }

    #[test]
    fn digits_put_together_are_the_scalar() {
        for scalar in [Scalar::ZERO, Scalar::ONE, -Scalar::ONE, -Scalar::from(1_u64 << 40)] {
            let bases = Multiples::of(ProjectivePoint::GENERATOR).0;
            let sum = WnafBase::multiscalar_mul(bases.iter().zip(&digits(&scalar)));
            assert_eq!(sum, ProjectivePoint::GENERATOR * scalar);
        }
    }
}
