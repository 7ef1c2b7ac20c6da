//! From the lines of the journal to what is outstanding of a key line. What was signed stays, whatever the profile says by now:
//! the kind of a document tells its channel, and a channel that the profile does not name has the name of its kind.

use std::collections::{BTreeMap, HashMap};

use super::JOURNAL;
use super::journal::{Document, Noted, What};
use super::journal_file::Journal;
use super::situation::free_name;
use super::withheld;
use crate::base::bytes::Digest;
use crate::base::clock::Instant;
use crate::base::fault::Fault;
use crate::key::{KeyId, Line};
use crate::lifecycle::{
    Channel, Inventory, Kind, Lists, Method, Place, Receipt, Signature, Source, When, Withheld,
};

/// Stands for no end among the ends of a batch.
pub const NEVER: &str = "never";

/// What is outstanding of a line.
pub(super) struct Found {
    /// Signatures, artefacts that list keys, receipts.
    pub(super) inventory: Inventory,
    /// The channels beside those of the line in which something of it is.
    pub(super) beside: BTreeMap<String, Kind>,
    /// By key, the names of what it signed and nobody published, as is said.
    pub(super) withheld: BTreeMap<u32, Vec<String>>,
}

/// What is outstanding of a line with these channels.
///
/// # Errors
/// [`JOURNAL`]: a line of the journal cannot be understood.
pub(super) fn of(journal: &Journal, line: &Line, channels: &[Channel]) -> Result<Found, Fault> {
    let found = Found { inventory: Inventory::default(), beside: BTreeMap::new(), withheld: BTreeMap::new() };
    let (endless, withheld) = (Endless::of(journal, line)?, withheld::of(journal, line)?);
    let mut books = Books { line, channels, found, endless, withheld };
    // What was signed elsewhere was signed before everything here, whenever that became known.
    let is_elsewhere = |noted: &Noted| matches!(noted.what, What::Elsewhere { .. });
    let mut take = |noted: &Noted| {
        books
            .take(noted)
            .map_err(|fault| fault.at(format_args!("the journal's line for entry {}", noted.entry)))
    };
    journal.of(line).filter(|noted| is_elsewhere(noted)).try_for_each(&mut take)?;
    journal.each(Some(line), &mut |noted| if is_elsewhere(noted) { Ok(()) } else { take(noted) })?;
    Ok(books.found)
}

/// Documents of a line that never end by themselves and are replaced by the next about the same.
#[derive(Default)]
pub(super) struct Endless {
    /// When the next one was seen, by digest. One that nobody has seen ends nothing.
    replaced: HashMap<Digest, Instant>,
    /// Those that nobody has seen: when each was signed.
    pub(super) unseen: Vec<(Digest, Instant)>,
}

impl Endless {
    pub(super) fn of(journal: &Journal, line: &Line) -> Result<Self, Fault> {
        let mut standing: BTreeMap<Place, Vec<Digest>> = BTreeMap::new();
        let mut known: HashMap<Digest, (Place, usize)> = HashMap::new();
        let (mut endless, withheld) = (Self::default(), withheld::of(journal, line)?);
        for noted in journal.of(line) {
            match &journal.whole(noted)?.what {
                What::Signed { key, kind, documents, .. } => {
                    let documents = withheld::published(documents, &withheld);
                    for document in documents.into_iter().filter(|document| document.expires.is_none()) {
                        let place = place(key, kind, document)?.filter(|place| place.by == *line);
                        let Some(place) = place else { continue };
                        let digest = parsed(&document.digest)?;
                        let all = standing.entry(place.clone()).or_default();
                        known.insert(digest, (place, all.len()));
                        endless.unseen.push((digest, noted.time()?));
                        all.push(digest);
                    }
                }
                What::Seen { digest, of, seen, .. } => {
                    let (digest, seen) = (parsed(of.as_ref().unwrap_or(digest))?, Instant::parse(seen)?);
                    endless.unseen.retain(|(unseen, _)| *unseen != digest);
                    let before =
                        known.get(&digest).and_then(|(place, count)| standing.get(place)?.get(..*count));
                    for old in before.into_iter().flatten() {
                        let first = endless.replaced.entry(*old).or_insert(seen);
                        *first = seen.min(*first);
                    }
                }
                _ => {}
            }
        }
        Ok(endless)
    }
}

/// Where a document stands beside others: where it carries keys, or never ends and is replaced by the next one.
fn place(key: &str, kind: &str, document: &Document) -> Result<Option<Place>, Fault> {
    let kind = document.kind.as_deref().unwrap_or(kind);
    let is_replaced = document.expires.is_none() && Kind::takes_place(kind);
    if document.carries.is_empty() && !is_replaced {
        return Ok(None);
    }
    let about = document.subject.clone().unwrap_or_default();
    Ok(Some(Place { by: key.parse::<KeyId>()?.line, kind: kind.to_owned(), about }))
}

/// The inventory of a line, while the journal is read.
struct Books<'a> {
    line: &'a Line,
    channels: &'a [Channel],
    found: Found,
    endless: Endless,
    withheld: Withheld,
}

