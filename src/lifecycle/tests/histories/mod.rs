//! Ten thousand random histories: moves, times, lost receipts, emergencies. After every step
//! the invariants hold, and consumers who follow the rules of caches lose nothing and believe no revoked key.

pub(crate) mod places;

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;

use super::consumers::{Consumer, Dice, Seen, World};
use super::*;
use crate::lifecycle::window::distrusted;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Event {
    /// So many hours go by.
    Wait(i64),
    /// Somebody asks for a move of a key, and may crash between ledger and record.
    Ask { act: usize, version: u32, crash: bool },
    /// The move that would come next in a rotation.
    Go,
    /// The key before signs again.
    Back,
    /// A key is made and kept for an emergency, and published or not.
    Reserve(bool),
    /// The active key is revoked, and the next one takes over at once.
    Emergency,
    /// Somebody puts an old folder back.
    Restore(u32),
}

/// The generator of histories, for vaults too.
pub(crate) fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => (1..300_i64).prop_map(Event::Wait),
        2 => (0..10_usize, 1..5_u32, any::<bool>()).prop_map(|(act, version, crash)| Event::Ask { act, version, crash }),
        5 => Just(Event::Go),
        1 => Just(Event::Back),
        1 => any::<bool>().prop_map(Event::Reserve),
        1 => Just(Event::Emergency),
        1 => (1..4_u32).prop_map(Event::Restore),
    ]
}

/// What goes along with a model, step by step, and has to come to the same: a vault.
pub(crate) trait Mirror {
    /// A move was asked for, and happens if these are yes. `crash`: not at the first try.
    fn asks(&mut self, step: &Step, answers: &Answers, crash: bool);
    /// Something was signed.
    fn signs(&mut self, signature: &Signature);
    /// A receipt came.
    fn sees(&mut self, now: Instant, receipt: &Receipt);
    /// Somebody puts an old folder back, of so many moves ago.
    fn restores(&mut self, now: Instant, moves: u32);
    /// Compares itself with the model.
    fn compare(&mut self, situation: &Situation, now: Instant);
}

/// Nothing goes along.
struct Alone;

impl Mirror for Alone {
    fn asks(&mut self, _: &Step, _: &Answers, _: bool) {}
    fn signs(&mut self, _: &Signature) {}
    fn sees(&mut self, _: Instant, _: &Receipt) {}
    fn restores(&mut self, _: Instant, _: u32) {}
    fn compare(&mut self, _: &Situation, _: Instant) {}
}

/// A line, what was published, and who relies on it.
pub(crate) struct Model {
    situation: Situation,
    mirror: Box<dyn Mirror>,
    /// The next move that happens does so only after a crash.
    crash: bool,
    /// Where documents stand that list keys of the line, and which they listed last.
    places: Vec<(Option<Place>, Lists)>,
    artefacts: Vec<Seen>,
    /// Artefacts whose receipt is on its way: digest and time.
    receipts: Vec<(String, i64)>,
    active: Vec<(i64, Option<u32>)>,
    gone: BTreeMap<u32, i64>,
    consumers: Vec<Consumer>,
    /// When people give each consumer an anchor: time, consumer, key.
    carried: Vec<(i64, usize, u32)>,
    now: i64,
    next_ceremony: i64,
    /// Until then an emergency excuses rejections: as promised when it began.
    excused: i64,
    /// Until then consumers may lack a key that took over in an emergency.
    promised: i64,
    dice: Dice,
}

const OPEN_END: i64 = i64::MAX;

fn second(when: When) -> i64 {
    when.instant().map_or(OPEN_END, |time| time.seconds_since(at(0)))
}

/// A channel whose people are fast: otherwise few histories are long enough for a rotation.
pub(crate) fn fast(kind: Kind) -> Channel {
    let mut channel = Channel::new(kind);
    let people = |span: Span| Span::of_seconds(span.seconds() / 6);
    channel.timing.distribution = people(channel.timing.distribution);
    channel.timing.notice = people(channel.timing.notice);
    channel
}

