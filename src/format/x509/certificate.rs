//! Self-signed certificates (RFC 5280). In SAML metadata a certificate is only a wrapper around a public key: consumers pin
//! the key and ignore the rest (SAML V2.0 Metadata Interoperability Profile, section 2.6.1).

use std::str::FromStr;

use der::asn1::{BitString, GeneralizedTime, UtcTime};
use der::pem::LineEnding;
use der::{Decode, DecodePem, Encode, EncodePem};
use signature::Keypair;
use spki::{
    AlgorithmIdentifierOwned, DynSignatureAlgorithmIdentifier, EncodePublicKey, SubjectPublicKeyInfoOwned,
    SubjectPublicKeyInfoRef,
};
use x509_cert::Certificate;
use x509_cert::builder::profile::BuilderProfile;
use x509_cert::builder::{Builder, CertificateBuilder};
use x509_cert::certificate::TbsCertificate;
use x509_cert::ext::pkix::{KeyUsage, KeyUsages, SubjectKeyIdentifier};
use x509_cert::ext::{Extension, ToExtension};
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;
use x509_cert::time::{Time, Validity};

use super::CERTIFICATE;
use crate::base::clock::Instant;
use crate::base::fault::Fault;
use crate::key::{PublicKey, Scheme, Signature};

/// A certificate without its signature.
pub struct Unsigned {
    builder: CertificateBuilder<SelfSigned>,
    signer: Signer,
    octets: Vec<u8>,
}

impl Unsigned {
    /// Prepares a self-signed certificate for this key. `common_name` becomes subject and issuer, `serial` (at most 20
    /// bytes) the serial number.
    pub fn new(
        key: &PublicKey,
        scheme: &'static Scheme,
        common_name: &str,
        serial: &[u8],
        not_before: Instant,
        not_after: Instant,
    ) -> Result<Self, Fault> {
        let subject = Name::from_str(&format!("CN={common_name}")).map_err(|e| wrong(&e))?;
        let validity = Validity::new(time(not_before)?, time(not_after)?);
        let serial = SerialNumber::new(serial).map_err(|e| wrong(&e))?;
        let spki = SubjectPublicKeyInfoOwned::from_der(key.spki()).map_err(|e| wrong(&e))?;
        let mut builder =
            CertificateBuilder::new(SelfSigned(subject), serial, validity, spki).map_err(|e| wrong(&e))?;
        let signer = Signer { key: key.clone(), scheme };
        let octets = builder.finalize(&signer).map_err(|e| wrong(&e))?;
        Ok(Self { builder, signer, octets })
    }

    /// The octets to be signed: the TBSCertificate.
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// Puts the signature in and returns the certificate's PEM (RFC 7468, section 5).
    pub fn finish(self, signature: &Signature) -> Result<String, Fault> {
        let bytes = self.signer.key.algorithm().x509_signature(signature)?;
        let bits = BitString::from_bytes(&bytes).map_err(|e| wrong(&e))?;
        let certificate = self.builder.assemble(bits, &self.signer).map_err(|e| wrong(&e))?;
        certificate.to_pem(LineEnding::LF).map_err(|e| wrong(&e))
    }
}

/// The public key in a certificate's PEM. Everything else in it is ignored.
pub fn public_key(pem: &str) -> Result<PublicKey, Fault> {
    key_of(&Certificate::from_pem(pem).map_err(|e| wrong(&e))?)
}

/// The public key in a certificate's DER.
pub fn public_key_der(der: &[u8]) -> Result<PublicKey, Fault> {
    key_of(&Certificate::from_der(der).map_err(|e| wrong(&e))?)
}

fn key_of(certificate: &Certificate) -> Result<PublicKey, Fault> {
    let spki = certificate.tbs_certificate().subject_public_key_info().to_der().map_err(|e| wrong(&e))?;
    PublicKey::from_spki(&spki)
}

fn wrong(error: &dyn std::fmt::Display) -> Fault {
    CERTIFICATE.fault(format!("the certificate cannot be read or made: {error}"))
}

/// Times up to 2049 are UTCTime, later ones GeneralizedTime (RFC 5280, section 4.1.2.5).
fn time(instant: Instant) -> Result<Time, Fault> {
    let since = std::time::Duration::from_secs(u64::try_from(instant.unix()).unwrap_or_default());
    match UtcTime::from_unix_duration(since) {
        Ok(time) => Ok(Time::UtcTime(time)),
        Err(_) => GeneralizedTime::from_unix_duration(since).map(Time::GeneralTime).map_err(|e| wrong(&e)),
    }
}

struct SelfSigned(Name);

impl BuilderProfile for SelfSigned {
    fn get_issuer(&self, subject: &Name) -> Name {
        subject.clone()
    }

    fn get_subject(&self) -> Name {
        self.0.clone()
    }

    fn build_extensions(
        &self,
        key: SubjectPublicKeyInfoRef<'_>,
        _issuer: SubjectPublicKeyInfoRef<'_>,
        tbs: &TbsCertificate,
    ) -> x509_cert::builder::Result<Vec<Extension>> {
        let identifier = SubjectKeyIdentifier::try_from(key)?.to_extension(tbs.subject(), &[])?;
        let usage = KeyUsage(KeyUsages::DigitalSignature.into()).to_extension(tbs.subject(), &[])?;
        Ok(vec![identifier, usage])
    }
}

/// Tells the builder who will sign; the signature itself is made elsewhere.
struct Signer {
    key: PublicKey,
    scheme: &'static Scheme,
}

impl Keypair for Signer {
    type VerifyingKey = Spki;

    fn verifying_key(&self) -> Spki {
        Spki(self.key.spki().to_vec())
    }
}

impl DynSignatureAlgorithmIdentifier for Signer {
    fn signature_algorithm_identifier(&self) -> spki::Result<AlgorithmIdentifierOwned> {
        // RFC 4055, section 5: NULL parameters for RSA; RFC 5758, section 3.2: none for ECDSA.
        let null = matches!(self.key.parts(), crate::key::Parts::Rsa { .. });
        Ok(AlgorithmIdentifierOwned { oid: self.scheme.x509, parameters: null.then(der::Any::null) })
    }
}

#[derive(Clone)]
struct Spki(Vec<u8>);

impl EncodePublicKey for Spki {
    fn to_public_key_der(&self) -> spki::Result<der::Document> {
        der::Document::from_der(&self.0).map_err(Into::into)
    }
}
