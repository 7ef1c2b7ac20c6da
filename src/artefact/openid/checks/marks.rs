//! Checks of trust marks, alone and in the configuration of the entity that has them (section 7).

use super::super::statement::{Form, Statement};
use super::Findings;
use crate::base::clock::Instant;
use crate::format::json::Value;

/// What earlier drafts called `trust_mark_type`.
const LEGACY: [&str; 2] = ["id", "trust_mark_id"];

pub(super) fn mark(statement: &Statement, at: Instant, findings: &mut Findings) {
    if statement.get("trust_mark_type").is_none() {
        for name in LEGACY.into_iter().filter(|name| statement.get(name).is_some()) {
            findings.add(
                "openid.trust-mark.legacy",
                format!("its type stands in '{name}', as in earlier drafts"),
            );
        }
    }
    findings
        .when(statement.get("exp").is_none(), "openid.trust-mark.exp", || "the trust mark never ends".into());
    let Some(delegation) = statement.get("delegation") else { return };
    match delegation.as_str().map(Statement::read) {
        Some(Ok(delegation)) if delegation.form() == Form::TrustMarkDelegation => {
            delegated(statement, &delegation, at, findings);
        }
        Some(Ok(_)) => {
            findings.add("openid.trust-mark.delegation", "the delegation is a document of another form");
        }
        Some(Err(fault)) => findings.add("openid.trust-mark.delegation", format!("the delegation: {fault}")),
        None => findings.add("openid.claim.type", "the delegation is not a string"),
    }
}

fn delegated(mark: &Statement, delegation: &Statement, at: Instant, findings: &mut Findings) {
    let rule = "openid.trust-mark.delegation";
    for found in delegation.check(at) {
        findings.add(found.rule, format!("the delegation: {}", found.detail));
    }
    findings.when(delegation.sub() != mark.iss(), rule, || {
        format!("the delegation is for {}, and the trust mark is issued by {}", delegation.sub(), mark.iss())
    });
    findings.when(delegation.get("trust_mark_type") != mark.get("trust_mark_type"), rule, || {
        "the delegation is for another type of trust mark".into()
    });
    if let (Some(own), Some(theirs)) = (mark.date("exp"), delegation.date("exp")) {
        findings.when(own > theirs, rule, || {
            format!("the delegation ends at {theirs}, before the trust mark at {own}")
        });
    }
}

/// The trust marks that an entity shows in its configuration.
pub(super) fn own(statement: &Statement, at: Instant, findings: &mut Findings) {
    for (n, entry) in
        findings.array("trust_marks", statement.get("trust_marks")).unwrap_or_default().iter().enumerate()
    {
        let place = format!("trust_marks[{n}]");
        let Some(entry) = findings.object(&place, Some(entry)) else { continue };
        let legacy = LEGACY.into_iter().find(|name| entry.contains_key(*name));
        match (entry.get("trust_mark_type"), legacy) {
            (None, Some(name)) => {
                findings.add(
                    "openid.trust-mark.legacy",
                    format!("{place}: its type stands in '{name}', as in earlier drafts"),
                );
            }
            (None, None) => findings.add("openid.claim.missing", format!("{place} has no trust_mark_type")),
            (Some(_), _) => {}
        }
        let Some(mark) = entry.get("trust_mark").and_then(Value::as_str) else {
            findings.add("openid.claim.missing", format!("{place} has no trust_mark"));
            continue;
        };
        match Statement::read(mark) {
            Ok(mark) if mark.form() == Form::TrustMark => {
                inner(statement, entry.get("trust_mark_type"), &mark, &place, at, findings);
            }
            Ok(_) => {
                findings.add("openid.trust-mark.malformed", format!("{place} is a document of another form"));
            }
            Err(fault) => findings.add("openid.trust-mark.malformed", format!("{place}: {fault}")),
        }
    }
}

fn inner(
    entity: &Statement,
    outer_type: Option<&Value>,
    mark: &Statement,
    place: &str,
    at: Instant,
    findings: &mut Findings,
) {
    for found in mark.check(at) {
        findings.add(found.rule, format!("{place}: {}", found.detail));
    }
    findings.when(
        outer_type.is_some() && outer_type != mark.get("trust_mark_type"),
        "openid.trust-mark.type",
        || format!("{place}: the type beside the trust mark is not the one in it"),
    );
    findings.when(mark.sub() != entity.sub(), "openid.trust-mark.subject", || {
        format!("{place}: the trust mark is for {}", mark.sub())
    });
}
