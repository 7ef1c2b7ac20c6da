//! Makes metadata ready for its signature. Only the root's start tag changes (`ID`, `validUntil`, `cacheDuration`), an old
//! signature of the root goes, and the new one becomes its first child; every other byte stays as it is.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Read, Write};
use std::ops::Range;

use rand_core::CryptoRng;

use super::facts::Collector;
use super::splice::{Edit, Splice};
use super::{CARRIED, OTHER, Prepared, Terms, check, check_root, valid_until};
use crate::artefact::carried::Carrier;
use crate::base::bytes::{Digest, Hashing, Tagging, equal, from_base64, hex};
use crate::base::disk::{self, Document, DocumentReader};
use crate::base::fault::Fault;
use crate::base::gzip::Expanding;
use crate::format::x509::CERTIFICATE;
use crate::format::xml::dsig::{self, KeyInfo, KeyValue, SignedInfo};
use crate::format::xml::{Event, Limits, Reader, StartTag, is_ncname};
use crate::key::{Hash, Parts, PublicKey, Scheme, Signature};
use crate::policy::{Dates, Examined, Examiner, Facts, KeyInfo as KeyInfoPart, Saml, Standard};

/// More than the signature element ever takes: RSA-4096, its certificate and key value are under 8 KiB.
const SIGNATURE_BYTES_MAX: u64 = 32 * 1024;

/// Metadata that needs only its signature.
struct Metadata<'d> {
    source: &'d Document,
    digest: Digest,
    /// Of what it says, in bytes.
    length: u64,
    /// What tells whether the second reading is the first one.
    key: [u8; 32],
    tag: [u8; 16],
    facts: Facts,
    examined: Examined,
    root: Edit,
    close: Vec<u8>,
    old_signature: Option<Range<u64>>,
    id: String,
    content: Vec<u8>,
    hash: Hash,
    scheme: &'static Scheme,
    octets: Vec<u8>,
    public: PublicKey,
    key_info: OwnedKeyInfo,
}

/// Reads the document once: its root's start tag gets its new attributes, the rest is digested and told of.
pub(super) fn prepare<'d>(
    source: &'d Document,
    terms: &Terms<'_>,
    random: &mut dyn CryptoRng,
    record: Option<&mut dyn Write>,
) -> Result<Box<dyn Prepared + 'd>, Fault> {
    let at = |fault: Fault| fault.at(source.name());
    let root = new_root(source, terms, random).map_err(at)?;
    let profile = &terms.profile.saml;
    let scheme = terms.public.algorithm().scheme(profile.digest);
    let mut key = [0; 32];
    random.fill_bytes(&mut key);
    let given = Tagging::new(Hashing::new(source.reader()), &key);
    let mut spliced = Splice::new(source.expanded(given)?, vec![root.edit.followed_by(&root.close)]);
    let standard =
        Standard { profile: terms.profile, key: terms.public, now: terms.now, released: terms.released };
    let record = record.map(|to| to as &mut dyn Write);
    let examiner = Examiner::new("saml", &["saml"], standard, terms.last, record);
    let carrier = Carrier::new(terms, "saml", CARRIED)?;
    let mut collector = Collector::new().examining((examiner, carrier), terms.now, root.remarks);
    let digested =
        dsig::digest(&mut spliced, Limits::default(), profile.digest, |event| collector.event(event));
    let digested = digested.map_err(at)?;
    let (content, length) = spliced.finish();
    let (tag, hashing) = content.into_inner().finish();
    let (digest, _) = hashing.finish();
    // The digest counted in the edited document; the signature that goes stands in the given one.
    let grown = root.edit.text.len() as u64;
    let shrunk = root.edit.range.end - root.edit.range.start;
    let place = |at: u64| at + shrunk - grown;
    let (facts, found) = collector.finish()?;
    let mut metadata = Metadata {
        source,
        digest,
        length,
        key,
        tag,
        facts,
        examined: found,
        old_signature: digested.signature.map(|range| place(range.start)..place(range.end)),
        root: root.edit,
        close: root.close,
        id: root.id,
        content: digested.digest,
        hash: profile.digest,
        scheme,
        octets: Vec::new(),
        public: terms.public.clone(),
        key_info: OwnedKeyInfo::new(profile, terms)?,
    };
    metadata.octets = metadata.signed_info().octets();
    metadata.facts.add("signature", format!("{} over {}", scheme.name, profile.digest.name()));
    Ok(Box::new(metadata))
}

