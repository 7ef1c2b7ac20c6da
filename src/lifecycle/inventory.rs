//! What is outstanding: every signature and every artefact that lists keys, with its end, and the receipts that say when
//! an artefact was seen. Kept in sums, so that a million signatures answer as fast as ten.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use super::{Channel, RECEIPT, UNSEEN, When};
use crate::base::bytes::Digest;
use crate::base::clock::Instant;
use crate::base::fault::Fault;
use crate::key::Line;

/// Which keys of the line an artefact lists.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Lists {
    /// It is no artefact that lists keys: a statement, a token, a certificate.
    Nothing,
    /// These, and no other key of the line.
    Keys(BTreeSet<u32>),
    /// It introduces the key that signed it and says nothing about the others: a file of a double publication, a root
    /// certificate.
    Own,
}

/// Where a document stands beside others of its channel: the next one of the same line and kind, about the same, takes its
/// place. Each has consumers of its own, who know nothing of the other places.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Place {
    /// The line that signs it.
    pub by: Line,
    /// The kind of document.
    pub kind: String,
    /// What it is about; empty, where that is all of its kind.
    pub about: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a {} document of {}", self.kind, self.by)?;
        if self.about.is_empty() { Ok(()) } else { write!(f, " about {}", self.about) }
    }
}

/// One thing that was signed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Signature {
    /// Its name, for people.
    pub artefact: String,
    /// The digest of the signed file.
    pub digest: Digest,
    /// The channel that it belongs to.
    pub channel: String,
    /// Where it stands, of several places; none where all of the channel stand at one.
    pub place: Option<Place>,
    /// The version of the line's key that signed it; none where a key of another line did.
    pub by: Option<u32>,
    /// When it was signed.
    pub issued: Instant,
    /// From when on it is valid no longer.
    pub expires: When,
    /// Which keys it lists.
    pub lists: Lists,
}

/// Who says that an artefact was seen.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Source {
    /// It was fetched from this URL.
    Point(String),
    /// An officer says so, with this reason; it counts for every publication point.
    Said(String),
}

/// That exactly this artefact was seen.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Receipt {
    /// The digest of what was fetched.
    pub digest: Digest,
    /// When.
    pub seen: Instant,
    /// Where.
    pub from: Source,
}

/// A heap of signatures, by their end.
#[derive(Clone, Debug, Default)]
pub struct Outstanding {
    ends: BTreeMap<Instant, u64>,
    never: Vec<String>,
}

impl Outstanding {
    fn add(&mut self, artefact: &str, expires: When) {
        match expires {
            When::At(end) => *self.ends.entry(end).or_default() += 1,
            When::Never => self.never.push(artefact.to_owned()),
        }
    }

    /// When the last of them ends; none where there are none.
    pub fn end(&self) -> Option<When> {
        let last = self.ends.last_key_value().map(|(end, _)| When::At(*end));
        if self.never.is_empty() { last } else { Some(When::Never) }
    }

    /// How many are valid at this time.
    pub fn count(&self, now: Instant) -> u64 {
        let ending: u64 = self.ends.range(now..).filter(|(end, _)| **end > now).map(|(_, count)| count).sum();
        ending.saturating_add(self.never.len() as u64)
    }

    /// The names of those that never end.
    pub fn never(&self) -> &[String] {
        &self.never
    }
}

/// How the artefacts of one place speak of one key.
#[derive(Clone, Debug, Default)]
pub(super) struct Track {
    /// Whether the last one lists it.
    pub(super) listed: bool,
    /// The number of the artefact with which that began.
    changed: u64,
    /// When each publication point was first seen to be at this state.
    seen: BTreeMap<String, Instant>,
    said: Option<Instant>,
    /// When the last artefact ends that lists it; none where there never was one.
    pub(super) listing: Option<When>,
    /// When the last artefact ends that does not list it; none where there never was one.
    pub(super) lacking: Option<When>,
}

impl Track {
    fn turn(&mut self, listed: bool, number: u64) {
        if self.listed != listed {
            (self.listed, self.changed, self.said) = (listed, number, None);
            self.seen.clear();
        }
    }

