//! Rules and what they find. Each rule is a function and a row of [`super::RULES`]; the page of rules comes from the table.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::examine::Seen;
use super::{Difference, Entity, Facts, Profile, Waiver};
use crate::base::clock::Instant;
use crate::key::PublicKey;

/// Breaches of one rule that are kept; all of them are counted.
const BREACHES_MAX: usize = 20;
/// Longer texts of a breach are cut.
const BREACH_CHARS_MAX: usize = 1_500;

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// For the record.
    Note,
    /// Worth knowing.
    Warn,
    /// Nothing is signed.
    Block,
}

impl Severity {
    /// Its name on the screen and in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warn => "warn",
            Self::Block => "block",
        }
    }
}

/// What a rule judges by.
#[derive(Clone, Copy)]
pub struct Standard<'a> {
    /// The limits of the key line.
    pub profile: &'a Profile,
    /// The key that would sign.
    pub key: &'a PublicKey,
    /// The time of the review.
    pub now: Instant,
    /// Why the brake is released, when it is.
    pub released: Option<&'a str>,
}

/// What a rule about one entity sees beside the entity.
pub(super) struct Scene<'a> {
    pub(super) standard: Standard<'a>,
    pub(super) seen: &'a Seen,
}

/// What a rule about the whole document sees.
pub(super) struct Whole<'a> {
    /// The kind of document.
    pub(super) kind: &'static str,
    pub(super) standard: Standard<'a>,
    pub(super) facts: &'a Facts,
    /// The document itself, where it is JSON; null otherwise.
    pub(super) json: &'a Value,
    pub(super) difference: Option<&'a Difference>,
    /// What the document said that was signed last.
    pub(super) last: Option<&'a Facts>,
}