impl Model {
    fn new(kind: Kind, seed: u64) -> Self {
        Self::with(fast(kind), seed, Box::new(Alone))
    }

    /// A model of a line with this channel, and what goes along with it.
    pub(crate) fn with(channel: Channel, seed: u64, mirror: Box<dyn Mirror>) -> Self {
        let places = places::of(channel.kind, seed);
        let consumer = |number: usize| {
            let mut consumer = Consumer::new(&channel, seed ^ u64::try_from(number).unwrap());
            consumer.place = number % places.len();
            consumer
        };
        let consumers = (0..3).map(consumer).collect();
        let mut model = Self {
            situation: situation(channel),
            mirror,
            crash: false,
            places,
            artefacts: Vec::new(),
            receipts: Vec::new(),
            active: vec![(0, Some(1))],
            gone: BTreeMap::new(),
            consumers,
            carried: Vec::new(),
            now: 0,
            next_ceremony: 0,
            excused: 0,
            promised: 0,
            dice: Dice(seed),
        };
        model.ceremony();
        // Consumers start when the first artefact is out.
        let start = model.channel().timing.delay.seconds();
        model.consumers.iter_mut().for_each(|consumer| consumer.next = start);
        model.wait(start + DAY);
        model
    }

    fn channel(&self) -> Channel {
        self.situation.channels[0].clone()
    }

    /// Lets time go by, ceremony by ceremony.
    fn wait(&mut self, seconds: i64) {
        let end = self.now + seconds;
        while self.next_ceremony <= end {
            self.live(self.next_ceremony);
            self.ceremony();
        }
        self.live(end);
    }

    /// Consumers refresh and log in until a time; receipts arrive.
    fn live(&mut self, end: i64) {
        let mut consumers = std::mem::take(&mut self.consumers);
        for (number, consumer) in consumers.iter_mut().enumerate() {
            while consumer.next <= end {
                self.carry(number, consumer, consumer.next);
                // The worst time for a login is just before a refresh.
                self.login(consumer, consumer.next - 1);
                consumer.refresh(&self.world(&|version, time| self.holds(version, time)));
            }
            self.carry(number, consumer, end);
            self.login(consumer, end);
        }
        self.consumers = consumers;
        let (arrived, coming) =
            std::mem::take(&mut self.receipts).into_iter().partition(|(_, seen)| *seen <= end);
        self.receipts = coming;
        let arrived: Vec<(String, i64)> = arrived;
        for (name, seen) in arrived {
            let receipt = receipt(&name, seen);
            self.mirror.sees(at(end), &receipt);
            self.situation.inventory.observe(&receipt).unwrap();
        }
        self.now = end;
    }

    fn carry(&self, number: usize, consumer: &mut Consumer, time: i64) {
        for (from, to, version) in &self.carried {
            if *to == number && *from <= time && !consumer.pins.contains(version) {
                consumer.pins.push(*version);
            }
        }
    }

    fn holds(&self, version: u32, time: i64) -> bool {
        self.gone.get(&version).is_none_or(|gone| time < *gone)
    }

    fn world<'a>(&'a self, holds: &'a dyn Fn(u32, i64) -> bool) -> World<'a> {
        World {
            channel: &self.situation.channels[0],
            artefacts: &self.artefacts,
            active: &self.active,
            holds,
        }
    }

    /// One login with something fresh and one with something old; and what a thief of a revoked key signs is refused after
    /// the end that was promised.
    fn login(&self, consumer: &mut Consumer, time: i64) {
        if time < self.channel().timing.delay.seconds() + 1 {
            return;
        }
        let holds = |version, time| self.holds(version, time);
        let world = self.world(&holds);
        if time >= self.excused {
            for age in [0, consumer.age(world.channel)] {
                let accepted = consumer.login(&world, time, age);
                assert_ne!(accepted, Some(false), "a login at {time} with something {age} s old is rejected");
            }
        }
        for (version, key) in self.situation.history.keys() {
            let Some(revoked) = key.revoked else { continue };
            let promised = distrusted(world.channel, &self.situation.inventory, version, revoked.at);
            let pinned = world.channel.kind.method().has_own_files();
            assert!(
                pinned || !promised.is_open(at(time)) || !consumer.accepts(&world, version, time),
                "#{version} is revoked and accepted at {time}, promised {promised:?}"
            );
        }
    }

