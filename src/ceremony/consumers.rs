//! Simulated consumers of a rehearsal: who trusts which keys when, and whether everybody accepts what is published. They know
//! nothing of answers and windows; what they may expect is what the channel promises: that people have time to carry an anchor
//! to them, and that a predecessor goes on signing until its notice is over.

use std::collections::{BTreeMap, BTreeSet};

use super::readers::{self, Life};
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
    /// Which channel of the line its signature lives in; none where another line signed it, or nobody relies on that.
    pub channel: Option<usize>,
    /// The key of the line that signed it; none where another line did.
    pub by: Option<u32>,
    /// The keys of the line with which it verifies: each was tried.
    pub verifies: BTreeSet<u32>,
    /// The keys of the line that it introduces, by the channel in which consumers find them there.
    pub lists: BTreeMap<usize, BTreeSet<u32>>,
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
    /// When people learned that it is stolen, where it is.
    pub revoked: Option<Instant>,
}

/// Consumers that trust the same keys for a time.
pub struct Consumer {
    /// Who they are, in words.
    pub who: String,
    /// Which channel they follow.
    pub channel: usize,
    /// The keys that they trust, or encrypt to.
    pub trusts: BTreeSet<u32>,
    /// From when on.
    pub from: Instant,
    /// Until when; half-open.
    pub to: Instant,
    /// The file that says so, where one does.
    pub file: Option<String>,
}

/// What a consumer could not accept.
pub struct Rejection {
    /// When that began.
    pub at: Instant,
    /// Until when it lasted.
    pub until: Instant,
    /// Which channel of the line it was in.
    pub channel: usize,
    /// The key of the line whose work it was, where it was one's.
    pub key: Option<u32>,
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
        let mut own: Vec<_> = announced.iter().filter(|key| key.channel == place).collect();
        // a key that took over in an emergency may be older than one that waits
        own.sort_by_key(|key| (key.active.is_none(), key.active, key.version));
        let listing: Vec<_> = artefacts.iter().filter(|it| it.lists.contains_key(&place)).collect();
        let found = match channel.kind.method() {
            Method::Chained => followers(channel, place, &listing, end),
            Method::Double => pinned(channel, &own, end),
            Method::OutOfBand => collectors(channel, &own, end),
            Method::PrePublish | Method::Replace => readers::readers(channel, place, &listing, end),
        };
        all.extend(found.into_iter().filter(|it| it.from < it.to));
    }
    all
}

/// Whoever has a configuration trusts the keys that it lists until it ends, with a clock that goes behind; and where no newer
/// one is there by then, nobody knows better.
fn followers(channel: &Channel, place: usize, listing: &[&Artefact], end: Instant) -> Vec<Consumer> {
    let next = |number: usize| listing.get(number + 1).map_or(end, |next| next.appears);
    let keeps = |(number, it): (usize, &&Artefact)| Consumer {
        who: format!("who has {}", it.file),
        channel: place,
        trusts: it.lists.get(&place).cloned().unwrap_or_default(),
        from: it.appears,
        to: it
            .verified
            .valid_until
            .map_or(end, |until| later(until, channel.timing.skew).max(next(number)).min(end)),
        file: Some(it.file.clone()),
    };
    listing.iter().enumerate().map(keeps).collect()
}

pub(super) fn later(at: Instant, span: Span) -> Instant {
    at.after(span).unwrap_or(at)
}

/// When a key takes the place of the one before.
type Change<'a> = &'a dyn Fn(&Announced) -> Option<Instant>;

