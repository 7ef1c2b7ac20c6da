//! Checks of every document: its header, its claims and dates, what it calls critical, and its metadata.

use super::super::statement::{Form, Statement};
use super::{Findings, SKEW_SECONDS};
use crate::base::clock::Instant;
use crate::format::json::{Value, name_set};

/// Claims that the standard defines: `crit` must not name them (section 13.4).
pub(in super::super) const STANDARD: [&str; 22] = [
    "iss",
    "sub",
    "iat",
    "exp",
    "jwks",
    "metadata",
    "crit",
    "authority_hints",
    "trust_anchor_hints",
    "trust_marks",
    "trust_mark_issuers",
    "trust_mark_owners",
    "constraints",
    "metadata_policy",
    "metadata_policy_crit",
    "source_endpoint",
    "aud",
    "trust_anchor",
    "trust_mark_type",
    "delegation",
    "keys",
    "status",
];

pub(super) fn header(statement: &Statement, findings: &mut Findings) {
    let Some(header) = statement.header() else { return };
    match header.kid() {
        None => findings.add("openid.header.kid", "the header has no kid"),
        Some("") => findings.add("openid.header.kid", "the kid of the header is empty"),
        Some(_) => {}
    }
    if statement.form().is_entity_statement() {
        for name in ["trust_chain", "peer_trust_chain"] {
            findings.when(header.get(name).is_some(), "openid.header.chain", || {
                format!("the header has '{name}'")
            });
        }
    }
}

pub(super) fn required(statement: &Statement, findings: &mut Findings) {
    let form = statement.form();
    for name in form.required().iter().filter(|name| statement.get(name).is_none()) {
        // What older drafts called it is told by its own rule.
        let is_legacy = *name == "trust_mark_type"
            && (statement.get("id").is_some() || statement.get("trust_mark_id").is_some())
            || *name == "keys" && statement.get("jwks").is_some();
        findings.when(!is_legacy, "openid.claim.missing", || format!("the claim '{name}' is missing"));
    }
    for name in form.forbidden().iter().filter(|name| statement.get(name).is_some()) {
        findings.add(
            "openid.claim.forbidden",
            format!("the claim '{name}' must not stand in a document of this form"),
        );
    }
    for name in ["iss", "sub"] {
        if let Some(value) = statement.get(name) {
            findings.identifier(name, value);
        }
    }
    let is_self = statement.iss() == statement.sub();
    let names_both = ["iss", "sub"].iter().all(|name| statement.get(name).is_some());
    match form {
        Form::EntityConfiguration => {
            findings.when(!is_self && names_both, "openid.id.self", || "iss and sub are two entities".into());
        }
        Form::SubordinateStatement => {
            findings.when(is_self, "openid.id.self", || "iss and sub are one entity".into());
        }
        _ => {}
    }
    if form == Form::HistoricalKeys {
        findings.when(statement.get("jwks").is_some(), "openid.history.claim", || {
            "the keys stand in 'jwks', not in 'keys'".into()
        });
    }
}

pub(super) fn dates(statement: &Statement, at: Instant, findings: &mut Findings) {
    for name in ["iat", "exp", "nbf"] {
        let Some(value) = statement.get(name) else { continue };
        if statement.date(name).is_none() {
            findings.add("openid.claim.type", format!("the claim '{name}' is not a NumericDate"));
        }
        findings
            .when(value.is_f64(), "openid.date.fraction", || format!("the claim '{name}' has a fraction"));
    }
    let (iat, exp) = (statement.date("iat"), statement.date("exp"));
    if let Some(iat) = iat.filter(|iat| iat.seconds_since(at) > SKEW_SECONDS) {
        findings.add("openid.iat.future", format!("it was made at {iat}, and it is {at}"));
    }
    if let Some(nbf) = statement.date("nbf").filter(|nbf| nbf.seconds_since(at) > SKEW_SECONDS) {
        findings.add("openid.nbf.future", format!("it is valid from {nbf}, and it is {at}"));
    }
    if let Some(exp) = exp.filter(|exp| *exp <= at) {
        findings.add("openid.exp.past", format!("it was valid until {exp}, and it is {at}"));
    }
    if let (Some(iat), Some(exp)) = (iat, exp) {
        findings.when(exp <= iat, "openid.exp.order", || format!("it ends at {exp}, and was made at {iat}"));
    }
}

/// `crit` names claims of the document that the standard does not define and that must be understood (section 13.4).
/// Nothing beyond the standard is understood here.
pub(super) fn critical(statement: &Statement, findings: &mut Findings) {
    let Some(value) = statement.get("crit") else { return };
    let Some(names) = name_set(value) else {
        return findings.add("openid.crit.malformed", "crit is not an array of one or more different names");
    };
    for name in names {
        if STANDARD.contains(&name) {
            findings.add("openid.crit.malformed", format!("crit names '{name}', which the standard defines"));
        } else if statement.get(name).is_none() {
            findings.add("openid.crit.malformed", format!("crit names '{name}', which is not there"));
        } else {
            findings.add("openid.crit.unknown", format!("the claim '{name}' is critical and not understood"));
        }
    }
}

pub(super) fn metadata(statement: &Statement, findings: &mut Findings) {
    let Some(types) = findings.object("metadata", statement.get("metadata")) else {
        return anchors_endpoints(statement, findings);
    };
    for (entity_type, parameters) in types {
        let place = format!("metadata.{entity_type}");
        let Some(parameters) = findings.object(&place, Some(parameters)) else { continue };
        for (name, value) in parameters {
            if holds_null(value) {
                findings.add("openid.metadata.null", format!("{place}.{name} is null or holds null"));
            }
        }
    }
    if let Some(Value::Object(federation)) = types.get("federation_entity") {
        for name in ["jwks", "jwks_uri", "signed_jwks_uri"] {
            findings.when(federation.contains_key(name), "openid.metadata.jwks", || {
                format!("metadata.federation_entity has '{name}'")
            });
        }
        for (name, value) in federation.iter().filter(|(name, _)| name.ends_with("_endpoint")) {
            findings.url("openid.endpoint.url", &format!("metadata.federation_entity.{name}"), value);
        }
    }
    anchors_endpoints(statement, findings);
}

/// Who has subordinates publishes where statements about them are (section 5.1.1): an entity without superiors, which is
/// an anchor, and everybody who publishes one of the two endpoints.
fn anchors_endpoints(statement: &Statement, findings: &mut Findings) {
    if statement.form() != Form::EntityConfiguration {
        return;
    }
    let federation = statement.get("metadata").and_then(|metadata| metadata.get("federation_entity"));
    let has = |name: &str| federation.is_some_and(|own| own.get(name).is_some());
    let endpoints = ["federation_fetch_endpoint", "federation_list_endpoint"];
    let is_anchor = statement.get("authority_hints").is_none();
    if !is_anchor && !endpoints.into_iter().any(has) {
        return;
    }
    for name in endpoints.into_iter().filter(|name| !has(name)) {
        let who = if is_anchor { "an entity without superiors" } else { "an entity with subordinates" };
        findings.add("openid.endpoint.missing", format!("{who} has no {name} in metadata.federation_entity"));
    }
    findings.when(!has("organization_name"), "openid.organization-name.missing", || {
        "metadata.federation_entity has no organization_name".into()
    });
}

fn holds_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(values) => values.iter().any(holds_null),
        Value::Object(members) => members.values().any(holds_null),
        _ => false,
    }
}