impl Books<'_> {
    fn take(&mut self, noted: &Noted) -> Result<(), Fault> {
        let issued = noted.time()?;
        match &noted.what {
            What::Made { key, certificate, .. } | What::Certified { key, certificate } => {
                for channel in self.channels.iter().filter(|it| it.kind.method() == Method::OutOfBand) {
                    let signature = signature(certificate, (&channel.name, None), key, issued)?;
                    self.found.inventory.add(&Signature { lists: Lists::Own, ..signature });
                }
            }
            What::Signed { key, kind, documents, ends, .. } => {
                self.signed((key, kind), documents, issued)?;
                let by = key.parse::<KeyId>()?;
                for (end, count) in ends.iter().filter(|_| by.line == *self.line) {
                    let end = expires(Some(end).filter(|end| *end != NEVER))?;
                    let channel = self.channel_of(kind);
                    self.found.inventory.add_many(&channel, by.version, end, *count);
                }
            }
            What::Seen { digest, of, seen, from, said, .. } => {
                let digest = of.as_ref().unwrap_or(digest);
                // A receipt of something that the inventory does not know proves nothing, and opens nothing.
                let _ = self.found.inventory.observe(&receipt(digest, seen, from.as_ref(), said.as_ref())?);
            }
            What::Elsewhere { key, kind, document, seen, from, said, .. } => {
                let receipt = receipt(&document.digest, seen, from.as_ref(), said.as_ref())?;
                let channel = self.channel_of(kind);
                self.found.inventory.add(&signature(document, (&channel, None), key, receipt.seen)?);
                let _ = self.found.inventory.observe(&receipt);
            }
            _ => {}
        }
        Ok(())
    }

    /// Documents that a key of this or another line signed.
    fn signed(
        &mut self,
        (key, kind): (&str, &str),
        documents: &[Document],
        issued: Instant,
    ) -> Result<(), Fault> {
        let by = key.parse::<KeyId>()?;
        for document in documents {
            if withheld::is_held(document, &self.withheld) {
                let names = self.found.withheld.entry(by.version).or_default();
                names.extend((by.line == *self.line).then(|| document.name.clone()));
                continue;
            }
            let place = place(key, kind, document)?;
            if by.line == *self.line {
                let channel = self.channel_of(kind);
                // Keys that the line's own sets carry are told of below.
                let own = place.clone().filter(|_| document.carries.is_empty());
                let signature = signature(document, (&channel, own), key, issued)?;
                let expires = self.end(kind, &signature);
                self.found.inventory.add(&Signature { expires, ..signature });
            }
            // Whoever signed it, its keys are what consumers find.
            for carries in document.carries.iter().filter(|carries| carries.line == self.line.to_string()) {
                let channel = self.channel(carries.channel.parse()?);
                let lists = Lists::Keys(carries.keys.iter().copied().collect());
                let signature = signature(document, (&channel, place.clone()), key, issued)?;
                self.found.inventory.add(&Signature { by: None, lists, ..signature });
            }
        }
        Ok(())
    }

    /// When a document ends. One that never does is gone once the next one was seen and the last cache has turned over.
    fn end(&self, kind: &str, signature: &Signature) -> When {
        let seen = self.endless.replaced.get(&signature.digest).filter(|_| signature.expires == When::Never);
        let fallback = Channel::new(Kind::of_document(kind));
        let channel = Channel::of(self.channels, kind).unwrap_or(&fallback);
        seen.map_or(signature.expires, |seen| When::At(*seen).later(channel.cache_bound()))
    }

    /// The channel of documents of a kind.
    fn channel_of(&mut self, document: &str) -> String {
        match Channel::of(self.channels, document) {
            Some(channel) => channel.name.clone(),
            None => self.channel(Kind::of_document(document)),
        }
    }

    /// The channel of a kind: the profile's, or one beside.
    fn channel(&mut self, kind: Kind) -> String {
        if let Some(channel) = self.channels.iter().find(|channel| channel.kind == kind) {
            return channel.name.clone();
        }
        let name = free_name(self.channels, kind);
        self.found.beside.insert(name.clone(), kind);
        name
    }
}

fn receipt(digest: &str, seen: &str, from: Option<&String>, said: Option<&String>) -> Result<Receipt, Fault> {
    let from = match (from, said) {
        (Some(from), _) => Source::Point(from.clone()),
        (None, said) => Source::Said(said.cloned().unwrap_or_default()),
    };
    Ok(Receipt { digest: parsed(digest)?, seen: Instant::parse(seen)?, from })
}

fn signature(
    document: &Document,
    (channel, place): (&str, Option<Place>),
    key: &str,
    issued: Instant,
) -> Result<Signature, Fault> {
    Ok(Signature {
        artefact: document.name.clone(),
        digest: parsed(&document.digest)?,
        channel: channel.to_owned(),
        place,
        by: Some(key.parse::<KeyId>()?.version),
        issued,
        expires: expires(document.expires.as_ref())?,
        lists: document.lists(),
    })
}

/// When something ends; never, where nothing is said.
pub(super) fn expires(end: Option<&String>) -> Result<When, Fault> {
    end.map_or(Ok(When::Never), |end| Instant::parse(end).map(When::At))
}

fn parsed(digest: &str) -> Result<Digest, Fault> {
    digest.parse().map_err(|fault: Fault| JOURNAL.fault(fault.to_string()))
}
