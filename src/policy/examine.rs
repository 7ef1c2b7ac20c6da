//! The examination of one document while it streams past: every entity goes through the rules and is compared with what was
//! signed last, and only what was found stays.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::difference::Tracker;
use super::finding::{Check, Scene, Tally, Whole};
use super::last::{Print, short_hash};
use super::likeness::skeleton;
use super::{Breach, Difference, Entity, Facts, Finding, Item, Last, RULES, Standard};

/// What rules know of the entities before.
#[derive(Default)]
pub(super) struct Seen {
    ids: HashSet<u64>,
    skeletons: HashSet<u64>,
    keys: HashMap<u64, u32>,
    /// Whether this entityID stood here before.
    pub(super) is_duplicate: bool,
    /// Whether another entityID before looks like this one.
    pub(super) has_lookalike: bool,
    /// Keys that stand in so many entities now, this one included; each is told once.
    pub(super) shared: Vec<String>,
}

/// Entities that may hold one key before it is remarkable: hosting providers have some.
const SHARED_MAX: u32 = 5;

impl Seen {
    fn look(&mut self, entity: &Entity) {
        let id = short_hash(entity.id.as_bytes());
        self.is_duplicate = !entity.id.is_empty() && !self.ids.insert(id);
        let is_new = self.skeletons.insert(short_hash(skeleton(&entity.id).as_bytes()));
        self.has_lookalike = !entity.id.is_empty() && !is_new && !self.is_duplicate;
        self.shared.clear();
        let mut own = HashSet::new();
        for key in entity.certificates().map(|certificate| certificate.fingerprint) {
            if !own.insert(short_hash(key.as_bytes())) {
                continue;
            }
            let count = self.keys.entry(short_hash(key.as_bytes())).or_default();
            *count = count.saturating_add(1);
            if *count == SHARED_MAX + 1 {
                self.shared.push(format!("the key {key} stands in more than {SHARED_MAX} entities"));
            }
        }
    }
}

/// What an examination found.
#[derive(Clone, Default)]
pub struct Examined {
    /// What the rules found, the heaviest first.
    pub findings: Vec<Finding>,
    /// The difference to what was signed last, when there is such a thing.
    pub difference: Option<Difference>,
}

/// Examines one document.
pub struct Examiner<'a> {
    groups: &'static [&'static str],
    standard: Standard<'a>,
    last: Option<&'a Last>,
    seen: Seen,
    tally: Tally,
    tracker: Option<Tracker<'a>>,
}

impl<'a> Examiner<'a> {
    /// Judges by the rules of these groups, of which the first is the kind itself, and by this standard, and compares with what was signed last.
    pub fn new(groups: &'static [&'static str], standard: Standard<'a>, last: Option<&'a Last>) -> Self {
        let tracker = last.map(Tracker::new);
        Self { groups, standard, last, seen: Seen::default(), tally: Tally::default(), tracker }
    }

    /// Takes in what the reader of the document found itself.
    pub fn breach(&mut self, rule: &str, subject: &str, detail: impl Into<String>) {
        if let Some(rule) = RULES.iter().find(|own| own.id == rule) {
            self.tally.add(rule, &self.standard, Breach { subject: subject.into(), detail: detail.into() });
        }
    }

    /// Takes in the next entity.
    pub fn entity(&mut self, entity: &Entity) {
        self.seen.look(entity);
        for rule in RULES.iter().filter(|rule| self.groups.contains(&rule.kind)) {
            let Check::Entity(check) = rule.check else { continue };
            for detail in check(entity, &Scene { standard: self.standard, seen: &self.seen }) {
                self.tally.add(rule, &self.standard, Breach { subject: entity.id.clone(), detail });
            }
        }
        if let Some(tracker) = &mut self.tracker {
            tracker.item(&entity.id, &Print::of(entity));
        }
    }

    /// Compares the next item of a document whose parts are no entities, such as a file.
    pub fn item(&mut self, item: &Item) {
        if let Some(tracker) = &mut self.tracker {
            tracker.unit("files");
            tracker.item(&item.name, &Print::of_item(item));
        }
    }

    /// Judges the document as a whole, and ends.
    pub fn finish(self, facts: &Facts) -> Examined {
        self.finish_json(facts, &Value::Null)
    }

    /// The same for a document in JSON.
    pub fn finish_json(mut self, facts: &Facts, json: &Value) -> Examined {
        let difference = self.tracker.take().map(|tracker| tracker.finish(facts));
        let last = self.last.map(Last::facts);
        let kind = self.groups.first().copied().unwrap_or_default();
        let whole =
            Whole { kind, standard: self.standard, facts, json, difference: difference.as_ref(), last };
        for rule in RULES.iter().filter(|rule| self.groups.contains(&rule.kind)) {
            let Check::Document(check) = rule.check else { continue };
            for detail in check(&whole) {
                self.tally.add(rule, &self.standard, Breach { subject: String::new(), detail });
            }
        }
        Examined { findings: self.tally.finish(), difference }
    }
}
