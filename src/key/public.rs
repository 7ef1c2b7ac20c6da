//! The public half of a key, as a SubjectPublicKeyInfo (RFC 5280, section 4.1.2.7).

use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use const_oid::db::rfc5912::{ID_EC_PUBLIC_KEY, RSA_ENCRYPTION};
use const_oid::db::rfc8410::ID_ED_25519;
use der::asn1::{Any, BitString};
use der::{Decode, Encode, EncodePem, pem::LineEnding};
use spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned, SubjectPublicKeyInfoRef};

use super::algorithm::{called, verified};
use super::{Algorithm, MALFORMED, Readied, Scheme, Signature, UNSUPPORTED, curve};
use crate::base::bytes::Digest;
use crate::base::fault::Fault;

/// A public key of an algorithm in the table.
#[derive(Clone)]
pub struct PublicKey {
    algorithm: &'static dyn Algorithm,
    parts: Parts,
    spki: Vec<u8>,
    fingerprint: Digest,
    verifying: Arc<Verifying>,
}

/// Readying a key costs as much as some verifications, and pays after so many.
const OFTEN: u32 = 16;

/// How often a key and its clones verified, and the key readied for more of it.
#[derive(Default)]
struct Verifying {
    count: AtomicU32,
    readied: OnceLock<Option<Box<dyn Readied>>>,
}

/// The numbers a public key consists of, big-endian.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Parts {
    /// RSA: modulus and public exponent, without leading zeros.
    Rsa {
        /// The modulus.
        n: Vec<u8>,
        /// The public exponent.
        e: Vec<u8>,
    },
    /// An elliptic curve point: the curve's JOSE name and URN, and both coordinates of full length.
    Ec {
        /// The curve in JOSE (RFC 7518, section 6.2.1.1).
        curve: &'static str,
        /// The curve in XML Signature (XML Signature 1.1, section 4.5.2.3.1).
        urn: &'static str,
        /// The x coordinate.
        x: Vec<u8>,
        /// The y coordinate.
        y: Vec<u8>,
    },
    /// A point of an Edwards curve (RFC 8037, section 2).
    Okp {
        /// The curve in JOSE.
        curve: &'static str,
        /// The point, compressed.
        x: Vec<u8>,
    },
}

impl PublicKey {
    /// Reads the DER of a SubjectPublicKeyInfo.
    pub fn from_spki(spki: &[u8]) -> Result<Self, Fault> {
        let info = SubjectPublicKeyInfoRef::from_der(spki)
            .map_err(|e| MALFORMED.fault(format!("not a SubjectPublicKeyInfo: {e}")))?;
        let (oid, curve) = (info.algorithm.oid, info.algorithm.parameters_oid().ok());
        let is_its =
            |row: &&dyn Algorithm| row.oid() == oid && row.curve().is_none_or(|own| Some(own.oid) == curve);
        let algorithm = verified().find(is_its).ok_or_else(|| match curve {
            Some(curve) => {
                UNSUPPORTED.fault(format!("keys on the curve {} are not used here", called(&curve)))
            }
            None => UNSUPPORTED.fault(format!("keys of the algorithm {} are not used here", called(&oid))),
        })?;
        let parts = algorithm.read_public(spki)?;
        Ok(Self {
            algorithm,
            parts,
            spki: spki.to_vec(),
            fingerprint: Digest::of(spki),
            verifying: Arc::default(),
        })
    }

    /// Reads the PEM of a SubjectPublicKeyInfo (`-----BEGIN PUBLIC KEY-----`, RFC 7468, section 13).
    pub fn from_pem(text: &str) -> Result<Self, Fault> {
        let (label, der) = der::Document::from_pem(text)
            .map_err(|e| MALFORMED.fault(format!("the public key's PEM cannot be read: {e}")))?;
        if label != "PUBLIC KEY" {
            return Err(MALFORMED.fault(format!("the PEM holds a '{label}', not a PUBLIC KEY")));
        }
        Self::from_spki(der.as_bytes())
    }

