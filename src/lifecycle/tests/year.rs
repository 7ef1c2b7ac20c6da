//! A year of each kind of channel with a thousand consumers that refresh at random: no login is rejected through planned
//! rotations; with the overlap cut in half some are; and a stolen key does harm for as long as promised, at most.

#![expect(clippy::print_stdout, clippy::disallowed_macros, reason = "the measurements are for people")]

use std::collections::BTreeMap;

use super::consumers::{Consumer, Dice, Seen, World};
use super::*;
use crate::lifecycle::inventory::Track;
use crate::lifecycle::window::{distrusted, known, retire};

const CONSUMERS: u64 = 1_000;
const YEAR: i64 = 365 * DAY;

/// A channel without the safety margins, so that the windows are as short as they can be, and with ceremonies often enough
/// that the windows and not the ceremonies decide.
fn bare(kind: Kind) -> Channel {
    let mut channel = Channel::new(kind);
    let zero = Span::of_seconds(0);
    channel.timing = Timing {
        period: Span::of_seconds(6 * HOUR),
        publish_safety: zero,
        retire_safety: zero,
        ..channel.timing
    };
    if kind == Kind::X509 {
        channel.timing.objects = days(30);
    }
    channel
}

/// What happened, as consumers see it.
struct Told {
    channel: Channel,
    situation: Situation,
    artefacts: Vec<Seen>,
    active: Vec<(i64, Option<u32>)>,
    /// When each key was taken away: retired, destroyed or revoked.
    gone: BTreeMap<u32, i64>,
}

fn seconds(time: Instant) -> i64 {
    time.seconds_since(at(0))
}

fn seen(edition: &Edition) -> Seen {
    Seen {
        place: 0,
        by: edition.by,
        lists: edition.lists.iter().copied().collect(),
        signed: seconds(edition.signed),
        appears: seconds(edition.appears),
        expires: edition.expires.instant().map_or(i64::MAX, seconds),
    }
}

fn told(rehearsal: Rehearsal<'_>, channel: Channel) -> Told {
    let artefacts = rehearsal.editions.iter().map(seen).collect();
    let mut history = History::default();
    let (mut active, mut gone) = (Vec::new(), BTreeMap::new());
    for step in rehearsal.situation.history.steps() {
        history.apply(step.clone()).unwrap();
        active.push((seconds(step.at), history.active()));
        if matches!(step.act, Move::Retire | Move::Destroy | Move::Revoke) {
            gone.entry(step.version).or_insert(seconds(step.at));
        }
    }
    Told { channel, situation: rehearsal.situation, artefacts, active, gone }
}

impl Told {
    /// Whether a key is held and trusted at a time, as its moves say.
    fn holds(&self, version: u32, time: i64) -> bool {
        self.gone.get(&version).is_none_or(|gone| time < *gone)
    }

    /// When a key was first published, for kinds in which people carry it.
    fn announced(&self, version: u32) -> Option<i64> {
        self.artefacts.iter().filter(|seen| seen.by == Some(version)).map(|seen| seen.appears).min()
    }
}

/// Goes through a year; `lives`: how long a key is active.
fn live(channel: &Channel, gate: Gate<'_>, lives: i64) -> Told {
    let mut dice = Dice(7);
    let mut delay = |channel: &Channel| Span::of_seconds(1 + dice.below(channel.timing.delay.seconds()));
    let mut rehearsal = Rehearsal::new(situation(channel.clone()), gate, &mut delay);
    let mut time = 0;
    while time < YEAR {
        let active = rehearsal.situation.history.active().unwrap();
        let since = seconds(rehearsal.situation.history.key(active).unwrap().since);
        rehearsal.ceremony(at(time), time - since >= lives).unwrap();
        time += channel.timing.period.seconds();
    }
    told(rehearsal, channel.clone())
}