    fn see(&mut self, receipt: &Receipt) {
        match &receipt.from {
            Source::Point(point) => {
                let first = self.seen.entry(point.clone()).or_insert(receipt.seen);
                *first = receipt.seen.min(*first);
            }
            Source::Said(_) => {
                self.said = Some(self.said.map_or(receipt.seen, |said| said.min(receipt.seen)));
            }
        }
    }

    /// When it was first seen to be at the present state, wherever.
    pub(super) fn first(&self) -> Option<Instant> {
        self.seen.values().copied().chain(self.said).min()
    }

    /// When this publication point was first seen to be at the present state.
    pub(super) fn at(&self, point: &String) -> Option<Instant> {
        self.seen.get(point).copied().into_iter().chain(self.said).min()
    }
}

/// What the artefacts of one place say.
#[derive(Clone, Debug, Default)]
pub(super) struct Shown {
    tracks: BTreeMap<u32, Track>,
    /// When the last of them ends.
    end: Option<When>,
    /// Whether the newest lists no key of the line at all: nobody looks for one there.
    pub(super) is_empty: bool,
}

impl Shown {
    /// How they speak of a key; none where they never listed it.
    pub(super) fn track(&self, version: u32) -> Option<&Track> {
        self.tracks.get(&version)
    }

    /// Takes the place's next artefact.
    fn add(&mut self, versions: &BTreeSet<u32>, speaks_of_others: bool, number: u64, expires: When) {
        let lacking = self.end;
        for version in versions {
            let track = self.tracks.entry(*version).or_insert_with(|| Track { lacking, ..Track::default() });
            track.turn(true, number);
            track.listing = track.listing.max(Some(expires));
        }
        for (_, track) in
            self.tracks.iter_mut().filter(|(version, _)| speaks_of_others && !versions.contains(version))
        {
            track.turn(false, number);
            track.lacking = track.lacking.max(Some(expires));
        }
        (self.end, self.is_empty) = (self.end.max(Some(expires)), versions.is_empty());
    }
}

/// An artefact that can be seen.
#[derive(Clone, Debug)]
struct Carrier {
    number: u64,
    issued: Instant,
    place: Option<Place>,
    by: Option<u32>,
    lists: Lists,
}

#[derive(Clone, Debug, Default)]
struct Books {
    signed: BTreeMap<u32, Outstanding>,
    listing: BTreeMap<u32, Outstanding>,
    places: BTreeMap<Option<Place>, Shown>,
    carriers: HashMap<Digest, Carrier>,
    count: u64,
}

impl Books {
    fn add(&mut self, signature: &Signature) {
        self.count = self.count.saturating_add(1);
        let Signature { place, by, issued, expires, lists, .. } = signature;
        if let Some(by) = by.filter(|_| *lists != Lists::Own) {
            self.signed.entry(by).or_default().add(&signature.artefact, *expires);
        }
        let listed = match lists {
            Lists::Nothing if place.is_none() => return,
            Lists::Nothing => None,
            Lists::Own => Some(by.iter().copied().collect()),
            Lists::Keys(versions) => Some(versions.clone()),
        };
        if let Some(listed) = listed {
            for version in &listed {
                self.listing.entry(*version).or_default().add(&signature.artefact, *expires);
            }
            let shown = self.places.entry(place.clone()).or_default();
            shown.add(&listed, *lists != Lists::Own, self.count, *expires);
        }
        let (place, lists) = (place.clone(), lists.clone());
        let carrier = Carrier { number: self.count, issued: *issued, place, by: *by, lists };
        self.carriers.insert(signature.digest, carrier);
    }

    fn see(&mut self, carrier: &Carrier, receipt: &Receipt) {
        let shown = self.places.get_mut(&carrier.place);
        for (version, track) in shown.into_iter().flat_map(|shown| &mut shown.tracks) {
            let says = match &carrier.lists {
                Lists::Nothing => None,
                Lists::Own => (carrier.by == Some(*version)).then_some(true),
                Lists::Keys(versions) => Some(versions.contains(version)),
            };
            if says == Some(track.listed) && carrier.number >= track.changed {
                track.see(receipt);
            }
        }
    }
}

/// Everything that was signed with, or lists, the keys of one line.
#[derive(Clone, Debug, Default)]
pub struct Inventory {
    channels: BTreeMap<String, Books>,
}