/// An attribute that a start tag shall have: its name and its value.
pub(super) type Wanted = (&'static str, String);

/// What to say beside the root's attributes.
pub(super) type Remarks = BTreeMap<&'static str, String>;

/// The root's start tag, written anew.
pub(super) struct Root {
    pub(super) edit: Edit,
    /// The end tag that an empty root needs once it holds a signature.
    pub(super) close: Vec<u8>,
    id: String,
    pub(super) remarks: Remarks,
}

/// Reads up to the root's start tag and writes it anew.
fn new_root(source: &Document, terms: &Terms<'_>, random: &mut dyn CryptoRng) -> Result<Root, Fault> {
    let mut reader = Reader::new(source.content()?, Limits::default());
    while let Some(event) = reader.next()? {
        if let Event::Start(tag) = event {
            check_root(tag)?;
            return rewrite(tag, terms, random);
        }
    }
    Err(OTHER.fault("there is no root element"))
}

/// Refuses a root with an attribute that some take for its ID.
pub(super) fn refuse_other_id(tag: StartTag<'_>) -> Result<(), Fault> {
    let Some(other) = tag.attributes().find(|a| a.local == "ID" && !a.namespace.is_empty()) else {
        return Ok(());
    };
    let fault = OTHER.fault(format!(
        "{}: some verifiers would take {} for the root's ID",
        tag.position(),
        other.name
    ));
    Err(fault.hint("take the attribute out, or give it another name"))
}

fn rewrite(tag: StartTag<'_>, terms: &Terms<'_>, random: &mut dyn CryptoRng) -> Result<Root, Fault> {
    refuse_other_id(tag)?;
    let mut remarks = BTreeMap::new();
    let mut wanted: Vec<Wanted> = Vec::new();
    let id = match tag.attribute("ID") {
        Some(id) if is_ncname(id) => id.to_owned(),
        old => {
            let mut bytes = [0; 16];
            random.fill_bytes(&mut bytes);
            let id = format!("_{}", hex(&bytes));
            remarks.insert(
                "ID",
                old.map_or("drawn for this signature".into(), |old| {
                    format!("drawn for this signature; was '{old}', no XML name")
                }),
            );
            wanted.push(("ID", id.clone()));
            id
        }
    };
    wanted.extend(dates(tag, terms, &mut remarks)?);
    Ok(Root::new(tag, &wanted, id, remarks))
}

impl Root {
    pub(super) fn new(tag: StartTag<'_>, wanted: &[Wanted], id: String, remarks: Remarks) -> Self {
        let text = with_attributes(tag, wanted).into_bytes();
        let close = if tag.is_empty() { format!("</{}>", tag.name()).into_bytes() } else { Vec::new() };
        Self { edit: Edit { range: tag.range(), text }, close, id, remarks }
    }
}

/// The dates of the root, where they come from the profile.
pub(super) fn dates(
    tag: StartTag<'_>,
    terms: &Terms<'_>,
    remarks: &mut Remarks,
) -> Result<Vec<Wanted>, Fault> {
    let profile = &terms.profile.saml;
    let dated = ["validUntil", "cacheDuration"].iter().any(|name| tag.attribute(name).is_some());
    if profile.dates == Dates::Keep && dated {
        return Ok(Vec::new());
    }
    let until = terms.now.after(profile.valid_for)?.to_string();
    let wanted = vec![("validUntil", until), ("cacheDuration", profile.cache_duration.to_string())];
    for (name, value) in &wanted {
        let was = tag.attribute(name).filter(|old| old != value);
        remarks.insert(
            name,
            was.map_or("from the profile".into(), |old| format!("from the profile; was {old}")),
        );
    }
    Ok(wanted)
}

/// The start tag with these attributes: replaced where they stand, or added behind the others. Their values need no escaping.
pub(super) fn with_attributes(tag: StartTag<'_>, wanted: &[Wanted]) -> String {
    let raw = tag.raw();
    let mut text = String::with_capacity(raw.len() + 128);
    let mut copied = 0;
    let mut missing: Vec<_> = wanted.iter().collect();
    for attribute in tag.attributes() {
        if let Some(place) = missing.iter().position(|(name, _)| *name == attribute.name) {
            let (_, value) = missing.remove(place);
            text.push_str(raw.get(copied..attribute.value_range.start).unwrap_or_default());
            text.push_str(value);
            copied = attribute.value_range.end;
        }
    }
    let rest = raw.get(copied..).unwrap_or_default();
    let open = rest.strip_suffix("/>").map(str::trim_end).or(rest.strip_suffix('>'));
    text.push_str(open.unwrap_or(rest));
    for (name, value) in missing {
        text.push_str(&format!(" {name}=\"{value}\""));
    }
    text.push('>');
    text
}

/// What the signature says of the key, in a form that outlives the profile.
pub(super) struct OwnedKeyInfo {
    name: Option<String>,
    certificates: Vec<Vec<u8>>,
    value: Option<Parts>,
    point: Vec<u8>,
}

impl OwnedKeyInfo {
    pub(super) fn new(profile: &Saml, terms: &Terms<'_>) -> Result<Self, Fault> {
        let says = |part| profile.key_info.contains(&part);
        let certificates = match terms.certificate.filter(|_| says(KeyInfoPart::Certificate)) {
            Some(pem) => vec![certificate_der(pem)?],
            None => vec![],
        };
        let value = says(KeyInfoPart::KeyValue).then(|| terms.public.parts().clone());
        let point = match &value {
            Some(Parts::Ec { x, y, .. }) => [&[4], x.as_slice(), y].concat(),
            _ => vec![],
        };
        Ok(Self {
            name: says(KeyInfoPart::KeyName).then(|| terms.key.to_string()),
            certificates,
            value,
            point,
        })
    }

    /// The whole `ds:Signature` element.
    pub(super) fn sign(&self, info: &SignedInfo<'_>, signature: &Signature) -> Vec<u8> {
        let certificates: Vec<&[u8]> = self.certificates.iter().map(Vec::as_slice).collect();
        let key_info = KeyInfo {
            name: self.name.as_deref(),
            certificates: &certificates,
            value: self.value.as_ref().and_then(|parts| match parts {
                Parts::Rsa { n, e } => Some(KeyValue::Rsa { modulus: n, exponent: e }),
                Parts::Ec { urn, .. } => Some(KeyValue::Ec { curve: urn, point: &self.point }),
                Parts::Okp { .. } => None,
            }),
        };
        info.signature(signature.as_bytes(), &key_info).into_bytes()
    }
}

fn certificate_der(pem: &str) -> Result<Vec<u8>, Fault> {
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    from_base64(&body).ok_or_else(|| CERTIFICATE.fault("the key's certificate is not PEM"))
}

impl Metadata<'_> {
    fn signed_info(&self) -> SignedInfo<'_> {
        SignedInfo {
            signature_method: self.scheme.xml_uri,
            digest_method: self.hash,
            reference_id: &self.id,
            digest_value: &self.content,
        }
    }

    fn finished(
        &self,
        signature: &Signature,
    ) -> Result<Splice<Expanding<Tagging<DocumentReader<'_>>>>, Fault> {
        let behind_root = self.root.range.end;
        let mut edits = vec![
            self.root.clone(),
            Edit {
                range: behind_root..behind_root,
                text: self.key_info.sign(&self.signed_info(), signature),
            }
            .followed_by(&self.close),
        ];
        edits.extend(self.old_signature.clone().map(|range| Edit { range, text: vec![] }));
        let given = Tagging::new(self.source.reader(), &self.key);
        Ok(Splice::new(self.source.expanded(given)?, edits))
    }
}

