//! One entity of an aggregate as a document of its own: with the namespaces and `xml:` attributes that it had from its
//! groups, with dates and an `ID`, without its old signature. Everything else stays byte for byte.

use std::io::Read;
use std::ops::Range;
use std::sync::Arc;

use memchr::memmem;

use super::BATCH;
use super::prepare::{Wanted, refuse_other_id, with_attributes};
use super::split::{Place, Settings};
use crate::artefact::{Draft, Judged, Standing};
use crate::base::bytes::{Digest, hex};
use crate::base::clock::{Instant, Span};
use crate::base::fault::{Fault, INTERNAL};
use crate::format::xml::dsig::{self, SignedInfo};
use crate::format::xml::{Event, Limits, Reader, StartTag, XML_NS, is_ncname};
use crate::key::Signature;

const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

/// What an entity has from the groups around it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Context {
    /// Prefixes and namespaces in scope.
    namespaces: Vec<(String, String)>,
    /// `xml:lang`, `xml:space` and `xml:base`: name and value.
    inherited: Vec<(String, String)>,
    /// Whether the entity stands in a group, and is not the root itself.
    is_inner: bool,
    /// The earliest `validUntil` of the groups.
    valid_until: Option<Instant>,
    /// The shortest `cacheDuration` of the groups.
    cache_duration: Option<String>,
}

impl Context {
    /// The context inside a group. The dates of a root come from the profile where that sets them: `settings` has those.
    pub(super) fn within(&self, group: StartTag<'_>, settings: &Settings) -> Result<Self, Fault> {
        let mut inner = self.clone();
        inner.is_inner = true;
        for (prefix, uri) in group.declarations() {
            put(&mut inner.namespaces, prefix, uri);
        }
        for attribute in group.attributes().filter(|attribute| attribute.namespace == XML_NS) {
            if attribute.local == "base" && is_relative(attribute.value) && self.has("xml:base") {
                return Err(relative(group));
            }
            if ["lang", "space", "base"].contains(&attribute.local) {
                put(&mut inner.inherited, attribute.name, attribute.value);
            }
        }
        if self.says_when(settings) {
            inner.valid_until = earliest(inner.valid_until, until_of(group)?);
            inner.cache_duration = shortest(inner.cache_duration, group.attribute("cacheDuration"));
        }
        Ok(inner)
    }

    /// Whether the dates of an element in this context count: those of a root do where the profile does not set them.
    const fn says_when(&self, settings: &Settings) -> bool {
        self.is_inner || !settings.sets_dates
    }

    fn has(&self, name: &str) -> bool {
        self.inherited.iter().any(|(own, _)| own == name)
    }

    /// A tag around an entity that gives it all its namespaces.
    fn wrapper(&self) -> String {
        let declared = self.namespaces.iter().map(|(prefix, uri)| declaration(prefix, uri));
        format!("<fedroot{}>", declared.collect::<String>())
    }

    /// What an entity's start tag has to say once it stands alone. A namespace is carried when its prefix and a colon stand
    /// anywhere in the entity, so that prefixes in values are kept; or when there are character references, which could
    /// hide one. The default namespace is carried always.
    fn carried(&self, tag: StartTag<'_>, raw: &[u8]) -> Result<String, Fault> {
        let could_hide = memmem::find(raw, b"&#").is_some();
        let own: Vec<&str> = tag.declarations().map(|(prefix, _)| prefix).collect();
        let mut text = String::new();
        for (prefix, uri) in self.namespaces.iter().filter(|(prefix, _)| !own.contains(&prefix.as_str())) {
            let is_used = prefix.is_empty()
                || could_hide
                || memmem::find(raw, format!("{prefix}:").as_bytes()).is_some();
            if is_used && !(prefix.is_empty() && uri.is_empty()) {
                text.push_str(&declaration(prefix, uri));
            }
        }
        for (name, value) in &self.inherited {
            match tag.attributes().find(|attribute| attribute.name == name) {
                Some(base) if name == "xml:base" && is_relative(base.value) => return Err(relative(tag)),
                Some(_) => {}
                None => text.push_str(&format!(" {name}=\"{}\"", escaped(value))),
            }
        }
        Ok(text)
    }
}

