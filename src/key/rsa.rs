//! RSA with PSS and PKCS#1 v1.5 padding (RFC 8017, sections 8.1 and 8.2) and the health checks of its private keys (FIPS 186-5, appendix A).

use const_oid::db::rfc5912::{
    ID_RSASSA_PSS, RSA_ENCRYPTION, SHA_256_WITH_RSA_ENCRYPTION, SHA_384_WITH_RSA_ENCRYPTION,
    SHA_512_WITH_RSA_ENCRYPTION,
};
use crypto_bigint::{BoxedUint, ConcatenatingMul, NonZero};
use der::asn1::ObjectIdentifier;
use rand_core::{CryptoRng, TryCryptoRng};
use rsa::pkcs1v15::Pkcs1v15Sign;
use rsa::pkcs8::{DecodePublicKey, EncodePrivateKey, EncodePublicKey};
use rsa::pss::Pss;
use rsa::traits::{PublicKeyParts, SignatureScheme};
use rsa::{RsaPrivateKey, RsaPublicKey};
use sha2::{Sha256, Sha384, Sha512};

use super::{
    Algorithm, FAILED, Hash, LineAlgorithm, MALFORMED, Parts, PrivateKey, PublicKey, Scheme, Signature,
    UNFIT, UNSUPPORTED,
};
use crate::base::fault::Fault;
use crate::base::secret::Secret;

const BITS: u32 = 4096;
const EXPONENT: u64 = 65_537;

pub(super) struct Rsa4096;

static SCHEMES: [Scheme; 6] = [
    Scheme {
        name: "RSA-SHA256",
        hash: Hash::Sha256,
        jose: "RS256",
        xml_uri: "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
        x509: SHA_256_WITH_RSA_ENCRYPTION,
    },
    Scheme {
        name: "RSA-SHA384",
        hash: Hash::Sha384,
        jose: "RS384",
        xml_uri: "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384",
        x509: SHA_384_WITH_RSA_ENCRYPTION,
    },
    Scheme {
        name: "RSA-SHA512",
        hash: Hash::Sha512,
        jose: "RS512",
        xml_uri: "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512",
        x509: SHA_512_WITH_RSA_ENCRYPTION,
    },
    Scheme {
        name: "RSASSA-PSS-SHA256",
        hash: Hash::Sha256,
        jose: "PS256",
        xml_uri: "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1",
        x509: ID_RSASSA_PSS,
    },
    Scheme {
        name: "RSASSA-PSS-SHA384",
        hash: Hash::Sha384,
        jose: "PS384",
        xml_uri: "http://www.w3.org/2007/05/xmldsig-more#sha384-rsa-MGF1",
        x509: ID_RSASSA_PSS,
    },
    Scheme {
        name: "RSASSA-PSS-SHA512",
        hash: Hash::Sha512,
        jose: "PS512",
        xml_uri: "http://www.w3.org/2007/05/xmldsig-more#sha512-rsa-MGF1",
        x509: ID_RSASSA_PSS,
    },
];

impl Algorithm for Rsa4096 {
    fn name(&self) -> &'static str {
        "rsa4096"
    }

    fn title(&self) -> &'static str {
        "RSA 4096"
    }

    fn schemes(&self) -> &'static [Scheme] {
        &SCHEMES
    }

    /// With PKCS#1 v1.5 padding: PSS is taken only by its name.
    fn scheme(&self, hash: Hash) -> &'static Scheme {
        let [sha256, sha384, sha512, ..] = &SCHEMES;
        match hash {
            Hash::Sha256 => sha256,
            Hash::Sha384 => sha384,
            Hash::Sha512 => sha512,
        }
    }

    fn oid(&self) -> ObjectIdentifier {
        RSA_ENCRYPTION
    }

    fn read_public(&self, spki: &[u8]) -> Result<Parts, Fault> {
        let key = read_public_key(spki)?;
        let bits = key.n().bits();
        if !(2048..=8192).contains(&bits) {
            return Err(UNSUPPORTED
                .fault(format!("an RSA key of {bits} bits is not used here"))
                .hint("2048 to 8192 are"));
        }
        Ok(Parts::Rsa { n: key.n_bytes().to_vec(), e: key.e_bytes().to_vec() })
    }

    fn verify(&self, spki: &[u8], scheme: &Scheme, octets: &[u8], signature: &Signature) -> bool {
        let digest = scheme.hash.digest(octets);
        read_public_key(spki).is_ok_and(|key| {
            key.size() == signature.as_bytes().len()
                && key.verify(Padding::of(scheme), &digest, signature.as_bytes()).is_ok()
        })
    }

    fn x509_signature(&self, signature: &Signature) -> Result<Vec<u8>, Fault> {
        Ok(signature.as_bytes().to_vec())
    }

    fn read_x509_signature(&self, bytes: &[u8]) -> Option<Signature> {
        Some(Signature::from_bytes(bytes.to_vec()))
    }
}

