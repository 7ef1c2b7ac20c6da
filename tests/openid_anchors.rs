//! Whom a chain of trust hangs on: an anchor speaks for itself, by a key that it calls by its name, and that nobody has taken
//! back.

use std::collections::BTreeSet;

use fedroot::format::jose::{jwk, jwk_as, thumbprint};
use fedroot::format::json::Value;
use fedroot::key::PrivateKey;
use serde_json::json;

use crate::support::openid::{
    ANCHOR, AT, EXP, IAT, MARK, MIDDLE, SUBJECT, Scene, good, read_key, refused, scene, sign, write_history,
};

const STATEMENT: &str = "entity-statement+jwt";
const OTHER: &str = "https://other.example.net";

/// The configuration of an anchor, signed by this key under this name.
fn anchor_of(entity: &str, key: &dyn PrivateKey, changes: &Value) -> String {
    let public = key.public().unwrap();
    let jwks = json!({"keys": [jwk_as(&public, entity, public.jose_scheme("ES384").unwrap())]});
    let mut claims = json!({"iss": entity, "sub": entity, "iat": IAT, "exp": EXP, "jwks": jwks});
    claims["metadata"] = json!({"federation_entity": {
        "federation_fetch_endpoint": format!("{entity}/fetch"),
        "federation_list_endpoint": format!("{entity}/list"),
        "organization_name": "An anchor",
    }});
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    sign(key, entity, STATEMENT, &claims)
}

