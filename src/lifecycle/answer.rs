//! The three answers before every move: policy, safety, time. Each is yes or no with its reason, and nothing else decides.
//!
//! Safety says no to what waiting alone cannot mend; time says no to what it mends, and when. So a script that gets only time's
//! no can sleep until `not_before`.

use super::window::{self, Opening, When};
use super::{Method, Move, ORDER, POLICY, SAFETY, Situation, Stage, TOO_EARLY, Who};
use crate::base::clock::{Instant, Span};
use crate::base::fault::{Code, Fault};

/// Yes or no, and why.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Answer {
    /// Whether the move may go ahead.
    pub yes: bool,
    /// Why, or why not.
    pub reason: String,
}

/// Time's answer: its no says when.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Time {
    /// Whether it is time.
    pub yes: bool,
    /// Why, or why not.
    pub reason: String,
    /// From when on it is; given with every no.
    pub not_before: Option<Instant>,
    /// How many seconds to wait from now.
    pub seconds: i64,
}

/// What stands beside the move itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked<'a> {
    /// The reason that goes on record.
    pub reason: Option<&'a str>,
    /// How many persons agreed.
    pub persons: usize,
    /// Whether availability is given up on purpose.
    pub emergency: bool,
}

/// The three answers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Answers {
    /// Stage machine, reason, persons, one rotation at a time. A no has its code.
    pub policy: Answer,
    /// Whether those who rely on the line are harmed.
    pub safety: Answer,
    /// Whether the window is open.
    pub time: Time,
    refused: Option<&'static Code>,
}

impl Answers {
    /// Whether the move may go ahead.
    pub fn are_yes(&self) -> bool {
        self.policy.yes && self.safety.yes && self.time.yes
    }

    /// Whether waiting until `not_before` is all that is missing.
    pub fn want_time_only(&self) -> bool {
        self.policy.yes && self.safety.yes && !self.time.yes
    }

    /// Stops a move that may not go ahead, with the first no: policy, then safety, then time.
    pub fn check(&self) -> Result<(), Fault> {
        if !self.policy.yes {
            return Err(self.refused.unwrap_or(&POLICY).fault(self.policy.reason.clone()));
        }
        if !self.safety.yes {
            return Err(SAFETY
                .fault(self.safety.reason.clone())
                .hint("waiting does not mend this: `fedroot status` names what is missing"));
        }
        match self.time.not_before {
            Some(at) if !self.time.yes => {
                Err(TOO_EARLY.fault(self.time.reason.clone()).hint(format!("come back at {at}")))
            }
            _ => Ok(()),
        }
    }
}

/// Objections of safety and the opening of all windows, collected over the channels.
#[derive(Default)]
struct Found {
    objections: Vec<String>,
    remarks: Vec<String>,
    opens: Option<Instant>,
}

impl Found {
    fn object(&mut self, what: String) {
        self.objections.push(what);
    }

    /// A window that has to be open; `never` says what keeps it closed for good.
    fn wait(&mut self, channel: &str, opening: Opening, never: &str) {
        match opening {
            Opening::Open => {}
            Opening::At(When::At(at)) => self.opens = self.opens.max(Some(at)),
            Opening::At(When::Never) => self.object(format!("{channel}: {never}")),
            Opening::Unseen(points) => {
                self.object(format!(
                    "{channel}: no receipt from {}: fetch what stands there, and tell with `fedroot observe`",
                    points.join(", ")
                ));
            }
        }
    }
}

/// Answers whether this key may make this move now. For [`Move::Generate`] the version is the next one of the line.
pub fn answers(situation: &Situation, act: Move, version: u32, now: Instant, asked: Asked<'_>) -> Answers {
    let (policy, refused) = policy(situation, act, version, now, asked);
    let mut found = Found::default();
    let from = situation.history.key(version).ok().map(|key| key.stage);
    match act {
        Move::Publish => publish(situation, now, &mut found),
        Move::Activate if asked.emergency => {
            found.remarks.push("an emergency: availability is given up on purpose".into());
        }
        Move::Activate => activate(situation, version, now, &mut found),
        Move::Rollback => rollback(situation, version, now, &mut found),
        Move::Retire => retire(situation, version, now, &mut found),
        Move::Destroy => destroy(situation, version, now, &mut found),
        Move::Suspend | Move::Revoke if from == Some(Stage::Active) => {
            found.remarks.push("no key of the line signs until another one is activated".into());
        }
        _ => {}
    }
    Answers { policy, safety: safety(&found), time: time(found.opens, now), refused }
}

