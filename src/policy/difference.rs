//! The difference between what is about to be signed and what was signed last with the same key line.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::last::Lines;
use super::listing::Listing;
use super::print::{DOCUMENT_PARTS, PARTS, RISKY};
use super::said::{Said, Told, weight};
use super::{Entity, Fact, Last, Print, clip};

/// What the items of a document are, unless something else is said.
const ENTITIES: &str = "entities";
/// Nothing of a file is told apart.
const FILES: &str = "files";
/// What a batch consists of.
const DOCUMENTS: &str = "documents";

/// Bits of a word.
const WORD: usize = u64::BITS as usize;

/// One path whose values differ.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Change {
    /// What it is about.
    pub path: String,
    /// The values that were there and are gone.
    pub removed: Vec<String>,
    /// The values that are there and were not.
    pub added: Vec<String>,
}

/// What became of an entity.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct EntityChange {
    /// Its entityID; foreign text.
    pub entity: String,
    /// `added`, `removed` or `changed`.
    pub what: &'static str,
    /// The parts that differ, the riskiest first; `other` when it is none of those that are told apart: nobody can say what.
    /// Files have none.
    pub parts: Vec<&'static str>,
    /// What an added entity says, and what a changed one says in these parts: the values that would be signed.
    pub now: Vec<Said>,
    /// How many such values are not here, for want of room.
    pub untold: usize,
}

/// The difference to what was signed last.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Difference {
    /// What the items of the document are: `entities`, `documents` or `files`.
    pub unit: &'static str,
    /// Entities in the document signed last.
    pub before: usize,
    /// Entities that are new.
    pub added: usize,
    /// Entities that are gone.
    pub removed: usize,
    /// Entities that differ.
    pub changed: usize,
    /// How many entities differ in each part.
    pub parts: BTreeMap<&'static str, usize>,
    /// The entities, the riskiest change first; within bounds, the values of the riskiest with them.
    pub entities: Vec<EntityChange>,
    /// How many are not listed.
    pub unlisted: usize,
    /// What the line's profile sets: by what the document is judged.
    pub profile: Vec<Change>,
    /// What the document says as a whole.
    pub facts: Vec<Change>,
}

impl Difference {
    /// Whether nothing differs.
    pub fn is_none(&self) -> bool {
        self.added + self.removed + self.changed == 0 && self.facts.is_empty() && self.profile.is_empty()
    }

    /// Entities whose keys differ.
    pub fn keys_changed(&self) -> usize {
        self.parts.get("keys").copied().unwrap_or_default()
    }

    /// The parts of a changed entity of which nothing is left.
    pub fn emptied<'a>(&'a self, change: &'a EntityChange) -> impl Iterator<Item = &'static str> {
        let is_told = self.unit == ENTITIES && change.what == "changed" && change.untold == 0;
        let told = |part: &str| part == "other" || change.now.iter().any(|value| value.part == part);
        change.parts.iter().copied().filter(move |part| is_told && !told(part))
    }

    /// The parts of an item that are told apart.
    fn parts(&self) -> &'static [&'static str] {
        if self.unit == DOCUMENTS { &DOCUMENT_PARTS } else { &PARTS }
    }
}

/// Compares entities with the record of the last document while they stream past.
pub(super) struct Tracker<'a> {
    last: &'a Last,
    /// What comes next, if nothing changed.
    lines: Lines<'a>,
    /// Which of them are still there: a bit for each.
    met: Vec<u64>,
    difference: Difference,
    listing: Listing,
}

impl<'a> Tracker<'a> {
    pub(super) fn new(last: &'a Last) -> Self {
        let difference = Difference { unit: ENTITIES, before: last.len(), ..Difference::default() };
        let (lines, met) = (Lines::new(last), vec![0; last.len().div_ceil(WORD)]);
        Self { last, lines, met, difference, listing: Listing::default() }
    }

    /// The digests of an entity that the next line of the record is about, when it says what it said, and that line: the
    /// digests are of parts of that, so they are the same.
    pub(super) fn unchanged(&self, id: &str, content: &[u8; 16]) -> Option<(Print, &[u8])> {
        let (name, past) = self.lines.entity()?;
        let is_same = name == id && past.content == *content;
        is_same.then_some((past, self.lines.line()))
    }

