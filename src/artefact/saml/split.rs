//! An aggregate as a batch of single entities: one pass over it finds where each stands and what it has from its groups,
//! and judges it as a whole, like an aggregate that is signed. What it reads it keeps in a nameless file, expanded, and all
//! that is made of an entity is made of that. Memory grows by a few hundred bytes for each entity.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Read, Write};
use std::sync::{Arc, OnceLock};

use super::element::Element;
use super::facts::Collector;
use super::mdq;
use super::prepare::{OwnedKeyInfo, Root, dates};
use super::splice::Splice;
use super::standalone::{Context, Digested, Standalone, short_id};
use super::structure::{Stand, Structure};
use super::{BATCH, CARRIED, OTHER, Terms, check_root};
use crate::artefact::carried::Carrier;
use crate::artefact::{Batch, Draft, Look, Member, Members};
use crate::base::bytes::{Digest, Hashing};
use crate::base::clock::{Instant, Span};
use crate::base::cores;
use crate::base::disk::{self, Document, Pending};
use crate::base::fault::{Fault, INTERNAL};
use crate::format::xml::{Event, Limits, Reader, StartTag, dsig, is_ncname};
use crate::key::{Hash, PublicKey, Scheme};
use crate::policy::{Entity, Examined, Examiner, Facts, Standard};

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
    /// Whether the root's dates come from the profile.
    pub(super) sets_dates: bool,
    pub(super) now: Instant,
    /// The end of validity of what is signed now, by the profile.
    pub(super) until: Instant,
    until_max: Instant,
    valid_for_max: Span,
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
            sets_dates: false,
            now: terms.now,
            until: terms.now.after(profile.valid_for)?,
            until_max: terms.now.after(profile.valid_for_max)?,
            valid_for_max: profile.valid_for_max,
            cache_duration: profile.cache_duration.to_string(),
            renewal: profile.renewal(),
        })
    }

    /// Refuses a date of the document that the profile would not let pass.
    pub(super) fn check_kept(&self, tag: StartTag<'_>, until: Instant) -> Result<(), Fault> {
        if until > self.now && until <= self.until_max {
            return Ok(());
        }
        Err(beyond(tag, &format!("valid until {until}: past, or")))
    }

    /// The same for how long consumers may keep it.
    pub(super) fn check_cached(&self, tag: StartTag<'_>, duration: &str) -> Result<(), Fault> {
        if Span::parse_xml(duration).is_ok_and(|span| span <= self.valid_for_max) {
            return Ok(());
        }
        Err(beyond(tag, &format!("cached for '{duration}': unreadable, or")))
    }
}

fn beyond(tag: StartTag<'_>, what: &str) -> Fault {
    let id = tag.attribute("entityID").unwrap_or_default();
    BATCH
        .fault(format!("{id} would be {what} beyond the profile's saml.valid_for_max; nothing was signed"))
        .hint("mend the dates of the entity, its groups and the root, or take the entity out")
}

/// Where an entity stands, in which group, and what is known of the document that is made of it.
pub(super) struct Place {
    start: u64,
    length: u64,
    pub(super) context: Arc<Context>,
    /// Digested once, whoever asks first.
    pub(super) digested: OnceLock<Digested>,
}

/// What was read once, and waits as it was read.
struct Source {
    settings: Settings,
    spare: Document,
}

impl Source {
    fn draft<'a>(&'a self, member: &Member, place: &'a Place) -> Result<Standalone<'a>, Fault> {
        let mut raw = Vec::with_capacity(usize::try_from(place.length).unwrap_or_default());
        let mut source = self.spare.reader_at(place.start).take(place.length);
        source.read_to_end(&mut raw).map_err(|e| disk::fault("read", self.spare.name().as_ref(), &e))?;
        Standalone::new(&self.settings, place, member.id.clone(), raw)
    }
}

/// An aggregate that was read once.
struct Split {
    source: Source,
    facts: Facts,
    examined: Examined,
    digest: Digest,
    members: Arc<dyn Members>,
    places: Vec<Place>,
}

