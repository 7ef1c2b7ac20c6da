//! One pass over a document with an enveloped signature: the digest of the root without it, and every event besides.

use std::io::Read;
use std::ops::Range;

use super::c14n::{Canonicalizer, Form};
use super::dsig::{Hasher, ID, MISSING, NS, POSITION, SEVERAL};
use super::names::is_fragment;
use super::reader::{Event, Ids, Reader};
use super::scope::XML_NS;
use super::signature::{Signature, SignatureReader};
use super::tag::StartTag;
use super::{LIMIT, Limits, short};
use crate::base::fault::Fault;
use crate::key::Hash;

/// The signature must have ended this far into the document.
const HEAD: usize = 8 << 20;

/// What a pass for signing yields.
#[derive(Clone, Debug)]
pub struct Digested {
    /// The digest of the root without its signature.
    pub digest: Vec<u8>,
    /// The root's `ID`, where it has one.
    pub id: Option<String>,
    /// Where a signature stands in the source, in bytes.
    pub signature: Option<Range<u64>>,
    /// The canonical octets of its `SignedInfo`, as nobody has looked at it yet.
    pub signed_info: Vec<u8>,
}

/// What a pass for verifying yields. The document is as signed when `digest` is `signature.digest_value` and
/// `signature.value` is the trusted key's signature over `signed_info`.
#[derive(Clone, Debug)]
pub struct Verified {
    /// The signature as it stands.
    pub signature: Signature,
    /// The canonical octets of its `SignedInfo`.
    pub signed_info: Vec<u8>,
    /// The digest of the root without its signature.
    pub digest: Vec<u8>,
    /// How many octets were digested.
    pub octets: u64,
    /// The root's `ID`, where it has one.
    pub id: Option<String>,
    /// Where the signature stands in the source, in bytes.
    pub place: Range<u64>,
}

impl Verified {
    /// Whether the document is the one that the signature speaks of. Who made the signature is another question.
    pub fn is_intact(&self) -> bool {
        self.digest == self.signature.digest_value
    }
}

/// Digests a document that is to be signed. A signature of the root is left out, and reported to be cut out.
///
/// `visit` sees every event but those of that signature.
pub fn digest<R: Read>(
    source: R,
    limits: Limits,
    digest: Hash,
    visit: impl FnMut(&Event<'_>) -> Result<(), Fault>,
) -> Result<Digested, Fault> {
    let mut content = Canonicalizer::new(Hasher::new(digest), Form::default());
    let mut pass = Pass::new(Some(Canonicalizer::new(Vec::new(), Form::default())), visit);
    let mut reader = Reader::new(source, limits);
    while let Some(event) = reader.next()? {
        if pass.covers(&event)? {
            content.event(&event);
        }
    }
    let signed_info = pass.signed_info.map(Canonicalizer::finish).unwrap_or_default();
    let (id, signature) = (pass.id, pass.signature);
    Ok(Digested { digest: content.finish().finish(), id, signature, signed_info })
}

/// Reads a document as [`digest`] does, and refuses what that refuses: for one whose parts are signed, and not the whole.
pub fn check<R: Read>(
    source: R,
    limits: Limits,
    visit: impl FnMut(&Event<'_>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut pass = Pass::new(None, visit);
    let mut reader = Reader::new(source, limits);
    while let Some(event) = reader.next()? {
        pass.covers(&event)?;
    }
    Ok(())
}

/// Reads a signed document and digests what its signature must cover.
///
/// `visit` sees every event but those of the signature. What it learns holds once the signature has been checked.
/// Comments are never covered, instructions outside the root only by a reference to the whole document.
pub fn verify<R: Read>(
    mut source: R,
    limits: Limits,
    visit: impl FnMut(&Event<'_>) -> Result<(), Fault>,
) -> Result<Verified, Fault> {
    // how the root's start tag is canonicalised depends on the signature behind it: so the head is read twice
    let mut head = Vec::new();
    let signature = find(Recording { source: &mut source, taken: &mut head }, limits)?;
    let outside = signature.reference_uri.is_empty();
    let form = Form { outside, prefixes: signature.prefix_list.clone(), ..Form::default() };
    let signed_info = Form { prefixes: signature.signed_info_prefix_list.clone(), ..Form::default() };
    let signed_info = Canonicalizer::new(Vec::new(), signed_info);
    let mut content = Canonicalizer::new(Hasher::new(signature.digest_method), form);
    let mut pass = Pass::new(Some(signed_info), visit);
    let mut reader = Reader::new(head.chain(source), limits);
    while let Some(event) = reader.next()? {
        if pass.covers(&event)? {
            content.event(&event);
        }
    }
    let (id, place) = (pass.id, pass.signature.ok_or_else(missing)?);
    let signed_info = pass.signed_info.map(Canonicalizer::finish).unwrap_or_default();
    let hasher = content.finish();
    let octets = hasher.octets;
    Ok(Verified { signature, signed_info, digest: hasher.finish(), octets, id, place })
}

/// Reads up to the end of the root's signature.
fn find(source: Recording<'_, impl Read>, limits: Limits) -> Result<Signature, Fault> {
    let mut reader = Reader::new(source, limits);
    let mut id = None;
    let mut signature: Option<SignatureReader> = None;
    let mut ended = false;
    while !ended && let Some(event) = reader.next()? {
        match (&event, &mut signature) {
            (_, Some(open)) => ended = open.event(&event)?,
            (Event::Start(tag), None) if tag.depth() == 0 => id = root_id(*tag)?,
            (Event::Start(tag), None) if is_signature(*tag) => {
                let mut open = SignatureReader::new(id.take(), 1);
                open.event(&event)?;
                signature = Some(open);
            }
            (Event::Start(_), None) => return Err(elsewhere(reader)),
            _ => {}
        }
        if reader.get_mut().taken.len() > HEAD {
            return Err(LIMIT.fault(format!("the signature does not end within the first {HEAD} bytes")));
        }
    }
    signature.ok_or_else(missing)?.finish()
}

/// Why there is no signature in the first place.
fn elsewhere(mut reader: Reader<Recording<'_, impl Read>>) -> Fault {
    loop {
        reader.get_mut().taken.clear();
        match reader.next() {
            Ok(Some(Event::Start(tag))) if is_signature(tag) => return misplaced(tag),
            Ok(Some(_)) => {}
            Ok(None) => return missing(),
            Err(fault) => return fault,
        }
    }
}

fn missing() -> Fault {
    MISSING
        .fault("the root element has no signature")
        .hint("nothing vouches for this document: ask for the signed one")
}

fn misplaced(tag: StartTag<'_>) -> Fault {
    POSITION.fault(format!("{}: the signature is not the first child element of the root", tag.position()))
}

fn is_signature(tag: StartTag<'_>) -> bool {
    tag.depth() == 1 && tag.is(NS, "Signature")
}

fn root_id(tag: StartTag<'_>) -> Result<Option<String>, Fault> {
    match tag.attribute("ID") {
        Some(id) if !is_fragment(id) => Err(ID.fault(format!("the root's ID '{}' is no name", short(id)))),
        id => Ok(id.map(str::to_owned)),
    }
}

/// Remembers what was read.
struct Recording<'a, R> {
    source: &'a mut R,
    taken: &'a mut Vec<u8>,
}

impl<R: Read> Read for Recording<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.source.read(buffer)?;
        self.taken.extend(buffer.iter().take(count));
        Ok(count)
    }
}