    /// Puts a key together from its numbers, and checks it as if it had been read.
    pub fn from_parts(parts: &Parts) -> Result<Self, Fault> {
        let wrong =
            |e: der::Error| MALFORMED.fault(format!("the numbers of the public key cannot be used: {e}"));
        let (oid, parameters, key) = match parts {
            Parts::Rsa { n, e } => {
                let number = rsa::pkcs1::UintRef::new;
                let (modulus, public_exponent) = (number(n).map_err(wrong)?, number(e).map_err(wrong)?);
                let key = rsa::pkcs1::RsaPublicKey { modulus, public_exponent }.to_der().map_err(wrong)?;
                (RSA_ENCRYPTION, Some(Any::null()), key)
            }
            Parts::Ec { curve: name, x, y, .. } => {
                let curve = curve(name).ok_or_else(|| {
                    UNSUPPORTED.fault(format!("keys on the curve {name} are not used here"))
                })?;
                if x.len() != curve.bytes || y.len() != curve.bytes {
                    return Err(MALFORMED.fault(format!(
                        "the coordinates have {} and {} bytes; on {name} each has {}",
                        x.len(),
                        y.len(),
                        curve.bytes
                    )));
                }
                (ID_EC_PUBLIC_KEY, Some(Any::from(curve.oid)), [&[4], x.as_slice(), y].concat())
            }
            Parts::Okp { x, .. } => (ID_ED_25519, None, x.clone()),
        };
        let subject_public_key = BitString::from_bytes(&key).map_err(wrong)?;
        let algorithm = AlgorithmIdentifierOwned { oid, parameters };
        Self::from_spki(&SubjectPublicKeyInfoOwned { algorithm, subject_public_key }.to_der().map_err(wrong)?)
    }

    /// The way its keys sign that JOSE calls so (RFC 7518, section 3.1), if it is one of theirs.
    pub fn jose_scheme(&self, alg: &str) -> Option<&'static Scheme> {
        self.algorithm.schemes().iter().find(|scheme| scheme.jose == alg)
    }

    /// Its row in the table of algorithms.
    pub fn algorithm(&self) -> &'static dyn Algorithm {
        self.algorithm
    }

    /// The numbers it consists of.
    pub fn parts(&self) -> &Parts {
        &self.parts
    }

    /// What people call its kind and size, such as `RSA 4096`.
    pub fn title(&self) -> String {
        match &self.parts {
            Parts::Rsa { .. } => format!("RSA {}", self.rsa_bits().unwrap_or_default()),
            Parts::Ec { curve, .. } | Parts::Okp { curve, .. } => (*curve).to_owned(),
        }
    }

    /// The length of its modulus in bits, for RSA.
    pub fn rsa_bits(&self) -> Option<usize> {
        let Parts::Rsa { n, .. } = &self.parts else { return None };
        Some(n.len() * 8 - n.first().map_or(0, |first| first.leading_zeros() as usize))
    }

    /// Its DER.
    pub fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// Its PEM (RFC 7468, section 13).
    pub fn to_pem(&self) -> Result<String, Fault> {
        SubjectPublicKeyInfoOwned::from_der(&self.spki)
            .and_then(|info| info.to_pem(LineEnding::LF))
            .map_err(|e| MALFORMED.fault(format!("the public key cannot be written as PEM: {e}")))
    }

    /// Its fingerprint: the SHA-256 digest of the SubjectPublicKeyInfo.
    pub fn fingerprint(&self) -> Digest {
        self.fingerprint
    }

    /// Whether the signature over these octets was made by this key in this way.
    pub fn verify(&self, scheme: &Scheme, octets: &[u8], signature: &Signature) -> bool {
        self.algorithm.schemes().contains(scheme)
            && match self.readied() {
                Some(readied) => readied.verify(octets, signature),
                None => self.algorithm.verify(&self.spki, scheme, octets, signature),
            }
    }

    /// The key readied, once it is used often.
    fn readied(&self) -> Option<&dyn Readied> {
        let Verifying { count, readied } = &*self.verifying;
        if readied.get().is_none() && count.fetch_add(1, Ordering::Relaxed) < OFTEN {
            return None;
        }
        readied.get_or_init(|| self.algorithm.ready(&self.spki)).as_deref()
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.spki == other.spki
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.title(), self.fingerprint())
    }
}