/// Reads the aggregate once, as it would be read to be signed as a whole, and notes where its entities stand. Each is shown
/// once it has been read: what is shown is what was read.
pub(super) fn split<'d>(
    document: &'d Document,
    terms: &Terms<'_>,
    spare: Pending,
    record: &mut dyn Write,
    look: Option<Look<'_>>,
) -> Result<Box<dyn Batch + 'd>, Fault> {
    let at = |fault: Fault| fault.at(document.name());
    let mut source = Source { settings: Settings::new(terms)?, spare: spare.document("what was reviewed")? };
    let mut read = Keeping { source: document.expanded(Hashing::new(document.reader()))?, spare, kept: 0 };
    let (root, sets_dates) = dated_root(&mut read, terms).map_err(at)?;
    source.settings.sets_dates = sets_dates;
    // What was read for the root is not read from the document again: it may be another one by now.
    let begun = source.spare.reader().take(read.kept);
    let mut spliced = Splice::new(begun.chain(read), vec![root.edit.followed_by(&root.close)]);
    let standard =
        Standard { profile: terms.profile, key: terms.public, now: terms.now, released: terms.released };
    let examiner = Examiner::new("saml", &["saml"], standard, terms.last, Some(record));
    let carrier = Carrier::new(terms, "saml", CARRIED)?;
    let mut collector =
        Collector::new().examining((examiner, carrier), terms.now, root.remarks.clone()).splitting();
    let pass = |tell: &mut dyn FnMut((Member, Place))| {
        let mut splitter = Splitter::new(&root, &source.settings, tell);
        dsig::check(&mut spliced, Limits::default(), |event| {
            splitter.event(event)?;
            collector.event(event)
        })
    };
    let show = |place: usize, (member, stands): (Member, Place)| {
        if let Some(look) = look {
            look(place, &member, &source.draft(&member, &stands)?)?;
        }
        Ok((member, stands))
    };
    let ((), shown) = cores::follow(pass, &show).map_err(at)?;
    let (members, places): (Vec<Member>, Vec<Place>) = shown.into_iter().unzip();
    let (digest, _) = spliced.finish().0.into_inner().1.source.into_inner().finish();
    let (mut facts, found) = collector.finish()?;
    check_names(&members).map_err(at)?;
    facts.add_with("documents", members.len().to_string(), "each signed on its own");
    let Settings { scheme, hash, .. } = &source.settings;
    facts.add("signature", format!("{} over {}", scheme.name, hash.name()));
    let members = Arc::new(members);
    Ok(Box::new(Split { source, facts, examined: found, digest, members, places }))
}

/// Keeps what is read from a source.
struct Keeping<R> {
    source: R,
    spare: Pending,
    /// So many bytes so far.
    kept: u64,
}

impl<R: Read> Read for Keeping<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        let kept = self.spare.write_all(buffer.get(..count).unwrap_or_default());
        kept.map_err(|e| io::Error::other(disk::fault("write", "what is reviewed".as_ref(), &e)))?;
        self.kept += count as u64;
        Ok(count)
    }
}

