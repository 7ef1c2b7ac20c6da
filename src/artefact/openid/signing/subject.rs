//! The subject of a statement: its own configuration, whose its keys are, and who stands behind new ones.

use std::collections::HashMap;

use super::known;
use super::{companion, not_signed_by};
use crate::artefact::openid::anchor::silence;
use crate::artefact::openid::checks::metadata_keys;
use crate::artefact::openid::{Form, Statement};
use crate::artefact::{Terms, keyset, provisioning};
use crate::base::fault::Fault;
use crate::format::jose::{Jwk, JwkSet, number_of, thumbprint, thumbprint_of};
use crate::format::json::Value;
use crate::key::Line;

/// Who else has a key of the subject: another line of the vault, this one, another subordinate, the protocols of an entity, a
/// set of keys, a client that was authorised with it, or the past. Foreign text.
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
        for form in [Form::SignedJwkSet, Form::HistoricalKeys] {
            for (line, facts) in terms.vault.signed(form.name())?.iter() {
                if known::holds(&known::keys(facts, "keys")?, jwk) {
                    found.push(format!("the key '{kid}' stands in the {} of {line}, too", form.name()));
                }
            }
        }
        found.extend(keyset::holding(terms, jwk)?);
        found.extend(provisioning::clients(terms, jwk)?);
        found.extend(subordinates(terms, sub, jwk)?);
    }
    Ok(found)
}

/// Who has a key that this entity says it used: a line of the vault that signs for another one, a set of keys for protocols, or
/// a subordinate. Foreign text.
///
/// # Errors
///
/// Those of reading the vault.
pub(super) fn strangers(terms: &Terms<'_>, jwk: &Jwk) -> Result<Vec<String>, Fault> {
    let (mut found, profiles) = (Vec::new(), terms.vault.profiles()?);
    let kid = jwk.kid().unwrap_or_default();
    let own = &terms.profile.openid.entity_id;
    let is_ours = |line: &Line| {
        *line == terms.key.line
            || profiles.iter().any(|(other, profile)| other == line && profile.openid.entity_id == *own)
    };
    let keys = terms.vault.keys()?;
    for other in keys.iter().filter(|other| other.public == *jwk.key() && !is_ours(&other.id.line)) {
        found.push(format!("the key '{kid}' is {} of this vault", other.id));
    }
    for (line, facts) in terms.vault.signed(Form::SignedJwkSet.name())?.iter() {
        if known::holds(&known::keys(facts, "keys")?, jwk) {
            found.push(format!("the key '{kid}' stands in the {} of {line}", Form::SignedJwkSet.name()));
        }
    }
    found.extend(subordinates(terms, "", jwk)?);
    Ok(found)
}

/// Which other subordinates than this one have a key. Foreign text.
///
/// # Errors
///
/// Those of reading the vault.
pub(super) fn subordinates(terms: &Terms<'_>, sub: &str, jwk: &Jwk) -> Result<Vec<String>, Fault> {
    let (mut found, here) = (Vec::new(), &terms.key.line);
    let kid = jwk.kid().unwrap_or_default();
    for (line, facts) in terms.vault.holders(jwk.number(), (here, sub))? {
        let other = facts.value("sub").unwrap_or_default();
        let is_same_place = (line.tenant(), line.environment()) == (here.tenant(), here.environment());
        if (other != sub || !is_same_place) && known::holds(&known::keys(&facts, "jwks")?, jwk) {
            found.push(format!("the key '{kid}' is one of {other}, as {line} signed it"));
        }
    }
    Ok(found)
}

/// Which federation keys serve the protocols in some metadata of an entity: those of the lines of this vault that sign for a
/// federation, and those of other subordinates, but for what is told of elsewhere. Foreign text.
///
/// # Errors
///
/// Those of reading the vault.
pub(super) fn reused(
    terms: &Terms<'_>,
    sub: &str,
    (place, metadata): (&str, Option<&Value>),
    told: &[String],
) -> Result<Vec<String>, Fault> {
    let found = metadata_keys(metadata);
    if found.is_empty() {
        return Ok(vec![]);
    }
    let (here, profiles) = (&terms.key.line, terms.vault.profiles()?);
    let signs = |line: &Line| {
        line == here
            || profiles.iter().any(|(own, profile)| own == line && !profile.openid.entity_id.is_empty())
    };
    let keys = terms.vault.keys()?;
    let mut ours: HashMap<String, String> = keys
        .iter()
        .filter(|own| signs(&own.id.line))
        .map(|own| (thumbprint(&own.public), own.id.to_string()))
        .collect();
    ours.entry(thumbprint(terms.public)).or_insert_with(|| terms.key.to_string());
    let mut taken = Vec::new();
    for (entity_type, key) in found {
        let Ok(name) = thumbprint_of(&key) else { continue };
        let place = format!("{place}.{entity_type}");
        if let Some(own) = ours.get(&name).filter(|_| !told.contains(&name)) {
            taken.push(format!("{place} holds the key {own} of this vault"));
        }
        let Some(number) = number_of(&key) else { continue };
        for (line, facts) in terms.vault.holders(number, (here, sub))? {
            let other = facts.value("sub").unwrap_or_default();
            if known::thumbprints(&known::keys(&facts, "jwks")?).contains(&name) {
                taken.push(format!("{place} holds a key of {other}, as {line} signed it"));
            }
        }
    }
    Ok(taken)
}

/// Whether the owner of the old keys stands behind the new ones: an old key that is in force signed the configuration, or a statement
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
    // The header names the key that signed, and what was signed last of that key says that it is still in force.
    let by_old = |statement: &Statement| {
        let (Some(jws), Ok(own)) = (statement.jws(), statement.keys()) else { return false };
        let named = jws.header().kid().and_then(|kid| own.find(kid));
        let is_in_force = |jwk: &&Jwk| silence(jwk, terms.now).is_none();
        let is_named = |jwk: &&Jwk| named.is_some_and(|named| named.key() == jwk.key());
        old.keys.iter().filter(is_named).filter(is_in_force).any(|jwk| jws.verify(jwk).is_ok())
    };
    if by_old(configuration) {
        return Ok(true);
    }
    let Some(proof) = proof.map(|text| companion("proof", text)).transpose()? else { return Ok(false) };
    let (listed, new) = (known::thumbprints(known::keys_of(proof.get("jwks"))), known::thumbprints(new));
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
