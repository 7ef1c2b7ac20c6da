//! Reads the `ds:Signature` of a root element against the one grammar we accept.

use base64ct::{Base64, Encoding as _};

use super::dsig::{
    ALGORITHM, BASE64, ENVELOPED, EXC_C14N, EXC_C14N_COMMENTS, GRAMMAR, ID, NS, NS_11, REFERENCE, TRANSFORM,
};
use super::names::is_space;
use super::reader::Event;
use super::short;
use super::tag::StartTag;
use crate::base::fault::Fault;
use crate::key::Hash;

/// What stands in a signature. Nothing here has been checked against a key or a digest.
#[derive(Clone, Debug)]
pub struct Signature {
    /// The signature algorithm's URI.
    pub signature_method: String,
    /// The digest algorithm.
    pub digest_method: Hash,
    /// The digest that the signature claims.
    pub digest_value: Vec<u8>,
    /// The signature value.
    pub value: Vec<u8>,
    /// The reference: `#` and the root's `ID`, or empty for the whole document.
    pub reference_uri: String,
    /// Prefixes that canonicalising the document treats inclusively.
    pub prefix_list: Vec<String>,
    /// Prefixes that canonicalising `SignedInfo` treats inclusively.
    pub signed_info_prefix_list: Vec<String>,
    /// Certificates in `KeyInfo`, for information.
    pub certificates: Vec<Vec<u8>>,
}

/// What of `ds:KeyInfo` holds elements, and what holds texts (XML Signature 1.1, section 4.5): no addresses of keys, no nested
/// `KeyInfo`, no other signature.
const WHOLES: &[&str] = &["KeyValue", "RSAKeyValue", "DSAKeyValue", "X509Data", "X509IssuerSerial"];
const VALUES: &[&str] = &[
    "KeyName",
    "MgmtData",
    "Modulus",
    "Exponent",
    "P",
    "Q",
    "G",
    "Y",
    "J",
    "Seed",
    "PgenCounter",
    "X509Certificate",
    "X509CRL",
    "X509IssuerName",
    "X509SerialNumber",
    "X509SKI",
    "X509SubjectName",
];
const VALUES_11: &[&str] = &["DEREncodedKeyValue", "NamedCurve", "PublicKey", "X509Digest"];

/// An element that must or may come next.
struct Row {
    /// Below `ds:Signature`, which has 0.
    depth: usize,
    part: Part,
    /// The attribute it must have.
    attribute: Option<&'static str>,
    optional: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Part {
    Signature,
    SignedInfo,
    CanonicalizationMethod,
    SignedInfoPrefixes,
    SignatureMethod,
    Reference,
    Transforms,
    Enveloped,
    Canonical,
    Prefixes,
    DigestMethod,
    DigestValue,
    SignatureValue,
    KeyInfo,
}

impl Part {
    /// Namespace and local name.
    fn name(self) -> (&'static str, &'static str) {
        match self {
            Self::Signature => (NS, "Signature"),
            Self::SignedInfo => (NS, "SignedInfo"),
            Self::CanonicalizationMethod => (NS, "CanonicalizationMethod"),
            Self::SignatureMethod => (NS, "SignatureMethod"),
            Self::Reference => (NS, "Reference"),
            Self::Transforms => (NS, "Transforms"),
            Self::Enveloped | Self::Canonical => (NS, "Transform"),
            Self::Prefixes | Self::SignedInfoPrefixes => (EXC_C14N, "InclusiveNamespaces"),
            Self::DigestMethod => (NS, "DigestMethod"),
            Self::DigestValue => (NS, "DigestValue"),
            Self::SignatureValue => (NS, "SignatureValue"),
            Self::KeyInfo => (NS, "KeyInfo"),
        }
    }
}

const fn row(depth: usize, part: Part, attribute: Option<&'static str>) -> Row {
    Row {
        depth,
        part,
        attribute,
        optional: matches!(part, Part::SignedInfoPrefixes | Part::Prefixes | Part::KeyInfo),
    }
}

/// The elements in the order of the document. The depths make this sequence a tree.
const GRAMMAR_ROWS: [Row; 14] = [
    row(0, Part::Signature, None),
    row(1, Part::SignedInfo, None),
    row(2, Part::CanonicalizationMethod, Some("Algorithm")),
    row(3, Part::SignedInfoPrefixes, Some("PrefixList")),
    row(2, Part::SignatureMethod, Some("Algorithm")),
    row(2, Part::Reference, Some("URI")),
    row(3, Part::Transforms, None),
    row(4, Part::Enveloped, Some("Algorithm")),
    row(4, Part::Canonical, Some("Algorithm")),
    row(5, Part::Prefixes, Some("PrefixList")),
    row(3, Part::DigestMethod, Some("Algorithm")),
    row(3, Part::DigestValue, None),
    row(1, Part::SignatureValue, None),
    row(1, Part::KeyInfo, None),
];

/// Takes the events of one signature, from its start tag on.
pub(super) struct SignatureReader {
    /// The `ID` of the root.
    id: Option<String>,
    /// The depth of `ds:Signature`.
    base: usize,
    /// The rows not yet met.
    rows: &'static [Row],
    /// The part whose text is awaited.
    part: Part,
    /// Inside an `X509Certificate`.
    certificate: bool,
    /// Whether an element of KeyInfo is open that holds a text.
    is_value: bool,
    text: String,
    found: Signature,
}

impl SignatureReader {
    pub(super) fn new(id: Option<String>, base: usize) -> Self {
        let found = Signature {
            signature_method: String::new(),
            digest_method: Hash::Sha256,
            digest_value: Vec::new(),
            value: Vec::new(),
            reference_uri: String::new(),
            prefix_list: Vec::new(),
            signed_info_prefix_list: Vec::new(),
            certificates: Vec::new(),
        };
        Self {
            id,
            base,
            rows: &GRAMMAR_ROWS,
            part: Part::Signature,
            certificate: false,
            is_value: false,
            text: String::new(),
            found,
        }
    }

