//! Checks of keys: those of an entity, those it does not use any more, and those of its protocols.

use std::collections::HashMap;

use super::super::statement::{Form, Statement, date};
use super::{Findings, metadata_keys};
use crate::base::clock::Instant;
use crate::base::fault::Fault;
use crate::format::jose::{self, Jwk, JwkSet};
use crate::format::json::Value;

/// Shorter moduli are worth a warning.
const RSA_BITS: usize = 3072;

/// Why a key was revoked (section 8.7.4). Federations may add their own, which are told.
const REASONS: [&str; 3] = ["unspecified", "compromised", "superseded"];

pub(super) fn check(statement: &Statement, at: Instant, findings: &mut Findings) {
    match statement.form() {
        Form::EntityConfiguration => {
            let Some(set) = own_keys(statement, at, findings) else { return };
            signing_key(statement, &set, findings);
            keys_of_protocols(statement, &set, findings);
        }
        Form::SubordinateStatement => {
            let Some(set) = own_keys(statement, at, findings) else { return };
            keys_of_protocols(statement, &set, findings);
        }
        Form::HistoricalKeys => history(statement, at, findings),
        Form::SignedJwkSet => protocol_keys(statement, findings),
        Form::TrustMark | Form::TrustMarkDelegation | Form::TrustMarkStatus => {}
    }
}

/// Tells what is wrong with a set, which was read from these keys.
fn told(
    place: &str,
    set: Result<JwkSet, Fault>,
    keys: Option<&Value>,
    findings: &mut Findings,
) -> Option<JwkSet> {
    let set = set.map_err(|fault| {
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
    let keys = keys.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    for (n, _) in keys.iter().enumerate().filter(|(_, key)| key.get("kid").is_none()) {
        findings.add("openid.jwks.kid", format!("{place}: key {} has no kid", n + 1));
    }
    Some(set)
}

/// The keys of an entity, as a statement has them.
fn own_keys(statement: &Statement, at: Instant, findings: &mut Findings) -> Option<JwkSet> {
    let value = statement.get("jwks")?;
    let set = told("jwks", statement.keys(), value.get("keys"), findings)?;
    judge("jwks", &set, at, findings);
    Some(set)
}

/// Keys of another that sign documents of a federation.
pub(super) fn federation_keys(place: &str, value: &Value, at: Instant, findings: &mut Findings) {
    if let Some(set) = told(place, JwkSet::read(value), value.get("keys"), findings) {
        judge(place, &set, at, findings);
    }
}

fn judge(place: &str, set: &JwkSet, at: Instant, findings: &mut Findings) {
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
        findings.when(jwk.member("revoked").is_some(), "openid.jwks.revoked", || {
            format!("{place}: the key '{kid}' is revoked")
        });
        let is_other = jwk.member("use").is_some_and(|own| own != "sig");
        findings
            .when(is_other, "openid.jwks.use", || format!("{place}: the key '{kid}' is not for signatures"));
    }
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

/// Keys of protocols can be used, and none signs for the federation too (section 3.1.1), whatever it says of itself.
fn keys_of_protocols(statement: &Statement, set: &JwkSet, findings: &mut Findings) {
    let own: HashMap<String, &str> =
        set.keys.iter().map(|jwk| (jwk.thumbprint(), jwk.kid().unwrap_or_default())).collect();
    for (entity_type, key) in metadata_keys(statement.get("metadata")) {
        let twin = jose::thumbprint_of(&key).ok().and_then(|name| own.get(&name));
        if let Some(kid) = twin {
            let detail = format!("metadata.{entity_type} holds the federation key '{kid}'");
            findings.add("openid.jwks.reused", detail);
        }
        if let Err(fault) = Jwk::read(&key)
            && fault.code() != &jose::UNSUPPORTED
        {
            let kid = key.get("kid").and_then(Value::as_str).unwrap_or_default();
            findings.add("openid.metadata.key", format!("metadata.{entity_type}: the key '{kid}': {fault}"));
        }
    }
}

fn history(statement: &Statement, at: Instant, findings: &mut Findings) {
    let keys = statement.get("keys");
    if keys.is_none() {
        return;
    }
    let Some(set) = told("keys", statement.keys(), keys, findings) else { return };
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
    let Some(set) = told("keys", statement.keys(), statement.get("keys"), findings) else { return };
    let uses: Vec<_> = set.keys.iter().map(|jwk| jwk.member("use").and_then(Value::as_str)).collect();
    let is_mixed = uses.contains(&Some("enc")) && uses.iter().any(|own| *own != Some("enc"));
    findings.when(is_mixed && uses.contains(&None), "openid.jwk-set.use", || {
        "some keys are for encryption, and others do not say what they are for".into()
    });
    findings.when(statement.get("exp").is_none(), "openid.jwk-set.exp", || "it has no exp".into());
}
