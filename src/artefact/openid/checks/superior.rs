//! Checks between ranks: whom an entity names above it, and what a superior says of those below.

use std::collections::HashSet;

use super::super::metadata_policy::{MetadataPolicy, OPERATORS};
use super::super::statement::Statement;
use super::{Findings, keys};
use crate::base::clock::Instant;
use crate::format::json::name_set;

pub(super) fn configuration(statement: &Statement, at: Instant, findings: &mut Findings) {
    for name in ["authority_hints", "trust_anchor_hints"] {
        hints(statement, name, findings);
    }
    if statement.get("authority_hints").is_none() && statement.get("trust_anchor_hints").is_some() {
        findings.add("openid.hints.anchor", "an entity without superiors has trust_anchor_hints");
    }
    if let Some(issuers) = findings.object("trust_mark_issuers", statement.get("trust_mark_issuers")) {
        for (mark, own) in issuers {
            let place = format!("trust_mark_issuers['{mark}']");
            let Some(all) = findings.array(&place, Some(own)) else { continue };
            findings.when(all.is_empty(), "openid.trust-mark-issuers.anyone", || {
                format!("{place} is empty: anybody may issue this trust mark")
            });
            for issuer in all {
                findings.identifier(&place, issuer);
            }
        }
    }
    if let Some(owners) = findings.object("trust_mark_owners", statement.get("trust_mark_owners")) {
        for (mark, owner) in owners {
            let place = format!("trust_mark_owners['{mark}']");
            let Some(owner) = findings.object(&place, Some(owner)) else { continue };
            match owner.get("sub") {
                Some(sub) => findings.identifier(&format!("{place}.sub"), sub),
                None => findings.add("openid.trust-mark-owners", format!("{place} has no sub")),
            }
            match owner.get("jwks") {
                Some(jwks) => keys::federation_keys(&format!("{place}.jwks"), jwks, at, findings),
                None => findings.add("openid.trust-mark-owners", format!("{place} has no jwks")),
            }
        }
    }
}

fn hints(statement: &Statement, name: &str, findings: &mut Findings) {
    let Some(hints) = findings.array(name, statement.get(name)) else { return };
    findings.when(hints.is_empty(), "openid.hints.empty", || format!("{name} is empty: leave it out"));
    let mut seen = HashSet::new();
    for hint in hints {
        findings.identifier(name, hint);
        let is_twice = hint.as_str().is_some_and(|hint| !seen.insert(hint));
        findings.when(is_twice, "openid.hints.duplicate", || format!("{name} names {hint} twice"));
        findings
            .when(hint == statement.sub(), "openid.hints.self", || format!("{name} names the entity itself"));
    }
}

pub(super) fn subordinate(statement: &Statement, findings: &mut Findings) {
    if let Some(endpoint) = statement.get("source_endpoint") {
        findings.url("openid.source-endpoint", "source_endpoint", endpoint);
    }
    if let Some(value) = statement.get("metadata_policy_crit") {
        match name_set(value) {
            None => findings.add(
                "openid.policy-crit.malformed",
                "metadata_policy_crit is not an array of one or more different names",
            ),
            Some(names) => {
                for name in names {
                    if OPERATORS.contains(&name) {
                        findings.add(
                            "openid.policy-crit.malformed",
                            format!("metadata_policy_crit names the standard operator '{name}'"),
                        );
                    } else {
                        findings.add(
                            "openid.policy-crit.unknown",
                            format!("the operator '{name}' is critical and not understood"),
                        );
                    }
                }
            }
        }
    }
    if let Some(policy) = statement.get("metadata_policy")
        && let Err(fault) = MetadataPolicy::read(policy)
    {
        findings.add("openid.policy.malformed", fault.message());
    }
    constraints(statement, findings);
}

/// Members that the standard does not define are ignored (section 6.2).
fn constraints(statement: &Statement, findings: &mut Findings) {
    let Some(constraints) = findings.object("constraints", statement.get("constraints")) else { return };
    if let Some(length) = constraints.get("max_path_length")
        && length.as_u64().is_none()
    {
        findings.add(
            "openid.constraints.path",
            format!("max_path_length is {length}, not a whole number from 0"),
        );
    }
    if let Some(names) = findings.object("naming_constraints", constraints.get("naming_constraints")) {
        for part in ["permitted", "excluded"] {
            let place = format!("naming_constraints.{part}");
            for name in findings.array(&place, names.get(part)).unwrap_or_default() {
                let is_name = name.as_str().is_some_and(is_domain);
                findings.when(!is_name, "openid.constraints.names", || {
                    format!(
                        "{place} holds {name}: write host.example.org, or .example.org for all hosts below"
                    )
                });
            }
        }
    }
    for name in
        findings.array("allowed_entity_types", constraints.get("allowed_entity_types")).unwrap_or_default()
    {
        findings.when(!name.is_string(), "openid.constraints.types", || {
            "allowed_entity_types holds no string".into()
        });
        findings.when(name == "federation_entity", "openid.constraints.types", || {
            "allowed_entity_types lists federation_entity, which is always allowed".into()
        });
    }
}

fn is_domain(name: &str) -> bool {
    let name = name.strip_prefix('.').unwrap_or(name);
    let is_label = |label: &str| {
        !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
    };
    name.split('.').all(is_label)
}