    /// Takes the next event. Yields whether the signature has ended.
    pub(super) fn event(&mut self, event: &Event<'_>) -> Result<bool, Fault> {
        match event {
            Event::Start(tag) => self.start(*tag)?,
            Event::Text { text, .. } => self.text(text)?,
            Event::End(tag) => {
                self.end(tag.depth() - self.base)?;
                return Ok(tag.depth() == self.base);
            }
            Event::Comment(_) => return Err(GRAMMAR.fault("a comment inside the signature")),
            Event::Instruction { .. } => {
                return Err(GRAMMAR.fault("a processing instruction inside the signature"));
            }
        }
        Ok(false)
    }

    /// What was read, once the signature has ended.
    pub(super) fn finish(self) -> Result<Signature, Fault> {
        match self.rows.iter().find(|row| !row.optional) {
            Some(row) => Err(GRAMMAR.fault(format!("the signature has no {}", row.part.name().1))),
            None => Ok(self.found),
        }
    }

    fn start(&mut self, tag: StartTag<'_>) -> Result<(), Fault> {
        let depth = tag.depth() - self.base;
        if self.part == Part::KeyInfo && depth > 1 {
            return self.tells(tag);
        }
        let fits = |row: &Row| row.depth == depth && tag.is(row.part.name().0, row.part.name().1);
        let optional = self.rows.iter().take_while(|row| row.optional).count();
        let next = self.rows.iter().take(optional + 1).position(fits);
        let Some((row, rows)) = next.and_then(|next| self.rows.get(next..)?.split_first()) else {
            return Err(self.misplaced(tag));
        };
        (self.rows, self.part) = (rows, row.part);
        if let Some(foreign) = tag.attributes().find(|a| Some(a.name) != row.attribute && a.name != "Id") {
            return Err(GRAMMAR.fault(format!("{} has the attribute '{}'", tag.name(), short(foreign.name))));
        }
        let value = row.attribute.map(|name| {
            tag.attribute(name)
                .ok_or_else(|| GRAMMAR.fault(format!("{} has no attribute {name}", tag.name())))
        });
        self.attribute(value.transpose()?.unwrap_or_default())
    }

    /// An element in `KeyInfo`. No signature covers it, and some readers look for metadata, or follow addresses, everywhere.
    fn tells(&mut self, tag: StartTag<'_>) -> Result<(), Fault> {
        let (own, name) = (tag.namespace(), tag.local());
        let is_known = |known: &[&str]| known.contains(&name);
        self.is_value = (own == NS && is_known(VALUES)) || (own == NS_11 && is_known(VALUES_11));
        let is_whole = (own == NS && is_known(WHOLES)) || (own == NS_11 && name == "ECKeyValue");
        if !self.is_value && !is_whole {
            let (place, name) = (tag.position(), short(tag.name()));
            return Err(GRAMMAR.fault(format!("{place}: {name} in KeyInfo, which only tells of a key")));
        }
        if let Some(foreign) = tag.attributes().find(|it| !["Id", "URI", "Algorithm"].contains(&it.name)) {
            return Err(GRAMMAR.fault(format!("{} has the attribute '{}'", tag.name(), short(foreign.name))));
        }
        self.certificate = tag.is(NS, "X509Certificate");
        self.text.clear();
        Ok(())
    }