impl LineAlgorithm for Rsa4096 {
    fn generate(&self, random: &mut dyn CryptoRng) -> Result<Box<dyn PrivateKey>, Fault> {
        let key = RsaPrivateKey::new(random, BITS as usize)
            .map_err(|e| FAILED.fault(format!("RSA key generation failed: {e}")))?;
        // Read back through the checks that every key passes.
        self.read_private(Key(key).to_pkcs8()?.expose())
    }

    fn read_private(&self, pkcs8: &[u8]) -> Result<Box<dyn PrivateKey>, Fault> {
        let info = pkcs8::PrivateKeyInfoRef::try_from(pkcs8)
            .map_err(|e| MALFORMED.fault(format!("not a PKCS#8 private key: {e}")))?;
        let numbers = rsa::pkcs1::RsaPrivateKeyRef::try_from(info.private_key.as_bytes())
            .map_err(|e| MALFORMED.fault(format!("not an RSA private key (RFC 8017): {e}")))?;
        check(&numbers)?;
        let read = |bytes: rsa::pkcs1::UintRef<'_>| BoxedUint::from_be_slice_vartime(bytes.as_bytes());
        let key = RsaPrivateKey::from_components(
            read(numbers.modulus),
            read(numbers.public_exponent),
            read(numbers.private_exponent),
            vec![read(numbers.prime1), read(numbers.prime2)],
        )
        .map_err(|e| UNFIT.fault(format!("the numbers of the RSA key do not belong together: {e}")))?;
        Ok(Box::new(Key(key)))
    }
}

fn read_public_key(spki: &[u8]) -> Result<RsaPublicKey, Fault> {
    RsaPublicKey::from_public_key_der(spki)
        .map_err(|e| MALFORMED.fault(format!("not an RSA public key: {e}")))
}

/// How a digest is made as long as the modulus. PSS salts are as long as the digest (RFC 7518, section 3.5).
enum Padding {
    Pkcs1v15(Pkcs1v15Sign),
    Pss256(Pss<Sha256>),
    Pss384(Pss<Sha384>),
    Pss512(Pss<Sha512>),
}

impl Padding {
    fn of(scheme: &Scheme) -> Self {
        match (scheme.x509 == ID_RSASSA_PSS, scheme.hash) {
            (false, Hash::Sha256) => Self::Pkcs1v15(Pkcs1v15Sign::new::<Sha256>()),
            (false, Hash::Sha384) => Self::Pkcs1v15(Pkcs1v15Sign::new::<Sha384>()),
            (false, Hash::Sha512) => Self::Pkcs1v15(Pkcs1v15Sign::new::<Sha512>()),
            (true, Hash::Sha256) => Self::Pss256(Pss::new_blinded()),
            (true, Hash::Sha384) => Self::Pss384(Pss::new_blinded()),
            (true, Hash::Sha512) => Self::Pss512(Pss::new_blinded()),
        }
    }
}

impl SignatureScheme for Padding {
    fn sign<R: TryCryptoRng + ?Sized>(
        self,
        random: Option<&mut R>,
        key: &RsaPrivateKey,
        digest: &[u8],
    ) -> rsa::Result<Vec<u8>> {
        match self {
            Self::Pkcs1v15(padding) => padding.sign(random, key, digest),
            Self::Pss256(padding) => padding.sign(random, key, digest),
            Self::Pss384(padding) => padding.sign(random, key, digest),
            Self::Pss512(padding) => padding.sign(random, key, digest),
        }
    }

    fn verify(self, key: &RsaPublicKey, digest: &[u8], signature: &[u8]) -> rsa::Result<()> {
        match self {
            Self::Pkcs1v15(padding) => padding.verify(key, digest, signature),
            Self::Pss256(padding) => padding.verify(key, digest, signature),
            Self::Pss384(padding) => padding.verify(key, digest, signature),
            Self::Pss512(padding) => padding.verify(key, digest, signature),
        }
    }
}

