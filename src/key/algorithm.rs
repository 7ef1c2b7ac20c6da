//! The tables of algorithms: each row knows its names in JOSE, XML Signature and X.509, and its arithmetic.

use der::asn1::ObjectIdentifier;
use rand_core::CryptoRng;
use sha2::Digest;

use super::{MALFORMED, Parts, PublicKey, UNSUPPORTED, ed25519, nist, p384, rsa};
use crate::base::fault::Fault;
use crate::base::secret::Secret;

/// Every algorithm a key line can have. Adding one is a file and a row.
pub static ALGORITHMS: &[&dyn LineAlgorithm] = &[&p384::P384, &rsa::Rsa4096];

/// The algorithms that only verify what others signed. No key line is made of them: they have no private half here.
static VERIFIED_ONLY: &[&dyn Algorithm] = &[&nist::P256, &nist::P521, &ed25519::Ed25519];

/// Every algorithm whose signatures are verified, those of key lines first.
pub(super) fn verified() -> impl Iterator<Item = &'static dyn Algorithm> {
    fn public_half(row: &&'static dyn LineAlgorithm) -> &'static dyn Algorithm {
        *row
    }
    ALGORITHMS.iter().map(public_half).chain(VERIFIED_ONLY.iter().copied())
}

/// The public half of an algorithm: its names, and what can be done with a public key of it.
pub trait Algorithm: Sync {
    /// What `--algorithm` takes, such as `p384`.
    fn name(&self) -> &'static str;

    /// What people call it.
    fn title(&self) -> &'static str;

    /// The ways its keys sign.
    fn schemes(&self) -> &'static [Scheme];

    /// The way its keys sign when a document asks for this hash, or the nearest way they have.
    fn scheme(&self, hash: Hash) -> &'static Scheme;

    /// The object identifier of its keys in a SubjectPublicKeyInfo (RFC 5280, section 4.1.2.7).
    fn oid(&self) -> ObjectIdentifier;

    /// The curve that stands beside it there, for ECDSA.
    fn curve(&self) -> Option<&'static Curve> {
        None
    }

    /// Checks the DER of a SubjectPublicKeyInfo and takes it apart.
    fn read_public(&self, spki: &[u8]) -> Result<Parts, Fault>;

    /// Whether the signature over these octets is right.
    fn verify(&self, spki: &[u8], scheme: &Scheme, octets: &[u8], signature: &Signature) -> bool;

    /// Readies a key for many verifications, where that makes each of them cheaper.
    fn ready(&self, _spki: &[u8]) -> Option<Box<dyn Readied>> {
        None
    }

    /// The signature as X.509 writes it (RFC 5480 and RFC 4055).
    fn x509_signature(&self, signature: &Signature) -> Result<Vec<u8>, Fault>;

    /// The signature that X.509 writes so; nothing when it is none.
    fn read_x509_signature(&self, bytes: &[u8]) -> Option<Signature> {
        Some(Signature::from_bytes(bytes.to_vec()))
    }
}

/// A public key that is ready to verify many signatures, in the one way that its algorithm signs.
pub trait Readied: Send + Sync {
    /// Whether the signature over these octets is right: the same verdict as [`Algorithm::verify`].
    fn verify(&self, octets: &[u8], signature: &Signature) -> bool;
}

/// An algorithm for root keys: what can be done with its private keys too.
pub trait LineAlgorithm: Algorithm {
    /// Makes a new key and checks it.
    fn generate(&self, random: &mut dyn CryptoRng) -> Result<Box<dyn PrivateKey>, Fault>;

    /// Reads and checks a private key from strict PKCS#8 DER (RFC 5958) without attributes.
    fn read_private(&self, pkcs8: &[u8]) -> Result<Box<dyn PrivateKey>, Fault>;
}

/// An elliptic curve by its names.
#[derive(Debug, Eq, PartialEq)]
pub struct Curve {
    /// In X.509 (RFC 5480, section 2.1.1.1).
    pub oid: ObjectIdentifier,
    /// In JOSE (RFC 7518, section 6.2.1.1).
    pub jose: &'static str,
    /// In XML Signature (XML Signature 1.1, section 4.5.2.3.1).
    pub urn: &'static str,
    /// The length of a coordinate in bytes.
    pub bytes: usize,
}

/// Whether JOSE calls one of the ways to sign so, of those that are verified.
pub fn is_jose_alg(alg: &str) -> bool {
    verified().flat_map(Algorithm::schemes).any(|scheme| scheme.jose == alg)
}

/// The curve that JOSE calls so, of those in the tables.
pub fn curve(jose: &str) -> Option<&'static Curve> {
    verified().filter_map(Algorithm::curve).find(|curve| curve.jose == jose)
}

/// A private key at work. Lives for one act, in the room `custody`; several threads may sign with it at once.
pub trait PrivateKey: Send + Sync {
    /// Its row in the table.
    fn algorithm(&self) -> &'static dyn LineAlgorithm;

