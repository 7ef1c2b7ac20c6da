//! An aggregate as a batch of single entities: one pass over it finds where each stands and what it has from its groups,
//! and judges it as a whole, like an aggregate that is signed. Memory grows by a few hundred bytes for each entity.

use std::collections::{BTreeMap, HashMap};
use std::io::{Read, Write};

use super::facts::Collector;
use super::mdq;
use super::prepare::{OwnedKeyInfo, Root, dates};
use super::splice::Splice;
use super::standalone::{Context, Standalone};
use super::{BATCH, MD, OTHER, Terms, check_root};
use crate::artefact::{Batch, Draft, Member};
use crate::base::bytes::{Digest, Hashing};
use crate::base::clock::{Instant, Span};
use crate::base::disk::{self, Document};
use crate::base::fault::Fault;
use crate::format::xml::{Event, Limits, Reader, StartTag, dsig};
use crate::key::{Hash, PublicKey, Scheme};
use crate::policy::{Dates, Examined, Examiner, Facts, Standard};

/// A single entity stands in memory while it is signed: larger ones are refused.
const ENTITY_BYTES_MAX: u64 = 64 << 20;

/// Groups whose entities inherit different things: each is kept while the batch is signed.
const CONTEXTS_MAX: usize = 1_000;

/// What all documents of the batch have in common.
pub(super) struct Settings {
    pub(super) scheme: &'static Scheme,
    pub(super) hash: Hash,
    pub(super) public: PublicKey,
    pub(super) key_info: OwnedKeyInfo,
    pub(super) dates: Dates,
    pub(super) now: Instant,
    /// The end of validity of what is signed now, by the profile.
    pub(super) until: Instant,
    until_max: Instant,
    pub(super) cache_duration: String,
    pub(super) renewal: Span,
}

impl Settings {
    fn new(terms: &Terms<'_>) -> Result<Self, Fault> {
        let profile = &terms.profile.saml;
        Ok(Self {
            scheme: terms.public.algorithm().scheme(profile.digest),
            hash: profile.digest,
            public: terms.public.clone(),
            key_info: OwnedKeyInfo::new(profile, terms)?,
            dates: profile.dates,
            now: terms.now,
            until: terms.now.after(profile.valid_for)?,
            until_max: terms.now.after(profile.valid_for_max)?,
            cache_duration: profile.cache_duration.to_string(),
            renewal: profile.renewal(),
        })
    }

    /// Refuses a date of the document that the profile would not let pass.
    pub(super) fn check_kept(&self, tag: StartTag<'_>, until: Instant) -> Result<(), Fault> {
        if until > self.now && until <= self.until_max {
            return Ok(());
        }
        let id = tag.attribute("entityID").unwrap_or_default();
        Err(BATCH
            .fault(format!(
                "{id} would be valid until {until}: past, or beyond the profile's saml.valid_for_max"
            ))
            .hint("mend the dates of the document, or let the profile replace them (saml.dates)"))
    }
}

/// Where an entity stands, and in which group.
struct Place {
    start: u64,
    length: u64,
    context: usize,
}

/// An aggregate that was read once.
struct Split<'d> {
    source: &'d Document,
    settings: Settings,
    facts: Facts,
    examined: Examined,
    digest: Digest,
    contexts: Vec<Context>,
    members: Vec<Member>,
    places: Vec<Place>,
}

/// Reads the aggregate once, as it would be read to be signed as a whole, and notes where its entities stand.
pub(super) fn split<'d>(
    source: &'d Document,
    terms: &Terms<'_>,
    record: &mut dyn Write,
) -> Result<Box<dyn Batch + 'd>, Fault> {
    let at = |fault: Fault| fault.at(source.name());
    if source.content()?.is_compressed() {
        return Err(at(BATCH
            .fault("it is compressed, and its parts are read where they stand")
            .hint("expand it with gunzip first")));
    }
    let settings = Settings::new(terms)?;
    let root = dated_root(source, terms).map_err(at)?;
    let mut spliced = Splice::new(Hashing::new(source.reader()), vec![root.edit.followed_by(&root.close)]);
    let standard =
        Standard { profile: terms.profile, key: terms.public, now: terms.now, released: terms.released };
    let examiner = Examiner::new("saml", &["saml"], standard, terms.last, Some(record));
    let mut collector = Collector::new().examining(examiner, terms.now, root.remarks.clone());
    let mut splitter = Splitter::new(&root);
    let visit = |event: &Event<'_>| {
        splitter.event(event)?;
        collector.event(event)
    };
    dsig::digest(&mut spliced, Limits::default(), settings.hash, visit).map_err(at)?;
    let (digest, _) = spliced.finish().0.finish();
    let (mut facts, findings) = collector.finish()?;
    let Splitter { contexts, members, places, .. } = splitter;
    check_names(&members).map_err(at)?;
    facts.add_with("documents", members.len().to_string(), "each signed on its own");
    facts.add("signature", format!("{} over {}", settings.scheme.name, settings.hash.name()));
    Ok(Box::new(Split { source, settings, facts, examined: findings, digest, contexts, members, places }))
}

/// The root's start tag with the dates that each document will have.
fn dated_root(source: &Document, terms: &Terms<'_>) -> Result<Root, Fault> {
    let mut reader = Reader::new(source.reader(), Limits::default());
    while let Some(event) = reader.next()? {
        if let Event::Start(tag) = event {
            check_root(tag)?;
            let mut remarks = BTreeMap::new();
            let wanted = dates(tag, terms, &mut remarks)?;
            return Ok(Root::new(tag, &wanted, String::new(), remarks));
        }
    }
    Err(OTHER.fault("there is no root element"))
}

