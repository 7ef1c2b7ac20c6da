//! The plan of a rotation: a rehearsal with the worst delays, and what its cadence is worth.

use super::rehearsal::{Rehearsal, by_the_answers};
use super::window::{When, cadence, signed};
use super::{CADENCE, Cadence, Channel, History, Method, Move, Situation, Stage};
use crate::base::clock::{Instant, Span};
use crate::base::fault::Fault;
use crate::key::Line;

/// One ceremony of a plan.
#[derive(Clone, Debug)]
pub struct Ceremony {
    /// When.
    pub at: Instant,
    /// Which moves of which keys, in order, and the time before which each was too early, where it had to wait.
    pub moves: Vec<(Move, u32, Option<Instant>)>,
    /// How many artefacts are signed.
    pub signed: usize,
}

/// What keeps a key from retiring that was active before: documents that it signed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Held {
    /// The key.
    pub version: u32,
    /// The channel.
    pub channel: String,
    /// How many of them are valid when the plan ends.
    pub documents: u64,
    /// When the last of them ends.
    pub until: When,
    /// The names of those that never do; foreign text.
    pub never: Vec<String>,
}

/// A schedule.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The key line.
    pub line: Line,
    /// The time of planning, and the first ceremony.
    pub from: Instant,
    /// The end of the plan.
    pub until: Instant,
    /// The name of every channel, and what its times allow.
    pub cadences: Vec<(String, Cadence)>,
    /// The ceremonies, in order.
    pub ceremonies: Vec<Ceremony>,
    /// The moves before and in the plan.
    pub history: History,
    /// What keys still wait for when the plan ends.
    pub held: Vec<Held>,
    /// How long an artefact is valid, in the channel where that is longest.
    pub validity: Option<Span>,
}

impl Plan {
    /// Whether a key is still on its way in or out when the plan ends.
    pub fn is_unfinished(&self) -> bool {
        let open = [Stage::Generated, Stage::Published, Stage::Retiring];
        open.into_iter().any(|stage| self.history.at_stage(stage).next().is_some())
    }
}

/// The shortest life of a key that lets one rotation finish before the next one starts: L ≥ Ipub + Iret + P (RFC 7583).
fn shortest_life(channel: &Channel) -> Span {
    let timing = &channel.timing;
    let validity = timing.validity.map_or(0, Span::seconds);
    let refreshed = channel.cache_bound().seconds();
    let known = match channel.kind.method() {
        _ if !timing.strict => refreshed,
        Method::Chained => validity.max(refreshed),
        _ => validity,
    };
    let skew = timing.skew.seconds();
    let publish =
        [timing.delay.seconds(), known, timing.distribution.seconds(), skew, timing.publish_safety.seconds()];
    let outstanding = if channel.kind.method().is_anchor() { validity } else { timing.objects.seconds() };
    let retire = [outstanding, timing.notice.seconds(), skew, timing.retire_safety.seconds()];
    let all = publish.into_iter().chain(retire).chain([timing.period.seconds()]);
    Span::of_seconds(all.fold(0, i64::saturating_add))
}

/// Plans the line's ceremonies from now until a time, one every period of its channels. `lifetime`: how long a key is active
/// before the next one is made; none plans one rotation, at once.
///
/// # Errors
/// [`CADENCE`]: the channels do not allow this rhythm, or a key's lifetime is too short for a rotation.
pub fn plan(
    line: &Line,
    situation: &Situation,
    now: Instant,
    until: Instant,
    lifetime: Option<Span>,
) -> Result<Plan, Fault> {
    let mut cadences = Vec::new();
    for channel in &situation.channels {
        cadences.push((channel.name.clone(), cadence(channel)?));
        let shortest = shortest_life(channel);
        if let Some(lifetime) = lifetime.filter(|lifetime| *lifetime < shortest) {
            return Err(CADENCE
                .fault(format!("{}: a rotation takes {shortest}, and keys live for {lifetime}", channel.name))
                .hint(format!("let keys live for at least {shortest}")));
        }
    }
    let Some(period) = situation.channels.iter().map(|channel| channel.timing.period).min() else {
        return Err(CADENCE.fault(format!("{line} has no channel, so there is nothing to rotate")));
    };
    let mut worst = |channel: &Channel| channel.timing.delay;
    let mut rehearsal = Rehearsal::new(situation.clone(), &by_the_answers, &mut worst);
    let rhythm = Rhythm::of(situation, lifetime);
    let (mut ceremonies, mut next) = (Vec::new(), When::At(now));
    while let Some(at) = next.instant().filter(|at| *at < until) {
        if ceremonies.len() == CEREMONIES_MAX {
            return Err(CADENCE
                .fault(format!("more than {CEREMONIES_MAX} ceremonies before {until}"))
                .hint("plan for less time"));
        }
        let is_due = rhythm.is_due(&rehearsal.situation, at);
        ceremonies.push(rehearsal.ceremony(at, is_due)?);
        next = next.later(period);
    }
    let held = held(&rehearsal.situation, until);
    let history = rehearsal.situation.history;
    let validity = situation.channels.iter().filter_map(|channel| channel.timing.validity).max();
    Ok(Plan { line: line.clone(), from: now, until, cadences, ceremonies, history, held, validity })
}

/// What the keys on their way out wait for at a time.
fn held(situation: &Situation, at: Instant) -> Vec<Held> {
    let mut held = Vec::new();
    for version in situation.history.at_stage(Stage::Retiring) {
        for channel in situation.everywhere(version, at) {
            let signed: Vec<_> = signed(channel, &situation.inventory, version).collect();
            let documents = signed.iter().map(|outstanding| outstanding.count(at)).sum();
            let Some(until) = signed.iter().filter_map(|outstanding| outstanding.end()).max() else {
                continue;
            };
            if documents > 0 {
                let never = signed.iter().flat_map(|outstanding| outstanding.never()).cloned().collect();
                held.push(Held { version, channel: channel.name.clone(), documents, until, never });
            }
        }
    }
    held
}

/// When a line makes its next key.
#[derive(Clone, Copy, Debug)]
pub struct Rhythm {
    lifetime: Option<Span>,
    once: u32,
}

impl Rhythm {
    /// Once a key was active for its lifetime; without one, once, unless a key is on its way already.
    pub fn of(situation: &Situation, lifetime: Option<Span>) -> Self {
        let busy = [Stage::Generated, Stage::Published].map(|stage| situation.history.at_stage(stage).next());
        Self { lifetime, once: if busy == [None, None] { situation.history.next_version() } else { 0 } }
    }

    /// Whether it is time for the next key. A rotation starts from artefacts that list the active one.
    pub fn is_due(&self, situation: &Situation, now: Instant) -> bool {
        let is_time = match self.lifetime {
            None => situation.history.next_version() == self.once,
            Some(lifetime) => is_over(&situation.history, lifetime, now),
        };
        is_time && has_artefacts(situation)
    }
}

/// So many ceremonies are planned at most.
const CEREMONIES_MAX: usize = 10_000;

/// Whether consumers could have anything: a rotation starts from artefacts that list the active key.
fn has_artefacts(situation: &Situation) -> bool {
    let listed = |version: u32| {
        let mut channels = situation.channels.iter();
        channels.all(|channel| situation.inventory.listing(&channel.name, version).is_some())
    };
    situation.history.active().is_some_and(listed)
}

/// Whether the active key has lived long enough.
fn is_over(history: &History, lifetime: Span, now: Instant) -> bool {
    let since = history.active().and_then(|version| history.activated(version));
    since.is_some_and(|since| When::At(since).later(lifetime).has_come(now))
}
