//! Keys that sign for a federation serve nothing else, whoever says it and wherever: in a subject's metadata, in a statement's
//! own, in a set. And what superiors say counts only as far as they are known to have said it.

use serde_json::{Value, json};

use crate::openid_signing::{broken, found, jwk, told};

const NOW: &str = "2026-11-01T00:00:00Z";
const KIND: &str = "subordinate-statement";

/// A key that signs for an entity serves nothing else, whichever of the two was signed first.
#[test]
fn a_key_of_a_subordinate_stands_in_no_other_list() {
    let has = |name: &str, change: &Value, rule: &str| broken(name, change).contains(rule);
    let before =
        |kind: &str, keys: &Value| json!({"before": [{"kind": kind, "now": NOW, "input": {"keys": keys}}]});
    let taken = |change: &Value| has("subordinate-statement", change, "openid.subject.key-taken");
    for (key, is_taken) in [("@jwk:k2", true), ("@jwk:k6", false)] {
        assert_eq!(taken(&before("jwk-set", &json!([{"jwk": key}]))), is_taken, "protocol {key}");
        let old = json!([{"jwk": key, "exp": "2026-01-01T00:00:00Z"}]);
        assert_eq!(taken(&before("historical-keys", &old)), is_taken, "history {key}");
        let mut past = before("historical-keys", &old);
        past["input"] = json!({"keys": [{"jwk": key}]});
        assert!(has("jwk-set", &past, "openid.jwk-set.federation"), "a protocol key of the past {key}");
        let mut about =
            told("subordinate-statement", &[&json!({"kind": "subordinate-statement", "now": NOW})]);
        about.as_object_mut().unwrap().remove("configured");
        let change = json!({"before": [about], "input": {"keys": [{"jwk": key}]}});
        assert_eq!(has("jwk-set", &change, "openid.jwk-set.federation"), is_taken, "a set after it {key}");
    }
    for standing in ["past", "listed", "unpublished"] {
        let own = |key: &str| {
            json!({"vault": [{"line": "example.org/prod/anchor", "number": 1, "key": key, "standing": standing,
                "ended": "2026-10-01T00:00:00Z"}]})
        };
        assert!(taken(&own("k2")) && !taken(&own("k5")), "a key of the line that is {standing}");
    }
}

/// Keys in the metadata of the subject's configuration, and in that of the statement about it.
fn places(keys: &Value) -> [Value; 2] {
    let metadata = json!({"openid_provider": {"jwks": keys}});
    [
        json!({"files": {"op.jwt": {"claims": {"metadata": metadata}}}}),
        json!({"input": {"metadata": metadata}}),
    ]
}

#[test]
fn a_federation_key_in_metadata_is_found_whoever_it_is_of() {
    let with = |change: &Value, more: &Value| {
        let mut change = change.clone();
        change.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        broken(KIND, &change)
    };
    let none = json!({});
    // What a key says of itself does not hide whose it is.
    let mut odd = jwk("k2");
    (odd["alg"], odd["key_ops"], odd["kid"]) = (json!("ES512"), json!(["verify", "verify"]), json!("other"));
    for keys in [json!("@jwks:k2"), json!({ "keys": [odd] })] {
        for change in places(&keys) {
            assert!(with(&change, &none).contains("openid.jwks.reused"), "{change}");
        }
    }
    for change in places(&json!("@jwks:k6")) {
        let found = with(&change, &none);
        assert!(
            !found.contains("openid.jwks.reused") && !found.contains("openid.subject.key-taken"),
            "{change}"
        );
    }
    // Ours; that of another line that signs for a federation, and not that of one that signs for something else.
    let other = json!([{"line": "example.org/prod/other", "number": 1, "key": "k5", "standing": "listed"}]);
    let lines = |entity: &str| json!({"vault": other, "lines": {"example.org/prod/other": entity}});
    for (key, more, is_taken) in [
        ("@jwks:k1", none.clone(), true),
        ("@jwks:k5", lines("https://other.example.org"), true),
        ("@jwks:k5", lines(""), false),
    ] {
        for change in places(&json!(key)) {
            assert_eq!(with(&change, &more).contains("openid.subject.key-taken"), is_taken, "{key} {change}");
        }
    }
    // That of another subordinate.
    let rp = json!({"iss": "https://rp.example.org", "sub": "https://rp.example.org", "jwks": "@jwks:k6"});
    let before = json!({"before": [{"now": NOW, "files": {"op.jwt": {"key": "k6", "claims": rp}}}]});
    for (key, is_taken) in [("@jwks:k6", true), ("@jwks:k9", false)] {
        for change in places(&json!(key)) {
            assert_eq!(
                with(&change, &before).contains("openid.subject.key-taken"),
                is_taken,
                "{key} {change}"
            );
        }
    }
}

