//! What is outstanding: every signature and every artefact that lists keys, with its end, and the receipts that say when
//! an artefact was seen. Kept in sums, so that a million signatures answer as fast as ten.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{RECEIPT, When};
use crate::base::bytes::Digest;
use crate::base::clock::Instant;
use crate::base::fault::Fault;

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

/// One thing that was signed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Signature {
    /// Its name, for people.
    pub artefact: String,
    /// The digest of the signed file.
    pub digest: Digest,
    /// The channel that it belongs to.
    pub channel: String,
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

/// How one channel speaks of one key.
#[derive(Clone, Debug)]
pub(super) struct Track {
    /// Whether the last artefact lists it.
    pub(super) listed: bool,
    /// The number of the artefact with which that began.
    changed: u64,
    /// When each publication point was first seen to be at this state.
    seen: BTreeMap<String, Instant>,
    said: Option<Instant>,
    /// The artefacts that list it.
    pub(super) listing: Outstanding,
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

    /// T: since when every publication point was seen to be at the present state, or the points without a receipt.
    pub(super) fn seen(&self, points: &[String]) -> Result<Instant, Vec<String>> {
        if points.is_empty() {
            let first = self.seen.values().copied().chain(self.said).min();
            return first.ok_or_else(|| vec!["any publication point".to_owned()]);
        }
        let at = |point: &String| self.seen.get(point).copied().into_iter().chain(self.said).min();
        let missing: Vec<_> = points.iter().filter(|point| at(point).is_none()).cloned().collect();
        points.iter().filter_map(at).max().filter(|_| missing.is_empty()).ok_or(missing)
    }
}

/// An artefact that lists keys.
#[derive(Clone, Debug)]
struct Carrier {
    number: u64,
    issued: Instant,
    by: Option<u32>,
    lists: Lists,
}

#[derive(Clone, Debug, Default)]
struct Books {
    signed: BTreeMap<u32, Outstanding>,
    tracks: BTreeMap<u32, Track>,
    carriers: HashMap<Digest, Carrier>,
    carriers_end: Option<When>,
    count: u64,
}

impl Books {
    /// A key that nobody listed so far: everything that was signed lacks it.
    fn track(&mut self, version: u32) -> &mut Track {
        let lacking = self.carriers_end;
        self.tracks.entry(version).or_insert_with(|| Track {
            listed: false,
            changed: 0,
            seen: BTreeMap::new(),
            said: None,
            listing: Outstanding::default(),
            lacking,
        })
    }

    fn list(&mut self, version: u32, number: u64, signature: &Signature) {
        let track = self.track(version);
        track.turn(true, number);
        track.listing.add(&signature.artefact, signature.expires);
    }

    fn add(&mut self, signature: &Signature) {
        self.count = self.count.saturating_add(1);
        let number = self.count;
        if let Some(by) = signature.by.filter(|_| signature.lists != Lists::Own) {
            self.signed.entry(by).or_default().add(&signature.artefact, signature.expires);
        }
        match &signature.lists {
            Lists::Nothing => return,
            Lists::Own => signature.by.into_iter().for_each(|by| self.list(by, number, signature)),
            Lists::Keys(versions) => {
                for version in versions {
                    self.list(*version, number, signature);
                }
                for (_, track) in self.tracks.iter_mut().filter(|(version, _)| !versions.contains(version)) {
                    track.turn(false, number);
                    track.lacking = track.lacking.max(Some(signature.expires));
                }
            }
        }
        self.carriers_end = self.carriers_end.max(Some(signature.expires));
        let (issued, by, lists) = (signature.issued, signature.by, signature.lists.clone());
        self.carriers.insert(signature.digest, Carrier { number, issued, by, lists });
    }

    fn see(&mut self, carrier: &Carrier, receipt: &Receipt) {
        for (version, track) in &mut self.tracks {
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
    /// [`RECEIPT`]: no artefact of this digest lists keys of the line, or it was signed later than it was seen.
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
                return Err(RECEIPT
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
        Some(&self.track(channel, version)?.listing)
    }

    pub(super) fn track(&self, channel: &str, version: u32) -> Option<&Track> {
        self.channels.get(channel)?.tracks.get(&version)
    }
}
