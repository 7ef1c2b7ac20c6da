//! The examination of one document while it streams past: every entity goes through the rules and is compared with what was
//! signed last, and only what was found stays.

use std::collections::{BTreeSet, HashSet};
use std::io::Write;
use std::sync::Arc;

use serde_json::Value;

use super::difference::Tracker;
use super::finding::{Check, EntityCheck, Scene, Tally, Whole};
use super::last::Recorder;
use super::line::line_into;
use super::lookalikes::{Lookalikes, Sight};
use super::print::{Differs, Texts};
use super::{Change, Difference, Entity, Fact, Facts, Finding, Last, Print, ROOM, RULES, Rule, Standard};
use crate::base::bytes::Digest;
use crate::base::fault::Fault;
use crate::base::marks::Marks;
use crate::key::KeyId;

/// What rules know of the entities before. Texts stand here as hashes.
#[derive(Default)]
pub(super) struct Seen {
    ids: Lookalikes,
    scopes: Lookalikes,
    /// In how many entities each key stands, as far as it matters.
    keys: Marks<u8>,
    /// Whether this entityID stood here before.
    pub(super) is_duplicate: bool,
    /// Whether another entityID before looks like this one, and the line of the first that does.
    pub(super) lookalike: Option<u64>,
    /// What is to say of its scopes: those that look like another entity's, and those that are another one's, too.
    pub(super) scopes_alike: Vec<String>,
    pub(super) scopes_again: Vec<String>,
    /// Keys that stand in so many entities now, this one included; each is told once.
    pub(super) shared: Vec<String>,
}

/// Under this name a record has the digest of the profile.
const PROFILE_FACT: &str = "the profile of the line";
/// Under paths that begin so, it has what that profile sets.
const SETTING: &str = "the profile: ";
/// And under this one the digest of what a document in JSON says, in its order and with its types.
pub(super) const CLAIMS_FACT: &str = "the claims as written";

/// Entities that may hold one key before it is remarkable: hosting providers have some.
const SHARED_MAX: u8 = 5;

impl Fact {
    /// Whether it stands in a record only to be compared, and nobody said it.
    pub fn is_noted(&self) -> bool {
        self.path == CLAIMS_FACT || self.is_of_profile()
    }

    /// Whether it is about the profile of the line.
    fn is_of_profile(&self) -> bool {
        is_of_profile(&self.path)
    }
}

impl Seen {
    fn look(&mut self, entity: &Entity) {
        let sight =
            if entity.id.is_empty() { Sight::New } else { self.ids.look(&entity.id, entity.place.line) };
        self.is_duplicate = sight == Sight::Again;
        self.lookalike = if let Sight::Like(line) = sight { Some(line) } else { None };
        self.look_at_scopes(entity);
        self.shared.clear();
        let mut own: Vec<Digest> = entity.keys().map(|certificate| certificate.fingerprint).collect();
        own.sort_unstable();
        own.dedup();
        for key in own {
            let Some(count) = self.keys.meet(key, 1) else { continue };
            *count = count.saturating_add(1);
            if *count == SHARED_MAX + 1 {
                self.shared.push(format!("the key {key} stands in more than {SHARED_MAX} entities"));
            }
        }
    }
}

impl Seen {
    fn look_at_scopes(&mut self, entity: &Entity) {
        self.scopes_alike.clear();
        self.scopes_again.clear();
        let mut own = HashSet::new();
        for scope in entity.roles.iter().flat_map(|role| &role.scopes).filter(|scope| !scope.is_regexp) {
            let value = scope.value.as_str();
            if value.is_empty() || !own.insert(value) {
                continue; // a provider and its attribute authority have the same
            }
            match self.scopes.look(value, entity.place.line) {
                Sight::New => {}
                Sight::Again => {
                    self.scopes_again.push(format!("the scope '{value}' is another entity's, too"));
                }
                Sight::Like(line) => self
                    .scopes_alike
                    .push(format!("the scope '{value}' looks like one of the entity on line {line}")),
            }
        }
    }
}

/// That a document lists a key of the vault, for the consumers of that key to find.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Carried {
    /// What lists it: an entity, a set; foreign text.
    pub subject: String,
    /// In which kind of channel.
    pub channel: &'static str,
    /// The key.
    pub key: KeyId,
}

