//! Keys that sign for a federation serve nothing else, whoever says it and wherever: in a subject's metadata, in a statement's
//! own, in a set. And what superiors say counts only as far as they are known to have said it.

use fedroot::base::bytes::{base64, base64url, from_base64url};
use fedroot::policy::RULES;
use serde_json::{Value, json};

use crate::openid_signing::{broken, found, jwk, public, told};

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

/// A key as readers take it that are less strict than we are.
fn careless(name: &str) -> Vec<Value> {
    let key = jwk(name);
    let spki = public(name).spki().to_vec();
    let with = |member: &str, value: Value| {
        let mut odd = key.clone();
        odd[member] = value;
        odd
    };
    let x = key["x"].as_str().unwrap();
    let mut nameless = key.clone();
    nameless.as_object_mut().unwrap().remove("kty");
    let set = json!({ "keys": [key] }).to_string();
    let payload = base64url(set.as_bytes());
    let percent: String = set.bytes().map(|byte| format!("%{byte:02x}")).collect();
    vec![
        json!({ "jwk": with("x", format!("{x}=").into()) }),
        json!({ "jwk": with("x", format!(" {}\n{}", &x[..9], &x[9..]).into()) }),
        json!({ "jwk": with("x", x.replace('-', "+").replace('_', "/").into()) }),
        json!({ "jwk": with("x", base64url(&[&[0][..], &from_base64url(x).unwrap()].concat()).into()) }),
        json!({ "jwk": with("kty", "ec".into()) }),
        json!({ "jwk": with("crv", "secp384r1".into()) }),
        json!({ "jwk": nameless }),
        json!({ "key": public(name).to_pem().unwrap() }),
        json!({ "x5c": [base64(&spki)] }),
        json!({"signed_jwks": {"payload": payload, "protected": "e30", "signature": "AAAA"}}),
        json!({"jwks_uri": format!("data:application/json,{set}")}),
        json!({"jwks_uri": format!("DATA:application/json;base64,{}", base64(set.as_bytes()))}),
        json!({"jwks_uri": format!("data:,{percent}")}),
        json!({"jwks": Value::from(set).to_string()}),
    ]
}

