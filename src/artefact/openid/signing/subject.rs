//! The subject of a statement: its own configuration, its keys, and what its superiors make of its metadata.

use super::known;
use super::{companion, not_signed_by};
use crate::artefact::Terms;
use crate::artefact::openid::identifier::is_within;
use crate::artefact::openid::{Form, MetadataPolicy, Statement};
use crate::base::fault::Fault;
use crate::format::jose::{Jwk, JwkSet};
use crate::format::json::{Map, Value};

/// Who else has a key of the subject: another line of the vault, this one, or another subordinate. Foreign text.
///
/// # Errors
///
/// Those of reading the vault.
pub(super) fn owners(terms: &Terms<'_>, sub: &str, keys: &JwkSet) -> Result<Vec<String>, Fault> {
    let mut found = Vec::new();
    for jwk in &keys.keys {
        let kid = jwk.kid().unwrap_or_default();
        for own in terms.vault.keys()?.iter().filter(|own| own.public == *jwk.key()) {
            found.push(format!("the key '{kid}' is {} of this vault", own.id));
        }
        if jwk.key() == terms.public && terms.vault.keys()?.is_empty() {
            found.push(format!("the key '{kid}' is the one that signs"));
        }
        let here = &terms.key.line;
        for (line, facts) in terms.vault.signed(Form::SubordinateStatement.name())?.iter() {
            let other = facts.value("sub").unwrap_or_default();
            let is_same_place = (line.tenant(), line.environment()) == (here.tenant(), here.environment());
            if (other != sub || !is_same_place) && holds(facts, jwk)? {
                found.push(format!("the key '{kid}' is one of {other}, as {line} signed it"));
            }
        }
    }
    Ok(found)
}

/// Whether facts tell of this key; those without its number are not read any further.
fn holds(facts: &crate::policy::Facts, jwk: &Jwk) -> Result<bool, Fault> {
    let Some(number) = jwk.member("x").or(jwk.member("n")).and_then(Value::as_str) else { return Ok(false) };
    if !facts.iter().any(|fact| fact.value.contains(number)) {
        return Ok(false);
    }
    Ok(known::holds(&known::keys(facts, "jwks")?, jwk))
}

/// Whether the owner of the old keys stands behind the new ones: an old key signed the configuration, or a statement
/// beside it that lists all the new keys.
///
/// # Errors
///
/// Those of reading the old keys and the statement.
pub(super) fn is_proven(
    configuration: &Statement,
    proof: Option<&str>,
    (old, new): (&[Value], &[Value]),
    terms: &Terms<'_>,
) -> Result<bool, Fault> {
    let old = JwkSet::read_keys(old)?;
    let by_old = |statement: &Statement| {
        let signed = |jwk: &Jwk| statement.jws().is_some_and(|jws| jws.verify(jwk).is_ok());
        old.keys.iter().any(signed)
    };
    if by_old(configuration) {
        return Ok(true);
    }
    let Some(proof) = proof.map(|text| companion("proof", text)).transpose()? else { return Ok(false) };
    let (listed, new) =
        (known::thumbprints(known::keys_of(proof.get("jwks"))), known::thumbprints(new));
    let is_whole = proof.form() == Form::EntityConfiguration
        && proof.sub() == configuration.sub()
        && new.iter().all(|key| listed.contains(key));
    let is_now = proof.check(terms.now).iter().all(|found| !super::draft::is_blocking(found.rule));
    Ok(is_whole && is_now && by_old(&proof))
}

/// Why the configuration is not the subject's own.
pub(super) fn not_self_signed(configuration: &Statement) -> Option<String> {
    match configuration.keys() {
        Ok(keys) => not_signed_by(configuration, &keys),
        Err(fault) => Some(fault.to_string()),
    }
}

/// The metadata of the subject as the federation sees it: what the immediate superior sets goes over its own, types that
/// are not allowed go, and then the policies of all superiors are kept, the highest first (section 6.1.4.1).
///
/// # Errors
///
/// `openid.policy` and `openid.metadata`.
pub(super) fn resolve(
    configuration: &Statement,
    statement: &Map<String, Value>,
    superiors: &[Statement],
) -> Result<Map<String, Value>, Fault> {
    let members = |value: Option<&Value>| value.and_then(Value::as_object).cloned().unwrap_or_default();
    let mut metadata = members(configuration.get("metadata"));
    for (entity_type, set) in members(statement.get("metadata")) {
        let mut own = members(metadata.get(&entity_type));
        own.extend(members(Some(&set)));
        metadata.insert(entity_type, own.into());
    }
    let above = superiors.iter().map(Statement::claims);
    for claims in above.clone().chain([statement]) {
        let Some(allowed) = claims.get("constraints").and_then(|own| own.get("allowed_entity_types")) else {
            continue;
        };
        let allowed: Vec<&str> =
            allowed.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        metadata.retain(|name, _| name == "federation_entity" || allowed.contains(&name.as_str()));
    }
    let mut policy = MetadataPolicy::default();
    for claims in above.chain([statement]) {
        if let Some(own) = claims.get("metadata_policy") {
            policy = policy.merge(&MetadataPolicy::read(own)?)?;
        }
    }
    policy.apply(&mut metadata)?;
    Ok(metadata)
}

/// How constraints keep the subject out.
pub(super) fn constrained(sub: &str, constraints: Option<&Value>) -> Option<String> {
    let names = constraints?.get("naming_constraints")?;
    let list = |part: &str| -> Option<Vec<&str>> {
        Some(names.get(part)?.as_array()?.iter().filter_map(Value::as_str).collect())
    };
    if let Some(name) = list("excluded").and_then(|all| all.into_iter().find(|name| is_within(sub, name))) {
        return Some(format!("{sub} is within {name}, which is excluded"));
    }
    list("permitted")
        .filter(|all| !all.iter().any(|name| is_within(sub, name)))
        .map(|_| format!("{sub} is within none of the permitted names"))
}