    /// Asks for a move; it happens only if all three answers are yes.
    fn ask(&mut self, act: Move, version: u32, emergency: bool) -> bool {
        let asked = Asked { emergency, ..asked() };
        let answers = super::super::answers(&self.situation, act, version, at(self.now), asked);
        let before = self.situation.history.steps().len();
        let step = Step { emergency, ..Step::new(at(self.now), version, act) };
        let crash = answers.are_yes() && std::mem::take(&mut self.crash);
        self.mirror.asks(&step, &answers, crash);
        if !answers.are_yes() {
            // The stage machine and the answers agree on what is out of order.
            let code = answers.check().unwrap_err().code();
            if [&ORDER, &FINAL, &SUSPENDED, &NO_KEY].contains(&code) {
                assert!(self.situation.history.clone().apply(step).is_err(), "{act} #{version}");
            }
            return false;
        }
        let stopped = self.excused == OPEN_END;
        self.stopping(act, version, emergency);
        self.situation.history.apply(step).unwrap();
        assert_eq!(self.situation.history.steps().len(), before + 1, "one act, one entry");
        self.active.push((self.now, self.situation.history.active()));
        if matches!(act, Move::Retire | Move::Destroy | Move::Revoke) {
            self.gone.entry(version).or_insert(self.now);
        }
        // While something is stopped, artefacts are signed at once; the rest may wait for the next ceremony.
        let at_once = emergency || stopped || matches!(act, Move::Revoke | Move::Resume);
        if at_once || self.dice.below(2) == 0 {
            self.sign(at_once);
        }
        true
    }

    /// Stopping the active key excuses rejections until another one is active and known, as was promised then.
    fn stopping(&mut self, act: Move, version: u32, emergency: bool) {
        let channel = self.channel();
        let timing = &channel.timing;
        let standing = self.situation.history.key(version).map(KeyState::standing);
        let active = standing.as_ref().is_ok_and(|stage| *stage == Stage::Active);
        let turned = second(
            When::At(at(self.now))
                .later(timing.delay)
                .later(channel.cache_bound())
                .later(timing.skew)
                .later(timing.validity.filter(|_| timing.strict).unwrap_or(Span::of_seconds(0))),
        );
        let (anchor, replace) = (channel.kind.method().is_anchor(), channel.kind.method() == Method::Replace);
        match act {
            Move::Suspend if active && anchor => self.excused = OPEN_END,
            Move::Revoke if active => self.excused = OPEN_END,
            // Nobody decrypts any longer what consumers still encrypt to the old key.
            Move::Revoke if standing.is_ok_and(|stage| stage == Stage::Retiring) && replace => {
                self.excused = self.excused.max(turned);
            }
            Move::Resume if active && anchor => self.excused = turned.max(self.promised),
            Move::Activate if emergency || self.excused == OPEN_END => {
                let key = line().version(version);
                let breaks = Emergency::of(&self.situation, &key, at(self.now), at(self.now)).unwrap().breaks;
                assert!(breaks.len() <= 1);
                self.promised = turned.saturating_add(timing.distribution.seconds());
                self.excused = self.promised;
                // An anchor that consumers cannot learn of by themselves is carried by people.
                let longest = timing.distribution.seconds();
                for consumer in 0..self.consumers.len() {
                    self.carried.push((self.now + self.dice.below(longest), consumer, version));
                }
            }
            _ => {}
        }
    }