/// Logins and rejected logins of one consumer in a year. Each logs in at the worst time, just before it refreshes, too.
fn logins(told: &Told, seed: u64) -> (u64, u64) {
    let holds = |version, time| told.holds(version, time);
    let (channel, artefacts, active) = (&told.channel, &told.artefacts[..], &told.active[..]);
    let world = World { channel, artefacts, active, holds: &holds };
    let mut dice = Dice(seed ^ 0xabcd);
    let mut consumer = Consumer::new(channel, seed);
    let timing = &channel.timing;
    let carried = timing.distribution.seconds() + timing.notice.seconds();
    let versions: Vec<u32> = told.situation.history.keys().map(|(version, _)| version).collect();
    let pins = versions.iter().skip(1).filter_map(|version| Some((told.announced(*version)?, *version)));
    let mut pins: Vec<_> = pins.map(|(from, version)| (from + dice.below(carried), version)).collect();
    pins.sort_unstable();
    let (mut all, mut rejected) = (0, 0);
    consumer.next = timing.delay.seconds() + dice.below(DAY);
    while consumer.next < YEAR {
        let from = consumer.next;
        consumer.refresh(&world);
        let to = consumer.next.min(YEAR);
        for time in [from + dice.below(to - from), to - 1] {
            let moved = pins.iter().filter(|(from, _)| *from <= time).map(|(_, version)| *version);
            // In a double publication people exchange the old anchor for the new one; in trust stores they add it.
            let last = moved.clone().max().unwrap_or(1);
            consumer.pins = match channel.kind.method() {
                Method::Double => vec![last],
                _ => std::iter::once(1).chain(moved).collect(),
            };
            let age = consumer.age(channel);
            if let Some(accepted) = consumer.login(&world, time, age) {
                all += 1;
                rejected += u64::from(!accepted);
            }
        }
    }
    (all, rejected)
}

/// All logins and rejected logins, and how many keys took over.
fn year(channel: &Channel, gate: Gate<'_>, consumers: u64) -> (u64, u64, usize) {
    let lives = if channel.kind.method().has_own_files() { 60 * DAY } else { 40 * DAY };
    let told = live(channel, gate, lives);
    let taken = told.active.iter().filter_map(|(_, version)| *version).max().unwrap();
    let mut sum = (0, 0);
    for seed in 0..consumers {
        let (all, rejected) = logins(&told, seed);
        sum = (sum.0 + all, sum.1 + rejected);
    }
    (sum.0, sum.1, usize::try_from(taken).unwrap() - 1)
}

/// The negative control: half of each window, measured from its beginning.
fn half(situation: &Situation, act: Move, version: u32, answers: &Answers) -> bool {
    let (channel, inventory) = (&situation.channels[0], &situation.inventory);
    let place = inventory.places(&channel.name).next();
    let track = place.and_then(|(_, shown)| shown.track(version));
    let opens = match act {
        _ if !answers.policy.yes => return false,
        Move::Activate if channel.kind.method() != Method::Replace => {
            let Some(seen) = track.and_then(Track::first) else { return false };
            (seen, known(channel, inventory, version, at(0)))
        }
        Move::Retire => {
            let key = situation.history.key(version).unwrap();
            let opens = retire(channel, inventory, (version, key), at(0));
            let unlisted = track.and_then(Track::first).filter(|_| channel.kind.method() == Method::Replace);
            (unlisted.or(key.last_use).unwrap(), opens)
        }
        _ => return answers.are_yes(),
    };
    // The rehearsal asks at every ceremony; what time it is, it knows from the answers alone.
    let (from, Opening::At(When::At(to))) = opens else { return opens.1 == Opening::Open };
    let now =
        answers.time.not_before.map_or(to, |at| at.after(Span::of_seconds(-answers.time.seconds)).unwrap());
    now.seconds_since(from) >= to.seconds_since(from) / 2
}

