//! One entity of an aggregate as a document of its own: with the namespaces and `xml:` attributes that it had from its
//! groups, with dates and an `ID`, without its old signature. Everything else stays byte for byte.

use std::io::Read;
use std::ops::Range;

use memchr::memmem;

use super::BATCH;
use super::prepare::{Wanted, refuse_other_id, with_attributes};
use super::split::Settings;
use crate::artefact::{Draft, Judged, Standing};
use crate::base::bytes::{Digest, hex};
use crate::base::clock::Instant;
use crate::base::disk::CHANGED;
use crate::base::fault::{Fault, INTERNAL};
use crate::format::xml::dsig::{self, SignedInfo};
use crate::format::xml::{Event, Limits, Reader, StartTag, XML_NS, is_ncname};
use crate::key::{Hash, Signature};
use crate::policy::Dates;

const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

/// What an entity has from the groups around it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Context {
    /// Prefixes and namespaces in scope.
    namespaces: Vec<(String, String)>,
    /// `xml:lang`, `xml:space` and `xml:base`: name and value.
    inherited: Vec<(String, String)>,
    /// The earliest `validUntil` of the groups.
    valid_until: Option<Instant>,
    /// The nearest `cacheDuration`.
    cache_duration: Option<String>,
}

impl Context {
    /// The context inside a group.
    pub(super) fn within(&self, group: StartTag<'_>) -> Result<Self, Fault> {
        let mut inner = self.clone();
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
        inner.valid_until = earliest(inner.valid_until, until_of(group)?);
        if let Some(duration) = group.attribute("cacheDuration") {
            inner.cache_duration = Some(duration.to_owned());
        }
        Ok(inner)
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
        .map(Instant::parse)
        .transpose()
        .map_err(|fault| BATCH.fault(format!("{}: validUntil: {fault}", tag.position())))
}

fn earliest(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    one.into_iter().chain(other).min()
}

/// An entity that stands alone and needs only its signature.
pub(super) struct Standalone<'a> {
    settings: &'a Settings,
    context: &'a Context,
    raw: Vec<u8>,
    entity_id: String,
    text: Vec<u8>,
    /// Where the signature goes.
    place: usize,
    id: String,
    until: Option<Instant>,
    digest: Vec<u8>,
    octets: Vec<u8>,
}

/// An entity without its signature.
struct Bare {
    text: Vec<u8>,
    place: usize,
    id: String,
    until: Option<Instant>,
    digest: Vec<u8>,
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
        context: &'a Context,
        entity_id: &str,
        raw: Vec<u8>,
    ) -> Result<Self, Fault> {
        let hash = settings.hash;
        let bare = bare(settings, context, entity_id, &raw, When::Until(settings.until), hash)?;
        let Bare { text, place, id, until, digest } = bare;
        let mut own = Self {
            settings,
            context,
            raw,
            entity_id: entity_id.to_owned(),
            text,
            place,
            id,
            until,
            digest,
            octets: Vec::new(),
        };
        own.octets = own.signed_info().octets();
        Ok(own)
    }

    fn signed_info(&self) -> SignedInfo<'_> {
        SignedInfo {
            signature_method: self.settings.scheme.xml_uri,
            digest_method: self.settings.hash,
            reference_id: &self.id,
            digest_value: &self.digest,
        }
    }

    fn signed(&self, signature: &Signature) -> Vec<u8> {
        let (before, after) = self.text.split_at(self.place.min(self.text.len()));
        [before, &self.settings.key_info.sign(&self.signed_info(), signature), after].concat()
    }

    /// What would have been signed to be valid until then, with this signature.
    fn as_of(&self, until: Instant, signature: &Signature) -> Result<Vec<u8>, Fault> {
        let (settings, hash) = (self.settings, self.settings.hash);
        let then = bare(settings, self.context, &self.entity_id, &self.raw, When::Until(until), hash)?;
        let Bare { text, place, id, until, digest } = then;
        let then = Self {
            text,
            place,
            id,
            until,
            digest,
            octets: Vec::new(),
            raw: Vec::new(),
            entity_id: String::new(),
            ..*self
        };
        Ok(then.signed(signature))
    }
}

