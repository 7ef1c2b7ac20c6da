//! A rehearsal: a line goes through its ceremonies on a clock that is a number. Each ceremony takes the receipts that came in,
//! makes the moves that the gate lets through, and signs. A plan is a rehearsal, so it cannot disagree with the answers.

use std::collections::{BTreeMap, BTreeSet};

use super::window::When;
use super::{
    Answers, Asked, Ceremony, Channel, Lists, Move, Place, Receipt, Signature, Situation, Source, Stage,
    Step, answers,
};
use crate::base::bytes::Digest;
use crate::base::clock::{Instant, Span};
use crate::base::fault::Fault;

/// An artefact of the rehearsal and its way to consumers.
#[derive(Clone, Debug)]
pub struct Edition {
    /// Which channel of the situation.
    pub channel: usize,
    /// The key of the line that signed it; none where the channel is signed by another line.
    pub by: Option<u32>,
    /// The keys that it lists.
    pub lists: BTreeSet<u32>,
    /// When it was signed.
    pub signed: Instant,
    /// When it stands at every publication point.
    pub appears: Instant,
    /// When it ends.
    pub expires: When,
    digest: Digest,
    is_seen: bool,
}

/// Decides whether a move goes ahead, from the situation and its answers.
pub type Gate<'a> = &'a dyn Fn(&Situation, Move, u32, &Answers) -> bool;

/// The gate of every real rehearsal: the three answers, and nothing else.
pub fn by_the_answers(_: &Situation, _: Move, _: u32, answers: &Answers) -> bool {
    answers.are_yes()
}

/// Which moves a ceremony makes, one after the other, and until when each had to wait: kept from one ceremony to the next.
/// A rehearsal with real documents asks it, too.
#[derive(Debug, Default)]
pub struct Agenda {
    rotate: bool,
    waits: BTreeMap<(Move, u32), Instant>,
}

impl Agenda {
    /// Opens a ceremony. `rotate`: whether a new key may be generated in it.
    pub const fn open(&mut self, rotate: bool) {
        self.rotate = rotate;
    }

    /// The next move that goes ahead, and the time before which it was too early, where it had to wait; a later move of the
    /// same key waits for its turn.
    pub fn next(
        &mut self,
        situation: &Situation,
        now: Instant,
        gate: Gate<'_>,
    ) -> Option<(Move, u32, Option<Instant>)> {
        let history = &situation.history;
        let wanted = |key: &super::KeyState| match key.stage {
            Stage::Retired => Some(Move::Destroy),
            Stage::Retiring => Some(Move::Retire),
            Stage::Published => Some(Move::Activate),
            Stage::Generated => Some(Move::Publish),
            _ => None,
        };
        let mut candidates: Vec<_> =
            history.keys().filter_map(|(version, key)| Some((wanted(key)?, version))).collect();
        if self.rotate {
            candidates.push((Move::Generate, history.next_version()));
        }
        let asked = Asked { reason: Some("planned"), persons: situation.quorum, emergency: false };
        let (act, version) = candidates.into_iter().find(|(act, version)| {
            let answers = answers(situation, *act, *version, now, asked);
            if let Some(at) = answers.time.not_before {
                self.waits.insert((*act, *version), at);
            }
            gate(situation, *act, *version, &answers)
        })?;
        self.rotate &= !matches!(act, Move::Generate | Move::Activate);
        Some((act, version, self.waits.remove(&(act, version))))
    }
}

/// The receipts for an artefact that was seen at every publication point of a channel.
pub fn receipts(channel: &Channel, digest: Digest, seen: Instant) -> Vec<Receipt> {
    let said = Source::Said("the rehearsal".into());
    let points = channel.points.iter().cloned().map(Source::Point);
    let from: Vec<_> = if channel.points.is_empty() { vec![said] } else { points.collect() };
    from.into_iter().map(|from| Receipt { digest, seen, from }).collect()
}

/// A line on a rehearsed clock.
pub struct Rehearsal<'a> {
    /// The situation as it stands.
    pub situation: Situation,
    /// What was signed, in order.
    pub editions: Vec<Edition>,
    gate: Gate<'a>,
    delay: &'a mut dyn FnMut(&Channel) -> Span,
    agenda: Agenda,
}

impl<'a> Rehearsal<'a> {
    /// Begins. `delay`: how long an artefact takes until it is published and seen.
    pub fn new(situation: Situation, gate: Gate<'a>, delay: &'a mut dyn FnMut(&Channel) -> Span) -> Self {
        Self { situation, editions: Vec::new(), gate, delay, agenda: Agenda::default() }
    }

    /// Holds one ceremony: receipts, moves, signatures. `rotate`: whether a new key may be generated.
    pub fn ceremony(&mut self, now: Instant, rotate: bool) -> Result<Ceremony, Fault> {
        self.receive(now)?;
        let mut moves = Vec::new();
        self.agenda.open(rotate);
        while let Some((act, version, waited)) = self.agenda.next(&self.situation, now, self.gate) {
            self.situation.history.apply(Step::new(now, version, act))?;
            moves.push((act, version, waited));
        }
        let signed = self.sign(now);
        Ok(Ceremony { at: now, moves, signed })
    }

    /// Takes the receipts for everything that has appeared by now.
    pub fn receive(&mut self, now: Instant) -> Result<(), Fault> {
        for edition in self.editions.iter_mut().filter(|edition| !edition.is_seen && edition.appears <= now) {
            edition.is_seen = true;
            let Some(channel) = self.situation.channels.get(edition.channel) else { continue };
            for receipt in receipts(channel, edition.digest, edition.appears) {
                self.situation.inventory.observe(&receipt)?;
            }
        }
        Ok(())
    }

    /// Signs what every channel needs, with every key that signs there, and returns how much that was.
    pub fn sign(&mut self, now: Instant) -> usize {
        let before = self.editions.len();
        for (number, channel) in self.situation.channels.iter().enumerate() {
            let signers = self.situation.signers(channel, now).into_iter().map(Some);
            // Of a carried key, every document that lists keys of the line is signed anew.
            let places = self.situation.inventory.in_use(channel, now);
            let places: Vec<_> = places.into_iter().map(|(place, _)| place.cloned()).collect();
            let signed: Vec<(Option<u32>, Option<Place>)> = if channel.kind.method().is_anchor() {
                signers.map(|by| (by, None)).collect()
            } else if places.is_empty() {
                vec![(None, None)]
            } else {
                places.into_iter().map(|place| (None, place)).collect()
            };
            let lists = self.situation.lists(channel);
            for (by, place) in signed {
                let listed = match &lists {
                    Lists::Keys(keys) => keys.clone(),
                    _ => by.into_iter().collect(),
                };
                let expires = channel.timing.validity.map_or(When::Never, |span| When::At(now).later(span));
                let appears = When::At(now).later((self.delay)(channel)).instant().unwrap_or(now);
                let name = format!("{}-{}", channel.name, self.editions.len() + 1);
                let digest = Digest::of(name.as_bytes());
                let signature = Signature {
                    artefact: name,
                    digest,
                    channel: channel.name.clone(),
                    place,
                    by,
                    issued: now,
                    expires,
                    lists: lists.clone(),
                };
                self.situation.inventory.add(&signature);
                self.editions.push(Edition {
                    channel: number,
                    by,
                    lists: listed,
                    signed: now,
                    appears,
                    expires,
                    digest,
                    is_seen: false,
                });
            }
        }
        self.editions.len() - before
    }
}