/// Where the pass stands.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Place {
    /// Before the root's first child element.
    Head,
    /// Inside the root's signature, which began at this byte.
    Signature(u64),
    /// Behind it.
    Content,
}

struct Pass<V> {
    signed_info: Option<Canonicalizer<Vec<u8>>>,
    visit: V,
    place: Place,
    ids: Ids,
    id: Option<String>,
    signature: Option<Range<u64>>,
}

impl<V: FnMut(&Event<'_>) -> Result<(), Fault>> Pass<V> {
    fn new(signed_info: Option<Canonicalizer<Vec<u8>>>, visit: V) -> Self {
        Self { signed_info, visit, place: Place::Head, ids: Ids::default(), id: None, signature: None }
    }

    /// Takes the next event. Yields whether a signature of the root covers it.
    fn covers(&mut self, event: &Event<'_>) -> Result<bool, Fault> {
        if let Event::Start(tag) = event {
            self.start(*tag)?;
        }
        let Place::Signature(start) = self.place else {
            (self.visit)(event)?;
            return Ok(true);
        };
        match event {
            Event::Start(tag) if tag.depth() == 1 => {}
            Event::End(tag) if tag.depth() == 1 => {
                self.signature = Some(start..tag.range().end);
                self.place = Place::Content;
            }
            _ => self.signed_info.iter_mut().for_each(|signed_info| signed_info.event(event)),
        }
        Ok(false)
    }

    fn start(&mut self, tag: StartTag<'_>) -> Result<(), Fault> {
        if tag.depth() == 0 {
            self.id = root_id(tag)?;
        }
        self.unique(tag)?;
        match self.place {
            Place::Head if is_signature(tag) => self.place = Place::Signature(tag.range().start),
            Place::Head if tag.depth() > 0 => self.place = Place::Content,
            _ => {}
        }
        if self.place == Place::Content && is_signature(tag) {
            if self.signature.is_none() {
                return Err(misplaced(tag));
            }
            return Err(SEVERAL.fault(format!("{}: a second signature of the root", tag.position())));
        }
        Ok(())
    }

    /// Refuses an `ID` given twice, and the root's under any of the other names that some software takes for an ID.
    fn unique(&mut self, tag: StartTag<'_>) -> Result<(), Fault> {
        for attribute in tag.identifiers() {
            let doubtful = match (attribute.namespace, attribute.local) {
                ("", "ID") => !self.ids.insert(attribute.value),
                ("", "Id" | "id" | "iD") | (XML_NS, "id") => self.id.as_deref() == Some(attribute.value),
                _ => false,
            };
            if doubtful {
                let id = short(attribute.value);
                return Err(ID.fault(format!("{}: the ID '{id}' is given twice", tag.position())));
            }
        }
        Ok(())
    }
}