/// Refuses two documents under one name: the same entity twice, or two whose identifiers have one SHA-1 hash.
fn check_names(members: &[Member]) -> Result<(), Fault> {
    let mut seen: HashMap<&str, &str> = HashMap::with_capacity(members.len());
    for member in members {
        let Some(name) = member.names.last() else { continue };
        if let Some(other) = seen.insert(name, &member.id) {
            let what = if other == member.id {
                format!("{} stands in it twice", member.id)
            } else {
                format!("{} and {other} have the same SHA-1 hash", member.id)
            };
            return Err(BATCH.fault(what).hint("a name stands for one document: take one of the two out"));
        }
    }
    if members.is_empty() {
        return Err(BATCH.fault("there is no entity in it"));
    }
    Ok(())
}

/// Notes where entities stand while the document streams past.
struct Splitter {
    contexts: Vec<Context>,
    /// The contexts of the open groups.
    groups: Vec<usize>,
    members: Vec<Member>,
    places: Vec<Place>,
    open: Option<Open>,
    /// The document is read with another root tag than it has: where that ends, and how many bytes it is longer.
    root_end: u64,
    grown: u64,
    shrunk: u64,
}

struct Open {
    depth: usize,
    id: String,
    start: u64,
    /// Where its start tag ends, when that is all of it.
    end: Option<u64>,
}

impl Splitter {
    fn new(root: &Root) -> Self {
        let range = &root.edit.range;
        Self {
            contexts: vec![Context::default()],
            groups: vec![],
            members: vec![],
            places: vec![],
            open: None,
            root_end: range.end,
            grown: (root.edit.text.len() + root.close.len()) as u64,
            shrunk: range.end - range.start,
        }
    }

    fn event(&mut self, event: &Event<'_>) -> Result<(), Fault> {
        match event {
            Event::Start(tag) if self.open.is_none() && tag.depth() == self.groups.len() => self.start(*tag),
            Event::End(tag) if self.open.as_ref().is_some_and(|open| open.depth == tag.depth()) => {
                self.entity(tag.range().end)
            }
            Event::End(tag) if self.open.is_none() && tag.depth() + 1 == self.groups.len() => {
                self.groups.pop();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn start(&mut self, tag: StartTag<'_>) -> Result<(), Fault> {
        if tag.is(MD, "EntitiesDescriptor") {
            let outer = self.groups.last().copied().unwrap_or_default();
            let inner = self.contexts.get(outer).cloned().unwrap_or_default().within(tag)?;
            if self.contexts.get(outer) == Some(&inner) {
                self.groups.push(outer);
                return Ok(());
            }
            if self.contexts.len() >= CONTEXTS_MAX {
                let what =
                    format!("more than {CONTEXTS_MAX} groups differ in namespaces, languages or dates");
                return Err(BATCH.fault(what).hint("sign the aggregate as a whole"));
            }
            self.groups.push(self.contexts.len());
            self.contexts.push(inner);
        } else if tag.is(MD, "EntityDescriptor") {
            let id = tag.attribute("entityID").unwrap_or_default().to_owned();
            if id.trim().is_empty() {
                return Err(BATCH
                    .fault(format!("{}: an entity without an entityID has no name", tag.position()))
                    .hint("give it one, or take it out"));
            }
            let is_root = tag.depth() == 0;
            let start = if is_root { tag.range().start } else { self.place(tag.range().start) };
            let end =
                tag.is_empty().then(|| if is_root { self.root_end } else { self.place(tag.range().end) });
            self.open = Some(Open { depth: tag.depth(), id, start, end });
        }
        Ok(())
    }

    /// Where a byte behind the root's start tag stands in the document as it was given.
    fn place(&self, at: u64) -> u64 {
        (at + self.shrunk).saturating_sub(self.grown)
    }

    fn entity(&mut self, end: u64) -> Result<(), Fault> {
        let Some(open) = self.open.take() else { return Ok(()) };
        let end = open.end.unwrap_or_else(|| self.place(end));
        let length = end.saturating_sub(open.start);
        if length > ENTITY_BYTES_MAX {
            let what = format!("{} has more than {ENTITY_BYTES_MAX} bytes", open.id);
            return Err(BATCH.fault(what).hint("sign the aggregate as a whole"));
        }
        let context = self.groups.last().copied().unwrap_or_default();
        self.places.push(Place { start: open.start, length, context });
        let names = mdq::names(&open.id);
        self.members.push(Member { id: open.id, names, length });
        Ok(())
    }
}

impl Batch for Split<'_> {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn examined(&self) -> &Examined {
        &self.examined
    }

    fn document(&self) -> Digest {
        self.digest
    }

    fn scheme(&self) -> &'static Scheme {
        self.settings.scheme
    }

    fn media_type(&self, _place: usize) -> &'static str {
        mdq::MEDIA_TYPE
    }

    fn members(&self) -> &[Member] {
        &self.members
    }

    fn names(&self, id: &str) -> Vec<String> {
        mdq::names(id)
    }

    fn draft(&self, place: usize) -> Result<Box<dyn Draft + '_>, Fault> {
        let missing = || BATCH.fault("there is no such entity");
        let (member, at) = self.members.get(place).zip(self.places.get(place)).ok_or_else(missing)?;
        let context = self.contexts.get(at.context).ok_or_else(missing)?;
        let mut raw = Vec::with_capacity(usize::try_from(at.length).unwrap_or_default());
        let mut source = self.source.reader_at(at.start).take(at.length);
        source.read_to_end(&mut raw).map_err(|e| disk::fault("read", self.source.name().as_ref(), &e))?;
        Ok(Box::new(Standalone::new(&self.settings, context, &member.id, raw)?))
    }
}