/// What a rule finds in one entity.
pub(super) type EntityCheck = fn(&Entity, &Scene<'_>) -> Vec<String>;

/// How a rule looks.
pub(super) enum Check {
    /// At the document, once it has been read.
    Document(fn(&Whole<'_>) -> Vec<String>),
    /// At each entity.
    Entity(EntityCheck),
    /// The kind of document looks itself, while it reads: what the rule is about is gone from the facts.
    Reader,
}

/// One rule: a stable name, what it demands, what to do, and where it comes from.
pub struct Rule {
    /// Its stable name.
    pub id: &'static str,
    /// The group it belongs to: a kind of document, or `jwks` for every kind that holds a set of keys.
    pub kind: &'static str,
    /// What a breach means for the signature, unless the profile says otherwise.
    pub severity: Severity,
    /// Whether the built-in profile of a sandbox line only warns.
    pub is_lenient_in_sandbox: bool,
    /// Whether neither a profile nor a waiver changes what it means.
    pub is_firm: bool,
    /// Whether nothing but a waiver for one subject lets a breach pass.
    pub is_personal: bool,
    /// What it demands, in one sentence.
    pub sentence: &'static str,
    /// What to do about a breach.
    pub remedy: &'static str,
    /// Where the demand comes from.
    pub source: &'static str,
    pub(super) check: Check,
}

impl Rule {
    /// A rule for SAML metadata.
    pub(super) const fn saml(
        id: &'static str,
        severity: Severity,
        sentence: &'static str,
        remedy: &'static str,
        source: &'static str,
        check: Check,
    ) -> Self {
        Self::of("saml", id, severity, (sentence, remedy, source), check)
    }

    /// A rule of a group: its sentence, its remedy and its source.
    pub(super) const fn of(
        kind: &'static str,
        id: &'static str,
        severity: Severity,
        (sentence, remedy, source): (&'static str, &'static str, &'static str),
        check: Check,
    ) -> Self {
        Self {
            id,
            kind,
            severity,
            is_lenient_in_sandbox: false,
            is_firm: false,
            is_personal: false,
            sentence,
            remedy,
            source,
            check,
        }
    }

    /// Whether `--release-brake` lets it pass.
    pub(super) fn is_brake(&self) -> bool {
        self.id.contains(".brake.")
    }

    /// Whether no line of a profile's `[rules]` gives it another weight.
    pub(super) const fn has_fixed_weight(&self) -> bool {
        self.is_firm || self.is_personal
    }

    /// The same, whatever a profile says, but for a waiver for one subject.
    pub(super) const fn personal(mut self) -> Self {
        self.is_personal = true;
        self
    }

    /// The same, whatever a profile says.
    pub(super) const fn firm(mut self) -> Self {
        self.is_firm = true;
        self
    }

    /// The same, lenient in a sandbox.
    pub(super) const fn lenient(mut self) -> Self {
        self.is_lenient_in_sandbox = true;
        self
    }
}

/// One breach of a rule. Both texts are foreign.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Breach {
    /// The entityID, or nothing when it is about the whole document.
    pub subject: String,
    /// What was found.
    pub detail: String,
}

impl std::fmt::Display for Breach {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.subject.is_empty() {
            f.write_str(&self.detail)
        } else {
            write!(f, "{}: {}", self.subject, self.detail)
        }
    }
}

/// All breaches of a rule that weigh the same.
#[derive(Clone)]
pub struct Finding {
    /// The rule.
    pub rule: &'static Rule,
    /// What it means for the signature, by the profile or by the rule.
    pub severity: Severity,
    /// The waiver that covers these breaches, if any.
    pub waived: Option<Waiver>,
    /// The first of them.
    pub breaches: Vec<Breach>,
    /// How many there are.
    pub count: u64,
}

impl Finding {
    /// Whether it stops the signature.
    pub const fn blocks(&self) -> bool {
        matches!(self.severity, Severity::Block) && self.waived.is_none()
    }
}

/// The findings of one document while it is read.
#[derive(Default)]
pub(super) struct Tally(Vec<Finding>);

impl Tally {
    /// Takes in a breach by this subject, under the profile's severity and waivers.
    pub(super) fn add(
        &mut self,
        rule: &'static Rule,
        standard: &Standard<'_>,
        subject: &str,
        detail: String,
    ) {
        let released = standard.released.filter(|_| rule.is_brake()).map(|reason| Waiver {
            rule: rule.id.into(),
            subject: "*".into(),
            reason: reason.into(),
            approver: "who signs, with --release-brake".into(),
            expires: standard.now,
        });
        let waiver = standard.profile.waiver(rule.id, subject, standard.now).or(released.as_ref());
        let same = |finding: &Finding| finding.rule.id == rule.id && finding.waived.as_ref() == waiver;
        let place = self.0.iter().position(same).unwrap_or(self.0.len());
        if place == self.0.len() {
            let severity = standard.profile.rules.get(rule.id).copied().unwrap_or(rule.severity);
            let covered = waiver.cloned();
            self.0.push(Finding { rule, severity, waived: covered, breaches: Vec::new(), count: 0 });
        }
        let Some(finding) = self.0.get_mut(place) else { return };
        finding.count += 1;
        if finding.breaches.len() < BREACHES_MAX {
            finding.breaches.push(Breach { subject: short(subject.to_owned()), detail: short(detail) });
        }
    }

    /// Takes in what was found in one document of several, which stands in this file.
    pub(super) fn adopt(&mut self, file: &str, findings: Vec<Finding>) {
        for found in findings {
            let same = |own: &Finding| own.rule.id == found.rule.id && own.waived == found.waived;
            let place = self.0.iter().position(same).unwrap_or(self.0.len());
            if place == self.0.len() {
                self.0.push(Finding { breaches: Vec::new(), count: 0, ..found.clone() });
            }
            let Some(own) = self.0.get_mut(place) else { return };
            own.count += found.count;
            let room = BREACHES_MAX.saturating_sub(own.breaches.len());
            let named = found
                .breaches
                .into_iter()
                .map(|breach| Breach { detail: short(format!("{file}: {}", breach.detail)), ..breach });
            own.breaches.extend(named.take(room));
        }
    }

    /// The findings: those that block first, those that are waived last.
    pub(super) fn finish(mut self) -> Vec<Finding> {
        self.0.sort_by_key(|finding| (finding.waived.is_some(), std::cmp::Reverse(finding.severity)));
        self.0
    }
}

/// Text of a length that can be kept.
fn short(text: String) -> String {
    match text.char_indices().nth(BREACH_CHARS_MAX) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}
