//! Simulated consumers of a rehearsal: who trusts which keys when, and whether everybody accepts what is published. They know
//! nothing of answers and windows; what they may expect is what the channel promises: that people have time to carry an anchor
//! to them, and that a predecessor goes on signing until its notice is over.

use std::collections::BTreeSet;

use crate::artefact::Verified;
use crate::base::bytes::Digest;
use crate::base::clock::{Instant, Span};
use crate::lifecycle::{Channel, Method};

/// A signed document of a rehearsal.
pub struct Artefact {
    /// The file, below the folder of the rehearsal.
    pub file: String,
    /// Which of the documents, by its place among those that were given.
    pub document: usize,
    /// The kind of document.
    pub kind: &'static str,
    /// Which channel of the line.
    pub channel: usize,
    /// The key that signed it.
    pub by: u32,
    /// The keys of the line with which it verifies: each was tried.
    pub verifies: BTreeSet<u32>,
    /// The keys of the line that it introduces to whoever accepts it.
    pub lists: BTreeSet<u32>,
    /// The digest of the file.
    pub digest: Digest,
    /// When it was signed.
    pub signed: Instant,
    /// When it stands at every publication point.
    pub appears: Instant,
    /// What its signature covers, and for how long.
    pub verified: Verified,
}

/// What people carry to consumers: that a key is there, and that it signs.
pub(super) struct Announced {
    /// Which channel of the line.
    pub channel: usize,
    /// The key.
    pub version: u32,
    /// When it was first seen.
    pub seen: Instant,
    /// When it became the active one, where it did.
    pub active: Option<Instant>,
}

/// Consumers that trust the same keys for a time.
pub struct Consumer {
    /// Who they are, in words.
    pub who: String,
    /// Which channel they follow.
    pub channel: usize,
    /// The keys that they trust.
    pub trusts: BTreeSet<u32>,
    /// From when on.
    pub from: Instant,
    /// Until when; half-open.
    pub to: Instant,
}

/// What a consumer could not accept.
pub struct Rejection {
    /// When.
    pub at: Instant,
    /// Who.
    pub who: String,
    /// The file, where there is one.
    pub file: Option<String>,
    /// Why.
    pub why: String,
}

/// Every consumer that a channel has, the quickest and the slowest: what they accept, all others accept.
pub(super) fn consumers(
    channels: &[Channel],
    artefacts: &[Artefact],
    announced: &[Announced],
    end: Instant,
) -> Vec<Consumer> {
    let mut all = Vec::new();
    for (place, channel) in channels.iter().enumerate() {
        let own: Vec<_> = announced.iter().filter(|key| key.channel == place).collect();
        let found = match channel.kind.method() {
            Method::Chained => followers(artefacts.iter().filter(|it| it.channel == place), end),
            Method::Double => pinned(channel, &own, end),
            Method::OutOfBand => collectors(channel, &own, end),
            Method::PrePublish | Method::Replace => vec![],
        };
        all.extend(found.into_iter().filter(|it| it.from < it.to));
    }
    all
}

/// Whoever keeps a document that lists keys trusts these, until it ends.
fn followers<'a>(artefacts: impl Iterator<Item = &'a Artefact>, end: Instant) -> Vec<Consumer> {
    let keeps = |it: &Artefact| Consumer {
        who: format!("who keeps {}", it.file),
        channel: it.channel,
        trusts: it.lists.clone(),
        from: it.appears,
        to: it.verified.valid_until.unwrap_or(end),
    };
    artefacts.filter(|it| !it.lists.is_empty()).map(keeps).collect()
}

fn later(at: Instant, span: Span) -> Instant {
    at.after(span).unwrap_or(at)
}