fn put(list: &mut Vec<(String, String)>, name: &str, value: &str) {
    list.retain(|(own, _)| own != name);
    list.push((name.to_owned(), value.to_owned()));
}

fn declaration(prefix: &str, uri: &str) -> String {
    let colon = if prefix.is_empty() { "" } else { ":" };
    format!(" xmlns{colon}{prefix}=\"{}\"", escaped(uri))
}

/// Text as it stands in an attribute, so that a reader gets it back as it is.
fn escaped(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |text, c| match c {
        '&' | '<' | '"' | '\t' | '\n' | '\r' => text + &format!("&#{};", u32::from(c)),
        _ => text + c.encode_utf8(&mut [0; 4]),
    })
}

fn is_relative(base: &str) -> bool {
    !base.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    })
}

fn relative(tag: StartTag<'_>) -> Fault {
    BATCH
        .fault(format!("{}: a relative xml:base stands below another one", tag.position()))
        .hint("write xml:base as an absolute URI")
}

fn until_of(tag: StartTag<'_>) -> Result<Option<Instant>, Fault> {
    tag.attribute("validUntil")
        .map(Instant::parse_xml)
        .transpose()
        .map_err(|fault| BATCH.fault(format!("{}: validUntil: {fault}", tag.position())))
}

fn earliest(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    one.into_iter().chain(other).min()
}

/// The shorter of two durations; one that cannot be read, before all others.
fn shortest(one: Option<String>, other: Option<&str>) -> Option<String> {
    let length = |duration: &String| Span::parse_xml(duration).ok();
    one.into_iter().chain(other.map(str::to_owned)).min_by_key(length)
}

/// An entity that stands alone and needs only its signature.
pub(super) struct Standalone<'a> {
    settings: &'a Settings,
    place: &'a Place,
    entity_id: Arc<str>,
    raw: Vec<u8>,
    head: Head,
}

/// A document up to the place of its signature, and what its start tag says.
struct Head {
    text: String,
    /// Where the start tag that it replaces ends in the entity.
    end: usize,
    /// What an empty element needs once it holds a signature.
    close: String,
    id: String,
    until: Option<Instant>,
}

/// What a signature says of a document.
pub(super) struct Digested {
    digest: Vec<u8>,
    /// Where an old signature stands in the entity.
    signature: Option<Range<usize>>,
}

/// Which dates a document shall have.
#[derive(Clone, Copy)]
enum When {
    /// As the profile has it, from this time on.
    Until(Instant),
    /// None: what it says, whenever it is signed.
    Never,
}

impl<'a> Standalone<'a> {
    pub(super) fn new(
        settings: &'a Settings,
        place: &'a Place,
        entity_id: Arc<str>,
        raw: Vec<u8>,
    ) -> Result<Self, Fault> {
        let head = head(settings, &place.context, &raw, When::Until(settings.until))?;
        Ok(Self { settings, place, entity_id, raw, head })
    }

    fn head(&self, when: When) -> Result<Head, Fault> {
        head(self.settings, &self.place.context, &self.raw, when)
    }

    /// Digests the document, once for all who ask.
    fn digested(&self) -> Result<&Digested, Fault> {
        if let Some(digested) = self.place.digested.get() {
            return Ok(digested);
        }
        let rest = self.raw.get(self.head.end..).unwrap_or_default();
        let text = [self.head.text.as_bytes(), rest, self.head.close.as_bytes(), b"\n"].concat();
        let found = dsig::digest(text.as_slice(), Limits::default(), self.settings.hash, |_| Ok(()))?;
        let place = |at: u64| Some(usize::try_from(at).ok()? + self.head.end - self.head.text.len());
        let signature = found.signature.and_then(|range| Some(place(range.start)?..place(range.end)?));
        Ok(self.place.digested.get_or_init(|| Digested { digest: found.digest, signature }))
    }

