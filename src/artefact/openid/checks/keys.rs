//! Checks of keys: those of an entity, those it does not use any more, and those of its protocols.

use super::super::statement::{Form, Statement, date};
use super::Findings;
use crate::base::clock::Instant;
use crate::format::jose::{self, Jwk, JwkSet};
use crate::format::json::Value;

/// Shorter moduli are worth a warning.
const RSA_BITS: usize = 3072;

/// Why a key was revoked (section 8.7.4). Federations may add their own, which are told.
const REASONS: [&str; 3] = ["unspecified", "compromised", "superseded"];

pub(super) fn check(statement: &Statement, at: Instant, findings: &mut Findings) {
    match statement.form() {
        Form::EntityConfiguration => {
            let Some(set) = federation_keys("jwks", statement.get("jwks"), at, findings) else { return };
            signing_key(statement, &set, findings);
            reused_keys(statement, &set, findings);
        }
        Form::SubordinateStatement => drop(federation_keys("jwks", statement.get("jwks"), at, findings)),
        Form::HistoricalKeys => history(statement, at, findings),
        Form::SignedJwkSet => protocol_keys(statement, findings),
        Form::TrustMark | Form::TrustMarkDelegation | Form::TrustMarkStatus => {}
    }
}

/// Reads a set and tells what is wrong with it.
fn read(place: &str, value: &Value, findings: &mut Findings) -> Option<JwkSet> {
    let set = JwkSet::read(value).map_err(|fault| {
        let code = fault.code();
        let rule = if code == &jose::KIDS {
            "openid.jwks.duplicate-kid"
        } else if code == &jose::WEAK {
            "openid.jwks.weak"
        } else {
            "openid.jwks.malformed"
        };
        findings.add(rule, format!("{place}: {fault}"));
    });
    let set = set.ok()?;
    for unused in &set.unused {
        let kid = unused.kid.as_deref().unwrap_or_default();
        findings.add("openid.jwks.unsupported", format!("{place}: the key '{kid}': {}", unused.why));
    }
    let keys = value.get("keys").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    for (n, _) in keys.iter().enumerate().filter(|(_, key)| key.get("kid").is_none()) {
        findings.add("openid.jwks.kid", format!("{place}: key {} has no kid", n + 1));
    }
    Some(set)
}

/// Keys that sign documents of a federation.
pub(super) fn federation_keys(
    place: &str,
    value: Option<&Value>,
    at: Instant,
    findings: &mut Findings,
) -> Option<JwkSet> {
    let set = read(place, value?, findings)?;
    findings
        .when(set.keys.is_empty(), "openid.jwks.empty", || format!("{place} holds no key that can be used"));
    for jwk in &set.keys {
        let kid = jwk.kid().unwrap_or_default();
        if jwk.key().rsa_bits().is_some_and(|bits| bits < RSA_BITS) {
            findings.add("openid.jwks.short", format!("{place}: the key '{kid}' is {}", jwk.key().title()));
        }
        if let Some(exp) = jwk.member("exp").and_then(date).filter(|exp| *exp <= at) {
            findings.add("openid.jwks.expired", format!("{place}: the key '{kid}' ended at {exp}"));
        }
        let is_other = jwk.member("use").is_some_and(|own| own != "sig");
        findings
            .when(is_other, "openid.jwks.use", || format!("{place}: the key '{kid}' is not for signatures"));
    }
    Some(set)
}

/// The key that the header names stands in the configuration it signs.
fn signing_key(statement: &Statement, set: &JwkSet, findings: &mut Findings) {
    let Some(kid) = statement.header().and_then(|header| header.kid()).filter(|kid| !kid.is_empty()) else {
        return;
    };
    findings.when(set.find(kid).is_none(), "openid.kid.unknown", || {
        format!("the key '{kid}' of the header is none of its jwks")
    });
}

/// A key of the federation that serves a protocol too (section 3.1.1).
fn reused_keys(statement: &Statement, set: &JwkSet, findings: &mut Findings) {
    let Some(Value::Object(types)) = statement.get("metadata") else { return };
    for (entity_type, metadata) in types {
        let keys = metadata.get("jwks").and_then(|jwks| jwks.get("keys")).and_then(Value::as_array);
        for value in keys.into_iter().flatten() {
            let Ok(jwk) = Jwk::read(value) else { continue };
            let twin = set.keys.iter().find(|own| own.key() == jwk.key());
            if let Some(twin) = twin {
                let kid = twin.kid().unwrap_or_default();
                findings.add(
                    "openid.jwks.reused",
                    format!("metadata.{entity_type}.jwks holds the federation key '{kid}'"),
                );
            }
        }
    }
}

fn history(statement: &Statement, at: Instant, findings: &mut Findings) {
    if statement.get("keys").is_none() {
        return;
    }
    let Some(set) = read("keys", &Value::Object(statement.claims().clone()), findings) else { return };
    for jwk in &set.keys {
        let kid = jwk.kid().unwrap_or_default();
        match jwk.member("exp") {
            None => findings.add("openid.history.exp", format!("the key '{kid}' has no exp")),
            Some(exp) if date(exp).is_none() => {
                findings
                    .add("openid.history.exp", format!("the exp of the key '{kid}' is not a NumericDate"));
            }
            Some(_) => {}
        }
        let Some(revoked) = jwk.member("revoked") else { continue };
        match revoked.get("revoked_at").and_then(date) {
            None => findings
                .add("openid.history.revoked", format!("the key '{kid}' is revoked, and not said when")),
            Some(when) if when > at => findings.add(
                "openid.history.revoked",
                format!("the key '{kid}' is revoked at {when}, and it is {at}"),
            ),
            Some(_) => {}
        }
        if let Some(reason) = revoked.get("reason") {
            let is_known = reason.as_str().is_some_and(|reason| REASONS.contains(&reason));
            findings.when(!is_known, "openid.history.reason", || {
                format!("the key '{kid}' is revoked for {reason}")
            });
        }
    }
}

fn protocol_keys(statement: &Statement, findings: &mut Findings) {
    let Some(set) = read("keys", &Value::Object(statement.claims().clone()), findings) else { return };
    let uses: Vec<_> = set.keys.iter().map(|jwk| jwk.member("use").and_then(Value::as_str)).collect();
    let is_mixed = uses.contains(&Some("enc")) && uses.iter().any(|own| *own != Some("enc"));
    findings.when(is_mixed && uses.contains(&None), "openid.jwk-set.use", || {
        "some keys are for encryption, and others do not say what they are for".into()
    });
    findings.when(statement.get("exp").is_none(), "openid.jwk-set.exp", || "it has no exp".into());
}