/// One key at a time, exchanged by people: at once, as late as they may, and as late as the notice lets them.
fn pinned(channel: &Channel, keys: &[&Announced], end: Instant) -> Vec<Consumer> {
    let (distribution, notice) = (channel.timing.distribution, channel.timing.notice);
    type Change<'a> = &'a dyn Fn(&Announced) -> Option<Instant>;
    let ways: [(&str, Change<'_>); 3] = [
        ("at once", &|key| Some(key.seen)),
        ("at the last day for it", &|key| Some(later(key.seen, distribution))),
        ("at the end of the notice", &|key| key.active.map(|active| later(active, notice))),
    ];
    let mut all = Vec::new();
    for (how, changes) in ways {
        for (place, key) in keys.iter().enumerate() {
            let from = if place == 0 { Some(key.seen) } else { changes(key) };
            let to = keys.get(place + 1).and_then(|next| changes(next)).unwrap_or(end).min(end);
            let who = format!("who trusts #{} and changes {how}", key.version);
            let trusts = BTreeSet::from([key.version]);
            all.extend(from.map(|from| Consumer { who, channel: key.channel, trusts, from, to }));
        }
    }
    all
}

/// Keys are added by people, at once and as late as they may, and none is taken away.
fn collectors(channel: &Channel, keys: &[&Announced], end: Instant) -> Vec<Consumer> {
    let mut all = Vec::new();
    for (how, takes) in [("at once", Span::of_seconds(0)), ("at the last day for it", channel.timing.distribution)] {
        let added = |place: usize| {
            keys.get(place).map(|key| if place == 0 { key.seen } else { later(key.seen, takes) })
        };
        for (place, key) in keys.iter().enumerate() {
            let trusts: BTreeSet<u32> = keys.iter().take(place + 1).map(|key| key.version).collect();
            let who = format!("who trusts {} and adds keys {how}", names(&trusts));
            let (from, to) = (added(place).unwrap_or(end), added(place + 1).unwrap_or(end).min(end));
            all.push(Consumer { who, channel: key.channel, trusts, from, to });
        }
    }
    all
}

/// Keys, by their numbers.
fn names(keys: &BTreeSet<u32>) -> String {
    keys.iter().map(|version| format!("#{version}")).collect::<Vec<_>>().join(" ")
}

/// What consumers could not accept: a file that none of their keys verifies, one that has ended before the next one stands in
/// its place, or no file at all.
pub(super) fn rejections(
    channels: &[Channel],
    artefacts: &[Artefact],
    consumers: &[Consumer],
    end: Instant,
) -> Vec<Rejection> {
    let mut found = Vec::new();
    for consumer in consumers {
        let Some(channel) = channels.get(consumer.channel) else { continue };
        let is_double = channel.kind.method() == Method::Double;
        let own = artefacts.iter().filter(|it| it.channel == consumer.channel);
        let documents: BTreeSet<usize> = own.clone().map(|it| it.document).collect();
        for document in documents {
            // Each key of a double publication has a place of its own.
            let reads = |it: &&Artefact| {
                it.document == document && (!is_double || consumer.trusts.contains(&it.by))
            };
            let place: Vec<_> = own.clone().filter(reads).collect();
            found.extend(refused(channel, consumer, &place, end));
        }
    }
    found
}

/// What one consumer refuses at one place.
fn refused(channel: &Channel, consumer: &Consumer, place: &[&Artefact], end: Instant) -> Vec<Rejection> {
    let mut found = Vec::new();
    let mut reject = |at: Instant, file: Option<&Artefact>, why: String| {
        let file = file.map(|file| file.file.clone());
        found.push(Rejection { at, who: consumer.who.clone(), file, why });
    };
    if place.first().is_none_or(|first| first.appears > consumer.from) {
        reject(consumer.from, None, "nothing is published that one of its keys has signed".into());
    }
    for (number, artefact) in place.iter().enumerate() {
        let gone = place.get(number + 1).map_or(end, |next| next.appears);
        let (from, to) = (artefact.appears.max(consumer.from), gone.min(consumer.to));
        // What an entity said of others is kept until it ends, and judged by the newest keys.
        let kept = match channel.kind.method() {
            Method::Chained => artefact.verified.valid_until.unwrap_or(end).min(consumer.to),
            _ => to,
        };
        if from < kept.max(to) && artefact.verifies.is_disjoint(&consumer.trusts) {
            reject(from, Some(artefact), format!("#{} signed it", artefact.by));
        }
        let last = to.after(Span::of_seconds(-1)).unwrap_or(to);
        let ended = [from, last].into_iter().filter(|at| from < to && *at < to);
        let ended = ended.filter_map(|at| Some((at, artefact.verified.check_valid(at).err()?))).next();
        if let Some((at, fault)) = ended {
            reject(at, Some(artefact), fault.message().to_owned());
        }
    }
    found
}
