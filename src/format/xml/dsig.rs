//! Enveloped XML signatures of one profile: one reference to the root, exclusive canonicalization, SHA-2.
//!
//! [`digest`] is for signing, [`verify`] for verifying; both are one pass over the document. Neither does public key
//! arithmetic: the caller signs what [`SignedInfo::octets`] yields, or checks [`Signature::value`] over
//! [`Verified::signed_info`].

use base64ct::{Base64, Encoding as _};
use sha2::{Digest as _, Sha256, Sha384, Sha512};

pub use super::envelope::{Digested, Verified, check, digest, verify};
pub use super::signature::Signature;

use super::c14n::Sink;
use crate::base::fault::{Class, Code};
use crate::key::Hash;

/// There is no signature where one is needed.
pub const MISSING: Code = Code::new("dsig.missing", Class::Refused, "the root element is not signed");
/// There is more than one signature of the root.
pub const SEVERAL: Code =
    Code::new("dsig.several", Class::Refused, "the root element has more than one signature");
/// The signature is not where the schema wants it.
pub const POSITION: Code =
    Code::new("dsig.position", Class::Refused, "the signature is not the first child element of the root");
/// The signature has parts it must not have, or lacks some.
pub const GRAMMAR: Code =
    Code::new("dsig.grammar", Class::Refused, "the signature is not built as the metadata profile wants it");
/// The signature does not cover the root, or not the root alone.
pub const REFERENCE: Code = Code::new(
    "dsig.reference",
    Class::Refused,
    "the signature does not have exactly one reference, to the root",
);
/// The signature transforms what it covers in a way that could hide content.
pub const TRANSFORM: Code =
    Code::new("dsig.transform", Class::Refused, "the signature uses other transforms than it may");
/// The digest algorithm is weak or unknown.
pub const ALGORITHM: Code =
    Code::new("dsig.algorithm", Class::Refused, "the digest algorithm is not accepted");
/// A value of the signature is not base64.
pub const BASE64: Code =
    Code::new("dsig.base64", Class::Refused, "a value in the signature is not strict base64");
/// An identifier is missing, malformed or given twice.
pub const ID: Code = Code::new("dsig.id", Class::Refused, "an ID is missing, malformed or given twice");

/// The namespace of XML signatures.
pub const NS: &str = "http://www.w3.org/2000/09/xmldsig#";
/// The namespace of the elements that XML Signature 1.1 added.
pub const NS_11: &str = "http://www.w3.org/2009/xmldsig11#";
/// Exclusive canonicalization without comments; also the namespace of `InclusiveNamespaces`.
pub const EXC_C14N: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
/// Exclusive canonicalization that keeps comments.
pub const EXC_C14N_COMMENTS: &str = "http://www.w3.org/2001/10/xml-exc-c14n#WithComments";
/// The transform that leaves the signature itself out.
pub const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";

/// A digest in the making, and how many octets went into it.
pub(super) struct Hasher {
    state: State,
    pub(super) octets: u64,
}

enum State {
    Sha256(Sha256),
    Sha384(Sha384),
    Sha512(Sha512),
}

impl Hasher {
    pub(super) fn new(digest: Hash) -> Self {
        let state = match digest {
            Hash::Sha256 => State::Sha256(Sha256::new()),
            Hash::Sha384 => State::Sha384(Sha384::new()),
            Hash::Sha512 => State::Sha512(Sha512::new()),
        };
        Self { state, octets: 0 }
    }

    pub(super) fn finish(self) -> Vec<u8> {
        match self.state {
            State::Sha256(hash) => hash.finalize().to_vec(),
            State::Sha384(hash) => hash.finalize().to_vec(),
            State::Sha512(hash) => hash.finalize().to_vec(),
        }
    }
}

impl Sink for Hasher {
    fn write(&mut self, octets: &[u8]) {
        self.octets += octets.len() as u64;
        match &mut self.state {
            State::Sha256(hash) => hash.update(octets),
            State::Sha384(hash) => hash.update(octets),
            State::Sha512(hash) => hash.update(octets),
        }
    }
}

/// What a signature says of the document; this is what the key signs.
#[derive(Clone, Copy, Debug)]
pub struct SignedInfo<'a> {
    /// The signature algorithm's URI.
    pub signature_method: &'a str,
    /// The algorithm of `digest_value`.
    pub digest_method: Hash,
    /// The `ID` of the root.
    pub reference_id: &'a str,
    /// What [`digest`] yielded.
    pub digest_value: &'a [u8],
}

