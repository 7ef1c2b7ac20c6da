//! The moves of a key line, in order, and the stages they lead to. The ledger holds them.

use std::collections::BTreeMap;

use super::{HISTORY, Move, NO_KEY, Stage};
use crate::base::clock::Instant;
use crate::base::fault::Fault;
use crate::key::KeyId;

/// Why a key is revoked, in the words of OpenID Federation, section 8.7.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Cause {
    /// Nobody says.
    Unspecified,
    /// Somebody else may hold it.
    Compromised,
    /// Another key took its place.
    Superseded,
}

impl Cause {
    /// Its name in a historical key.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::Compromised => "compromised",
            Self::Superseded => "superseded",
        }
    }
}

/// That a key is revoked: on record at, not to be trusted since, and why.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Revocation {
    /// When it went on record.
    pub at: Instant,
    /// The earliest suspected time, never after `at`.
    pub since: Instant,
    /// Why.
    pub cause: Cause,
}

/// One move, as the ledger has it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Step {
    /// When.
    pub at: Instant,
    /// Of which key.
    pub version: u32,
    /// Which.
    pub act: Move,
    /// Why, in the words of whoever asked for it.
    pub reason: Option<String>,
    /// For a revocation: why, as a term.
    pub cause: Cause,
    /// For a revocation: the earliest suspected time.
    pub since: Option<Instant>,
    /// Whether it was part of an emergency.
    pub emergency: bool,
}

impl Step {
    /// A plain move without a reason.
    pub const fn new(at: Instant, version: u32, act: Move) -> Self {
        Self { at, version, act, reason: None, cause: Cause::Unspecified, since: None, emergency: false }
    }

    /// Whether it waits for a clock that is right. Who stops a key, or lets another take over in an emergency, does not.
    pub fn wants_right_clock(&self) -> bool {
        !(self.emergency || matches!(self.act, Move::Suspend | Move::Revoke))
    }
}

/// Where one key stands, and the times that later moves depend on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct KeyState {
    /// Its stage.
    pub stage: Stage,
    /// When it entered this stage.
    pub since: Instant,
    /// While it is suspended: the stage it goes back to.
    pub before: Option<Stage>,
    /// Whether artefacts listed it at some time, as far as moves say.
    pub published: bool,
    /// When it last ceased to be the active key.
    pub last_use: Option<Instant>,
    /// That it is revoked.
    pub revoked: Option<Revocation>,
}

impl KeyState {
    /// The stage that decides whether artefacts list it: a suspension changes nothing of that.
    pub fn standing(&self) -> Stage {
        self.before.unwrap_or(self.stage)
    }
}

/// The moves of a line and what follows from them.
#[derive(Clone, Debug, Default)]
pub struct History {
    steps: Vec<Step>,
    keys: BTreeMap<u32, KeyState>,
}

impl History {
    /// The stages that these moves lead to.
    ///
    /// # Errors
    /// A move that the table does not allow.
    pub fn replay(steps: impl IntoIterator<Item = Step>) -> Result<Self, Fault> {
        let mut history = Self::default();
        for step in steps {
            history.apply(step)?;
        }
        Ok(history)
    }

    /// Takes one more move, or nothing changes. The first key of a line is active at once: nobody relies on another. A move
    /// that claims to be earlier than the one before happened no earlier: whatever a clock says, a key can be stopped, and no
    /// window opens too soon.
    ///
    /// # Errors
    /// The code of the stage machine, or [`HISTORY`] for a version out of order.
    pub fn apply(&mut self, mut step: Step) -> Result<(), Fault> {
        step.at = self.steps.last().map_or(step.at, |last| last.at.max(step.at));
        let stage = self.after(&step)?;
        if stage == Stage::Active {
            self.stand_down(step.at);
        }
        let key = self.keys.entry(step.version).or_insert(KeyState {
            stage,
            since: step.at,
            before: None,
            published: stage == Stage::Active,
            last_use: None,
            revoked: None,
        });
        if key.stage == Stage::Active && stage != Stage::Active {
            key.last_use = Some(step.at);
        }
        key.before = (stage == Stage::Suspended).then_some(key.stage);
        if key.stage != stage {
            (key.stage, key.since) = (stage, step.at);
        }
        key.published |= matches!(step.act, Move::Publish | Move::Activate | Move::Rollback);
        if step.act == Move::Revoke {
            let since = step.since.map_or(step.at, |since| since.min(step.at));
            key.revoked.get_or_insert(Revocation { at: step.at, since, cause: step.cause });
        }
        self.steps.push(step);
        Ok(())
    }

