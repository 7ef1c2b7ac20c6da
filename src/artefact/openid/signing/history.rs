//! What became of a line's keys, for those who judge old signatures: a list that only grows (OpenID Federation 1.0,
//! section 8.7).

use serde_json::json;

use crate::artefact::openid::statement::date;
use crate::artefact::{Listing, VaultKey};
use crate::base::clock::Instant;
use crate::format::jose::{thumbprint, thumbprint_of};
use crate::format::json::{Map, Value};
use crate::key::PublicKey;

/// What the operator says of one key, where the vault does not know it.
#[derive(Debug)]
pub(super) struct Said {
    /// Which.
    pub(super) public: PublicKey,
    /// Its name in the documents that it signed.
    pub(super) kid: Option<String>,
    /// When documents ceased to list it.
    pub(super) exp: Option<Instant>,
    /// Since when it is not to be trusted, and why where that is said.
    pub(super) revoked: Option<(Instant, Option<String>)>,
}

/// Rule and detail.
type Breach = (&'static str, String);

/// Why a key was revoked, as long as nobody says.
const UNSPECIFIED: &str = "unspecified";

/// The list: what was signed last, keys of the line that documents do not list any more, and what the operator adds.
/// An old entry may only gain `revoked`, an earlier time of it, or a graver reason.
pub(super) fn history(
    keys: &[VaultKey],
    last: &[Value],
    said: &[Said],
    written: &dyn Fn(&PublicKey) -> Value,
) -> (Vec<Value>, Vec<Breach>) {
    let mut entries: Vec<Value> = last.to_vec();
    let mut breaches = Vec::new();
    for key in keys {
        let name = thumbprint(&key.public);
        let place = find(&entries, &name);
        let own = said.iter().find(|said| said.public == key.public);
        let (ended, revoked) = match &key.listing {
            Listing::Unpublished => continue,
            Listing::Listed => {
                if place.is_some() || own.is_some() {
                    let detail = format!("{} ({name}) is a key that the configuration lists", key.id);
                    breaches.push(("openid.history.listed", detail));
                }
                continue;
            }
            Listing::Past(ended) => (*ended, None),
            Listing::Revoked(revoked) => {
                (None, revoked.as_ref().map(|revoked| (revoked.at, revoked.reason.clone())))
            }
        };
        let said = own.and_then(|own| own.revoked.as_ref()).map(|(at, _)| *at);
        let since = revoked.as_ref().map(|(at, _)| *at).or(said);
        let ended = ended.or_else(|| own.and_then(|own| own.exp)).or(since);
        if matches!(key.listing, Listing::Revoked(_)) && since.is_none() && !is_revoked(&entries, place) {
            let detail = format!("{} is revoked, and nobody says since when", key.id);
            breaches.push(("openid.history.incomplete", detail));
        }
        match (place, ended) {
            (None, None) => breaches.push((
                "openid.history.incomplete",
                format!("{} ({name}) is gone from the configuration, and nobody says when it went", key.id),
            )),
            (None, Some(ended)) => entries.push(entry(written(&key.public), Some(key.created), ended, None)),
            (Some(_), _) => {}
        }
        change(&mut entries, &name, own, revoked, &mut breaches);
    }
    let others = said.iter().filter(|said| !keys.iter().any(|key| key.public == said.public));
    for own in others {
        let name = thumbprint(&own.public);
        if find(&entries, &name).is_none() {
            let Some(exp) = own.exp.or(own.revoked.as_ref().map(|(at, _)| *at)) else {
                breaches
                    .push(("openid.history.incomplete", format!("nobody says when the key {name} ended")));
                continue;
            };
            entries.push(entry(written(&own.public), None, exp, own.kid.as_deref()));
        }
        change(&mut entries, &name, Some(own), None, &mut breaches);
    }
    (entries, breaches)
}

fn find(entries: &[Value], name: &str) -> Option<usize> {
    entries.iter().position(|entry| thumbprint_of(entry).is_ok_and(|own| own == name))
}

fn is_revoked(entries: &[Value], place: Option<usize>) -> bool {
    place.and_then(|place| entries.get(place)).is_some_and(|entry| entry.get("revoked").is_some())
}

fn entry(mut key: Value, made: Option<Instant>, ended: Instant, kid: Option<&str>) -> Value {
    if let Value::Object(members) = &mut key {
        members.extend(kid.map(|kid| ("kid".to_owned(), kid.into())));
        members.extend(made.map(|made| ("iat".to_owned(), made.unix().into())));
        members.insert("exp".into(), ended.unix().into());
    }
    key
}

/// Changes an entry as far as it may change. What the vault knows only adds; the operator must not take back what was signed.
fn change(
    entries: &mut [Value],
    name: &str,
    said: Option<&Said>,
    known: Option<(Instant, String)>,
    breaches: &mut Vec<Breach>,
) {
    let Some(place) = find(entries, name) else { return };
    let Some(Value::Object(members)) = entries.get_mut(place) else { return };
    let mut changed = |what: String| {
        breaches.push(("openid.history.changed", format!("the key {name} {what}")));
    };
    if let (Some(before), Some(exp)) = (members.get("exp").and_then(date), said.and_then(|said| said.exp))
        && before != exp
    {
        changed(format!("ended at {before}, as it was signed, and now at {exp}"));
    }
    let before = revoked_at(members).map(|at| (at, reason_of(members)));
    let said = said.and_then(|said| said.revoked.clone());
    if let (Some((was_at, was)), Some((at, reason))) = (&before, &said) {
        if was_at < at {
            return changed(format!("was revoked at {was_at}, as it was signed, and now at {at}"));
        }
        if let Some(reason) = reason.as_ref().filter(|reason| *reason != was && !is_graver(reason, was)) {
            return changed(format!("was revoked as {was}, as it was signed, and now as {reason}"));
        }
    }
    let said = said.map(|(at, reason)| (at, reason.unwrap_or_else(|| UNSPECIFIED.into())));
    let all = [before, known, said].into_iter().flatten();
    let whole = all.reduce(|(at, reason), (other, next)| {
        (at.min(other), if is_graver(&next, &reason) { next } else { reason })
    });
    if let Some((at, reason)) = whole {
        members.insert("revoked".into(), json!({ "revoked_at": at.unix(), "reason": reason }));
    }
}

/// Whether fewer signatures of a key count when it was revoked for this reason and not for the other.
fn is_graver(reason: &str, other: &str) -> bool {
    let weight = |reason: &str| match reason {
        UNSPECIFIED => 0,
        "superseded" => 1,
        "compromised" => 3,
        _ => 2,
    };
    weight(reason) > weight(other)
}

fn reason_of(entry: &Map<String, Value>) -> String {
    let reason = entry.get("revoked").and_then(|revoked| revoked.get("reason")).and_then(Value::as_str);
    reason.unwrap_or(UNSPECIFIED).to_owned()
}

/// Since when an entry is not to be trusted.
pub(super) fn revoked_at(entry: &Map<String, Value>) -> Option<Instant> {
    entry.get("revoked")?.get("revoked_at").and_then(date)
}