    pub(crate) fn happens(&mut self, event: Event) {
        let history = &self.situation.history;
        match event {
            Event::Wait(hours) => self.wait(hours * HOUR),
            Event::Ask { act, version, crash } => {
                self.crash = crash;
                let act = Move::all().nth(act).unwrap();
                self.ask(act, version, false);
            }
            Event::Go => {
                let next = history.next_version();
                let wanted: Vec<_> =
                    history.keys().filter_map(|(version, key)| Some((wanted(key)?, version))).collect();
                if !wanted.into_iter().any(|(act, version)| self.ask(act, version, false)) {
                    self.ask(Move::Generate, next, false);
                }
            }
            Event::Reserve(published) => {
                let next = history.next_version();
                let reserved = history.at_stage(Stage::Standby).next().is_none()
                    && self.ask(Move::Generate, next, false)
                    && self.ask(Move::Standby, next, false);
                if reserved && published {
                    self.ask(Move::Publish, next, false);
                }
            }
            Event::Back => {
                let all: Vec<u32> = history.at_stage(Stage::Retiring).collect();
                all.into_iter().any(|version| self.ask(Move::Rollback, version, false));
            }
            Event::Emergency => self.emergency(),
            Event::Restore(moves) => self.mirror.restores(at(self.now), moves),
        }
        self.mirror.compare(&self.situation, at(self.now));
        self.invariants();
    }

    /// The active key is revoked, if there is one, and another takes over: a standby key, a published one, or a new one.
    fn emergency(&mut self) {
        let history = &self.situation.history;
        let ready = [Stage::Standby, Stage::Published, Stage::Generated];
        let next = ready.into_iter().find_map(|stage| history.at_stage(stage).next());
        let next = next.unwrap_or_else(|| history.next_version());
        if let Some(stolen) = history.active() {
            assert!(self.ask(Move::Revoke, stolen, true));
        }
        self.ask(Move::Generate, next, true);
        self.ask(Move::Standby, next, true);
        assert!(self.ask(Move::Activate, next, true), "#{next} takes over");
    }

    /// I1 to I6, from what was signed and published, at this moment.
    fn invariants(&self) {
        let (channel, now) = (&self.situation.channels[0], self.now);
        let method = channel.kind.method();
        let history = &self.situation.history;
        let visible = |version| self.situation.visibility(channel, version, at(now)).unwrap();
        let calm = now >= self.excused;
        let newest = |place: usize| self.artefacts.iter().rev().find(|seen| seen.place == place).unwrap();
        // After an emergency only receipts tell, and they get lost here; the consumers say whether the key is known.
        let emergency = |version: &u32| {
            let mut steps = history.steps().iter().rev();
            let last = steps.find(|step| step.version == *version && step.act == Move::Activate);
            last.is_some_and(|step| step.emergency)
        };
        let planned =
            history.active().filter(|active| calm && method != Method::Replace && !emergency(active));
        if let Some(active) = planned {
            assert_eq!(visible(active), Visibility::Omnipresent, "I1, I2: #{active} at {now}");
        }
        assert!(history.at_stage(Stage::Active).count() <= 1, "I5");
        for (version, key) in history.keys() {
            let signed = self.artefacts.iter().filter(|seen| seen.by == Some(version));
            if let Some(revoked) = key.revoked {
                let since = revoked.at.seconds_since(at(0));
                assert!(signed.clone().all(|seen| seen.signed <= since), "I4: #{version}");
                assert!(!self.situation.signers(channel, at(now)).contains(&version), "I4: #{version}");
                let later = self.artefacts.iter().filter(|seen| seen.signed > since);
                assert!(
                    later.clone().all(|seen| !seen.lists.contains(&version)),
                    "I4: #{version} is still listed"
                );
            }
            let used = key.last_use.map(|last| last.seconds_since(at(0)) + channel.timing.objects.seconds());
            let outstanding =
                signed.map(|seen| seen.expires).filter(|end| *end != OPEN_END).chain(used).max();
            let lives = outstanding.is_some_and(|end| end > now) && key.revoked.is_none();
            if lives && method != Method::Replace && method != Method::OutOfBand {
                assert_ne!(visible(version), Visibility::Hidden, "I3: #{version} at {now}");
            }
            if key.stage == Stage::Destroyed {
                assert_eq!(visible(version), Visibility::Hidden, "I6: #{version}");
                let mut newest = (0..self.places.len()).map(newest);
                let is_listed = newest.any(|last| last.lists.contains(&version));
                assert!(method.has_own_files() || !is_listed, "I6: #{version} is listed");
            }
        }
    }
}