impl Draft for Standalone<'_> {
    fn octets(&self) -> &[u8] {
        &self.octets
    }

    fn content(&self) -> Result<Digest, Fault> {
        let bare = bare(self.settings, self.context, &self.entity_id, &self.raw, When::Never, Hash::Sha256)?;
        let digest = bare.digest.try_into().map_err(|_| INTERNAL.fault("a digest has another length"))?;
        Ok(Digest::from_bytes(digest))
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
        if !self.as_of(until, &signature).is_ok_and(|expected| expected == published) {
            return changed;
        }
        let is_later = self.until.is_some_and(|new| new > until);
        let is_due = until.seconds_since(self.settings.now) <= self.settings.renewal.seconds();
        let standing = if is_due && is_later { Standing::Expiring } else { Standing::Current };
        Judged { standing, valid_until: Some(until) }
    }

    fn finish(&self, signature: &Signature) -> Result<Vec<u8>, Fault> {
        let document = self.signed(signature);
        let found = dsig::verify(document.as_slice(), Limits::default(), |_| Ok(()))?;
        // The caller has verified the signature over these octets: that they are the document's is what is left to check.
        let is_whole = found.is_intact()
            && found.signed_info == self.octets
            && found.signature.value == signature.as_bytes();
        if is_whole {
            return Ok(document);
        }
        Err(INTERNAL.fault(format!("the signed document of {} does not verify", self.entity_id)))
    }

    fn valid_until(&self) -> Option<Instant> {
        self.until
    }
}

/// Makes an entity stand alone, and digests it.
fn bare(
    settings: &Settings,
    context: &Context,
    entity_id: &str,
    raw: &[u8],
    when: When,
    hash: Hash,
) -> Result<Bare, Fault> {
    let wrapper = context.wrapper();
    let mut reader = Reader::new(wrapper.as_bytes().chain(raw), Limits::default());
    let (mut text, place, id, until) = loop {
        match reader.next()? {
            Some(Event::Start(tag)) if tag.depth() == 1 => break opening(settings, context, tag, raw, when)?,
            Some(_) => {}
            None => return Err(changed(entity_id)),
        }
    };
    text.push(b'\n');
    let found = dsig::digest(text.as_slice(), Limits::default(), hash, |event| match event {
        Event::Start(tag) if tag.depth() == 0 && tag.attribute("entityID") != Some(entity_id) => {
            Err(changed(entity_id))
        }
        _ => Ok(()),
    })?;
    if let Some(range) = found.signature.and_then(as_places) {
        text.drain(range);
    }
    Ok(Bare { text, place, id, until, digest: found.digest })
}

fn as_places(range: Range<u64>) -> Option<Range<usize>> {
    Some(usize::try_from(range.start).ok()?..usize::try_from(range.end).ok()?)
}

fn changed(entity_id: &str) -> Fault {
    CHANGED
        .fault(format!("the document no longer has {entity_id} where it was"))
        .hint("find out who writes to it, then review it again")
}

/// The document with its new start tag, where that ends, its `ID` and its date.
fn opening(
    settings: &Settings,
    context: &Context,
    tag: StartTag<'_>,
    raw: &[u8],
    when: When,
) -> Result<(Vec<u8>, usize, String, Option<Instant>), Fault> {
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
    let head = [DECLARATION, &start, &context.carried(tag, raw)?, ">"].concat();
    let close = if tag.is_empty() { format!("</{}>", tag.name()) } else { String::new() };
    let rest = raw.get(tag.raw().len()..).unwrap_or_default();
    let text = [head.as_bytes(), rest, close.as_bytes()].concat();
    Ok((text, head.len(), id, until))
}

/// Adds the dates that the document shall have. Those of the groups hold for the entity, too.
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
    let own = ["validUntil", "cacheDuration"].iter().any(|name| tag.attribute(name).is_some());
    let is_dated = own || context.valid_until.is_some() || context.cache_duration.is_some();
    if settings.dates == Dates::Replace || !is_dated {
        wanted.push(("validUntil", profiled.to_string()));
        wanted.push(("cacheDuration", settings.cache_duration.clone()));
        return Ok(Some(profiled));
    }
    let until = earliest(context.valid_until, until_of(tag)?);
    if let Some(until) = until {
        settings.check_kept(tag, until)?;
        wanted.push(("validUntil", until.to_string()));
    }
    if let Some(duration) =
        context.cache_duration.as_ref().filter(|_| tag.attribute("cacheDuration").is_none())
    {
        wanted.push(("cacheDuration", escaped(duration)));
    }
    Ok(until)
}

/// A name for the element that is the same whenever the entity is signed.
fn short_id(entity_id: &str) -> String {
    let digest = hex(Digest::of(entity_id.as_bytes()).as_bytes());
    format!("_{}", digest.get(..32).unwrap_or_default())
}