impl Inventory {
    /// Adds a signature. They come in the order in which they were made, as the ledger has them.
    pub fn add(&mut self, signature: &Signature) {
        self.channels.entry(signature.channel.clone()).or_default().add(signature);
    }

    /// Adds so many signatures of a batch that list no keys and end at the same time.
    pub fn add_many(&mut self, channel: &str, by: u32, expires: When, count: u64) {
        let books = self.channels.entry(channel.to_owned()).or_default();
        books.count = books.count.saturating_add(count);
        let signed = books.signed.entry(by).or_default();
        match expires {
            When::At(end) => {
                let ending = signed.ends.entry(end).or_default();
                *ending = ending.saturating_add(count);
            }
            When::Never => signed.never.push(format!("{count} documents of a batch")),
        }
    }

    /// Takes a receipt.
    ///
    /// # Errors
    /// [`RECEIPT`]: no artefact of this digest lists keys of the line or takes the place of another. [`UNSEEN`]: it was signed
    /// later than it was seen.
    pub fn observe(&mut self, receipt: &Receipt) -> Result<(), Fault> {
        let found = self.channels.values_mut().filter_map(|books| {
            let carrier = books.carriers.get(&receipt.digest).cloned()?;
            Some((books, carrier))
        });
        let found: Vec<_> = found.collect();
        if found.is_empty() {
            return Err(RECEIPT
                .fault(format!("{} is no artefact that lists keys of this line", receipt.digest))
                .hint("give the very file that was fetched; one that was signed elsewhere proves nothing, but for what an adopted key signed before: --before-adoption"));
        }
        for (books, carrier) in found {
            if receipt.seen < carrier.issued {
                return Err(UNSEEN
                    .fault(format!("seen at {}, and signed only at {}", receipt.seen, carrier.issued))
                    .hint("set --seen-at to the time of the fetch, in UTC"));
            }
            books.see(&carrier, receipt);
        }
        Ok(())
    }

    /// The channels in which an artefact of this digest lists keys of the line.
    pub fn carrying(&self, digest: Digest) -> impl Iterator<Item = &str> {
        let carrying = self.channels.iter().filter(move |(_, books)| books.carriers.contains_key(&digest));
        carrying.map(|(name, _)| name.as_str())
    }

    /// What this key signed in a channel, apart from artefacts that introduce nothing but itself; none where it signed
    /// nothing.
    pub fn signed(&self, channel: &str, version: u32) -> Option<&Outstanding> {
        self.channels.get(channel)?.signed.get(&version)
    }

    /// The artefacts of a channel that list this key; none where there never was one.
    pub fn listing(&self, channel: &str, version: u32) -> Option<&Outstanding> {
        self.channels.get(channel)?.listing.get(&version)
    }

    /// When the last thing ends that this key signed in a channel, or that lists it there; none where nothing does.
    pub fn end(&self, channel: &str, version: u32) -> Option<When> {
        let sums = [self.signed(channel, version), self.listing(channel, version)];
        sums.into_iter().flatten().filter_map(Outstanding::end).max()
    }

    /// Every place of a channel, and what its artefacts say.
    pub(super) fn places(&self, channel: &str) -> impl Iterator<Item = (Option<&Place>, &Shown)> {
        let books = self.channels.get(channel).into_iter();
        books.flat_map(|books| &books.places).map(|(place, shown)| (place.as_ref(), shown))
    }

    /// The places of a channel that somebody may still go by: whose artefacts have ended is given up, unless all of them are.
    pub(super) fn in_use(&self, channel: &Channel, now: Instant) -> Vec<(Option<&Place>, &Shown)> {
        let has_ended =
            |shown: &Shown| shown.end.is_none_or(|end| end.later(channel.timing.skew).has_come(now));
        let mut places: Vec<_> = self.places(&channel.name).collect();
        if places.iter().any(|(_, shown)| !has_ended(shown)) {
            places.retain(|(_, shown)| !has_ended(shown));
        }
        places
    }

    /// Whether one of these places lists the key.
    pub(super) fn is_listed(&self, channel: &Channel, version: u32, now: Instant) -> bool {
        let tracks = self.in_use(channel, now).into_iter().filter_map(|(_, shown)| shown.track(version));
        tracks.into_iter().any(|track| track.listed)
    }
}