    /// What stands behind the start tag, around an old signature.
    fn body(&self) -> Result<[&[u8]; 2], Fault> {
        let may_be_signed = memmem::find(&self.raw, b"Signature").is_some();
        let old = if may_be_signed { self.digested()?.signature.clone() } else { None };
        let Range { start, end } = old.unwrap_or(self.head.end..self.head.end);
        let part = |range| self.raw.get(range).unwrap_or_default();
        Ok([part(self.head.end..start), part(end..self.raw.len())])
    }

    /// The document with this head, and something in the place of its signature.
    fn with(&self, head: &Head, signature: &[u8]) -> Result<Vec<u8>, Fault> {
        let [before, after] = self.body()?;
        Ok([head.text.as_bytes(), signature, before, after, head.close.as_bytes(), b"\n"].concat())
    }

    fn signed_info<'i>(&self, head: &'i Head, digest: &'i [u8]) -> SignedInfo<'i> {
        SignedInfo {
            signature_method: self.settings.scheme.xml_uri,
            digest_method: self.settings.hash,
            reference_id: &head.id,
            digest_value: digest,
        }
    }

    fn signed(&self, head: &Head, digest: &[u8], signature: &Signature) -> Result<Vec<u8>, Fault> {
        let info = self.signed_info(head, digest);
        self.with(head, &self.settings.key_info.sign(&info, signature))
    }
}

impl Draft for Standalone<'_> {
    fn octets(&self) -> Result<Vec<u8>, Fault> {
        Ok(self.signed_info(&self.head, &self.digested()?.digest).octets())
    }

    fn content(&self) -> Result<Digest, Fault> {
        Ok(Digest::of(&self.with(&self.head(When::Never)?, &[])?))
    }

    fn judge(&self, published: &[u8]) -> Judged {
        let foreign = Judged { standing: Standing::Foreign, valid_until: None };
        let mut until = None;
        let look = |event: &Event<'_>| {
            if let Event::Start(tag) = event
                && tag.depth() == 0
            {
                until = until_of(*tag)?;
            }
            Ok(())
        };
        let Ok(found) = dsig::verify(published, Limits::default(), look) else {
            return foreign;
        };
        let signature = Signature::from_bytes(found.signature.value.clone());
        let scheme = self.settings.scheme;
        let is_ours = found.is_intact()
            && found.signature.signature_method == scheme.xml_uri
            && self.settings.public.verify(scheme, &found.signed_info, &signature);
        if !is_ours {
            return foreign;
        }
        let changed = Judged { standing: Standing::Changed, valid_until: None };
        let Some(until) = until else { return changed };
        // The digest is that of what was published. Where all the rest is the same, so is what the digest is of.
        let as_of_then = |head| self.signed(&head, &found.digest, &signature);
        if !self.head(When::Until(until)).and_then(as_of_then).is_ok_and(|expected| expected == published) {
            return changed;
        }
        let is_later = self.head.until.is_some_and(|new| new > until);
        let is_due = until.seconds_since(self.settings.now) <= self.settings.renewal.seconds();
        let standing = if is_due && is_later { Standing::Expiring } else { Standing::Current };
        Judged { standing, valid_until: Some(until) }
    }

    fn finish(&self, signature: &Signature) -> Result<Vec<u8>, Fault> {
        let digest = &self.digested()?.digest;
        let element = self.settings.key_info.sign(&self.signed_info(&self.head, digest), signature);
        let document = self.with(&self.head, &element)?;
        let mut is_it = false;
        let found = dsig::digest(document.as_slice(), Limits::default(), self.settings.hash, |event| {
            if let Event::Start(tag) = event
                && tag.depth() == 0
            {
                is_it = tag.attribute("entityID") == Some(&*self.entity_id);
            }
            Ok(())
        })?;
        // The caller has verified the signature over these octets: that they are the document's is what is left to check.
        let place = found.signature.map(|range| usize::try_from(range.start)..usize::try_from(range.end));
        let stands = place.and_then(|range| document.get(range.start.ok()?..range.end.ok()?));
        let is_whole = found.digest == *digest
            && found.signed_info == self.octets()?
            && stands == Some(element.as_slice());
        if is_whole && is_it {
            return Ok(document);
        }
        Err(INTERNAL.fault(format!("the signed document of {} does not verify", self.entity_id)))
    }

    fn valid_until(&self) -> Option<Instant> {
        self.head.until
    }
}