/// What an examination found.
#[derive(Clone, Default)]
pub struct Examined {
    /// What the rules found, the heaviest first.
    pub findings: Vec<Finding>,
    /// The difference to what was signed last, when there is such a thing.
    pub difference: Option<Arc<Difference>>,
    /// The keys of the vault that the document lists.
    pub carried: BTreeSet<Carried>,
}

/// Examines one document.
pub struct Examiner<'a> {
    kind: &'static str,
    groups: &'static [&'static str],
    standard: Standard<'a>,
    last: Option<&'a Last>,
    /// The rules that look at each entity.
    checks: Vec<(&'static Rule, EntityCheck)>,
    seen: Seen,
    tally: Tally,
    tracker: Option<Tracker<'a>>,
    recorder: Option<Recorder<'a>>,
    /// The line of the entity at hand in the record.
    line: Vec<u8>,
    /// What its digests are made of.
    texts: Texts,
}

impl<'a> Examiner<'a> {
    /// Judges a document of a kind by the rules of these groups and by this standard, compares with what was signed last,
    /// and writes the record for the next time.
    pub fn new(
        kind: &'static str,
        groups: &'static [&'static str],
        standard: Standard<'a>,
        last: Option<&'a Last>,
        record: Option<&'a mut dyn Write>,
    ) -> Self {
        let tracker = last.map(Tracker::new);
        let recorder = record.map(|to| Recorder::new(to, kind));
        let rules = RULES.iter().filter(|rule| groups.contains(&rule.kind));
        let checks = rules.filter_map(|rule| match rule.check {
            Check::Entity(check) => Some((rule, check)),
            Check::Document(_) | Check::Reader => None,
        });
        Self {
            kind,
            groups,
            standard,
            last,
            checks: checks.collect(),
            seen: Seen::default(),
            tally: Tally::default(),
            tracker,
            recorder,
            line: Vec::new(),
            texts: Texts::default(),
        }
    }

    /// Whether the digests of entities are asked for.
    pub fn compares(&self) -> bool {
        self.tracker.is_some() || self.recorder.is_some()
    }

    /// Takes in what was found in one document of a batch, which stands in this file.
    pub fn adopt(&mut self, file: &str, findings: Vec<Finding>) {
        self.tally.adopt(file, findings);
    }

    /// Takes in what the reader of the document found itself.
    pub fn breach(&mut self, rule: &str, subject: &str, detail: impl Into<String>) {
        if let Some(rule) = RULES.iter().find(|own| own.id == rule) {
            self.tally.add(rule, &self.standard, subject, detail.into());
        }
    }

    /// Takes in the next entity.
    pub fn entity(&mut self, entity: &Entity) {
        self.seen.look(entity);
        for (rule, check) in &self.checks {
            for detail in check(entity, &Scene { standard: self.standard, seen: &self.seen }) {
                self.tally.add(rule, &self.standard, &entity.id, detail);
            }
        }
        if !self.compares() {
            return;
        }
        let same = self.tracker.as_ref().and_then(|tracker| tracker.unchanged(&entity.id, &entity.content));
        let print = if let Some((print, line)) = same {
            self.line.clear();
            self.line.extend_from_slice(line);
            print
        } else {
            let print = Print::of(entity, &mut self.texts);
            line_into(&mut self.line, &entity.id, &print);
            print
        };
        self.note(&entity.id, &print, Some(entity));
    }

    /// Takes in the next item of a document whose parts are no entities, such as a file: its name and what tells its content.
    pub fn item(&mut self, name: &str, content: &[u8]) {
        if let Some(tracker) = &mut self.tracker {
            tracker.unit("files");
        }
        let print = Print::of_item(content);
        line_into(&mut self.line, name, &print);
        self.note(name, &print, None);
    }

    /// Takes in the next document of a batch: whom it is about, and what tells it. Yields what differs from what was signed last,
    /// when something about this was.
    pub fn member(&mut self, name: &str, print: &Print) -> Option<Differs> {
        if let Some(tracker) = &mut self.tracker {
            tracker.unit("documents");
        }
        line_into(&mut self.line, name, print);
        let past = self.note(name, print, None)?;
        Some(Differs::of(&past, print))
    }

    /// Notes the item of the line at hand. Yields what the record says of it.
    fn note(&mut self, name: &str, print: &Print, entity: Option<&Entity>) -> Option<Print> {
        if let Some(recorder) = &mut self.recorder {
            recorder.item(&self.line);
        }
        self.tracker.as_mut()?.item(name, print, &self.line, entity)
    }

    /// Judges the document as a whole, and ends.
    pub fn finish(self, facts: &Facts) -> Result<Examined, Fault> {
        self.finish_json(facts, &Value::Null)
    }

    /// The same for a document in JSON.
    ///
    /// # Errors
    /// [`ROOM`] for a document that is not told whole, and those of writing the record.
    pub fn finish_json(mut self, facts: &Facts, json: &Value) -> Result<Examined, Fault> {
        if facts.is_cut() {
            return Err(no_room(facts));
        }
        // The limits that it was judged by are part of what is compared, where they were noted before.
        let fact = |path: &str, digest: Digest| Fact {
            path: path.to_owned(),
            value: digest.to_string(),
            remark: None,
        };
        let profile = self.standard.profile.source.map(|source| fact(PROFILE_FACT, source));
        let settings = self.standard.profile.settings.iter().map(|(name, value)| Fact {
            path: format!("{SETTING}{name}"),
            value: value.clone(),
            remark: None,
        });
        let settings: Vec<Fact> = settings.collect();
        let claims = as_written(facts, json).map(|digest| fact(CLAIMS_FACT, digest));
        if let Some(recorder) = self.recorder.take() {
            let noted = profile.iter().chain(&settings).chain(&claims);
            recorder.finish(facts.iter().chain(noted))?;
        }
        let last = self.last.map(Last::facts);
        let noted = |is: fn(&str) -> bool| last.is_some_and(|last| last.iter().any(|past| is(&past.path)));
        let (profile_was, settings_were) =
            (noted(|path| path == PROFILE_FACT), noted(|path| path.starts_with(SETTING)));
        let profile = profile.iter().filter(|_| profile_was);
        let settings = settings.iter().filter(|_| settings_were);
        let compared = facts.iter().chain(profile).chain(settings).chain(&claims);
        let mut difference = self.tracker.take().map(|tracker| tracker.finish(compared));
        if let Some(difference) = &mut difference {
            let (of_profile, facts) =
                std::mem::take(&mut difference.facts).into_iter().partition(|it| is_of_profile(&it.path));
            (difference.profile, difference.facts) = (settings_of(of_profile), facts);
        }
        if let Some(difference) = difference.as_mut().filter(|difference| difference.facts.len() > 1) {
            // Where more differs, that tells it.
            difference.facts.retain(|change| change.path != CLAIMS_FACT);
        }
        let kind = self.kind;
        let whole =
            Whole { kind, standard: self.standard, facts, json, difference: difference.as_ref(), last };
        for rule in RULES.iter().filter(|rule| self.groups.contains(&rule.kind)) {
            let Check::Document(check) = rule.check else { continue };
            for detail in check(&whole) {
                self.tally.add(rule, &self.standard, "", detail);
            }
        }
        Ok(Examined {
            findings: self.tally.finish(),
            difference: difference.map(Arc::new),
            carried: BTreeSet::new(),
        })
    }
}