#[test]
fn what_is_signed_here_has_no_nbf() {
    for kind in [KIND, "entity-configuration", "trust-mark", "trust-mark-delegation"] {
        let fault = found(kind, &json!({"input": {"claims": {"nbf": 1_795_400_000}}})).unwrap_err();
        assert_eq!(fault.code().name, "document.composed", "{kind}");
        assert!(fault.message().starts_with("claims.nbf: "), "{kind}: {fault}");
        assert!(found(kind, &json!({"input": {"claims": {"x_nbf": 1_795_400_000}}})).is_ok(), "{kind}");
    }
}

#[test]
fn what_superiors_say_hangs_together() {
    let above = |changes: Value| {
        let mut file = json!({"key": "k7", "typ": "entity-statement+jwt", "claims": {
            "iss": "https://above.example.org", "sub": "https://anchor.example.org",
            "iat": "@now-60", "exp": "@now+60", "jwks": "@jwks:k1",
        }});
        for (name, value) in changes.as_object().unwrap() {
            file["claims"][name] = value.clone();
        }
        json!({"input": {"superiors": ["above.jwt"]}, "files": {"above.jwt": file}})
    };
    let good = broken(KIND, &above(json!({})));
    assert!(good.contains("openid.superiors.unverified"), "{good:?}");
    for (changes, rule) in [
        (json!({"jwks": "@jwks:k6"}), "openid.superiors.key"),
        (json!({"sub": "https://x.example.org"}), "openid.superiors.chain"),
        (json!({"exp": "@now-1"}), "openid.exp.past"),
        (json!({"nbf": "@now+900"}), "openid.nbf.future"),
    ] {
        let found = broken(KIND, &above(changes));
        assert!(found.contains(rule) && !good.contains(rule), "{rule}: {found:?}");
    }
    // Another document in its place, and a configuration of somebody else before it.
    let mut mark = above(json!({"trust_mark_type": "https://x.example.org"}));
    mark["files"]["above.jwt"]["typ"] = json!("trust-mark+jwt");
    assert!(broken(KIND, &mark).contains("openid.superiors.chain"));
    let mut led = above(json!({}));
    led["input"]["superiors"] = json!(["top.jwt", "above.jwt"]);
    let id = "https://elsewhere.example.org";
    led["files"]["top.jwt"] = json!({"key": "k7", "typ": "entity-statement+jwt", "claims": {
        "iss": id, "sub": id, "iat": "@now-60", "exp": "@now+60", "jwks": "@jwks:k7",
        "metadata": {"federation_entity": {
            "organization_name": "Up",
            "federation_fetch_endpoint": "https://elsewhere.example.org/f",
            "federation_list_endpoint": "https://elsewhere.example.org/l",
        }},
    }});
    let found = broken(KIND, &led);
    assert!(
        found.contains("openid.superiors.chain") && !found.contains("openid.superiors.signature"),
        "{found:?}"
    );
    for name in ["iss", "sub"] {
        led["files"]["top.jwt"]["claims"][name] = json!("https://above.example.org");
    }
    let found = broken(KIND, &led);
    assert!(!found.iter().any(|rule| rule.starts_with("openid.superiors.")), "{found:?}");
    led["files"]["top.jwt"]["key"] = json!("k9");
    assert!(broken(KIND, &led).contains("openid.superiors.signature"));
}
