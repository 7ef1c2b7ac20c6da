//! Consumers that follow the rules of caches, and what they accept: the other side of every promise of this room. They know
//! nothing of windows, stages or receipts.

use super::*;

/// Random numbers from a seed (SplitMix64), the same on every machine.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 to below `end`; 0 where there is none.
    pub(super) fn below(&mut self, end: i64) -> i64 {
        let end = u64::try_from(end.max(1)).unwrap();
        i64::try_from(self.next() % end).unwrap()
    }
}

/// An artefact as consumers see it; times in seconds.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    /// Where it stands, of several places.
    pub(super) place: usize,
    pub(super) by: Option<u32>,
    pub(super) lists: Vec<u32>,
    pub(super) signed: i64,
    pub(super) appears: i64,
    pub(super) expires: i64,
}

/// What the world shows to consumers.
pub(super) struct World<'a> {
    pub(super) channel: &'a Channel,
    /// In the order of signing.
    pub(super) artefacts: &'a [Seen],
    /// From when on which key signs objects, none where no key does.
    pub(super) active: &'a [(i64, Option<u32>)],
    /// From when to when a key decrypts or is trusted by people: everything that is no artefact.
    pub(super) holds: &'a dyn Fn(u32, i64) -> bool,
}

impl World<'_> {
    /// What stands at the publication point: the last artefact that has appeared. A publisher puts no old one over a new one.
    pub(super) fn current(&self, time: i64, by: impl Fn(&Seen) -> bool) -> Option<usize> {
        let signed = self.artefacts.partition_point(|seen| seen.signed <= time);
        self.artefacts[..signed].iter().rposition(|seen| seen.appears <= time && by(seen))
    }

    /// The key that signs objects at this time.
    pub(super) fn signer(&self, time: i64) -> Option<u32> {
        self.active.iter().rev().find(|(from, _)| *from <= time).and_then(|(_, version)| *version)
    }
}

/// One consumer.
pub(super) struct Consumer {
    /// The one place that it reads.
    pub(super) place: usize,
    cached: Option<usize>,
    pub(super) next: i64,
    failures: u32,
    /// How fast its clock goes behind.
    skew: i64,
    /// Anchors that people gave it.
    pub(super) pins: Vec<u32>,
    dice: Dice,
}

impl Consumer {
    pub(super) fn new(channel: &Channel, seed: u64) -> Self {
        let mut dice = Dice(seed);
        let skew = dice.below(channel.timing.skew.seconds());
        Self { place: 0, cached: None, next: 0, failures: 0, skew, pins: vec![1], dice }
    }

    fn is_fresh(&self, seen: &Seen, time: i64) -> bool {
        time - self.skew < seen.expires
    }

    /// The artefact that it works with, while that is valid.
    fn cached<'a>(&self, world: &World<'a>, time: i64) -> Option<&'a Seen> {
        let seen = &world.artefacts[self.cached?];
        self.is_fresh(seen, time).then_some(seen)
    }

    /// Refreshes at `self.next`, or fails as often as it may; then chooses its next time.
    pub(super) fn refresh(&mut self, world: &World<'_>) {
        let (time, timing) = (self.next, &world.channel.timing);
        let is_stale = self.cached(world, time).is_none();
        let fails = !is_stale && self.failures < timing.failures && self.dice.below(5) < 2;
        if fails {
            self.failures += 1;
        } else {
            self.failures = 0;
            self.fetch(world, time);
        }
        // Strict windows trust nobody to refresh: any artefact may be kept until its end. Who has none keeps none.
        let kept = self.cached(world, time).filter(|_| timing.strict);
        let interval = match timing.validity.filter(|_| kept.is_some()) {
            Some(validity) => validity.seconds(),
            None => world.channel.interval().seconds(),
        };
        let end = kept.map_or(i64::MAX, |seen| seen.expires);
        self.next = (time + 1 + self.dice.below(interval)).min(end.max(time + 1));
    }

    fn fetch(&mut self, world: &World<'_>, time: i64) {
        let method = world.channel.kind.method();
        let found = world.current(time, |seen| match (method, seen.by) {
            _ if seen.place != self.place => false,
            (Method::Double | Method::OutOfBand, Some(by)) => self.pins.contains(&by) && time < seen.expires,
            _ => true,
        });
        let Some(found) = found else { return };
        let seen = &world.artefacts[found];
        // An anchor's artefact is taken only if a key signed it that is trusted already.
        let known = match (method, seen.by, self.cached) {
            (Method::Chained, Some(by), Some(old)) => {
                world.artefacts[old].lists.contains(&by) || self.pins.contains(&by)
            }
            (Method::Chained, Some(by), None) => self.pins.contains(&by),
            _ => true,
        };
        if known && self.is_fresh(seen, time) {
            self.cached = Some(found);
        }
    }

    /// Whether it accepts what this key signs.
    pub(super) fn accepts(&self, world: &World<'_>, version: u32, time: i64) -> bool {
        match world.channel.kind.method() {
            Method::OutOfBand => self.pins.contains(&version),
            Method::Double => {
                // Whoever holds a pinned key signs a file at will.
                self.pins.contains(&version)
                    || self.cached(world, time).is_some_and(|s| s.by == Some(version))
            }
            _ => self.cached(world, time).is_some_and(|seen| seen.lists.contains(&version)),
        }
    }

    /// A login at this time, in which something takes part that was signed `age` seconds ago; none where there is nothing.
    pub(super) fn login(&self, world: &World<'_>, time: i64, age: i64) -> Option<bool> {
        match world.channel.kind.method() {
            Method::Replace => {
                let key = self.cached(world, time).and_then(|seen| seen.lists.last());
                Some(key.is_some_and(|key| (world.holds)(*key, time)))
            }
            Method::Double => Some(self.cached(world, time).is_some()),
            Method::Chained => {
                let signed = world.artefacts.partition_point(|seen| seen.signed <= time - age);
                let statement = world.artefacts[..signed].last().filter(|seen| time < seen.expires)?;
                let by = statement.by.filter(|by| (world.holds)(*by, time))?;
                Some(self.accepts(world, by, time))
            }
            Method::PrePublish | Method::OutOfBand => {
                let by = world.signer(time - age).filter(|by| (world.holds)(*by, time))?;
                Some(self.accepts(world, by, time))
            }
        }
    }

    /// How old an object may be, at most.
    pub(super) fn age(&mut self, channel: &Channel) -> i64 {
        let timing = &channel.timing;
        let longest = match channel.kind.method() {
            Method::Chained => timing.validity.map_or(0, Span::seconds),
            _ => timing.objects.seconds(),
        };
        self.dice.below(longest)
    }
}