#[test]
fn a_year_of_planned_rotations_rejects_no_login() {
    for kind in Kind::all() {
        let (all, rejected, taken) = year(&bare(kind), &by_the_answers, CONSUMERS);
        println!("{kind:<16} {taken} rotations, {all} logins, {rejected} rejected");
        assert!(taken >= 2 && all > 5_000, "{kind}: {taken} rotations, {all} logins");
        assert_eq!(rejected, 0, "{kind}");
    }
}

#[test]
fn with_the_overlap_cut_in_half_logins_are_rejected() {
    for kind in Kind::all() {
        let (all, rejected, taken) = year(&bare(kind), &half, 200);
        println!("{kind:<16} {taken} rotations, {all} logins, {rejected} rejected, half the overlap");
        assert!(rejected > 0, "{kind}: the simulation notices nothing, so it proves nothing");
    }
}

/// A key is stolen, and revoked at day 100; its standby key takes over at once. The last time at which somebody accepts what
/// the thief signs, and the promised end; seconds since the revocation.
fn theft(kind: Kind) -> (i64, i64) {
    let channel = bare(kind);
    let mut dice = Dice(11);
    let mut delay = |channel: &Channel| Span::of_seconds(1 + dice.below(channel.timing.delay.seconds()));
    let mut rehearsal = Rehearsal::new(situation(channel.clone()), &by_the_answers, &mut delay);
    let stolen = 100 * DAY;
    for time in (0..YEAR).step_by(usize::try_from(DAY).unwrap()) {
        if time == stolen {
            let history = &mut rehearsal.situation.history;
            history.apply(Step::new(at(time), 2, Move::Generate)).unwrap();
            history.apply(Step::new(at(time), 2, Move::Standby)).unwrap();
            history.apply(Step::new(at(time), 1, Move::Revoke)).unwrap();
            let activate = Step { emergency: true, ..Step::new(at(time), 2, Move::Activate) };
            history.apply(activate).unwrap();
        }
        rehearsal.ceremony(at(time), false).unwrap();
    }
    let told = told(rehearsal, channel);
    let promised = distrusted(&told.channel, &told.situation.inventory, 1, at(stolen));
    let Opening::At(When::At(promised)) = promised else { panic!("{kind}: {promised:?}") };
    let last = (0..CONSUMERS).filter_map(|seed| last_harm(&told, seed, stolen)).max().unwrap_or(stolen);
    (last - stolen, seconds(promised) - stolen)
}

fn last_harm(told: &Told, seed: u64, stolen: i64) -> Option<i64> {
    let holds = |version, time| told.holds(version, time);
    let (channel, artefacts, active) = (&told.channel, &told.artefacts[..], &told.active[..]);
    let world = World { channel, artefacts, active, holds: &holds };
    let mut consumer = Consumer::new(channel, seed);
    let mut dice = Dice(seed ^ 0x5a5a);
    let told_at = stolen + dice.below(channel.timing.distribution.seconds());
    consumer.next = channel.timing.delay.seconds() + dice.below(DAY);
    let mut last = None;
    while consumer.next < YEAR {
        let from = consumer.next;
        if from >= told_at && channel.kind.method().is_anchor() {
            consumer.pins = vec![2];
        }
        consumer.refresh(&world);
        for time in [from, consumer.next.min(YEAR) - 1] {
            if time >= stolen && consumer.accepts(&world, 1, time) {
                last = last.max(Some(time));
            }
        }
    }
    last
}

#[test]
fn a_stolen_key_does_harm_no_longer_than_promised() {
    for kind in Kind::all() {
        let (last, promised) = theft(kind);
        let planned = cadence(&bare(kind)).unwrap().exposure;
        println!(
            "{kind:<16} accepted for {} after the revocation, promised {}, planned {planned}",
            Span::of_seconds(last),
            Span::of_seconds(promised)
        );
        assert!(last <= promised, "{kind}");
        assert!(last > 0, "{kind}: nobody ever accepts the stolen key, so this proves nothing");
        assert!(promised <= planned.seconds() + 300, "{kind}: the plan says less");
    }
}