fn within(own: &Value) -> Value {
    json!({"input": {"metadata": {"openid_provider": own}}})
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
    // Nor does the place where it stands, or the form.
    let text = jwk("k2").to_string();
    let signed = format!(
        "{}.{}.AAAA",
        base64url(br#"{"alg":"ES384"}"#),
        base64url(format!("{{\"keys\":[{text}]}}").as_bytes())
    );
    for own in [
        json!({"jwks": ["@jwk:k2"]}),
        json!({"jwk": "@jwk:k2"}),
        json!({ "jwks": text }),
        json!({"jwks": format!(" [{text}]")}),
        json!({ "signed_jwks": signed }),
        json!({"more": [{"keys": {"a": "@jwk:k2"}}]}),
    ]
    .into_iter()
    .chain(careless("k2"))
    {
        let change = within(&own);
        assert!(with(&change, &none).contains("openid.jwks.reused"), "{change}");
    }
    for change in places(&json!("@jwks:k6")).into_iter().chain(careless("k6").iter().map(within)) {
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
        let policy = json!({"input": {"metadata_policy": {"openid_provider": {"jwks": {"value": key}}}}});
        for change in places(&json!(key)).into_iter().chain([policy]) {
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
fn an_entitys_own_metadata_holds_no_federation_key_of_others() {
    let own = |key: &str, more: &Value| {
        let mut change = more.clone();
        change["input"] = json!({"metadata": {"openid_provider": {"jwks": {"keys": [key]}}}});
        let found = broken("entity-configuration", &change);
        ["openid.subject.key-taken", "openid.jwks.reused"].map(|rule| found.contains(rule))
    };
    let line = |entity: &str| {
        json!({"lines": {"example.org/prod/other": entity}, "vault": [
            {"line": "example.org/prod/anchor", "number": 1, "key": "k1", "standing": "listed"},
            {"line": "example.org/prod/other", "number": 1, "key": "k5", "standing": "listed"},
        ]})
    };
    assert_eq!(own("@jwk:k5", &line("https://other.example.org")), [true, false]);
    assert_eq!(own("@jwk:k5", &line("")), [false, false], "it signs for no federation");
    assert_eq!(own("@jwk:k1", &json!({})), [false, true], "its own, which the configuration lists, is told");
    let mut about = told(KIND, &[&json!({"kind": KIND, "now": NOW})]);
    about.as_object_mut().unwrap().remove("configured");
    let before = json!({ "before": [about] });
    assert_eq!(own("@jwk:k2", &before), [true, false]);
    assert_eq!(own("@jwk:k6", &before), [false, false]);
}

/// Whatever a key says of itself, the record of it is whole.
#[test]
fn no_name_and_no_member_hides_a_key_from_the_next_review() {
    let about = |id: &str, jwks: &Value| json!({"files": {"op.jwt": {"claims": {"iss": id, "sub": id, "jwks": jwks}}}});
    let (op, rp) = ("https://op.example.org", "https://rp.example.org");
    let key = |name: &str, members: &Value| {
        let mut key = jwk(name);
        key.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        json!({ "keys": [key] })
    };
    let then = |before: &Value, now: &Value| {
        let mut before = before.clone();
        before["now"] = json!(NOW);
        let mut change = now.clone();
        change["before"] = json!([before]);
        broken(KIND, &change)
    };
    let rsa = "rsa";
    for (name, members) in [
        ("k6", json!({"kid": "k".repeat(1_024)})),
        ("k6", json!({"kid": "\u{1f511}".repeat(1_024)})),
        ("k6", json!({"use": "x".repeat(4_000)})),
        ("k6", json!({"revoked": {"reason": "x".repeat(20_000)}})),
        ("k6", json!({"n": "x".repeat(20_000), "note": "x".repeat(20_000)})),
        (rsa, json!({"x": "other"})),
        (rsa, json!({"x": "x".repeat(20_000)})),
    ] {
        let odd = key(name, &members);
        let plain = key(name, &json!({}));
        for (first, second) in [(&odd, &plain), (&plain, &odd)] {
            let found = then(&about(rp, first), &about(op, second));
            assert!(found.contains("openid.subject.key-taken"), "{name}: {found:?}");
            let found = then(&about(op, first), &about(op, second));
            assert!(!found.contains("openid.subject.key-proof"), "{name}: {found:?}");
            let found = then(&about(op, first), &about(op, &json!("@jwks:k7")));
            assert!(found.contains("openid.subject.key-proof"), "{name}: {found:?}");
        }
    }
    let mut odd = key("k6", &json!({}));
    odd["a b"] = json!("x");
    then(&about(op, &odd), &about(op, &odd));
    for members in [
        json!({"kid": "k".repeat(4_097)}),
        json!({"use": "x".repeat(4_097)}),
        json!({"y": "A".repeat(4_100)}),
        json!({"kty": "RSA", "n": "A".repeat(4_100), "e": "AQAB"}),
        json!({"crv": "x".repeat(4_097)}),
    ] {
        let found = broken(KIND, &about(op, &key("k6", &members)));
        assert!(found.contains("openid.jwks.malformed"), "{members}: {found:?}");
        assert!(RULES.iter().any(|rule| rule.id == "openid.jwks.malformed" && rule.is_firm));
    }
}

/// The key that proves new ones is named by the header, and was in force as the last statement has it.
#[test]
fn an_old_key_proves_new_ones_while_it_is_in_force_and_by_its_name() {
    let new = json!({"input": {"proof": "proof.jwt"}, "files": {
        "op.jwt": {"key": "k3", "claims": {"jwks": "@jwks:k3"}},
        "proof.jwt": {"key": "k2", "typ": "entity-statement+jwt", "claims": {
            "iss": "https://op.example.org", "sub": "https://op.example.org", "iat": "@now-60", "exp": "@now+60",
            "jwks": "@jwks:k2,k3", "authority_hints": ["https://anchor.example.org"],
        }},
    }});
    let proven = |members: Value, change: &dyn Fn(&mut Value)| {
        let mut told = new.clone();
        change(&mut told);
        let mut old = jwk("k2");
        old.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        let before = json!({"now": NOW, "files": {"op.jwt": {"claims": {"jwks": {"keys": [old]}}}}});
        told["before"] = json!([before]);
        !broken(KIND, &told).contains("openid.subject.key-proof")
    };
    let end = 1_795_348_800; // now, of the vectors
    let as_it_is = |_: &mut Value| {};
    assert!(proven(json!({}), &as_it_is));
    assert!(proven(json!({"exp": end + 1}), &as_it_is));
    assert!(!proven(json!({ "exp": end }), &as_it_is), "it has ended");
    assert!(!proven(json!({"revoked": {"revoked_at": end - 1}}), &as_it_is), "it is revoked");
    assert!(!proven(json!({"nbf": end + 900}), &as_it_is), "it has not begun");
    let named = |told: &mut Value| told["files"]["proof.jwt"]["kid"] = json!("k3");
    assert!(!proven(json!({}), &named), "the header names the new key, and the old one signed");
    // The configuration itself, signed by the old key that it still lists.
    let itself = |told: &mut Value| {
        told["input"].as_object_mut().unwrap().remove("proof");
        told["files"]["op.jwt"] = json!({"key": "k2", "claims": {"jwks": "@jwks:k2,k3"}});
    };
    assert!(proven(json!({}), &itself));
    assert!(!proven(json!({ "exp": end }), &itself));
}

#[test]
fn what_never_ends_is_allowed_by_the_profile_or_not_signed() {
    for (kind, limit) in [("trust-mark", "trust_mark"), ("trust-mark-delegation", "delegation")] {
        let mut change =
            json!({"input": {"valid_for": "forever", "delegation": "@none"}, "profile": {"openid": {}}});
        if kind == "trust-mark-delegation" {
            change["input"].as_object_mut().unwrap().remove("delegation");
        }
        assert!(broken(kind, &change).contains("openid.exp.long"), "{kind}");
        for (max, is_long) in [("P3650D", true), ("forever", false)] {
            change["profile"]["openid"][limit] = json!({"usual": "P30D", "min": "P1D", "max": max});
            assert_eq!(broken(kind, &change).contains("openid.exp.long"), is_long, "{kind} {max}");
        }
    }
    // A mark ends with its delegation, whatever is asked for.
    assert!(!broken("trust-mark", &json!({"input": {"valid_for": "forever"}})).contains("openid.exp.long"));
    for limit in ["configuration", "subordinate", "jwk_set"] {
        let profile = json!({"configured": false, "profile": {"openid": {limit: {"usual": "P30D", "min": "P1D", "max": "forever"}}}});
        let fault = found(KIND, &profile).unwrap_err();
        assert!(fault.message().contains("these documents end"), "{limit}: {fault}");
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