    /// Takes in an item, which has this line in the record of this document, and the entity, when it is one. Yields what the record
    /// says of it.
    pub(super) fn item(
        &mut self,
        id: &str,
        now: &Print,
        line: &[u8],
        entity: Option<&Entity>,
    ) -> Option<Print> {
        if let Some(at) = self.lines.is_at(line) {
            self.lines.go_on();
            self.meet(at);
            return Some(*now);
        }
        let Some((at, past)) = self.last.find(id) else {
            self.difference.added += 1;
            let told = entity.map(Told::added).unwrap_or_default();
            self.list(id, "added", vec![], entity.and_then(weight), told);
            return None;
        };
        self.lines.go_behind(at);
        self.meet(at);
        let past = if self.last.is_whole() { past } else { past.completed(now) };
        if past == *now {
            return Some(past);
        }
        let differ = past
            .parts
            .iter()
            .zip(&now.parts)
            .zip(self.difference.parts())
            .filter(|((past, now), _)| past != now);
        let mut parts: Vec<&'static str> = differ.map(|(_, name)| *name).collect();
        if parts.contains(&"keys") {
            parts.retain(|part| *part != "certificates"); // those of another key are other ones
        }
        if parts.is_empty() && self.difference.unit != FILES {
            parts.push("other");
        }
        for part in &parts {
            *self.difference.parts.entry(part).or_default() += 1;
        }
        self.difference.changed += 1;
        let told = entity.map(|entity| Told::changed(entity, &parts, &past)).unwrap_or_default();
        self.list(id, "changed", parts, None, told);
        Some(past)
    }

    /// Lists a change; an added entity may weigh as much as a change of this part.
    fn list(
        &mut self,
        id: &str,
        what: &'static str,
        parts: Vec<&'static str>,
        weight: Option<&str>,
        told: Told,
    ) {
        let weight = parts.first().copied().or(weight);
        let part = weight.and_then(|part| self.difference.parts().iter().position(|name| *name == part));
        let rank = match (what, part) {
            ("changed", _) if parts.is_empty() => 0,
            (_, Some(part)) if part < RISKY => part,
            ("removed", None) => RISKY,
            ("added", None) => RISKY + 1,
            (_, part) => RISKY + 2 + part.unwrap_or(PARTS.len()),
        };
        let change = EntityChange { entity: clip(id), what, parts, now: vec![], untold: 0 };
        self.listing.add(rank, change, told);
    }

    /// Notes that this entity of the record is still there.
    fn meet(&mut self, number: usize) {
        if let Some(word) = self.met.get_mut(number / WORD) {
            *word |= 1 << (number % WORD);
        }
    }

    fn is_met(&self, number: usize) -> bool {
        self.met.get(number / WORD).is_some_and(|word| word >> (number % WORD) & 1 == 1)
    }

    /// What the items are.
    pub(super) fn unit(&mut self, unit: &'static str) {
        self.difference.unit = unit;
    }

    pub(super) fn finish<'f>(mut self, facts: impl Iterator<Item = &'f Fact>) -> Difference {
        let mut lines = Lines::new(self.last);
        for number in 0..self.last.len() {
            if !self.is_met(number)
                && let Some((name, _)) = lines.entity()
            {
                self.difference.removed += 1;
                self.list(&name, "removed", vec![], None, Told::default());
            }
            lines.go_on();
        }
        (self.difference.entities, self.difference.unlisted) = self.listing.finish();
        self.difference.facts = difference(self.last.facts().iter(), facts);
        self.difference
    }
}

/// Compares facts with the facts last signed, path by path; paths in the order of the new document, then the vanished ones.
/// What fedroot itself put into the new document, and remarks on, is no change of the document; entities are compared apart.
fn difference<'l, 'n>(
    last: impl Iterator<Item = &'l Fact>,
    now: impl Iterator<Item = &'n Fact>,
) -> Vec<Change> {
    let (last, now): (Vec<&Fact>, Vec<&Fact>) = (last.collect(), now.collect());
    let ours = now.iter().filter(|fact| fact.remark.is_some() || fact.is_item());
    let mut seen: BTreeSet<&str> = ours.map(|fact| fact.path.as_str()).collect();
    let paths = now.iter().chain(&last).map(|fact| fact.path.as_str()).filter(|path| seen.insert(*path));
    let mut changes = Vec::new();
    let (before, after) = (by_path(&last), by_path(&now));
    for path in paths {
        let [before, after] = [&before, &after].map(|all| all.get(path).map_or(&[][..], Vec::as_slice));
        let (removed, added) = (without(before, after), without(after, before));
        if !removed.is_empty() || !added.is_empty() {
            changes.push(Change { path: path.to_owned(), removed, added });
        }
    }
    // Whoever gets a key in has everything: keys come first.
    changes.sort_by_key(|change| !change.path.split(['.', '[']).any(|part| matches!(part, "keys" | "jwks")));
    changes
}