fn is_of_profile(path: &str) -> bool {
    path == PROFILE_FACT || path.starts_with(SETTING)
}

/// The settings that differ; the digests only where none does, as in a comment, or a record has no settings.
fn settings_of(changes: Vec<Change>) -> Vec<Change> {
    let setting = |change: &Change| {
        let path = change.path.strip_prefix(SETTING)?.to_owned();
        Some(Change { path, ..change.clone() })
    };
    let settings: Vec<Change> = changes.iter().filter_map(setting).collect();
    if settings.is_empty() { changes } else { settings }
}

/// Nobody signs what nobody was shown.
fn no_room(facts: &Facts) -> Fault {
    let last = facts.iter().last().map_or("", |fact| &fact.value);
    ROOM.fault(format!("the review has no room for all that it says: {last} is not told")).hint(
        "shorten the names of members, which are told again with each value below them, and take out what nobody needs",
    )
}

/// The digest of what a document in JSON says, but for what every one says anew: that has a remark among the facts.
fn as_written(facts: &Facts, json: &Value) -> Option<Digest> {
    let mut said = json.as_object()?.clone();
    for fact in facts.iter().filter(|fact| fact.remark.is_some()) {
        said.shift_remove(&fact.path);
    }
    Some(Digest::of(Value::Object(said).to_string().as_bytes()))
}