/// The rules that a chain is noted for: a vector of the form `chain`.
pub(crate) fn noted(vector: &Value) -> BTreeSet<String> {
    let scene = scene();
    scene.write();
    scene.put("anchor.pem", &scene.keys.anchor.public().unwrap().to_pem().unwrap());
    if let Some(history) = vector.get("history") {
        write_history(&scene, history);
    }
    if let Some(changes) = vector.get("trusted") {
        scene.put("trusted.jwt", &anchor_of(ANCHOR, scene.keys.anchor.as_ref(), changes));
    }
    let arguments = vector["arguments"].as_array().unwrap().iter().map(|one| one.as_str().unwrap());
    let told = good(&scene.verify_with(&arguments.chain(["--at", AT]).collect::<Vec<_>>()));
    told["notes"].as_array().unwrap().iter().map(|note| note["rule"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn one_anchor_never_speaks_for_another() {
    let scene = scene();
    scene.write();
    let other = read_key("p384-other");
    scene.put("other.jwt", &anchor_of(OTHER, other.as_ref(), &json!({})));
    let both = |files: &[&str], trust: [&str; 2]| {
        scene.verify_with(&[files, &["--trust", trust[0], "--trust", trust[1], "--at", AT]].concat())
    };
    let orders = [["anchor.jwt", "other.jwt"], ["other.jwt", "anchor.jwt"]];
    let chain = ["subject.jwt", "below.jwt", "above.jwt"];
    for trust in orders {
        assert_eq!(good(&both(&chain, trust))["entities"], json!([SUBJECT, MIDDLE, ANCHOR]));
    }
    // The key of the other anchor under the name of ours, with and without a configuration that it made.
    scene.put("above.jwt", &sign(other.as_ref(), ANCHOR, STATEMENT, &scene.above));
    scene.put("forged.jwt", &anchor_of(ANCHOR, other.as_ref(), &json!({})));
    for trust in orders {
        for files in [&chain[..], &["subject.jwt", "below.jwt", "above.jwt", "forged.jwt"]] {
            refused(&both(files, trust), "verify.untrusted", "no trusted key of the anchor https://ta");
        }
    }
    // Nor does a key without a name speak for an anchor whose own configuration is trusted.
    scene.put("other.pem", &other.public().unwrap().to_pem().unwrap());
    for trust in [["anchor.jwt", "other.pem"], ["other.pem", "anchor.jwt"]] {
        refused(&both(&chain, trust), "verify.untrusted", "no trusted key of the anchor https://ta");
    }
    scene.write();
    scene.put("third.jwt", &anchor_of("https://third.example.net", other.as_ref(), &json!({})));
    refused(
        &both(&chain, ["other.jwt", "third.jwt"]),
        "openid.chain",
        "what is trusted is https://other.example.net and https://third.example.net",
    );
    // Nor do its historical keys.
    scene.put("other.jwt", &anchor_of(OTHER, other.as_ref(), &json!({})));
    let mut old = scene.keys.jwks(ANCHOR);
    old["keys"][0]["exp"] = json!(EXP);
    let history = json!({"iss": ANCHOR, "iat": IAT, "keys": old["keys"]});
    scene.put("history.jwt", &sign(other.as_ref(), OTHER, "jwk-set+jwt", &history));
    let files =
        ["chain.json", "--trust", "other.jwt", "--trust", "anchor.jwt", "--historical", "history.jwt"];
    refused(&scene.verify_with(&[&files[..], &["--at", AT]].concat()), "openid.history", "not signed by");
}

#[test]
fn one_jwk_is_trusted_as_a_set_is_and_a_private_one_is_not() {
    let scene = scene();
    scene.write();
    let verify = |trust: &str| {
        scene.verify_with(&["subject.jwt", "below.jwt", "above.jwt", "--trust", trust, "--at", AT])
    };
    let key = scene.keys.jwks(ANCHOR)["keys"][0].clone();
    scene.put("anchor.jwk", &key.to_string());
    assert_eq!(good(&verify("anchor.jwk"))["notes"], json!([]));
    let mut private = key;
    private["d"] = json!("AAAA");
    scene.put("private.jwk", &private.to_string());
    refused(&verify("private.jwk"), "jwk.private", "private.jwk: ");
}

#[test]
fn the_top_statement_names_the_key_that_the_anchor_has() {
    let scene = scene();
    scene.write();
    let public = scene.keys.anchor.public().unwrap();
    scene.put("anchor.pem", &public.to_pem().unwrap());
    scene.put("thumbprint.jwk", &jwk(&public).to_string());
    let chain = ["subject.jwt", "below.jwt", "above.jwt"];
    let verify =
        |files: &[&str], trust: &str| scene.verify_with(&[files, &["--trust", trust, "--at", AT]].concat());
    let rename =
        |kid: &str| scene.put("above.jwt", &sign(scene.keys.anchor.as_ref(), kid, STATEMENT, &scene.above));
    rename("nonsense");
    for trust in ["anchor.jwks", "anchor.jwt", "thumbprint.jwk"] {
        refused(&verify(&chain, trust), "verify.untrusted", "the header names the key 'nonsense'");
    }
    let whole = ["subject.jwt", "below.jwt", "above.jwt", "anchor.jwt"];
    refused(&verify(&whole, "anchor.pem"), "verify.untrusted", "a key 'nonsense'");
    // PEM has no names: that it is not known is said, and only where it is not known.
    let note = &good(&verify(&chain, "anchor.pem"))["notes"][0];
    assert_eq!((&note["file"], &note["rule"]), (&json!("above.jwt"), &json!("openid.chain.kid")));
    rename(&thumbprint(&public));
    assert_eq!(good(&verify(&chain, "anchor.pem"))["notes"], json!([]));
    good(&verify(&chain, "thumbprint.jwk"));
}

#[test]
fn everybody_whose_configuration_is_there_names_the_superior() {
    let scene = scene();
    scene.write();
    let mut middle =
        json!({"iss": MIDDLE, "sub": MIDDLE, "iat": IAT, "exp": EXP, "jwks": scene.keys.jwks(MIDDLE)});
    middle["metadata"] = json!({"federation_entity": {
        "federation_fetch_endpoint": "https://int.example.org/fetch",
        "federation_list_endpoint": "https://int.example.org/list",
    }});
    let verify = |hints: Value| {
        let mut middle = middle.clone();
        if !hints.is_null() {
            middle["authority_hints"] = hints;
        }
        scene.put("middle.jwt", &scene.keys.sign(STATEMENT, &middle));
        scene.verify_with(&["chain.json", "middle.jwt", "--trust", "anchor.jwks", "--at", AT])
    };
    good(&verify(json!([OTHER, ANCHOR])));
    let says = "middle.jwt: its authority_hints do not name its superior https://ta.example.org";
    refused(&verify(json!([OTHER])), "openid.chain", says);
    refused(&verify(Value::Null), "openid.chain", says);
}

#[test]
fn what_is_not_valid_yet_is_no_link() {
    type Claims = fn(&mut Scene) -> &mut Value;
    let places: [(&str, Claims); 4] = [
        ("above.jwt", |scene| &mut scene.above),
        ("below.jwt", |scene| &mut scene.below),
        ("subject.jwt", |scene| &mut scene.subject),
        ("subject.jwt: trust_marks[0]", |scene| &mut scene.mark),
    ];
    for (place, claims) in places {
        let mut scene = scene();
        claims(&mut scene)["nbf"] = json!(1_795_400_000);
        scene.refused("openid.statement", "[openid.nbf.future]");
        assert!(scene.verify().stdout.contains(&format!("{place}: it is valid from")));
        claims(&mut scene)["nbf"] = json!(IAT);
        scene.write();
        good(&scene.verify());
    }
}

#[test]
fn nobody_slips_past_a_name_that_is_excluded() {
    let named = |subject: &str, excludes: bool| {
        let mut scene = scene();
        for claim in ["iss", "sub"] {
            scene.subject[claim] = json!(subject);
        }
        scene.subject["jwks"] = scene.keys.jwks(subject);
        (scene.below["sub"], scene.below["jwks"]) = (json!(subject), scene.keys.jwks(subject));
        scene.mark["sub"] = json!(subject);
        let names = json!({"excluded": [".example.net", "evil.example.net"]});
        let constraints = scene.above["constraints"].as_object_mut().unwrap();
        constraints.remove("naming_constraints");
        if excludes {
            constraints.insert("naming_constraints".into(), names);
        }
        scene.write();
        scene.verify()
    };
    good(&named("https://good.example.com:8443/x", true));
    for excluded in
        ["https://evil.example.net", "https://EVIL.example.net:8443/x", "https://x.evil.example.net"]
    {
        refused(&named(excluded, true), "openid.chain", "excludes the name of");
    }
    for dotted in
        ["https://evil.example.net.", "https://evil.example.net.:8443/x", "https://evil.example.net./"]
    {
        refused(&named(dotted, true), "openid.statement", "its host ends with a dot");
    }
    for address in ["https://[::1]", "https://0x7f000001", "https://127.0.0.1:8443/x"] {
        refused(&named(address, true), "openid.chain", "constrains names, and");
        good(&named(address, false));
    }
}

#[test]
fn a_key_that_is_not_in_force_makes_no_link() {
    for (name, value, says) in [
        ("nbf", json!(1_795_400_000), "it begins at"),
        ("revoked", json!({"revoked_at": IAT, "reason": "superseded"}), "it was revoked at"),
        ("revoked", json!({}), "it was revoked at a time unknown"),
    ] {
        let mut scene = scene();
        scene.below["jwks"]["keys"][0][name] = value.clone();
        scene.write();
        let told = scene.verify();
        let is_rule = told.stdout.contains("[openid.jwks.revoked]");
        assert!(told.code != 0 && (is_rule || told.stdout.contains(says)), "{}", told.stdout);
        assert_eq!(is_rule, name == "revoked");
    }
    // One that begins later may stand there, and does not sign yet.
    let mut scene = scene();
    let mut next = scene.keys.jwks(MIDDLE)["keys"][0].clone();
    (next["kid"], next["nbf"]) = (json!("next"), json!(1_795_400_000));
    scene.below["jwks"]["keys"].as_array_mut().unwrap().push(next);
    scene.write();
    good(&scene.verify());
}

#[test]
fn a_key_that_was_compromised_speaks_at_no_time() {
    let scene = scene();
    scene.write();
    let verify = |files: &[&str], trust: &[&str]| {
        let history = ["--historical", "history.jwt", "--at", AT];
        scene.verify_with(&[files, trust, &history].concat())
    };
    let (chain, top) = (["chain.json"], ["subject.jwt", "below.jwt", "above.jwt"]);
    let new = ["--trust", "new.jwks"];
    let revoked =
        |reason: &str| json!({"exp": EXP, "revoked": {"revoked_at": 1_795_399_999, "reason": reason}});
    write_history(&scene, &revoked("compromised"));
    for files in [&chain[..], &top] {
        refused(
            &verify(files, &new),
            "verify.untrusted",
            "as compromised: whoever has it can sign with any date",
        );
        // Whoever trusts the old key still learns of it, too.
        let both = ["--trust", "new.jwks", "--trust", "anchor.jwks"];
        refused(&verify(files, &both), "verify.untrusted", "as compromised");
    }
    // Revoked for another reason, later: told, in JSON as well.
    write_history(&scene, &revoked("superseded"));
    let told = good(&verify(&chain, &new));
    assert_eq!(
        (&told["historical"], &told["notes"][0]["rule"]),
        (&json!(true), &json!("openid.chain.revoked"))
    );
    // The anchor's configuration may be signed by another key; the statement below it by the compromised one.
    write_history(&scene, &revoked("compromised"));
    let mut claims = scene.anchor.clone();
    let fresh = scene.keys.other.public().unwrap();
    let fresh = jwk_as(&fresh, "new", fresh.jose_scheme("ES384").unwrap());
    claims["jwks"]["keys"].as_array_mut().unwrap().push(fresh);
    scene.put("anchor.jwt", &sign(scene.keys.other.as_ref(), "new", STATEMENT, &claims));
    let files = ["subject.jwt", "below.jwt", "above.jwt", "anchor.jwt"];
    refused(&verify(&files, &new), "verify.untrusted", "above.jwt");
}

#[test]
fn a_trusted_configuration_is_judged_and_says_who_issues_marks() {
    let scene = scene();
    scene.write();
    let chain = ["subject.jwt", "below.jwt", "above.jwt"];
    let verify =
        |trust: &str, at: &str| scene.verify_with(&[&chain[..], &["--trust", trust, "--at", at]].concat());
    let told = good(&verify("anchor.jwt", AT));
    assert_eq!(
        (&told["trust_marks"][0]["type"], &told["trust_marks"][0]["verified"]),
        (&json!(MARK), &json!(true))
    );
    assert_eq!(good(&verify("anchor.jwks", AT))["trust_marks"][0]["verified"], false);
    let trusted = |changes: Value| {
        scene.put("trusted.jwt", &anchor_of(ANCHOR, scene.keys.anchor.as_ref(), &changes));
        verify("trusted.jwt", AT)
    };
    good(&trusted(json!({})));
    refused(&trusted(json!({"exp": 1_795_100_000})), "openid.statement", "trusted.jwt: it was valid until");
    refused(&trusted(json!({"crit": ["x"], "x": 1})), "openid.statement", "[openid.crit.unknown]");
    refused(&trusted(json!({"trust_mark_issuers": {MARK: [MIDDLE]}})), "openid.trust-mark", "does not let");
    // Today's configuration may hold a chain of the past.
    good(&trusted(json!({"iat": 1_795_900_000})));
}

/// Once the anchor gave a key or an issuer up, nobody brings them back with what it said before, though that has not ended.
#[test]
fn an_older_configuration_among_the_files_does_not_speak_against_a_newer_one_that_is_trusted() {
    const LATER: i64 = IAT + 100_000;
    let mut scene = scene();
    let leaked = scene.keys.other.public().unwrap();
    let leaked = jwk_as(&leaked, "leaked", leaked.jose_scheme("ES384").unwrap());
    scene.anchor["jwks"]["keys"].as_array_mut().unwrap().push(leaked);
    scene.write();
    let chain = ["subject.jwt", "below.jwt", "above.jwt"];
    let verify = |with: &[&str], changes: Value, at: &str| {
        scene.put("trusted.jwt", &anchor_of(ANCHOR, scene.keys.anchor.as_ref(), &changes));
        scene.verify_with(&[&chain[..], with, &["--trust", "trusted.jwt", "--at", at]].concat())
    };
    // What is right stays so, and which word was heard is told where it is not the last one.
    let newer = |issuer: &str| json!({"iat": LATER, "trust_mark_issuers": {MARK: [issuer]}});
    let told = good(&verify(&["anchor.jwt"], newer(ANCHOR), AT));
    assert_eq!(
        (&told["notes"][0]["file"], &told["notes"][0]["rule"]),
        (&json!("anchor.jwt"), &json!("openid.chain.older"))
    );
    assert_eq!(told["trust_marks"][0]["verified"], true);
    assert_eq!(good(&verify(&["anchor.jwt"], json!({}), AT))["notes"], json!([]));
    // An issuer that it lets no longer issue; before it said so, it did.
    for files in [&[][..], &["anchor.jwt"]] {
        refused(
            &verify(files, newer(MIDDLE), AT),
            "openid.trust-mark",
            "does not let https://ta.example.org",
        );
    }
    let before = "2026-11-18T12:00:00Z";
    assert_eq!(good(&verify(&["anchor.jwt"], newer(MIDDLE), before))["trust_marks"][0]["verified"], true);
    // A key that it gave up, at whatever time; where the configuration that lists it is the last one, it speaks.
    scene.put("above.jwt", &sign(scene.keys.other.as_ref(), "leaked", STATEMENT, &scene.above));
    for at in [AT, before] {
        refused(
            &verify(&["anchor.jwt"], newer(ANCHOR), at),
            "verify.untrusted",
            "above.jwt: it is signed by a key 'leaked'",
        );
    }
    for older in [json!({}), json!({"iat": IAT - 1})] {
        good(&verify(&["anchor.jwt"], older, AT));
    }
}