/// What a rotation wants next of a key.
fn wanted(key: &KeyState) -> Option<Move> {
    match key.stage {
        Stage::Suspended => Some(Move::Resume),
        Stage::Retired | Stage::Revoked => Some(Move::Destroy),
        Stage::Retiring => Some(Move::Retire),
        Stage::Published => Some(Move::Activate),
        Stage::Generated => Some(Move::Publish),
        _ => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_history_breaks_an_invariant_or_a_consumer(
        kind in 0..7_usize,
        seed in any::<u64>(),
        events in proptest::collection::vec(event(), 1..25),
    ) {
        let mut model = Model::new(Kind::all().nth(kind).unwrap(), seed);
        for event in events {
            model.happens(event);
        }
        model.wait(3 * DAY);
    }
}

/// The random histories reach what they are about: without this they could be empty.
#[test]
fn random_histories_reach_every_stage_and_every_move() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut acts = BTreeMap::new();
    for case in 0..900_u64 {
        let events = proptest::collection::vec(event(), 25).new_tree(&mut runner).unwrap().current();
        let kind = Kind::all().nth(usize::try_from(case % 7).unwrap()).unwrap();
        let mut model = Model::new(kind, case);
        for event in events {
            model.happens(event);
        }
        for step in model.situation.history.steps() {
            *acts.entry((kind.name(), step.act, step.emergency)).or_insert(0) += 1;
        }
    }
    for kind in Kind::all() {
        for act in Move::all() {
            assert!(acts.contains_key(&(kind.name(), act, false)), "{kind}: {act} never happens in {acts:?}");
        }
        assert!(acts.contains_key(&(kind.name(), Move::Activate, true)), "{kind}: no emergency");
    }
}

/// What a random history found once: an anchor is suspended until its last artefact has ended, and the next one takes over at once.
#[test]
fn nobody_is_left_behind_by_an_anchor_that_was_suspended() {
    let mut model = Model::new(Kind::OpenidAnchor, 12_718_229_832_694_946_200);
    let suspend = Event::Ask { act: 7, version: 1, crash: false };
    for event in [Event::Wait(161), Event::Go, Event::Go, suspend, Event::Wait(267), Event::Go] {
        model.happens(event);
    }
    let acts: Vec<_> = model.situation.history.steps().iter().map(|step| step.act).collect();
    assert_eq!(acts[2..], [Move::Publish, Move::Suspend, Move::Resume]);
    for event in [Event::Wait(29), Event::Go, Event::Wait(145), Event::Wait(211)] {
        model.happens(event);
    }
    model.wait(3 * DAY);
    model.happens(Event::Go);
    assert_eq!(model.situation.history.active(), Some(2), "it takes over all the same");
}

/// The second file of an anchor appears before its first one, and people carry the key from then on.
#[test]
fn nobody_is_left_behind_by_files_that_overtake_each_other() {
    let mut model = Model::new(Kind::X509, 4_826_968_224_524_228_619);
    let waits = [34, 190, 95, 63].map(Event::Wait);
    for event in [Event::Go, Event::Wait(249), Event::Go].into_iter().chain(waits).chain([Event::Go]) {
        model.happens(event);
    }
    let of_next: Vec<i64> =
        model.artefacts.iter().filter(|it| it.by == Some(2)).map(|it| it.appears).collect();
    assert!(of_next[1] < of_next[0], "{of_next:?}");
    assert_eq!(model.situation.history.active(), Some(2));
    model.wait(3 * DAY);
}
