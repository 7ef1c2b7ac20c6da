//! Exceptions with a name: breaches that somebody accepts for a while, and the brake on sudden change.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use super::{PROFILE, RULES};
use crate::base::clock::Instant;
use crate::base::fault::Fault;

/// A breach that is accepted: by whom, why, until when.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Waiver {
    /// The rule.
    pub rule: String,
    /// The entityID, or `*` for every entity and the document itself.
    pub subject: String,
    /// Why.
    pub reason: String,
    /// Who decided it.
    pub approver: String,
    /// From then on it counts no more, and is a finding itself.
    #[serde(serialize_with = "write_instant", deserialize_with = "read_instant")]
    pub expires: Instant,
}

impl Waiver {
    /// Whether it is about a breach of this rule by this entity.
    pub fn covers(&self, rule: &str, subject: &str) -> bool {
        self.rule == rule && (self.subject == "*" || (!subject.is_empty() && self.subject == subject))
    }

    /// Refuses a waiver that nobody answers for, or of what cannot be waived.
    pub(super) fn check(&self) -> Result<(), Fault> {
        let wrong = |why: String| Err(PROFILE.fault(format!("the waiver of {}: {why}", self.rule)));
        let Some(rule) = RULES.iter().find(|rule| rule.id == self.rule) else {
            return wrong("there is no such rule".into());
        };
        if rule.is_firm {
            return wrong("the rule is firm: nobody waives it".into());
        }
        if rule.is_personal && self.subject == "*" {
            return wrong(
                "the rule is firm for everybody at once: name the one subject that is meant".into(),
            );
        }
        if self.rule.contains(".brake.") || self.rule == "saml.waiver.expired" {
            return wrong(
                "it cannot be waived for a while: give --release-brake, or remove the waiver".into(),
            );
        }
        for (name, value) in
            [("subject", &self.subject), ("reason", &self.reason), ("approver", &self.approver)]
        {
            if value.trim().is_empty() {
                return wrong(format!("{name} is empty"));
            }
        }
        Ok(())
    }
}

/// How much may change between two signatures before somebody has to say so.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Brake {
    /// The share of the entities signed last that may be gone, in percent.
    pub removed_percent_max: u64,
    /// The number of entities whose keys may differ.
    pub keys_changed_max: u64,
}

impl Brake {
    pub(super) fn check(&self) -> Result<(), Fault> {
        if self.removed_percent_max > 100 {
            return Err(PROFILE.fault("brake.removed_percent_max is above 100"));
        }
        Ok(())
    }
}

fn write_instant<S: Serializer>(instant: &Instant, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(instant)
}

fn read_instant<'de, D: Deserializer<'de>>(from: D) -> Result<Instant, D::Error> {
    Instant::parse(&String::deserialize(from)?).map_err(D::Error::custom)
}

#[cfg(test)]
mod tests {
    use crate::policy::{Profile, RULES, Severity};

    const HEAD: &str = "version = 1\nkinds = [\"federation\"]\npolicy_ref = \"x\"\n";

    fn waived(rule: &str, subject: &str) -> String {
        format!(
            "{HEAD}[[waivers]]\nrule = \"{rule}\"\nsubject = \"{subject}\"\nreason = \"r\"\napprover = \"a\"\nexpires = \"2027-01-01T00:00:00Z\"\n"
        )
    }

    #[test]
    fn whom_only_a_named_waiver_lets_pass_is_named_one_by_one() {
        let personal: Vec<_> = RULES.iter().filter(|rule| rule.is_personal).map(|rule| rule.id).collect();
        assert_eq!(
            personal,
            [
                "openid.superiors.key",
                "openid.subject.hints",
                "openid.subject.key-proof",
                "openid.subject.key-taken",
                "openid.subject.constraints",
                "openid.subject.policy",
                "openid.trust-mark.issuer",
                "openid.delegation.owner",
                "openid.history.foreign",
            ]
        );
        for rule in personal {
            for profile in
                [format!("{HEAD}[rules]\n\"{rule}\" = \"note\"\n"), waived(rule, "*"), waived(rule, " ")]
            {
                let fault = Profile::parse(&profile).unwrap_err();
                assert!(fault.message().contains(rule), "{fault}");
            }
            let subject = "https://op.example.org";
            let profile = Profile::parse(&waived(rule, subject)).unwrap();
            let now = crate::base::clock::Instant::parse("2026-11-22T12:00:00Z").unwrap();
            assert!(profile.waiver(rule, subject, now).is_some());
            assert!(profile.waiver(rule, "https://rp.example.org", now).is_none());
        }
    }

    /// What verification refuses is not signed away: these are the rules of a federation that block, and that it does not know.
    #[test]
    fn what_blocks_in_a_federation_and_is_not_firm_is_what_verification_does_not_see() {
        let blocks = RULES.iter().filter(|rule| rule.kind == "openid" && rule.severity == Severity::Block);
        let loose: Vec<_> = blocks.filter(|rule| !rule.has_fixed_weight()).map(|rule| rule.id).collect();
        assert_eq!(
            loose,
            [
                "openid.entity.shared",
                "openid.entity.environment",
                "openid.entity.changed",
                "openid.key.shared",
                "openid.alg.changed",
                "openid.key.unpublished",
                "openid.key.dropped",
                "openid.exp.long",
                "openid.exp.short",
                "openid.hints.profile",
                "openid.constraints.unknown",
                "openid.subject.alike",
                "openid.subject.older",
                "openid.policy.operator",
                "openid.history.incomplete",
            ]
        );
    }

    #[test]
    fn what_verification_refuses_and_what_others_signed_is_firm() {
        for rule in [
            "openid.subject.signature",
            "openid.anchor.signature",
            "openid.superiors.signature",
            "openid.trust-mark.signature",
            "openid.metadata.jwks",
            "openid.jwks.malformed",
            "openid.jwks.duplicate-kid",
            "openid.jwks.weak",
            "openid.kid.unknown",
            "openid.key.private",
            "openid.history.changed",
            "openid.iat.order",
            "openid.claim.forbidden",
            "openid.crit.unknown",
            "openid.exp.past",
            "openid.trust-mark.subject",
            "openid.trust-mark.owner",
            "openid.superiors.chain",
            "openid.subject.key-expired",
            "openid.history.listed",
            "openid.jwk-set.federation",
            "spiffe-bundle.sequence.rises",
        ] {
            for profile in
                [format!("{HEAD}[rules]\n\"{rule}\" = \"note\"\n"), waived(rule, "https://x.example")]
            {
                let fault = Profile::parse(&profile).unwrap_err();
                assert!(fault.message().contains("firm"), "{rule}: {fault}");
            }
        }
    }
}
