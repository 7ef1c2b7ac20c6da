//! Historical keys speak for an entity at times that are over: only its own, only until they ended, and what was said against
//! one is not taken back.

use serde_json::{Value, json};

use crate::openid_signing::{broken, found, signed};
use crate::support::openid::{AT, EXP, good, refused, scene, write_history};

const KIND: &str = "historical-keys";
const CHANGED: &str = "openid.history.changed";

/// A list that says this of a key, after one that said that of it.
fn after(before: &Value, now: &Value) -> Value {
    let of_old = |said: &Value| {
        let mut said = said.clone();
        said["jwk"] = json!("@jwk:k7");
        json!({ "keys": [said] })
    };
    json!({"before": [{"now": "2026-11-01T00:00:00Z", "input": of_old(before)}], "input": of_old(now)})
}

fn revoked(at: &str, reason: Option<&str>) -> Value {
    let mut said = json!({"exp": "2026-01-01T00:00:00Z", "revoked_at": format!("2025-{at}T00:00:00Z")});
    if let Some(reason) = reason {
        said["reason"] = json!(reason);
    }
    said
}

#[test]
fn why_a_key_was_revoked_is_not_taken_back() {
    let day = "12-01";
    for (was, now, stays) in [
        (Some("compromised"), Some("superseded"), true),
        (Some("compromised"), Some("unspecified"), true),
        (Some("compromised"), Some("key stolen"), true),
        (Some("superseded"), Some("unspecified"), true),
        (Some("key stolen"), Some("superseded"), true),
        (Some("superseded"), Some("superseded"), false),
        (Some("superseded"), Some("compromised"), false),
        (Some("key stolen"), Some("compromised"), false),
        (None, Some("compromised"), false),
        (Some("unspecified"), Some("superseded"), false),
    ] {
        let change = after(&revoked(day, was), &revoked(day, now));
        assert_eq!(broken(KIND, &change).contains(CHANGED), stays, "{was:?} {now:?}");
        let keys = signed(KIND, &change).get("keys").cloned().unwrap();
        let told = keys.as_array().unwrap().iter().find_map(|key| key.get("revoked")).unwrap();
        assert_eq!(told["reason"], json!(if stays { was } else { now }.unwrap()), "{was:?} {now:?}");
    }
    // A reason that nobody gives is the one that was signed, whatever else changes.
    for (at, seconds) in [(day, 1_764_547_200), ("11-30", 1_764_460_800)] {
        let change = after(&revoked(day, Some("compromised")), &revoked(at, None));
        assert!(!broken(KIND, &change).contains(CHANGED));
        let keys = signed(KIND, &change).get("keys").cloned().unwrap();
        let told = keys.as_array().unwrap().iter().find_map(|key| key.get("revoked")).unwrap();
        assert_eq!(*told, json!({"revoked_at": seconds, "reason": "compromised"}));
    }
    let later = after(&revoked(day, Some("superseded")), &revoked("12-02", Some("compromised")));
    assert!(broken(KIND, &later).contains(CHANGED));
}

#[test]
fn a_historical_key_has_ended_and_is_nobody_elses() {
    let keys = |told: Value, more: Value| {
        let mut change = more;
        change["input"] = json!({ "keys": [told] });
        broken(KIND, &change)
    };
    for (end, is_early) in [("2026-11-22T12:00:01Z", true), ("2026-11-22T12:00:00Z", false)] {
        let mut told = json!({"jwk": "@jwk:k7", "exp": end});
        assert_eq!(keys(told.clone(), json!({})).contains("openid.history.exp"), is_early, "{end}");
        told["revoked_at"] = json!("2026-11-01T00:00:00Z");
        assert!(!keys(told, json!({})).contains("openid.history.exp"), "it was revoked before");
    }
    // The key of another line, one of the same entity aside, and one of the protocols.
    let told = || json!({"jwk": "@jwk:k7", "exp": "2026-01-01T00:00:00Z"});
    let line = |entity: &str| {
        json!({"lines": {"example.org/prod/other": entity}, "vault": [
            {"line": "example.org/prod/anchor", "number": 2, "key": "k1", "standing": "listed"},
            {"line": "example.org/prod/other", "number": 1, "key": "k7", "standing": "listed"},
        ]})
    };
    for (entity, is_foreign) in
        [("https://other.example.org", true), ("", true), ("https://anchor.example.org", false)]
    {
        assert_eq!(keys(told(), line(entity)).contains("openid.history.foreign"), is_foreign, "{entity}");
    }
    let set = json!({"before": [{"kind": "jwk-set", "now": "2026-11-01T00:00:00Z", "input": {"keys": [{"jwk": "@jwk:k7"}]}}]});
    assert!(keys(told(), set).contains("openid.history.foreign"));
    assert!(found(KIND, &json!({})).is_ok_and(|rules| !rules.contains("openid.history.foreign")));
}

/// The list says of the old key that it is not used any more, whatever end it gives it.
#[test]
fn a_historical_key_speaks_only_of_the_time_before_the_list() {
    let scene = scene();
    scene.write();
    write_history(&scene, &json!({ "exp": EXP }));
    let verify = |at: &str| {
        scene.verify_with(&["chain.json", "--trust", "new.jwks", "--historical", "history.jwt", "--at", at])
    };
    assert_eq!(good(&verify(AT))["historical"], true);
    let says = "it was not used any more at 2026-11-24T06:00:00Z";
    good(&verify("2026-11-24T05:59:59Z"));
    refused(&verify("2026-11-24T06:00:00Z"), "verify.untrusted", says);
    refused(&verify("2026-12-31T00:00:00Z"), "verify.untrusted", says);
}

#[test]
fn only_a_reason_that_is_known_to_be_harmless_lets_a_key_speak() {
    let scene = scene();
    scene.write();
    let verify = |revoked: Value| {
        write_history(&scene, &json!({ "exp": EXP, "revoked": revoked }));
        let files = ["chain.json", "--trust", "new.jwks", "--historical", "history.jwt", "--at", AT];
        scene.verify_with(&files)
    };
    let at = 1_795_399_999;
    for reason in ["Compromised", "keyCompromise", "key compromised", "", "unspecified "] {
        let told = verify(json!({"revoked_at": at, "reason": reason}));
        refused(&told, "verify.untrusted", "whoever has it can sign with any date");
    }
    for reason in [json!(["compromised"]), json!(null), json!(1)] {
        let told = verify(json!({"revoked_at": at, "reason": reason}));
        refused(&told, "verify.untrusted", "whoever has it can sign with any date");
    }
    for revoked in [
        json!({"revoked_at": at}),
        json!({"revoked_at": at, "reason": "unspecified"}),
        json!({"revoked_at": at, "reason": "superseded"}),
    ] {
        good(&verify(revoked));
    }
}