impl Prepared for Metadata<'_> {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn examined(&self) -> &Examined {
        &self.examined
    }

    fn document(&self) -> Digest {
        self.digest
    }

    fn octets(&self) -> Vec<&[u8]> {
        vec![&self.octets]
    }

    fn scheme(&self) -> &'static Scheme {
        self.scheme
    }

    fn length_max(&self) -> u64 {
        self.length + self.root.text.len() as u64 + SIGNATURE_BYTES_MAX
    }

    fn finish(&self, signature: &Signature, output: &mut dyn Write) -> Result<(), Fault> {
        let mut tee = Tee { source: self.finished(signature)?, output: BufWriter::new(output), failed: None };
        // what it says is in the facts: the tag below tells whether it still says so
        let checked = check(&mut tee, std::slice::from_ref(&self.public), |_| Ok(()));
        if let Err(error) = tee.output.flush() {
            tee.failed.get_or_insert(error);
        }
        if let Some(error) = tee.failed {
            return Err(disk::fault("write", "the signed document".as_ref(), &error));
        }
        drop(tee.output);
        let (tag, _) = tee.source.finish().0.into_inner().finish();
        if !equal(&tag, &self.tag) {
            return Err(disk::CHANGED
                .fault(format!("{} changed between review and signature", self.source.name()))
                .hint("find out who writes to it, then review it again"));
        }
        checked?;
        valid_until(&self.facts).map(|_| ())
    }
}

/// Copies what is read from the source to the output: what is verified is what was written.
struct Tee<R, W: Write> {
    source: R,
    output: W,
    failed: Option<io::Error>,
}

impl<R: Read, W: Write> Read for Tee<R, W> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        if let Err(error) = self.output.write_all(buffer.get(..count).unwrap_or_default()) {
            let told = io::Error::from(error.kind());
            self.failed = Some(error);
            return Err(told);
        }
        Ok(count)
    }
}