/// One key at a time, exchanged by people: at once, as late as they may, and as late as the notice lets them. A stolen one goes
/// as soon as they have brought another, for which they take as long as they may.
fn pinned(channel: &Channel, keys: &[&Announced], end: Instant) -> Vec<Consumer> {
    let (distribution, notice) = (channel.timing.distribution, channel.timing.notice);
    let ways: [(&str, Change<'_>); 3] = [
        ("at once", &|key| Some(key.seen)),
        ("at the last day for it", &|key| Some(later(key.seen, distribution))),
        ("at the end of the notice", &|key| key.active.map(|active| later(active, notice))),
    ];
    let mut all = Vec::new();
    for (how, changes) in ways {
        let change = |place: usize| {
            let key = keys.get(place)?;
            let stolen = place.checked_sub(1).and_then(|before| keys.get(before)?.revoked);
            let urgent = stolen.map(|at| later(at, distribution).max(key.seen));
            changes(key).into_iter().chain(urgent).min()
        };
        for (place, key) in keys.iter().enumerate() {
            let from = if place == 0 { Some(key.seen) } else { change(place) };
            let to = change(place + 1).unwrap_or(end).min(end);
            let who = format!("who trusts #{} and changes {how}", key.version);
            let trusts = BTreeSet::from([key.version]);
            all.extend(from.map(|from| Consumer { who, channel: key.channel, trusts, from, to, file: None }));
        }
    }
    all
}

/// Keys are added by people, at once and as late as they may, and only a stolen one is taken away, as quickly.
fn collectors(channel: &Channel, keys: &[&Announced], end: Instant) -> Vec<Consumer> {
    let mut all = Vec::new();
    for (how, takes) in
        [("at once", Span::of_seconds(0)), ("at the last day for it", channel.timing.distribution)]
    {
        let first = keys.first().map(|key| key.version);
        let added =
            |key: &Announced| if Some(key.version) == first { key.seen } else { later(key.seen, takes) };
        let gone = |key: &Announced| key.revoked.map(|at| later(at, takes));
        let changes: BTreeSet<Instant> =
            keys.iter().flat_map(|key| [Some(added(key)), gone(key)]).flatten().chain([end]).collect();
        let changes: Vec<Instant> = changes.into_iter().collect();
        for (from, to) in changes.iter().zip(changes.iter().skip(1)) {
            let is_there =
                |key: &&&Announced| added(key) <= *from && gone(key).is_none_or(|gone| *from < gone);
            let trusts: BTreeSet<u32> = keys.iter().filter(is_there).map(|key| key.version).collect();
            let who = format!("who trusts {} and adds keys {how}", names(&trusts));
            let channel = keys.first().map_or(0, |key| key.channel);
            all.push(Consumer { who, channel, trusts, from: *from, to: (*to).min(end), file: None });
        }
    }
    all
}

/// Keys, by their numbers.
pub(super) fn names(keys: &BTreeSet<u32>) -> String {
    keys.iter().map(|version| format!("#{version}")).collect::<Vec<_>>().join(" ")
}

/// What consumers could not accept: a file that none of their keys verifies, one that has ended before the next one stands in
/// its place, or no file at all; what a key signs that their file does not list, where files carry keys.
pub(super) fn rejections(
    channels: &[Channel],
    artefacts: &[Artefact],
    consumers: &[Consumer],
    life: &Life,
    end: Instant,
) -> Vec<Rejection> {
    let mut found = Vec::new();
    for (place, _) in channels.iter().enumerate().filter(|(_, channel)| !channel.kind.method().is_anchor()) {
        let listing: Vec<_> = artefacts.iter().filter(|it| it.lists.contains_key(&place)).collect();
        found.extend(readers::ended(place, &listing, end));
    }
    for consumer in consumers {
        let Some(channel) = channels.get(consumer.channel) else { continue };
        if !channel.kind.method().is_anchor() {
            found.extend(readers::refused(channel, consumer, life, end));
            continue;
        }
        let is_double = channel.kind.method() == Method::Double;
        let own = artefacts.iter().filter(|it| it.channel == Some(consumer.channel));
        let documents: BTreeSet<usize> = own.clone().map(|it| it.document).collect();
        for document in documents {
            // Each key of a double publication has a place of its own.
            let reads = |it: &&Artefact| it.document == document && (!is_double || is_trusted(consumer, it));
            let place: Vec<_> = own.clone().filter(reads).collect();
            found.extend(refused(channel, consumer, &place, end));
        }
    }
    found
}

/// What one consumer refuses at one place.
fn refused(channel: &Channel, consumer: &Consumer, place: &[&Artefact], end: Instant) -> Vec<Rejection> {
    let mut found = Vec::new();
    let mut reject = |at: Instant, until: Instant, file: Option<&Artefact>, why: String| {
        let (key, file) = (file.and_then(|file| file.by), file.map(|file| file.file.clone()));
        let (who, channel) = (consumer.who.clone(), consumer.channel);
        found.push(Rejection { at, until, channel, key, who, file, why });
    };
    let first = place.first().map_or(consumer.to, |first| first.appears);
    if first > consumer.from {
        let until = first.min(consumer.to);
        reject(consumer.from, until, None, "nothing is published that one of its keys has signed".into());
    }
    for (number, artefact) in place.iter().enumerate() {
        let gone = place.get(number + 1).map_or(end, |next| next.appears);
        let (from, to) = (artefact.appears.max(consumer.from), gone.min(consumer.to));
        // Beside newer keys it is kept until it ends; what never ends, until the cache turns over.
        let cached = later(gone, channel.cache_bound()).min(end);
        let kept = match channel.kind.method() {
            Method::Chained => artefact.verified.valid_until.unwrap_or(cached).min(consumer.to),
            _ => to,
        };
        if from < kept.max(to) && artefact.verifies.is_disjoint(&consumer.trusts) {
            let by = artefact.by.unwrap_or_default();
            reject(from, kept.max(to), Some(artefact), format!("#{by} signed it"));
        }
        let over = artefact.verified.valid_until.map(|until| until.max(from));
        let mut wrong = std::iter::once(from).chain(over).filter(|at| *at < to);
        let wrong = wrong.find_map(|at| Some((at, artefact.verified.check_valid(at).err()?)));
        if let Some((at, fault)) = wrong {
            reject(at, to, Some(artefact), fault.message().to_owned());
        }
    }
    found
}

/// Whether one of a consumer's keys signed it.
fn is_trusted(consumer: &Consumer, artefact: &Artefact) -> bool {
    artefact.by.is_some_and(|by| consumer.trusts.contains(&by))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::base::bytes::from_hex;
    use crate::key::{Hash, Parts, PublicKey};
    use crate::lifecycle::Kind;
    use crate::policy::Facts;

    pub(crate) fn day(day: i64) -> Instant {
        Instant::from_unix(day * 86_400).unwrap()
    }

    /// Signed on a day, seen two days later, valid for fourteen.
    pub(crate) fn artefact(by: u32, lists: &[u32], signed: i64) -> Artefact {
        let x = "aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7";
        let y = "3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f";
        let (x, y) = (from_hex(x).unwrap(), from_hex(y).unwrap());
        let key =
            PublicKey::from_parts(&Parts::Ec { curve: "P-384", urn: "urn:oid:1.3.132.0.34", x, y }).unwrap();
        let scheme = key.algorithm().scheme(Hash::Sha384);
        Artefact {
            file: format!("{signed}/by-{by}"),
            document: 0,
            kind: "saml",
            channel: Some(0),
            by: Some(by),
            verifies: BTreeSet::from([by]),
            lists: if lists.is_empty() {
                BTreeMap::new()
            } else {
                [(0, lists.iter().copied().collect())].into()
            },
            digest: Digest::of(b""),
            signed: day(signed),
            appears: day(signed + 2),
            verified: Verified {
                facts: Facts::default(),
                covers: String::new(),
                coverage: vec![],
                commands: None,
                key,
                scheme,
                valid_from: None,
                valid_until: Some(day(signed + 14)),
            },
        }
    }

    fn judged(kind: Kind, artefacts: &[Artefact], announced: &[Announced], end: i64) -> Vec<String> {
        judged_with(kind, artefacts, announced, &Life::default(), end)
    }

    pub(crate) fn judged_with(
        kind: Kind,
        artefacts: &[Artefact],
        announced: &[Announced],
        life: &Life,
        end: i64,
    ) -> Vec<String> {
        let mut channel = Channel::new(kind);
        channel.timing.distribution = Span::of_days(10);
        channel.timing.notice = Span::of_days(10);
        let channels = [channel];
        let consumers = consumers(&channels, artefacts, announced, day(end));
        assert!(!consumers.is_empty());
        let rejections = rejections(&channels, artefacts, &consumers, life, day(end));
        rejections
            .iter()
            .map(|it| {
                let file = it.file.as_deref().unwrap_or("-");
                format!("{} {file} {}", it.at.unix() / 86_400, it.who)
            })
            .collect()
    }

    fn announced(version: u32, seen: i64, active: Option<i64>) -> Announced {
        Announced { channel: 0, version, seen: day(seen), active: active.map(day), revoked: None }
    }

    #[test]
    fn a_configuration_by_a_key_that_an_older_one_does_not_list_is_rejected() {
        let good = [
            artefact(1, &[1], 0),
            artefact(1, &[1, 2], 7),
            artefact(1, &[1, 2], 14),
            artefact(2, &[1, 2], 21),
            artefact(2, &[2], 42),
        ];
        // The last one that lists the first key only ends on day 14, and its reader's clock goes behind.
        assert_eq!(judged(Kind::OpenidAnchor, &good[..4], &[], 35), Vec::<String>::new());
        let early = [artefact(1, &[1], 0), artefact(1, &[1, 2], 7), artefact(2, &[1, 2], 11)];
        assert_eq!(judged(Kind::OpenidAnchor, &early, &[], 25), ["13 11/by-2 who has 0/by-1"]);
        let forgotten = [artefact(1, &[1], 0), artefact(2, &[2], 7)];
        assert_eq!(
            judged(Kind::OpenidAnchor, &forgotten, &[], 16),
            ["9 7/by-2 who has 0/by-1", "9 0/by-1 who has 7/by-2"]
        );
        assert_eq!(judged(Kind::OpenidAnchor, &good, &[], 50), ["35 21/by-2 who has 21/by-2"], "a gap");
    }

    #[test]
    fn each_pinned_key_needs_its_own_file_until_the_notice_is_over() {
        let both = |signed| [artefact(1, &[], signed), artefact(2, &[], signed)];
        let keys = [announced(1, 2, Some(2)), announced(2, 9, Some(21))];
        let mut all: Vec<_> =
            [artefact(1, &[], 0)].into_iter().chain([7, 14, 21, 28].into_iter().flat_map(both)).collect();
        assert_eq!(judged(Kind::SamlAnchor, &all, &keys, 37), Vec::<String>::new());
        // Without the old key's copies of the notice, who changes last finds a file that has ended.
        all.retain(|it| it.by == Some(2) || it.signed < day(14));
        let found = judged(Kind::SamlAnchor, &all, &keys, 37);
        assert_eq!(found, ["21 7/by-1 who trusts #1 and changes at the end of the notice"]);
        // Without the new key's own file, who changes first finds none.
        all.retain(|it| it.by == Some(1) || it.signed > day(14));
        let found = judged(Kind::SamlAnchor, &all, &keys, 20);
        assert!(found.contains(&"9 - who trusts #2 and changes at once".to_owned()), "{found:?}");
    }

    #[test]
    fn a_key_that_signs_before_people_have_carried_it_is_rejected() {
        let keys = [announced(1, 2, Some(2)), announced(2, 9, Some(14))];
        let early = [artefact(1, &[], 0), artefact(1, &[], 7), artefact(2, &[], 14)];
        let found = judged(Kind::X509, &early, &keys, 25);
        assert_eq!(found, ["16 14/by-2 who trusts #1 and adds keys at the last day for it"]);
        let good = [artefact(1, &[], 0), artefact(1, &[], 7), artefact(2, &[], 17)];
        assert_eq!(judged(Kind::X509, &good, &keys, 25), Vec::<String>::new());
    }
}