    /// The stage that a move would lead to, checked against the table.
    fn after(&self, step: &Step) -> Result<Stage, Fault> {
        let name = format!("#{}", step.version);
        let key = self.keys.get(&step.version);
        if key.is_none() && step.act == Move::Generate && step.version != self.next_version() {
            return Err(HISTORY.fault(format!("{name} is not the next key, #{} is", self.next_version())));
        }
        let before = key.and_then(|key| key.before);
        let stage = step.act.step(key.map(|key| key.stage), before).map_err(|code| {
            let now = key.map_or("not there", |key| key.stage.name());
            code.fault(format!("{name} is {now}, so it cannot take the move {}", step.act))
        })?;
        let first = step.act == Move::Generate && self.keys.is_empty();
        Ok(if first { Stage::Active } else { stage })
    }

    /// The active key makes room for another.
    fn stand_down(&mut self, at: Instant) {
        for key in self.keys.values_mut().filter(|key| key.stage == Stage::Active) {
            (key.stage, key.since, key.last_use) = (Stage::Retiring, at, Some(at));
        }
        // Suspended, it does not come back beside the new one.
        for key in self.keys.values_mut().filter(|key| key.before == Some(Stage::Active)) {
            key.before = Some(Stage::Retiring);
        }
    }

    /// The number of the next key.
    pub fn next_version(&self) -> u32 {
        self.keys.last_key_value().map_or(1, |(version, _)| version.saturating_add(1))
    }

    /// One key.
    ///
    /// # Errors
    /// [`NO_KEY`]: the line has no such key.
    pub fn key(&self, version: u32) -> Result<&KeyState, Fault> {
        self.keys.get(&version).ok_or_else(|| NO_KEY.fault(format!("there is no key #{version}")))
    }

    /// Where a key of this line stands.
    ///
    /// # Errors
    /// [`NO_KEY`]: the line, which the fault names, has no such key.
    pub fn state(&self, key: &KeyId) -> Result<&KeyState, Fault> {
        self.key(key.version).map_err(|fault| fault.at(&key.line))
    }

    /// Every key, in order of version.
    pub fn keys(&self) -> impl Iterator<Item = (u32, &KeyState)> {
        self.keys.iter().map(|(version, key)| (*version, key))
    }

    /// The keys at a stage.
    pub fn at_stage(&self, stage: Stage) -> impl Iterator<Item = u32> {
        self.keys().filter(move |(_, key)| key.stage == stage).map(|(version, _)| version)
    }

    /// The one active key.
    pub fn active(&self) -> Option<u32> {
        self.at_stage(Stage::Active).next()
    }

    /// When a key became the active one for the first time: its planned life counts from there, whatever happens to it since.
    pub fn activated(&self, version: u32) -> Option<Instant> {
        let first = self.steps.first().filter(|step| step.version == version);
        let of = |step: &&Step| step.version == version && step.act == Move::Activate;
        first.or_else(|| self.steps.iter().find(of)).map(|step| step.at)
    }

    /// The revoked key that was active last, as long as no other has taken its place.
    pub fn vacant(&self) -> Option<u32> {
        if self.keys.values().any(|key| key.standing() == Stage::Active) {
            return None;
        }
        let revoked = self.keys().filter(|(_, key)| key.revoked.is_some());
        revoked
            .max_by_key(|(_, key)| key.last_use)
            .filter(|(_, key)| key.last_use.is_some())
            .map(|(version, _)| version)
    }

    /// The moves, in order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lifecycle::{FINAL, ORDER};

    fn at(seconds: i64) -> Instant {
        Instant::from_unix(1_795_324_020 + seconds).unwrap()
    }

    fn line(moves: &[(u32, Move)]) -> Result<History, Fault> {
        let steps = moves.iter().zip(0..);
        History::replay(steps.map(|((version, act), second)| Step::new(at(second), *version, *act)))
    }

    const ROTATED: &[(u32, Move)] =
        &[(1, Move::Generate), (2, Move::Generate), (2, Move::Publish), (2, Move::Activate)];

