//! The public half of a key, as a SubjectPublicKeyInfo (RFC 5280, section 4.1.2.7).

use std::fmt;

use der::{Decode, EncodePem, pem::LineEnding};
use spki::{SubjectPublicKeyInfoOwned, SubjectPublicKeyInfoRef};

use super::{ALGORITHMS, Algorithm, MALFORMED, Scheme, Signature, UNSUPPORTED};
use crate::base::bytes::Digest;
use crate::base::fault::Fault;

/// A public key of an algorithm in the table.
#[derive(Clone)]
pub struct PublicKey {
    algorithm: &'static dyn Algorithm,
    parts: Parts,
    spki: Vec<u8>,
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
}

impl PublicKey {
    /// Reads the DER of a SubjectPublicKeyInfo.
    pub fn from_spki(spki: &[u8]) -> Result<Self, Fault> {
        let info = SubjectPublicKeyInfoRef::from_der(spki)
            .map_err(|e| MALFORMED.fault(format!("not a SubjectPublicKeyInfo: {e}")))?;
        let oid = info.algorithm.oid;
        let algorithm = ALGORITHMS
            .iter()
            .copied()
            .find(|row| row.oid() == oid)
            .ok_or_else(|| UNSUPPORTED.fault(format!("keys of the algorithm {oid} are not used here")))?;
        Ok(Self { algorithm, parts: algorithm.read_public(spki)?, spki: spki.to_vec() })
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
            Parts::Rsa { n, .. } => format!("RSA {}", n.len() * 8),
            Parts::Ec { curve, .. } => (*curve).to_owned(),
        }
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
        Digest::of(&self.spki)
    }

    /// Whether the signature over these octets was made by this key in this way.
    pub fn verify(&self, scheme: &Scheme, octets: &[u8], signature: &Signature) -> bool {
        self.algorithm.schemes().contains(scheme)
            && self.algorithm.verify(&self.spki, scheme, octets, signature)
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