fn safety(found: &Found) -> Answer {
    let yes = found.objections.is_empty();
    let said = if yes { &found.remarks } else { &found.objections };
    let reason =
        if said.is_empty() { "nobody who relies on the line is harmed".into() } else { said.join("; ") };
    Answer { yes, reason }
}

fn time(opens: Option<Instant>, now: Instant) -> Time {
    match opens.filter(|at| *at > now) {
        None => Time { yes: true, reason: "the window is open".into(), not_before: None, seconds: 0 },
        Some(at) => {
            let seconds = at.seconds_since(now);
            let reason = format!("wait {}, until {at}", Span::of_seconds(seconds).in_words());
            Time { yes: false, reason, not_before: Some(at), seconds }
        }
    }
}

/// The stage machine, then the rules of the line.
fn policy(
    situation: &Situation,
    act: Move,
    version: u32,
    now: Instant,
    asked: Asked<'_>,
) -> (Answer, Option<&'static Code>) {
    let history = &situation.history;
    let key = history.key(version).ok();
    if let Err(code) = act.step(key.map(|key| key.stage), key.and_then(|key| key.before)) {
        let stage = key.map_or("not there", |key| key.stage.name());
        return (
            Answer { yes: false, reason: format!("#{version} is {stage}: {}", out_of_order(act, code)) },
            Some(code),
        );
    }
    let row = act.row();
    let other = |stages: &[Stage]| {
        history
            .keys()
            .find(|(other, key)| *other != version && stages.contains(&key.stage))
            .map(|(other, _)| other)
    };
    let starts = matches!(act, Move::Activate | Move::Rollback);
    let mut wrong = None;
    if row.reason && asked.reason.is_none_or(|reason| reason.trim().is_empty()) {
        wrong = Some(format!("{act} wants a reason on record"));
    } else if row.who == Who::Quorum && asked.persons < situation.quorum {
        wrong = Some(format!("{act} wants {} persons, and {} agreed", situation.quorum, asked.persons));
    } else if act == Move::Generate && version != history.next_version() {
        wrong = Some(format!("the next key is #{}", history.next_version()));
    } else if let Some(busy) = other(&[Stage::Generated, Stage::Published]).filter(|_| act == Move::Generate)
    {
        wrong = Some(format!("#{busy} is on its way: one rotation at a time"));
    } else if let Some(busy) = other(&[Stage::Published]).filter(|_| act == Move::Publish) {
        wrong = Some(format!("#{busy} is published already: one rotation at a time"));
    } else if let Some(end) = situation.ends.get(&version).filter(|end| starts && **end <= now) {
        wrong = Some(format!("the use of #{version} ended at {end}"));
    } else if let Some(active) = history.active().filter(|_| act == Move::Activate && asked.emergency) {
        wrong = Some(format!("#{active} is active: suspend or revoke it before this is an emergency"));
    }
    let yes = wrong.is_none();
    (Answer { yes, reason: wrong.unwrap_or_else(|| "the rules of the line allow it".into()) }, None)
}

/// Why the stage machine has no such step.
fn out_of_order(act: Move, code: &Code) -> String {
    if *code != ORDER {
        return code.meaning.to_owned();
    }
    let starts = act.row().steps.iter().filter_map(|(from, _)| from.map(Stage::name));
    format!("{act} starts at {}", starts.collect::<Vec<_>>().join(" or "))
}