    fn misplaced(&self, tag: StartTag<'_>) -> Fault {
        let next = self.rows.iter().find(|row| !row.optional);
        let expected = next.map_or("the end of the signature", |row| row.part.name().1);
        let code = match (tag.local(), expected) {
            ("Reference", _) => &REFERENCE,
            ("Transform", _) => &TRANSFORM,
            // inside a part that has no parts
            _ if next.is_some_and(|row| tag.depth() - self.base > row.depth) => &GRAMMAR,
            (_, "Reference") => &REFERENCE,
            (_, "Transform" | "Transforms") => &TRANSFORM,
            _ => &GRAMMAR,
        };
        code.fault(format!("{}: {} where {expected} was expected", tag.position(), short(tag.name())))
    }

    /// Judges the attribute of the part just met.
    fn attribute(&mut self, value: &str) -> Result<(), Fault> {
        let prefixes = || value.split_ascii_whitespace().map(str::to_owned).collect();
        // with comments or without is the same here: a same-document reference has none (XML Signature 1.1, section
        // 4.4.3.3), and a signature with comments in it is refused
        let canonical = value == EXC_C14N || value == EXC_C14N_COMMENTS;
        match self.part {
            Part::SignatureMethod => value.clone_into(&mut self.found.signature_method),
            Part::SignedInfoPrefixes => self.found.signed_info_prefix_list = prefixes(),
            Part::Prefixes => self.found.prefix_list = prefixes(),
            Part::DigestMethod => {
                self.found.digest_method = Hash::from_xml_uri(value).ok_or_else(|| {
                    ALGORITHM.fault(format!("the digest algorithm '{}' is not accepted", short(value)))
                })?;
            }
            Part::Reference => {
                if !value.is_empty() {
                    let id = self.id.as_deref().ok_or_else(|| ID.fault("the root element has no ID"))?;
                    if value.strip_prefix('#') != Some(id) {
                        let (uri, id) = (short(value), short(id));
                        return Err(
                            REFERENCE.fault(format!("the reference '{uri}' is not '#{id}', the root"))
                        );
                    }
                }
                value.clone_into(&mut self.found.reference_uri);
            }
            Part::Enveloped if value != ENVELOPED => return Err(transform("first transform", value)),
            Part::Canonical if !canonical => return Err(transform("second transform", value)),
            Part::CanonicalizationMethod if !canonical => return Err(transform("canonicalization", value)),
            _ => {}
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), Fault> {
        match self.part {
            Part::DigestValue | Part::SignatureValue => self.text.push_str(text),
            Part::KeyInfo if self.certificate => self.text.push_str(text),
            Part::KeyInfo if self.is_value => {}
            _ if text.bytes().all(is_space) => {}
            _ => return Err(GRAMMAR.fault(format!("the text '{}' inside the signature", short(text)))),
        }
        Ok(())
    }

    fn end(&mut self, depth: usize) -> Result<(), Fault> {
        match self.part {
            Part::DigestValue => self.found.digest_value = self.decode()?,
            Part::SignatureValue => self.found.value = self.decode()?,
            Part::KeyInfo if self.certificate => {
                let certificate = self.decode()?;
                self.found.certificates.push(certificate);
            }
            _ => {}
        }
        (self.certificate, self.is_value) = (false, false);
        if self.part != Part::KeyInfo || depth == 1 {
            self.part = Part::Signature;
        }
        Ok(())
    }

    /// The value of the text collected. White space is allowed, anything else foreign is not.
    fn decode(&mut self) -> Result<Vec<u8>, Fault> {
        self.text.retain(|c| !matches!(c, ' ' | '\t' | '\r' | '\n'));
        let decoded = Base64::decode_vec(&self.text);
        self.text.clear();
        match decoded {
            Ok(bytes) if !bytes.is_empty() => Ok(bytes),
            _ => Err(BASE64.fault(format!("{} holds no strict base64", self.part.name().1))),
        }
    }
}

fn transform(what: &str, uri: &str) -> Fault {
    TRANSFORM.fault(format!("the {what} is '{}'", short(uri)))
}