    /// Its public half.
    fn public(&self) -> Result<PublicKey, Fault>;

    /// Its PKCS#8 DER (RFC 5958).
    fn to_pkcs8(&self) -> Result<Secret<Vec<u8>>, Fault>;

    /// Signs octets: RSA blinded, ECDSA hedged.
    fn sign(&self, scheme: &Scheme, octets: &[u8], random: &mut dyn CryptoRng) -> Result<Signature, Fault>;
}

/// A hash function.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Hash {
    /// SHA-256 (FIPS 180-4).
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Hash {
    /// The hash functions in use.
    pub const ALL: [Self; 3] = [Self::Sha256, Self::Sha384, Self::Sha512];

    /// What a profile calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    /// Its identifier in XML Signature (XML Encryption 1.1, section 5.8, and RFC 6931, section 2.1.3).
    pub const fn xml_uri(self) -> &'static str {
        match self {
            Self::Sha256 => "http://www.w3.org/2001/04/xmlenc#sha256",
            Self::Sha384 => "http://www.w3.org/2001/04/xmldsig-more#sha384",
            Self::Sha512 => "http://www.w3.org/2001/04/xmlenc#sha512",
        }
    }

    /// The hash function that XML Signature calls so.
    pub fn from_xml_uri(uri: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|hash| hash.xml_uri() == uri)
    }

    /// The digest of these bytes.
    pub fn digest(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => sha2::Sha256::digest(bytes).to_vec(),
            Self::Sha384 => sha2::Sha384::digest(bytes).to_vec(),
            Self::Sha512 => sha2::Sha512::digest(bytes).to_vec(),
        }
    }
}

/// One way to sign: a key's algorithm with a hash, and its names.
#[derive(Debug, Eq, PartialEq)]
pub struct Scheme {
    /// What people call it, such as `ECDSA-SHA384`.
    pub name: &'static str,
    /// The hash that is signed.
    pub hash: Hash,
    /// The `alg` of JOSE (RFC 7518, section 3.1).
    pub jose: &'static str,
    /// The SignatureMethod of XML Signature (RFC 6931, section 2.3).
    pub xml_uri: &'static str,
    /// The signature algorithm of X.509 (RFC 4055, RFC 5758).
    pub x509: ObjectIdentifier,
}

/// A signature: `r‖s` of fixed length for ECDSA (as XML Signature and JOSE want it), the modulus' length for RSA.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Signature(Vec<u8>);

impl Signature {
    /// Takes the bytes of a signature.
    pub const fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// The algorithm of this name, for a key line.
pub fn algorithm(name: &str) -> Result<&'static dyn LineAlgorithm, Fault> {
    ALGORITHMS.iter().copied().find(|row| row.name() == name).ok_or_else(|| {
        let names: Vec<_> = ALGORITHMS.iter().map(|row| row.name()).collect();
        UNSUPPORTED
            .fault(format!("there is no algorithm '{name}'"))
            .hint(format!("take one of {}", names.join(", ")))
    })
}

/// The scheme that a SignatureMethod of XML Signature names, with the algorithm it belongs to; of those of key lines.
pub fn scheme(xml_uri: &str) -> Option<(&'static dyn Algorithm, &'static Scheme)> {
    let of = |row: &'static dyn LineAlgorithm| {
        row.schemes().iter().map(move |scheme| -> (&'static dyn Algorithm, _) { (row, scheme) })
    };
    ALGORITHMS.iter().copied().flat_map(of).find(|(_, scheme)| scheme.xml_uri == xml_uri)
}

/// What key lines sign with.
pub(super) const IN_USE: &str = "P-384 and RSA-4096 are";

/// What people call what an object identifier stands for; the identifier, where it has no name.
pub(super) fn called(oid: &ObjectIdentifier) -> String {
    let name = const_oid::db::DB.by_oid(oid).unwrap_or_default();
    match name {
        "secp256r1" => "P-256 (secp256r1)".into(),
        "secp521r1" => "P-521 (secp521r1)".into(),
        "" => oid.to_string(),
        name => name.trim_start_matches("id-").to_owned(),
    }
}

const FORM: &str = "`openssl pkcs8 -topk8 -nocrypt -in KEY -out FILE` writes the form that is taken";

/// Reads and checks a private key of any algorithm in the table from PKCS#8 DER (RFC 5958).
pub fn private_key(pkcs8: &[u8]) -> Result<Box<dyn PrivateKey>, Fault> {
    let info = pkcs8::PrivateKeyInfoRef::try_from(pkcs8)
        .map_err(|e| MALFORMED.fault(format!("not a PKCS#8 private key: {e}")).hint(FORM))?;
    let row = ALGORITHMS.iter().find(|row| row.oid() == info.algorithm.oid).ok_or_else(|| {
        let name = called(&info.algorithm.oid);
        UNSUPPORTED.fault(format!("keys of the algorithm {name} are not used here")).hint(IN_USE)
    })?;
    row.read_private(pkcs8)
}