/// The artefact that lists the new key is signed by a key already trusted.
fn publish(situation: &Situation, now: Instant, found: &mut Found) {
    let chained = situation.channels.iter().filter(|channel| channel.kind.method() == Method::Chained);
    match situation.history.active() {
        None => found.object(
            "no active key is there to introduce the new one; `fedroot rotate emergency` lets it take over at once".into(),
        ),
        Some(active) => {
            let trusted = |channel| situation.visibility(channel, active, now).ok();
            for channel in chained.filter(|channel| trusted(channel) != Some(super::Visibility::Omnipresent))
            {
                found.object(format!(
                    "{}: #{active} would introduce it, and is not known everywhere",
                    channel.name
                ));
            }
        }
    }
}

fn activate(situation: &Situation, version: u32, now: Instant, found: &mut Found) {
    for channel in &situation.channels {
        let inventory = &situation.inventory;
        let own = [inventory.listing(&channel.name, version), inventory.signed(&channel.name, version)];
        let is_valid = own.into_iter().flatten().any(|outstanding| outstanding.count(now) > 0);
        let is_listed = inventory.is_listed(channel, version, now);
        if channel.kind.method() == Method::Double && is_listed && !is_valid {
            found.object(format!(
                "{}: nothing that #{version} signed is valid now: sign with --copy, and publish that",
                channel.name
            ));
        } else if is_listed {
            let opening = window::activate(channel, &situation.inventory, version, now);
            found.wait(&channel.name, opening, "artefacts without the key never expire");
        } else if channel.kind.method() == Method::Double {
            found.object(format!(
                "{}: #{version} has signed nothing yet: sign with --copy, and publish that",
                channel.name
            ));
        } else if channel.kind.method() != Method::Replace {
            found.object(format!("{}: no artefact lists #{version}", channel.name));
        }
    }
}

fn rollback(situation: &Situation, version: u32, now: Instant, found: &mut Found) {
    for channel in situation.channels.iter().filter(|channel| channel.kind.method() != Method::Replace) {
        match situation.visibility(channel, version, now) {
            Ok(super::Visibility::Omnipresent) => {}
            Ok(other) => found.object(format!("{}: #{version} is {other}", channel.name)),
            Err(fault) => found.object(fault.to_string()),
        }
    }
}

/// Nothing that the key signed is outstanding, and its successor is known everywhere.
fn retire(situation: &Situation, version: u32, now: Instant, found: &mut Found) {
    let Ok(key) = situation.history.key(version) else { return };
    if key.stage == Stage::Retiring {
        match situation.history.active() {
            None => found.object("no active key is there to take its place".into()),
            Some(active) if !situation.is_omnipresent(active, now) => {
                found.object(format!("#{active} takes its place, and is not known everywhere"));
            }
            Some(_) => {}
        }
    }
    if let Some(withheld) = situation.withheld.get(&version) {
        found.remarks.push(format!("an officer says that this was never published: {}", some_of(withheld)));
    }
    for channel in situation.everywhere(version, now) {
        let opening = window::retire(channel, &situation.inventory, (version, key), now);
        let never = situation.inventory.signed(&channel.name, version).map(super::Outstanding::never);
        let blocks = format!("what it signed never expires: {}", some_of(never.unwrap_or_default()));
        found.wait(&channel.name, opening, &blocks);
    }
}

/// The first of these names, and how many more there are.
fn some_of(names: &[String]) -> String {
    let some: Vec<_> = names.iter().take(3).map(String::as_str).collect();
    let more = names.len() - some.len();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", some.join(", "))
}

/// Hidden in every channel, and kept for as long as the line wants.
fn destroy(situation: &Situation, version: u32, now: Instant, found: &mut Found) {
    let Ok(key) = situation.history.key(version) else { return };
    for channel in situation.everywhere(version, now) {
        let opening = window::hidden(channel, &situation.inventory, (version, key), now);
        found.wait(&channel.name, opening, "artefacts with the key never expire");
    }
    if key.stage != Stage::Generated {
        let kept = Opening::At(When::At(key.since).later(situation.retention));
        found.wait("retention", kept, "it never ends");
    }
}
