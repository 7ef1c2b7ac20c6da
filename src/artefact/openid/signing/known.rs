//! What documents say as facts, and what facts of earlier documents say of keys: each key is one fact, its JWK, so that the
//! record of what was signed last gives it back.

use crate::artefact::openid::{Form, Statement};
use crate::base::bytes::Digest;
use crate::base::clock::Instant;
use crate::base::fault::Fault;
use crate::format::jose::{Jwk, thumbprint_of};
use crate::format::json::{self, Limits, Map, Numbers, Value};
use crate::policy::{Facts, RECORD, element, member};

/// The members that say what a key is, of each kty: what a thumbprint covers (RFC 7638).
const WHAT: [(&str, &[&str]); 3] =
    [("EC", &["kty", "crv", "x", "y"]), ("RSA", &["kty", "n", "e"]), ("OKP", &["kty", "crv", "x"])];
/// The members that say what it is for, and when. Certificates would not fit.
const ABOUT: [&str; 7] = ["kid", "use", "alg", "iat", "nbf", "exp", "revoked"];
/// Longer ones are told beside the key. No key that is signed has such a name, or such a number.
const BYTES_MAX: usize = 32 * 1_024;

/// Adds each key of an array as a fact of its own, and what facts do not keep of it beside it.
fn add_keys(facts: &mut Facts, path: &str, keys: &Value) {
    let Some(keys) = keys.as_array().filter(|keys| !keys.is_empty()) else {
        return facts.add_json(path, keys);
    };
    for (number, key) in keys.iter().enumerate() {
        let place = element(path, number, key.get("kid").and_then(Value::as_str));
        let kty = key.get("kty").and_then(Value::as_str);
        let what = WHAT.iter().find(|(name, _)| Some(*name) == kty).map_or(&[][..], |(_, what)| what);
        let is_told =
            |name: &&str| key.get(name).and_then(Value::as_str).is_some_and(|text| text.len() <= BYTES_MAX);
        let Some(members) = key.as_object().filter(|_| !what.is_empty() && what.iter().all(is_told)) else {
            facts.add_json(&place, key);
            continue;
        };
        let is_kept = |(name, value): &(String, Value)| {
            what.contains(&name.as_str())
                || ABOUT.contains(&name.as_str()) && value.to_string().len() <= BYTES_MAX
        };
        let (kept, beside): (Map<_, _>, Map<_, _>) = members.clone().into_iter().partition(is_kept);
        facts.add_whole(&place, Value::Object(kept).to_string());
        for (name, value) in beside {
            facts.add_json(&member(&place, &name), &value);
        }
    }
}

/// Adds the keys of a JWK set, and what else it says.
fn add_set(facts: &mut Facts, path: &str, set: &Value) {
    let Some(members) = set.as_object().filter(|members| !members.is_empty()) else {
        return facts.add_json(path, set);
    };
    for (name, value) in members {
        match value {
            Value::Array(keys) if name == "keys" && !keys.is_empty() => add_keys(facts, path, value),
            _ => facts.add_json(&member(path, name), value),
        }
    }
}

/// The keys that facts tell of under a path.
///
/// # Errors
///
/// `review.last` when one cannot be read.
pub(super) fn keys(facts: &Facts, path: &str) -> Result<Vec<Value>, Fault> {
    let of_path = facts.iter().filter(|fact| {
        let inner = fact.path.strip_prefix(path).and_then(|rest| rest.strip_prefix('[')?.strip_suffix(']'));
        inner.is_some_and(|name| !name.contains(['[', ']', '"']))
    });
    of_path
        .map(|fact| {
            json::read(fact.value.as_bytes(), Numbers::Any, &Limits::default()).map_err(|fault| {
                let sub = facts.value("sub").unwrap_or_default();
                RECORD
                    .fault(format!("the record about {sub}: the key at {}: {fault}", fact.path))
                    .hint("put the record in signed/ back from a backup")
            })
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

/// What a document says: its header, and each claim. `ours` says where the dates come from, when it is ours: then they are no
/// change.
pub(super) fn facts(
    form: Form,
    header: &[(&str, &str)],
    ours: Option<&str>,
    claims: &Map<String, Value>,
) -> Facts {
    let mut facts = Facts::default();
    facts.add("typ", form.typ());
    for (name, value) in header {
        facts.add(*name, value);
    }
    for (name, value) in claims {
        match (name.as_str(), value) {
            ("iat" | "exp", _) => {
                let shown = as_time(value);
                match ours {
                    Some(why) => facts.add_with(name, shown, if name == "iat" { "now" } else { why }),
                    None => facts.add(name, shown),
                }
            }
            ("jwks", _) => add_set(&mut facts, "jwks", value),
            ("keys", _) => add_keys(&mut facts, "keys", value),
            ("trust_marks", Value::Array(marks)) if !marks.is_empty() => add_marks(&mut facts, marks),
            ("delegation", Value::String(text)) => facts.add("delegation", signed(text)),
            ("trust_mark_owners", Value::Object(owners)) => add_owners(&mut facts, owners),
            _ => facts.add_json(&member("", name), value),
        }
    }
    facts
}

fn add_marks(facts: &mut Facts, marks: &[Value]) {
    for (number, mark) in marks.iter().enumerate() {
        let place = element("trust_marks", number, None);
        let (Some(text), Some(members)) = (mark.get("trust_mark").and_then(Value::as_str), mark.as_object())
        else {
            facts.add_json(&place, mark);
            continue;
        };
        facts.add(&place, signed(text));
        for (name, value) in members.iter().filter(|(name, _)| *name != "trust_mark") {
            facts.add_json(&member(&place, name), value);
        }
    }
}

fn add_owners(facts: &mut Facts, owners: &Map<String, Value>) {
    for (mark, owner) in owners {
        let path = member("trust_mark_owners", mark);
        let Some(members) = owner.as_object().filter(|members| !members.is_empty()) else {
            facts.add_json(&path, owner);
            continue;
        };
        for (name, value) in members {
            let place = member(&path, name);
            if name == "jwks" { add_set(facts, &place, value) } else { facts.add_json(&place, value) }
        }
    }
}

/// A signed document within another, in one line.
fn signed(text: &str) -> String {
    let digest = Digest::of(text.as_bytes());
    let Ok(inner) = Statement::read(text) else { return format!("unreadable, {digest}") };
    let end = inner.date("exp").map_or("for ever".to_owned(), |end| format!("until {end}"));
    format!("{} by {} for {} {end}, {digest}", inner.text("trust_mark_type"), inner.iss(), inner.sub())
}

/// A NumericDate as a time; one with a fraction, and anything else, as it stands.
fn as_time(value: &Value) -> String {
    let time = value.as_i64().and_then(|seconds| Instant::from_unix(seconds).ok());
    time.map_or(value.to_string(), |time| time.to_string())
}

/// Whether a key stands among these, whatever it is called there.
pub(super) fn holds(keys: &[Value], key: &Jwk) -> bool {
    keys.iter().any(|own| thumbprint_of(own).is_ok_and(|own| own == key.thumbprint()))
}
