//! What a certificate says of itself as an authority: may it sign others, until when, and for whom (RFC 5280, section 4.2.1).

use der::{Decode, Encode};
use x509_cert::Certificate;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{BasicConstraints, KeyUsage, SubjectAltName};

use super::CERTIFICATE;
use crate::base::clock::Instant;
use crate::base::fault::Fault;
use crate::key::PublicKey;

/// What a certificate of an authority says.
#[derive(Clone, Debug)]
pub struct Authority {
    /// The key it is for.
    pub key: PublicKey,
    /// The start of its validity.
    pub not_before: Instant,
    /// The end of its validity.
    pub not_after: Instant,
    /// Whether it says CA:TRUE, and its keyUsage is critical and has keyCertSign and cRLSign at most.
    pub signs_certificates_only: bool,
    /// The URIs of its subjectAltName.
    pub uris: Vec<String>,
    /// Whether it names itself as its issuer.
    pub is_self_issued: bool,
}

impl Authority {
    /// Reads a certificate in DER.
    pub fn from_der(der: &[u8]) -> Result<Self, Fault> {
        let wrong = |e: der::Error| CERTIFICATE.fault(format!("the certificate cannot be read: {e}"));
        let certificate = Certificate::from_der(der).map_err(wrong)?;
        let signed = certificate.tbs_certificate();
        let constraints = signed.get_extension::<BasicConstraints>().map_err(wrong)?;
        let usage = signed.get_extension::<KeyUsage>().map_err(wrong)?;
        let names = signed.get_extension::<SubjectAltName>().map_err(wrong)?;
        let uri = |name: GeneralName| match name {
            GeneralName::UniformResourceIdentifier(uri) => Some(uri.as_str().to_owned()),
            _ => None,
        };
        let time = |time: &x509_cert::time::Time| {
            let seconds = i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX);
            Instant::from_unix(seconds)
        };
        let validity = signed.validity();
        let other = |usage: &KeyUsage| {
            usage.digital_signature()
                || usage.non_repudiation()
                || usage.key_encipherment()
                || usage.data_encipherment()
                || usage.key_agreement()
        };
        Ok(Self {
            key: PublicKey::from_spki(&signed.subject_public_key_info().to_der().map_err(wrong)?)?,
            not_before: time(&validity.not_before)?,
            not_after: time(&validity.not_after)?,
            signs_certificates_only: constraints.is_some_and(|(_, constraints)| constraints.ca)
                && usage.is_some_and(|(is_critical, usage)| {
                    is_critical && usage.key_cert_sign() && !other(&usage)
                }),
            uris: names.map(|(_, names)| names.0.into_iter().filter_map(uri).collect()).unwrap_or_default(),
            is_self_issued: signed.issuer() == signed.subject(),
        })
    }
}