/// What stands under each path, in the order of the facts.
fn by_path<'f>(facts: &[&'f Fact]) -> BTreeMap<&'f str, Vec<&'f str>> {
    let mut all: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for fact in facts {
        all.entry(&fact.path).or_default().push(&fact.value);
    }
    all
}

/// The values that are not among these.
fn without(values: &[&str], these: &[&str]) -> Vec<String> {
    let these: BTreeSet<&str> = these.iter().copied().collect();
    values.iter().filter(|value| !these.contains(*value)).map(|value| (*value).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::disk::Document;
    use crate::policy::Facts;
    use crate::policy::last::Recorder;
    use crate::policy::line::line_into;

    fn facts(pairs: &[(&str, &str)]) -> Facts {
        let mut facts = Facts::default();
        for (path, value) in pairs {
            facts.add(*path, *value);
        }
        facts
    }

    #[test]
    fn only_the_next_entity_keeps_its_digests_and_only_when_it_says_what_it_said() {
        let print = |content| Print { content: [content; 16], parts: [1, 2, 3, 4, 5, 6, 7, 8] };
        let (mut record, mut line) = (Vec::new(), Vec::new());
        let mut recorder = Recorder::new(&mut record, "test");
        for (name, print) in [("a", print(1)), ("b", print(2))] {
            line_into(&mut line, name, &print);
            recorder.item(&line);
        }
        recorder.finish(Facts::default().iter()).unwrap();
        let last = Last::read(Document::from_bytes("record", record)).unwrap();
        let mut tracker = Tracker::new(&last);
        line_into(&mut line, "a", &print(1));
        assert_eq!(tracker.unchanged("a", &[1; 16]), Some((print(1), &line[..])));
        for (name, content) in [("a", 2), ("b", 1), ("b", 2), ("c", 1)] {
            assert_eq!(tracker.unchanged(name, &[content; 16]), None, "{name}, {content}");
        }
        tracker.item("a", &print(1), &line, None);
        assert_eq!(tracker.unchanged("b", &[2; 16]).map(|(print, _)| print), Some(print(2)));
    }

    #[test]
    fn a_batch_compares_with_a_record_of_an_earlier_version_part_by_part() {
        let of = |keys: &str| {
            let part = |text: &str| vec![text.to_owned()];
            Print::of_member([part(keys), part("policy"), vec![], vec![], vec![]], b"all of it")
        };
        let hex = |bytes: &[u8]| crate::base::bytes::hex(bytes);
        let before = of("one");
        let parts: Vec<String> = before.parts[..6].iter().map(|part| hex(&part.to_be_bytes()[..8])).collect();
        let (all, parts) = (hex(&before.content), parts.join(" "));
        let record = format!("fedroot last signed v3 batch\nentity {all} {parts} \"a\"\nfacts []\nend 1\n");
        let last = Last::read(Document::from_bytes("record", record.into())).unwrap();
        for (now, changed) in [(of("one"), vec![]), (of("other"), vec![("keys", 1)])] {
            let (mut tracker, mut line) = (Tracker::new(&last), Vec::new());
            tracker.unit(DOCUMENTS);
            line_into(&mut line, "a", &now);
            tracker.item("a", &now, &line, None);
            let difference = tracker.finish(Facts::default().iter());
            assert_eq!(difference.parts.into_iter().collect::<Vec<_>>(), changed);
        }
    }

    #[test]
    fn equal_facts_do_not_differ() {
        let same = facts(&[("entity", "a"), ("entity", "b")]);
        assert_eq!(difference(same.iter(), same.iter()), []);
    }

    #[test]
    fn what_we_set_ourselves_is_no_change() {
        let last = facts(&[("validUntil", "1"), ("entity", "a")]);
        let mut now = facts(&[("entity", "a")]);
        now.add_with("validUntil", "2", "from the profile");
        assert_eq!(difference(last.iter(), now.iter()), []);
    }

    #[test]
    fn what_comes_goes_and_changes_is_named() {
        let last = facts(&[("validUntil", "1"), ("registrar", "a"), ("registrar", "b"), ("Name", "x")]);
        let now = facts(&[("validUntil", "2"), ("registrar", "b"), ("registrar", "c"), ("entity", "e")]);
        let change = |path: &str, removed: &[&str], added: &[&str]| Change {
            path: path.into(),
            removed: removed.iter().map(ToString::to_string).collect(),
            added: added.iter().map(ToString::to_string).collect(),
        };
        assert_eq!(
            difference(last.iter(), now.iter()),
            [
                change("validUntil", &["1"], &["2"]),
                change("registrar", &["a"], &["c"]),
                change("Name", &["x"], &[])
            ]
        );
    }
}
