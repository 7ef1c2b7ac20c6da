//! Keys in metadata: which ones consumers find there, and others in their place. A rotation is rehearsed with real metadata so.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::ops::Range;

use super::splice::{Edit, Splice};
use super::{MD, certificate};
use crate::artefact::carried::{SIGNING, channels_of};
use crate::artefact::{Cast, Fingerprints};
use crate::base::bytes::Digest;
use crate::base::disk::{self, Document};
use crate::base::fault::Fault;
use crate::format::xml::{EndTag, Event, Limits, Reader, StartTag};

const DSIG: &str = "http://www.w3.org/2000/09/xmldsig#";

/// A `md:KeyDescriptor` (saml-metadata-2.0-os, section 2.4.1.1), and where it stands in what the document says.
struct Descriptor {
    /// Where the start tag of its role stands.
    role: u64,
    depth: usize,
    element: Range<u64>,
    /// Behind its name.
    name_end: u64,
    /// Its `ds:KeyInfo`: where that begins, until it is read, and then all of it.
    open: Option<(u64, usize)>,
    key_info: Option<Range<u64>>,
    purpose: Option<String>,
    /// The keys of its certificates.
    keys: Vec<Digest>,
}

impl Descriptor {
    fn at(tag: StartTag<'_>, role: u64) -> Self {
        let element = tag.range();
        Self {
            role,
            depth: tag.depth(),
            name_end: element.start + 1 + tag.name().len() as u64,
            element,
            open: None,
            key_info: None,
            purpose: tag.attribute("use").map(str::to_owned),
            keys: vec![],
        }
    }
}

/// Finds every `md:KeyDescriptor`.
#[derive(Default)]
struct Finder {
    /// Where the start tags of the open elements stand.
    open: Vec<u64>,
    descriptor: Option<Descriptor>,
    certificate: Option<String>,
}

impl Finder {
    fn start(&mut self, tag: StartTag<'_>) {
        self.open.truncate(tag.depth());
        match &mut self.descriptor {
            None if tag.is(MD, "KeyDescriptor") && !tag.is_empty() => {
                self.descriptor = Some(Descriptor::at(tag, self.open.last().copied().unwrap_or_default()));
            }
            Some(descriptor) if tag.is(DSIG, "KeyInfo") && descriptor.key_info.is_none() => {
                descriptor.open = Some((tag.range().start, tag.depth()));
            }
            Some(_) if tag.is(DSIG, "X509Certificate") => self.certificate = Some(String::new()),
            _ => {}
        }
        self.open.push(tag.range().start);
    }

    fn end(&mut self, tag: EndTag<'_>) -> Option<Descriptor> {
        let descriptor = self.descriptor.as_mut()?;
        let certificate = self.certificate.take().and_then(|text| certificate::read(&text));
        descriptor.keys.extend(certificate.map(|certificate| certificate.fingerprint));
        if let Some((start, _)) = descriptor.open.take_if(|(_, depth)| *depth == tag.depth()) {
            descriptor.key_info = Some(start..tag.range().end);
        }
        descriptor.element.end = tag.range().end;
        self.descriptor.take_if(|descriptor| descriptor.depth == tag.depth())
    }
}

/// Shows every `md:KeyDescriptor`, in order.
fn each(document: &Document, tell: &mut dyn FnMut(Descriptor)) -> Result<(), Fault> {
    let mut reader = Reader::new(document.content()?, Limits::default());
    let mut finder = Finder::default();
    while let Some(event) = reader.next().map_err(|fault| fault.at(document.name()))? {
        match event {
            Event::Start(tag) => finder.start(tag),
            Event::End(tag) => finder.end(tag).into_iter().for_each(&mut *tell),
            Event::Text { text, .. } => finder.certificate.iter_mut().for_each(|it| it.push_str(text)),
            Event::Comment(_) | Event::Instruction { .. } => {}
        }
    }
    Ok(())
}

/// The keys that consumers find in metadata, and in which kind of channel.
pub(super) fn carries(document: &Document) -> Result<Fingerprints, Fault> {
    let mut found = Fingerprints::new();
    each(document, &mut |descriptor| {
        for channel in channels_of(descriptor.purpose.as_deref()) {
            found.extend(descriptor.keys.iter().map(|key| (*channel, *key)));
        }
    })?;
    Ok(found)
}

/// Writes metadata with other keys in the place of some. Where a role lists several of those that leave for the same use, the
/// others take the place of the first.
pub(super) fn recast(document: &Document, cast: &Cast, to: &mut dyn Write) -> Result<(), Fault> {
    let (mut edits, mut seen) = (Vec::new(), BTreeSet::new());
    each(document, &mut |descriptor| {
        let taking = taking(&descriptor, cast);
        let leaves = descriptor.keys.iter().any(|key| cast.leaving.contains(key));
        let (Some(taking), Some(key_info)) = (taking.filter(|_| leaves), descriptor.key_info) else { return };
        let is_first = seen.insert((descriptor.role, descriptor.purpose.clone()));
        let Some(((certificate, narrower), others)) = taking.split_first().filter(|_| is_first) else {
            return edits.push(Edit { range: descriptor.element, text: vec![] });
        };
        let mut edit = |range, text: String| edits.push(Edit { range, text: text.into_bytes() });
        if let Some(purpose) = narrower {
            edit(descriptor.name_end..descriptor.name_end, used_for(purpose));
        }
        edit(key_info, key_info_with(certificate));
        let end = descriptor.element.end;
        let whole = |(certificate, narrower): &(&str, Option<&str>)| {
            let purpose = narrower.or(descriptor.purpose.as_deref()).map(used_for).unwrap_or_default();
            let key_info = key_info_with(certificate);
            format!("<md:KeyDescriptor xmlns:md=\"{MD}\"{purpose}>{key_info}</md:KeyDescriptor>")
        };
        edit(end..end, others.iter().map(whole).collect());
    })?;
    let copied = io::copy(&mut Splice::new(document.content()?, edits), to);
    let failed = |e| disk::fault("read", document.name().as_ref(), &e);
    copied.map(drop).map_err(|error| error.downcast().unwrap_or_else(failed))
}

/// The certificates that take the place of a descriptor's, and the use that they are for, where it is narrower than the
/// descriptor's; none where nothing takes it.
fn taking<'c>(descriptor: &Descriptor, cast: &'c Cast) -> Option<Vec<(&'c str, Option<&'static str>)>> {
    let channels = channels_of(descriptor.purpose.as_deref()).iter();
    let channels: Vec<_> = channels.filter_map(|it| Some((*it, cast.taking.get(it)?))).collect();
    let mut taking: Vec<(&str, Option<&str>)> = Vec::new();
    for (channel, certificates) in &channels {
        for certificate in *certificates {
            let is_everywhere = channels.iter().all(|(_, others)| others.contains(certificate));
            let narrower =
                (!is_everywhere).then(|| if *channel == SIGNING { "signing" } else { "encryption" });
            if taking.iter().all(|(known, _)| known != certificate) {
                taking.push((certificate, narrower));
            }
        }
    }
    (!channels.is_empty()).then_some(taking)
}

fn used_for(purpose: &str) -> String {
    format!(" use=\"{purpose}\"")
}

fn key_info_with(certificate: &str) -> String {
    let body: String = certificate.lines().filter(|line| !line.starts_with('-')).collect();
    format!(
        "<ds:KeyInfo xmlns:ds=\"{DSIG}\"><ds:X509Data><ds:X509Certificate>{body}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"
    )
}