/// Refuses a private key that no sound generator makes, or whose numbers do not belong together. What the `rsa` crate
/// accepts is not enough: it takes wrong CRT values, close primes and composite ones.
fn check(key: &rsa::pkcs1::RsaPrivateKeyRef<'_>) -> Result<(), Fault> {
    let unfit = |why: &str| Err(UNFIT.fault(format!("the RSA key {why}")));
    let read = |bytes: rsa::pkcs1::UintRef<'_>| BoxedUint::from_be_slice(bytes.as_bytes(), BITS);
    let number =
        |bytes| read(bytes).map_err(|_| UNFIT.fault("the RSA key holds a number of more than 4096 bits"));
    let (n, e, d) = (number(key.modulus)?, number(key.public_exponent)?, number(key.private_exponent)?);
    let (p, q) = (number(key.prime1)?, number(key.prime2)?);
    if key.other_prime_infos.is_some() {
        return unfit("has more than two primes");
    }
    if n.bits() != BITS {
        let fault = UNSUPPORTED.fault(format!("an RSA key of {} bits is not used for signing", n.bits()));
        return Err(fault.hint("root keys have 4096 bits"));
    }
    if e != BoxedUint::from(EXPONENT) {
        return unfit("has a public exponent other than 65537");
    }
    if p.bits() != BITS / 2 || q.bits() != BITS / 2 || p.concatenating_mul(&q) != n {
        return unfit("has a modulus that is not the product of its two primes of 2048 bits");
    }
    if distance(&p, &q).bits() <= BITS / 2 - 100 {
        return unfit("has primes too close to each other (FIPS 186-5, A.1.3)");
    }
    if d.bits() <= BITS / 2 {
        return unfit("has a private exponent that is too small (FIPS 186-5, A.1.1)");
    }
    if has_roca_fingerprint(key.modulus.as_bytes()) {
        return unfit("has the ROCA fingerprint (CVE-2017-15361)");
    }
    let one = BoxedUint::one_with_precision(BITS);
    for (prime, exponent) in [(&p, key.exponent1), (&q, key.exponent2)] {
        let Some(order) = nonzero(prime.wrapping_sub(&one)) else { return unfit("has a prime that is 1") };
        let exponent = number(exponent)?;
        if d.rem(&order) != exponent || exponent.concatenating_mul(&e).rem(&order) != one {
            return unfit("has exponents that do not belong to its primes");
        }
    }
    let Some(modulus) = nonzero(p.clone()) else { return unfit("has a prime that is 0") };
    if number(key.coefficient)?.concatenating_mul(&q).rem(&modulus) != one {
        return unfit("has a wrong CRT coefficient");
    }
    if [&p, &q].into_iter().any(|prime| !crypto_primes::is_prime(crypto_primes::Flavor::Any, prime)) {
        return unfit("has a factor that is not prime");
    }
    Ok(())
}

fn nonzero(number: BoxedUint) -> Option<NonZero<BoxedUint>> {
    NonZero::new(number).into_option()
}

fn distance(p: &BoxedUint, q: &BoxedUint) -> BoxedUint {
    if p > q { p.wrapping_sub(q) } else { q.wrapping_sub(p) }
}

const ROCA_PRIMES: [u64; 17] = [11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157];

/// Whether a modulus, big-endian, looks like one of the flawed Infineon library: a power of 65537 modulo every small prime
/// (Nemec and others, "The Return of Coppersmith's Attack", CCS 2017). One other modulus in about 2^27 looks so too.
pub fn has_roca_fingerprint(modulus: &[u8]) -> bool {
    ROCA_PRIMES.iter().all(|prime| {
        let (head, words) = modulus.as_rchunks::<4>();
        let rest = head.iter().fold(0, |rest, byte| (rest * 256 + u64::from(*byte)) % prime);
        let add = |rest, word: &[u8; 4]| (rest << 32 | u64::from(u32::from_be_bytes(*word))) % prime;
        let rest = words.iter().fold(rest, add);
        let mut power = 1;
        (0..*prime).any(|_| {
            power = power * EXPONENT % prime;
            power == rest
        })
    })
}

struct Key(RsaPrivateKey);

impl PrivateKey for Key {
    fn algorithm(&self) -> &'static dyn LineAlgorithm {
        &Rsa4096
    }

    fn public(&self) -> Result<PublicKey, Fault> {
        let spki = self
            .0
            .to_public_key()
            .to_public_key_der()
            .map_err(|e| FAILED.fault(format!("the public key cannot be written: {e}")))?;
        PublicKey::from_spki(spki.as_bytes())
    }

    fn to_pkcs8(&self) -> Result<Secret<Vec<u8>>, Fault> {
        let der =
            self.0.to_pkcs8_der().map_err(|e| FAILED.fault(format!("the key cannot be written: {e}")))?;
        Ok(Secret::new(der.as_bytes().to_vec()))
    }

    fn sign(&self, scheme: &Scheme, octets: &[u8], random: &mut dyn CryptoRng) -> Result<Signature, Fault> {
        if !SCHEMES.contains(scheme) {
            return Err(FAILED.fault(format!("an RSA key does not sign {}", scheme.name)));
        }
        self.0
            .sign_with_rng(random, Padding::of(scheme), &scheme.hash.digest(octets))
            .map(Signature::from_bytes)
            .map_err(|_| FAILED.fault("RSA signing failed"))
    }
}
