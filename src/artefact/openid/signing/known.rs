//! What documents say as facts, and what facts of earlier documents say of keys: each key is one fact, its JWK, so that the
//! record of what was signed last gives it back.

use crate::artefact::openid::{Form, Statement};
use crate::base::bytes::Digest;
use crate::base::clock::Instant;
use crate::base::fault::Fault;
use crate::format::jose::{Jwk, thumbprint_of};
use crate::format::json::{self, Limits, Map, Numbers, Value};
use crate::policy::{Facts, RECORD};

/// The members of a key that facts keep: what it is, and what it is for. Certificates would not fit.
const MEMBERS: [&str; 13] =
    ["kid", "kty", "crv", "x", "y", "n", "e", "use", "alg", "iat", "nbf", "exp", "revoked"];

/// Adds each key of an array as a fact of its own.
pub(super) fn add_keys(facts: &mut Facts, path: &str, keys: &Value) {
    for (number, key) in keys.as_array().into_iter().flatten().enumerate() {
        let kept: Map<String, Value> =
            MEMBERS.iter().filter_map(|name| Some(((*name).to_owned(), key.get(name)?.clone()))).collect();
        let name = key.get("kid").and_then(Value::as_str).map_or(number.to_string(), str::to_owned);
        facts.add(format!("{path}[{name}]"), Value::Object(kept).to_string());
    }
}

/// The keys that facts tell of under a path.
///
/// # Errors
///
/// `review.last` when one cannot be read.
pub(super) fn keys(facts: &Facts, path: &str) -> Result<Vec<Value>, Fault> {
    let of_path = facts.iter().filter(|fact| {
        fact.path.strip_prefix(path).is_some_and(|rest| rest.starts_with('[') && rest.ends_with(']'))
    });
    of_path
        .map(|fact| {
            json::read(fact.value.as_bytes(), Numbers::Any, &Limits::default())
                .map_err(|fault| RECORD.fault(format!("the key at {}: {fault}", fact.path)))
        })
        .collect()
}

/// The thumbprints of keys, sorted.
pub(super) fn thumbprints(keys: &[Value]) -> Vec<String> {
    let mut all: Vec<String> = keys.iter().filter_map(|key| thumbprint_of(key).ok()).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// The keys of a JWK set.
pub(super) fn keys_of(set: Option<&Value>) -> &[Value] {
    set.and_then(|set| set.get("keys")).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The time that a fact tells.
pub(super) fn time(facts: &Facts, path: &str) -> Option<Instant> {
    facts.value(path).and_then(|text| Instant::parse(text).ok())
}

/// What a document says. `ours` says where the dates come from, when it is ours: then they are no change.
pub(super) fn facts(form: Form, ours: Option<&str>, claims: &Map<String, Value>) -> Facts {
    let mut facts = Facts::default();
    facts.add("typ", form.typ());
    for (name, value) in claims {
        match name.as_str() {
            "iat" | "exp" => {
                let shown = as_time(value);
                match ours {
                    Some(why) => facts.add_with(name, shown, if name == "iat" { "now" } else { why }),
                    None => facts.add(name, shown),
                }
            }
            "jwks" => add_keys(&mut facts, "jwks", value.get("keys").unwrap_or(&Value::Null)),
            "keys" => add_keys(&mut facts, "keys", value),
            "trust_marks" => {
                for (number, mark) in value.as_array().into_iter().flatten().enumerate() {
                    let text = mark.get("trust_mark").and_then(Value::as_str).unwrap_or_default();
                    facts.add(format!("trust_marks[{number}]"), signed(text));
                }
            }
            "delegation" => facts.add("delegation", signed(value.as_str().unwrap_or_default())),
            "trust_mark_owners" => owners(&mut facts, value),
            _ => facts.add_json(name, value),
        }
    }
    facts
}

fn owners(facts: &mut Facts, owners: &Value) {
    for (mark, owner) in owners.as_object().into_iter().flatten() {
        let path = format!("trust_mark_owners.{mark}");
        facts.add_json(&format!("{path}.sub"), owner.get("sub").unwrap_or(&Value::Null));
        let keys = owner.get("jwks").and_then(|jwks| jwks.get("keys"));
        add_keys(facts, &format!("{path}.jwks"), keys.unwrap_or(&Value::Null));
    }
}

/// A signed document within another, in one line.
fn signed(text: &str) -> String {
    let digest = Digest::of(text.as_bytes());
    let Ok(inner) = Statement::read(text) else { return format!("unreadable, {digest}") };
    let end = inner.date("exp").map_or("for ever".to_owned(), |end| format!("until {end}"));
    format!("{} by {} for {} {end}, {digest}", inner.text("trust_mark_type"), inner.iss(), inner.sub())
}

fn as_time(value: &Value) -> String {
    crate::artefact::openid::statement::date(value).map_or(value.to_string(), |time| time.to_string())
}

/// Whether a key stands among these, whatever it is called there.
pub(super) fn holds(keys: &[Value], key: &Jwk) -> bool {
    keys.iter().any(|own| thumbprint_of(own).is_ok_and(|own| own == key.thumbprint()))
}