/// What a signature says about its key. It helps people and old software, and is no ground for trust.
#[derive(Clone, Copy, Debug, Default)]
pub struct KeyInfo<'a> {
    /// A name of the key.
    pub name: Option<&'a str>,
    /// The public key itself.
    pub value: Option<KeyValue<'a>>,
    /// Certificates in DER, the key's own first.
    pub certificates: &'a [&'a [u8]],
}

/// A public key in a `KeyInfo`.
#[derive(Clone, Copy, Debug)]
pub enum KeyValue<'a> {
    /// Both big-endian without leading zeros.
    Rsa {
        /// The modulus.
        modulus: &'a [u8],
        /// The public exponent.
        exponent: &'a [u8],
    },
    /// A point on a named curve.
    Ec {
        /// The curve, as in `urn:oid:1.3.132.0.34`.
        curve: &'a str,
        /// The uncompressed point.
        point: &'a [u8],
    },
}

impl SignedInfo<'_> {
    /// The canonical octets, wherever the element of [`SignedInfo::signature`] is put.
    pub fn octets(&self) -> Vec<u8> {
        self.element(&format!(" xmlns:ds=\"{NS}\"")).into_bytes()
    }

    /// The whole `ds:Signature` element.
    pub fn signature(&self, value: &[u8], key_info: &KeyInfo<'_>) -> String {
        let (info, value, key) = (self.element(""), lines(value), key_info.element());
        format!(
            "<ds:Signature xmlns:ds=\"{NS}\">{info}<ds:SignatureValue>\n{value}\n</ds:SignatureValue>{key}</ds:Signature>"
        )
    }

    /// The element in canonical form, apart from the declarations it needs when it stands alone.
    fn element(&self, declarations: &str) -> String {
        let method = escape(self.signature_method);
        let reference = escape(self.reference_id);
        let digest_method = self.digest_method.xml_uri();
        let digest = Base64::encode_string(self.digest_value);
        [
            &format!("<ds:SignedInfo{declarations}>"),
            &format!("<ds:CanonicalizationMethod Algorithm=\"{EXC_C14N}\"></ds:CanonicalizationMethod>"),
            &format!("<ds:SignatureMethod Algorithm=\"{method}\"></ds:SignatureMethod>"),
            &format!("<ds:Reference URI=\"#{reference}\"><ds:Transforms>"),
            &format!("<ds:Transform Algorithm=\"{ENVELOPED}\"></ds:Transform>"),
            &format!("<ds:Transform Algorithm=\"{EXC_C14N}\"></ds:Transform></ds:Transforms>"),
            &format!("<ds:DigestMethod Algorithm=\"{digest_method}\"></ds:DigestMethod>"),
            &format!("<ds:DigestValue>{digest}</ds:DigestValue></ds:Reference></ds:SignedInfo>"),
        ]
        .map(String::as_str)
        .concat()
    }
}

impl KeyInfo<'_> {
    fn element(&self) -> String {
        let name = self.name.map(|name| format!("<ds:KeyName>{}</ds:KeyName>", escape(name)));
        let value = self.value.map(|value| format!("<ds:KeyValue>{}</ds:KeyValue>", value.element()));
        let certificates = self
            .certificates
            .iter()
            .map(|der| format!("<ds:X509Certificate>\n{}\n</ds:X509Certificate>", lines(der)));
        let certificates = certificates.collect::<String>();
        let data = (!certificates.is_empty()).then(|| format!("<ds:X509Data>{certificates}</ds:X509Data>"));
        let parts = [name, value, data].into_iter().flatten().collect::<String>();
        if parts.is_empty() { parts } else { format!("<ds:KeyInfo>{parts}</ds:KeyInfo>") }
    }
}

impl KeyValue<'_> {
    fn element(&self) -> String {
        match self {
            Self::Rsa { modulus, exponent } => format!(
                "<ds:RSAKeyValue><ds:Modulus>\n{}\n</ds:Modulus><ds:Exponent>{}</ds:Exponent></ds:RSAKeyValue>",
                lines(modulus),
                Base64::encode_string(exponent)
            ),
            Self::Ec { curve, point } => format!(
                "<dsig11:ECKeyValue xmlns:dsig11=\"{NS_11}\"><dsig11:NamedCurve URI=\"{}\"></dsig11:NamedCurve>\
                 <dsig11:PublicKey>\n{}\n</dsig11:PublicKey></dsig11:ECKeyValue>",
                escape(curve),
                lines(point)
            ),
        }
    }
}

/// Base64 in lines of 64 characters.
fn lines(bytes: &[u8]) -> String {
    let encoded = bytes.chunks(48).map(Base64::encode_string);
    encoded.collect::<Vec<_>>().join("\n")
}

/// Text as it stands in element content or in an attribute.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}