/// What an entity begins with once it stands alone.
fn head(settings: &Settings, context: &Context, raw: &[u8], when: When) -> Result<Head, Fault> {
    let wrapper = context.wrapper();
    let mut reader = Reader::new(wrapper.as_bytes().chain(raw), Limits::default());
    while let Some(event) = reader.next()? {
        if let Event::Start(tag) = event
            && tag.depth() == 1
        {
            return opening(settings, context, tag, raw, when);
        }
    }
    Err(INTERNAL.fault("an entity has no start tag"))
}

/// The new start tag.
fn opening(
    settings: &Settings,
    context: &Context,
    tag: StartTag<'_>,
    raw: &[u8],
    when: When,
) -> Result<Head, Fault> {
    refuse_other_id(tag)?;
    let mut wanted: Vec<Wanted> = Vec::new();
    let id = match tag.attribute("ID") {
        Some(id) if is_ncname(id) => id.to_owned(),
        _ => {
            let id = short_id(tag.attribute("entityID").unwrap_or_default());
            wanted.push(("ID", id.clone()));
            id
        }
    };
    let until = dates(settings, context, tag, when, &mut wanted)?;
    let mut start = with_attributes(tag, &wanted);
    start.truncate(start.len().saturating_sub(1));
    let text = [DECLARATION, &start, &context.carried(tag, raw)?, ">"].concat();
    let close = if tag.is_empty() { format!("</{}>", tag.name()) } else { String::new() };
    Ok(Head { text, end: tag.raw().len(), close, id, until })
}

/// The start tags that a finished document may have without dates: its [`content`](Draft::content) is made of one of them. One
/// that has no `cacheDuration` does not say where that would stand: before what the entity has from its groups.
pub(super) fn undated(tag: StartTag<'_>) -> Vec<String> {
    let wanted = ["validUntil", "cacheDuration"].map(|name| (name, String::new()));
    if tag.attribute("cacheDuration").is_some() {
        return vec![with_attributes(tag, &wanted)];
    }
    let start = with_attributes(tag, wanted.get(..1).unwrap_or_default());
    let places = start.match_indices(" xml").map(|(at, _)| at).chain([start.len() - 1]);
    let halves = places.filter_map(|at| start.split_at_checked(at));
    halves.map(|(before, after)| format!("{before} cacheDuration=\"\"{after}")).collect()
}

/// Adds the dates that the document shall have: what the entity, its groups and the profile say, whichever ends first. Nothing
/// is valid for longer alone than it would be in its aggregate.
fn dates(
    settings: &Settings,
    context: &Context,
    tag: StartTag<'_>,
    when: When,
    wanted: &mut Vec<Wanted>,
) -> Result<Option<Instant>, Fault> {
    let When::Until(profiled) = when else {
        wanted.extend([("validUntil", String::new()), ("cacheDuration", String::new())]);
        return Ok(None);
    };
    let (mut until, mut duration) = (context.valid_until, context.cache_duration.clone());
    if context.says_when(settings) {
        until = earliest(until, until_of(tag)?);
        duration = shortest(duration, tag.attribute("cacheDuration"));
    }
    if settings.sets_dates {
        until = earliest(until, Some(profiled));
        let readable = duration.filter(|duration| Span::parse_xml(duration).is_ok());
        duration = shortest(readable, Some(&settings.cache_duration));
    } else if let Some(duration) = &duration {
        settings.check_cached(tag, duration)?;
    }
    if let Some(until) = until {
        settings.check_kept(tag, until)?;
    }
    wanted.extend(until.map(|until| ("validUntil", until.to_string())));
    wanted.extend(duration.map(|duration| ("cacheDuration", escaped(&duration))));
    Ok(until)
}

/// A name for the element that is the same whenever the entity is signed.
pub(super) fn short_id(entity_id: &str) -> String {
    let digest = hex(Digest::of(entity_id.as_bytes()).as_bytes());
    format!("_{}", digest.get(..32).unwrap_or_default())
}
