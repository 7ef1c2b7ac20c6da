//! Rules and what they find. Each rule is a function and a row; the page of rules in the manual comes from the table.

use serde::{Deserialize, Serialize};

use super::{Facts, Profile};
use crate::base::clock::{Instant, Span};
use crate::key::PublicKey;

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth knowing.
    Warn,
    /// Nothing is signed.
    Block,
}

impl Severity {
    /// Its name on the screen and in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Warn => "warn",
            Self::Block => "block",
        }
    }
}

/// What a rule judges by, beside the facts.
pub struct Standard<'a> {
    /// The limits of the key line.
    pub profile: &'a Profile,
    /// The key that would sign.
    pub key: &'a PublicKey,
    /// The time of the review.
    pub now: Instant,
}

/// One rule: a stable name, what it demands, what to do, and where it comes from.
pub struct Rule {
    /// Its stable name.
    pub id: &'static str,
    /// The kind of document it is for.
    pub kind: &'static str,
    /// What a breach means for the signature, unless the profile says otherwise.
    pub severity: Severity,
    /// Whether the built-in profile of a sandbox line only warns.
    pub is_lenient_in_sandbox: bool,
    /// What it demands, in one sentence.
    pub sentence: &'static str,
    /// What to do about a breach.
    pub remedy: &'static str,
    /// Where the demand comes from.
    pub source: &'static str,
    check: fn(&Facts, &Standard<'_>) -> Vec<String>,
}

/// A breach of a rule.
pub struct Finding {
    /// The rule.
    pub rule: &'static Rule,
    /// What it means for the signature, by the profile or by the rule.
    pub severity: Severity,
    /// What was found; may hold foreign text.
    pub detail: String,
}

/// Every rule.
pub static RULES: &[Rule] = &[
    Rule {
        id: "saml.valid-until.missing",
        kind: "saml",
        severity: Severity::Block,
        is_lenient_in_sandbox: false,
        sentence: "the root element says until when it is valid",
        remedy: "set validUntil in the document, or dates = \"replace\" in the profile",
        source: "SAML V2.0 Metadata, section 2.3.1; eduGAIN Metadata Aggregation Practice Statement, A5",
        check: |facts, _| {
            if facts.value("validUntil").is_none() { vec!["there is no validUntil".into()] } else { vec![] }
        },
    },
    Rule {
        id: "saml.valid-until.unreadable",
        kind: "saml",
        severity: Severity::Block,
        is_lenient_in_sandbox: false,
        sentence: "validUntil is a time in UTC",
        remedy: "write it as 2026-11-22T07:15:47Z",
        source: "SAML V2.0 Core, section 1.3.3",
        check: |facts, _| {
            let unreadable = |value: &&str| Instant::parse(value).is_err();
            facts
                .values("validUntil")
                .filter(unreadable)
                .map(|value| format!("validUntil is '{value}'"))
                .collect()
        },
    },
    Rule {
        id: "saml.valid-until.past",
        kind: "saml",
        severity: Severity::Block,
        is_lenient_in_sandbox: false,
        sentence: "the document is still valid when it is signed",
        remedy: "set validUntil anew, or dates = \"replace\" in the profile",
        source: "DFN-AAI, June 2026: every file was published with a validUntil in the past",
        check: |facts, standard| {
            let past = |until: &Instant| *until <= standard.now;
            let until = facts.values("validUntil").filter_map(|value| Instant::parse(value).ok());
            until.filter(past).map(|until| format!("validUntil {until} is over")).collect()
        },
    },
    Rule {
        id: "saml.valid-until.too-far",
        kind: "saml",
        severity: Severity::Block,
        is_lenient_in_sandbox: false,
        sentence: "the document is not valid for longer than the profile allows",
        remedy: "set an earlier validUntil, or saml.valid_for_max in the profile",
        source: "eduGAIN Metadata Aggregation Practice Statement, A6",
        check: |facts, standard| {
            let max = standard.profile.saml.valid_for_max;
            let far = |until: &Instant| Span::of_seconds(until.seconds_since(standard.now)) > max;
            let until = facts.values("validUntil").filter_map(|value| Instant::parse(value).ok());
            until.filter(far).map(|until| format!("validUntil {until} is more than {max} away")).collect()
        },
    },
    Rule {
        id: "saml.cache-duration",
        kind: "saml",
        severity: Severity::Block,
        is_lenient_in_sandbox: false,
        sentence: "caches look again before the longest validity that the profile allows is over",
        remedy: "set a shorter cacheDuration, in days and hours, or dates = \"replace\" in the profile",
        source: "SAML V2.0 Metadata, section 2.3.1; eduGAIN: 1 to 6 hours",
        check: |facts, standard| {
            let max = standard.profile.saml.valid_for_max;
            let long = |value: &&str| Span::parse(value).map_or(true, |span| span > max);
            facts
                .values("cacheDuration")
                .filter(long)
                .map(|value| format!("cacheDuration is '{value}'"))
                .collect()
        },
    },
    Rule {
        id: "saml.nested-valid-until.past",
        kind: "saml",
        severity: Severity::Block,
        is_lenient_in_sandbox: true,
        sentence: "nothing inside the document has expired",
        remedy: "take the expired entity out, or renew its validUntil",
        source: "InCommon metadata consumption rules: reject when a child has expired",
        check: |facts, _| facts.values("expired").map(str::to_owned).collect(),
    },
    Rule {
        id: "saml.entity-id.missing",
        kind: "saml",
        severity: Severity::Block,
        is_lenient_in_sandbox: true,
        sentence: "every entity has an entityID",
        remedy: "give the entity its entityID",
        source: "SAML V2.0 Metadata, section 2.3.2",
        check: |facts, _| facts.values("nameless").map(str::to_owned).collect(),
    },
    Rule {
        id: "saml.entity-id.duplicate",
        kind: "saml",
        severity: Severity::Block,
        is_lenient_in_sandbox: true,
        sentence: "an entityID stands only once in a document",
        remedy: "take one of the entities out: consumers take either",
        source: "SAML V2.0 Metadata, section 2.3.1",
        check: |facts, _| facts.values("duplicate").map(str::to_owned).collect(),
    },
    Rule {
        id: "saml.entities.none",
        kind: "saml",
        severity: Severity::Block,
        is_lenient_in_sandbox: true,
        sentence: "an aggregate holds at least one entity",
        remedy: "an empty aggregate ends every login: look for what failed before it came here",
        source: "SAML V2.0 Metadata, section 2.3.1",
        check: |facts, _| {
            if facts.value("entities") == Some("0") { vec!["there is no entity".into()] } else { vec![] }
        },
    },
    Rule {
        id: "saml.private-key",
        kind: "saml",
        severity: Severity::Block,
        is_lenient_in_sandbox: false,
        sentence: "no private key stands in the document",
        remedy: "take it out, and have its owner replace the key: it is no longer private",
        source: "NIST SP 800-57 part 1, section 5.3.5",
        check: |facts, _| facts.values("private key").map(str::to_owned).collect(),
    },
    Rule {
        id: "saml.ecdsa.consumers",
        kind: "saml",
        severity: Severity::Warn,
        is_lenient_in_sandbox: false,
        sentence: "the signature is of a kind that all consumers verify",
        remedy: "ask your consumers, or sign with an RSA line for those that cannot",
        source: "Azure AD B2C, older SimpleSAMLphp and Keycloak do not verify ECDSA",
        check: |_, standard| match standard.key.parts() {
            crate::key::Parts::Ec { .. } => vec!["some SAML consumers do not verify ECDSA".into()],
            crate::key::Parts::Rsa { .. } => vec![],
        },
    },
];

/// Applies every rule for this kind of document; the heaviest findings first.
pub(super) fn findings(kind: &str, facts: &Facts, standard: &Standard<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for rule in RULES.iter().filter(|rule| rule.kind == kind) {
        let severity = standard.profile.rules.get(rule.id).copied().unwrap_or(rule.severity);
        let details = (rule.check)(facts, standard).into_iter();
        findings.extend(details.map(|detail| Finding { rule, severity, detail }));
    }
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_have_names_of_their_own_and_say_where_they_come_from() {
        let mut names: Vec<_> = RULES.iter().map(|rule| rule.id).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), RULES.len());
        for rule in RULES {
            assert!(rule.id.starts_with(rule.kind), "{}", rule.id);
            assert!(
                !rule.sentence.is_empty() && !rule.remedy.is_empty() && !rule.source.is_empty(),
                "{}",
                rule.id
            );
        }
    }
}