    #[test]
    fn activating_and_rolling_back_exchange_the_active_key_in_one_act() {
        let mut history = line(ROTATED).unwrap();
        assert_eq!(history.active(), Some(2));
        assert_eq!(history.key(1).unwrap().stage, Stage::Retiring);
        assert_eq!(history.key(1).unwrap().last_use, Some(at(3)));
        history.apply(Step::new(at(9), 1, Move::Rollback)).unwrap();
        assert_eq!(history.active(), Some(1));
        assert_eq!(history.key(2).unwrap().stage, Stage::Retiring);
    }

    #[test]
    fn a_suspended_key_comes_back_behind_the_one_that_took_its_place() {
        let mut history = line(&ROTATED[..3]).unwrap();
        history.apply(Step::new(at(4), 1, Move::Suspend)).unwrap();
        assert_eq!((history.active(), history.key(1).unwrap().standing()), (None, Stage::Active));
        history.apply(Step::new(at(5), 2, Move::Activate)).unwrap();
        assert_eq!(history.key(1).unwrap().standing(), Stage::Retiring);
        history.apply(Step::new(at(6), 1, Move::Resume)).unwrap();
        assert_eq!((history.active(), history.key(1).unwrap().stage), (Some(2), Stage::Retiring));
        let mut alone = line(&[(1, Move::Generate), (1, Move::Suspend), (1, Move::Resume)]).unwrap();
        assert_eq!(alone.active(), Some(1));
        assert_eq!(alone.activated(1), Some(at(0)), "a suspension makes no key younger");
        assert_eq!([1, 2, 3].map(|version| history.activated(version)), [Some(at(0)), Some(at(5)), None]);
        assert_eq!(alone.apply(Step::new(at(7), 1, Move::Resume)).unwrap_err().code(), &ORDER);
    }

    #[test]
    fn the_place_of_a_revoked_key_is_vacant_until_another_takes_it() {
        let mut history = line(ROTATED).unwrap();
        assert_eq!(history.vacant(), None);
        history.apply(Step::new(at(8), 2, Move::Suspend)).unwrap();
        assert_eq!(history.vacant(), None, "it would be resumed");
        history.apply(Step::new(at(9), 2, Move::Revoke)).unwrap();
        assert_eq!(history.vacant(), Some(2));
        assert_eq!(history.apply(Step::new(at(9), 2, Move::Rollback)).unwrap_err().code(), &FINAL);
        history.apply(Step::new(at(10), 1, Move::Rollback)).unwrap();
        assert_eq!(history.vacant(), None);
    }

    #[test]
    fn versions_count_from_one() {
        let mut history = line(ROTATED).unwrap();
        assert_eq!(history.apply(Step::new(at(9), 4, Move::Generate)).unwrap_err().code(), &HISTORY);
        assert_eq!(history.apply(Step::new(at(9), 7, Move::Retire)).unwrap_err().code(), &NO_KEY);
        assert_eq!(history.steps().len(), 4, "what is refused leaves no trace");
    }

    #[test]
    fn a_step_is_never_before_the_one_before_and_a_wrong_clock_stops_none() {
        let mut history = line(ROTATED).unwrap();
        for (act, stage) in [(Move::Suspend, Stage::Suspended), (Move::Revoke, Stage::Revoked)] {
            history.apply(Step::new(at(-86_400), 2, act)).unwrap();
            assert_eq!((history.key(2).unwrap().stage, history.key(2).unwrap().since), (stage, at(3)));
        }
        let revoked = history.key(2).unwrap().revoked.unwrap();
        assert_eq!(
            (revoked.at, revoked.since, history.key(2).unwrap().last_use),
            (at(3), at(3), Some(at(3)))
        );
        assert!(history.steps().is_sorted_by_key(|step| step.at));
    }

    #[test]
    fn a_revocation_is_dated_from_the_earliest_suspicion() {
        let mut history = line(ROTATED).unwrap();
        let revoke =
            Step { cause: Cause::Compromised, since: Some(at(1)), ..Step::new(at(8), 1, Move::Revoke) };
        history.apply(revoke).unwrap();
        let expected = Revocation { at: at(8), since: at(1), cause: Cause::Compromised };
        assert_eq!(history.key(1).unwrap().revoked, Some(expected));
    }
}