/// The root's start tag with its dates, and whether the profile sets them.
fn dated_root(source: impl Read, terms: &Terms<'_>) -> Result<(Root, bool), Fault> {
    let mut reader = Reader::new(source, Limits::default());
    while let Some(event) = reader.next()? {
        if let Event::Start(tag) = event {
            check_root(tag)?;
            let mut remarks = BTreeMap::new();
            let mut wanted = dates(tag, terms, &mut remarks)?;
            let is_dated = !wanted.is_empty();
            // no document will have it, and none is refused for it
            if let Some(old) = tag.attribute("ID").filter(|id| !is_ncname(id)) {
                remarks.insert("ID", format!("no document has it; was '{old}', no XML name"));
                wanted.push(("ID", short_id(old)));
            }
            return Ok((Root::new(tag, &wanted, String::new(), remarks), is_dated));
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
            let what = if *other == *member.id {
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

/// Tells of the entities while the document streams past.
struct Splitter<'a> {
    tell: &'a mut dyn FnMut((Member, Place)),
    structure: Structure,
    settings: &'a Settings,
    /// The contexts of the open groups.
    groups: Vec<Arc<Context>>,
    contexts: usize,
    open: Option<Open>,
    /// The document is read with another root tag than it has: where that ends, and how many bytes it is longer.
    root_end: u64,
    grown: u64,
    shrunk: u64,
}

struct Open {
    id: String,
    start: u64,
    /// Where its start tag ends, when that is all of it.
    end: Option<u64>,
}

impl<'a> Splitter<'a> {
    fn new(root: &Root, settings: &'a Settings, tell: &'a mut dyn FnMut((Member, Place))) -> Self {
        let range = &root.edit.range;
        Self {
            tell,
            structure: Structure::default(),
            settings,
            groups: vec![],
            contexts: 0,
            open: None,
            root_end: range.end,
            grown: (root.edit.text.len() + root.close.len()) as u64,
            shrunk: range.end - range.start,
        }
    }

    fn event(&mut self, event: &Event<'_>) -> Result<(), Fault> {
        match event {
            Event::Start(tag) if !self.structure.is_in_entity() => {
                match self.structure.start(tag.depth(), Element::of(*tag).0) {
                    Stand::Group => self.group(*tag),
                    Stand::Entity => self.begin(*tag),
                    // the rules refuse what is misplaced
                    Stand::Misplaced | Stand::Part => Ok(()),
                }
            }
            Event::End(tag) => match self.structure.end(tag.depth()) {
                Stand::Entity => self.entity(tag.range().end),
                Stand::Group => {
                    self.groups.pop();
                    Ok(())
                }
                Stand::Misplaced | Stand::Part => Ok(()),
            },
            _ => Ok(()),
        }
    }

    fn group(&mut self, tag: StartTag<'_>) -> Result<(), Fault> {
        let outer = self.context();
        let inner = outer.within(tag, self.settings)?;
        if *outer == inner {
            self.groups.push(outer);
            return Ok(());
        }
        self.contexts += 1;
        if self.contexts > CONTEXTS_MAX {
            let what = format!("more than {CONTEXTS_MAX} groups differ in namespaces, languages or dates");
            return Err(BATCH.fault(what).hint("sign the aggregate as a whole"));
        }
        self.groups.push(Arc::new(inner));
        Ok(())
    }

    fn begin(&mut self, tag: StartTag<'_>) -> Result<(), Fault> {
        let id = tag.attribute("entityID").unwrap_or_default().to_owned();
        if id.trim().is_empty() {
            return Err(BATCH
                .fault(format!("{}: an entity without an entityID has no name", tag.position()))
                .hint("give it one, or take it out"));
        }
        let length = id.chars().count();
        if length > Entity::ID_CHARS_MAX {
            let what = format!("{}: an entityID has {length} characters", tag.position());
            return Err(BATCH.fault(what).hint(format!(
                "it may have {} (SAML V2.0 Metadata, section 2.3.2): take the entity out",
                Entity::ID_CHARS_MAX
            )));
        }
        let is_root = tag.depth() == 0;
        let start = if is_root { tag.range().start } else { self.place(tag.range().start) };
        let end = tag.is_empty().then(|| if is_root { self.root_end } else { self.place(tag.range().end) });
        self.open = Some(Open { id, start, end });
        Ok(())
    }

    /// What the innermost open group gives to its entities.
    fn context(&self) -> Arc<Context> {
        self.groups.last().cloned().unwrap_or_default()
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
        let Open { id, start, .. } = open;
        let place = Place { start, length, context: self.context(), digested: OnceLock::new() };
        (self.tell)((
            Member { names: mdq::names(&id).into(), id: id.into(), media_type: mdq::MEDIA_TYPE, length },
            place,
        ));
        Ok(())
    }
}

impl Batch for Split {
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
        self.source.settings.scheme
    }

    fn members(&self) -> &Arc<dyn Members> {
        &self.members
    }

    fn names(&self, id: &str) -> Vec<String> {
        mdq::names(id)
    }

    fn draft(&self, place: usize) -> Result<Box<dyn Draft + '_>, Fault> {
        let member = self.members.member(place)?;
        let place = self.places.get(place).ok_or_else(|| INTERNAL.fault("the batch has no such place"))?;
        Ok(Box::new(self.source.draft(&member, place)?))
    }
}
