//! Trust chains, verified by the program without vault and network: good ones, and each way in which one can be wrong.

use std::fs;

use fedroot::format::jose::{jwk_as, thumbprint};
use fedroot::format::json::Value;
use serde_json::json;

use crate::support::openid::{
    ANCHOR, AT, EXP, IAT, MARK, MIDDLE, OWNER, SUBJECT, Scene, good, refused, scene, sign,
};
use crate::support::{Folder, corpus};

#[test]
fn a_chain_is_good_in_any_order_and_its_metadata_is_resolved() {
    let scene = scene();
    scene.write();
    let told = good(&scene.verify());
    assert_eq!(told["entities"], json!([SUBJECT, MIDDLE, ANCHOR]));
    assert_eq!(
        told["metadata"],
        json!({"openid_provider": {
            "issuer": SUBJECT,
            "scopes_supported": ["openid", "email"],
            "op_policy_uri": "https://int.example.org/policy",
            "contacts": ["soc@ta.example.org"],
        }})
    );
    assert_eq!(told["trust_marks"][0]["verified"], true);
    assert_eq!(told["anchor_key"], thumbprint(&scene.keys.anchor.public().unwrap()));
    assert_eq!((&told["historical"], &told["valid_until"]), (&json!(false), &json!("2027-01-15T08:00:00Z")));
    for arguments in [
        &["chain.json", "--trust", "anchor.jwks"][..],
        &["chain.json", "--trust", "anchor.jwt"],
        &["subject.jwt", "below.jwt", "above.jwt", "--trust", "anchor.jwks"],
        &["subject.jwt", "below.jwt", "above.jwt", "--trust", "anchor.jwt"],
        &["anchor.jwt", "--trust", "anchor.jwks"],
    ] {
        good(&scene.verify_with(&[arguments, &["--at", AT]].concat()));
    }
    // A public key in PEM has no kid: it is the key that counts.
    scene.put("anchor.pem", &scene.keys.anchor.public().unwrap().to_pem().unwrap());
    for files in [&["chain.json"][..], &["subject.jwt", "below.jwt", "above.jwt"]] {
        good(&scene.verify_with(&[files, &["--trust", "anchor.pem", "--at", AT]].concat()));
    }
    // The intermediate's own configuration may stand among them, and is verified too.
    let mut middle =
        json!({"iss": MIDDLE, "sub": MIDDLE, "iat": IAT, "exp": EXP, "jwks": scene.keys.jwks(MIDDLE)});
    middle["authority_hints"] = json!([ANCHOR]);
    scene.put("middle.jwt", &scene.keys.sign("entity-statement+jwt", &middle));
    good(&scene.verify_with(&["chain.json", "middle.jwt", "--trust", "anchor.jwks", "--at", AT]));
    let forged = sign(scene.keys.anchor.as_ref(), MIDDLE, "entity-statement+jwt", &middle);
    scene.put("middle.jwt", &forged);
    refused(
        &scene.verify_with(&["chain.json", "middle.jwt", "--trust", "anchor.jwks", "--at", AT]),
        "jws.signature",
        "middle.jwt",
    );
}

#[test]
fn a_chain_hangs_on_a_trusted_key_and_every_link_holds() {
    let mut scene = scene();
    scene.write();
    let other = scene.keys.jwks(MIDDLE).to_string();
    scene.put("other.jwks", &other);
    refused(
        &scene.verify_with(&["chain.json", "--trust", "other.jwks", "--at", AT]),
        "verify.untrusted",
        ANCHOR,
    );
    scene.put(
        "middle.jwt",
        &scene.keys.sign(
            "entity-statement+jwt",
            &json!({
                "iss": MIDDLE, "sub": MIDDLE, "iat": IAT, "exp": EXP, "jwks": scene.keys.jwks(MIDDLE)
            }),
        ),
    );
    refused(
        &scene.verify_with(&["chain.json", "--trust", "middle.jwt", "--at", AT]),
        "openid.chain",
        "what is trusted is https://int",
    );
    // A statement by the wrong key under the right name.
    for (name, claims) in [("above.jwt", &scene.above), ("below.jwt", &scene.below)] {
        let issuer = claims["iss"].as_str().unwrap();
        let wrong = if issuer == ANCHOR { &scene.keys.other } else { &scene.keys.anchor };
        scene.put(name, &sign(wrong.as_ref(), issuer, "entity-statement+jwt", claims));
        refused(&scene.verify(), "jws.signature", name);
        scene.write();
    }
    // A subject whose superior vouches for another key.
    scene.below["jwks"] = scene.keys.jwks(MIDDLE);
    scene.refused("verify.untrusted", "subject.jwt");
    scene.below["jwks"]["keys"][0]["kid"] = SUBJECT.into();
    scene.refused("jws.signature", "subject.jwt");
}

#[test]
fn statements_that_are_not_one_chain_are_refused() {
    let mut scene = scene();
    scene.write();
    let at = ["--trust", "anchor.jwks", "--at", AT];
    for (files, says) in [
        (&["below.jwt", "above.jwt", "anchor.jwt"][..], "subject is missing"),
        (&["subject.jwt", "above.jwt", "anchor.jwt"], "does not belong to the chain"),
        (&["subject.jwt", "above.jwt"], "does not belong to the chain"),
        (&["subject.jwt", "below.jwt", "below.jwt", "above.jwt"], "two statements are about"),
        (&["subject.jwt", "subject.jwt", "below.jwt", "above.jwt"], "no statement leads from here"),
        (&["chain.json", "anchor.jwt"], "does not belong"),
    ] {
        refused(&scene.verify_with(&[files, &at].concat()), "openid.chain", says);
    }
    refused(
        &scene.verify_with(&[&["subject.jwt", "below.jwt"][..], &at].concat()),
        "verify.untrusted",
        MIDDLE,
    );
    scene.put(
        "mark.jwt",
        &scene.keys.sign(
            "trust-mark+jwt",
            &json!({
                "iss": ANCHOR, "sub": SUBJECT, "iat": IAT, "exp": EXP, "trust_mark_type": MARK
            }),
        ),
    );
    refused(
        &scene.verify_with(&[&["chain.json", "mark.jwt"][..], &at].concat()),
        "openid.chain",
        "trust-mark",
    );
    scene.put(
        "loop.jwt",
        &scene.keys.sign(
            "entity-statement+jwt",
            &json!({
                "iss": SUBJECT, "sub": ANCHOR, "iat": IAT, "exp": EXP, "jwks": scene.keys.jwks(ANCHOR)
            }),
        ),
    );
    refused(
        &scene.verify_with(&[&["chain.json", "loop.jwt"][..], &at].concat()),
        "openid.chain",
        "subject is missing",
    );
    scene.subject["authority_hints"] = json!([ANCHOR]);
    scene.refused("openid.chain", "authority_hints do not name its superior https://int.example.org");
}

#[test]
fn what_a_superior_does_not_allow_is_refused() {
    for (pointer, value, code, says) in [
        ("/constraints/max_path_length", json!(0), "openid.chain", "allows 0 intermediates"),
        (
            "/constraints/naming_constraints/permitted",
            json!([".example.net"]),
            "openid.chain",
            "does not permit the name of https://op.example.org",
        ),
        (
            "/constraints/naming_constraints/excluded",
            json!(["int.example.org"]),
            "openid.chain",
            "excludes the name of https://int.example.org",
        ),
        (
            "/constraints/naming_constraints/permitted",
            json!(["https://x"]),
            "openid.statement",
            "[openid.constraints.names]",
        ),
        (
            "/metadata_policy/openid_provider",
            json!({"scopes_supported": {"one_of": ["openid"]}}),
            "openid.policy",
            "'one_of' must not stand together with 'subset_of'",
        ),
        (
            "/metadata_policy/openid_provider",
            json!({"logo_uri": {"essential": true}}),
            "openid.metadata",
            "openid_provider.logo_uri",
        ),
        (
            "/metadata_policy/openid_provider",
            json!({"scopes_supported": {"superset_of": ["openid", "phone"]}}),
            "openid.policy",
            "'superset_of'",
        ),
        (
            "/metadata_policy/openid_provider",
            json!({"issuer": {"add": 5}}),
            "openid.statement",
            "[openid.policy.malformed]",
        ),
    ] {
        let mut scene = scene();
        *scene.above.pointer_mut(pointer).unwrap() = value;
        scene.refused(code, says);
    }
    let mut scene = scene();
    scene.above["metadata_policy_crit"] = json!(["regexp"]);
    scene.refused("openid.statement", "[openid.policy-crit.unknown]");
    scene.above.as_object_mut().unwrap().remove("metadata_policy_crit");
    scene.below["crit"] = json!(["x_must"]);
    scene.below["x_must"] = json!(1);
    scene.refused("openid.statement", "[openid.crit.unknown]");
    scene.below["crit"] = Value::Null;
    scene.refused("openid.statement", "below.jwt");
}

#[test]
fn a_chain_is_judged_by_the_time_that_is_asked_for() {
    let mut scene = scene();
    scene.above["exp"] = json!(1_795_400_000);
    scene.write();
    assert_eq!(good(&scene.verify())["valid_until"], "2026-11-23T02:13:20Z");
    let at = |time: &str| scene.verify_with(&["chain.json", "--trust", "anchor.jwks", "--at", time]);
    refused(&at("2026-11-23T02:13:20Z"), "openid.statement", "[openid.exp.past]");
    refused(&at("2026-11-01T00:00:00Z"), "openid.statement", "[openid.iat.future]");
}

#[test]
fn trust_marks_are_verified_as_far_as_the_files_tell() {
    let marks = |scene: &Scene| {
        scene.write();
        good(&scene.verify())["trust_marks"][0].clone()
    };
    let mut scene = scene();
    scene.mark["exp"] = json!(EXP - 5);
    assert_eq!(marks(&scene)["verified"], true);
    scene.mark.as_object_mut().unwrap().remove("delegation");
    scene.refused("openid.trust-mark", "no delegation");
    scene.mark["delegation"] = Value::Null;
    scene.delegation["iss"] = json!(MIDDLE);
    scene.refused("openid.trust-mark", "the owner is https://owner.example.net");
    scene.delegation["iss"] = json!(OWNER);
    scene.delegation["sub"] = json!(MIDDLE);
    scene.refused("openid.statement", "[openid.trust-mark.delegation]");
    scene.delegation["sub"] = json!(ANCHOR);
    scene.anchor["trust_mark_issuers"] = json!({ MARK: [MIDDLE] });
    scene.refused("openid.trust-mark", "does not let https://ta.example.org issue");
    scene.anchor["trust_mark_issuers"] = json!({});
    let unknown = marks(&scene);
    assert!(
        unknown["verified"] == false
            && unknown["reason"].as_str().unwrap().contains("does not know this type")
    );
    scene.anchor["trust_mark_issuers"] = json!({ MARK: [OWNER] });
    (scene.mark["iss"], scene.delegation["sub"]) = (json!(OWNER), json!(OWNER));
    let stranger = marks(&scene);
    assert!(
        stranger["verified"] == false
            && stranger["reason"].as_str().unwrap().contains("no entity of the chain")
    );
    // The intermediate's keys are known from the chain: a mark by it holds, and one in its name does not.
    scene.anchor["trust_mark_issuers"] = json!({ MARK: [] });
    (scene.mark["iss"], scene.delegation["sub"]) = (json!(MIDDLE), json!(MIDDLE));
    assert_eq!(marks(&scene)["verified"], true);
    scene.above["jwks"]["keys"][0]["kid"] = json!("renamed");
    scene.refused("verify.untrusted", MIDDLE);
}

#[test]
fn historical_keys_hold_a_chain_at_a_past_time() {
    let scene = scene();
    scene.write();
    // The anchor has a new key, and its old one among its historical keys.
    let new = scene.keys.other.public().unwrap();
    let es384 = new.jose_scheme("ES384").unwrap();
    scene.put("new.jwks", &json!({"keys": [jwk_as(&new, "new", es384)]}).to_string());
    let history = |changes: Value| {
        let mut old = scene.keys.jwks(ANCHOR)["keys"][0].clone();
        old["exp"] = json!(1_795_400_000);
        for (name, value) in changes.as_object().unwrap() {
            old[name] = value.clone();
        }
        let claims = json!({"iss": ANCHOR, "iat": 1_795_500_000, "keys": [old]});
        scene.put("history.jwt", &sign(scene.keys.other.as_ref(), "new", "jwk-set+jwt", &claims));
    };
    let verify = |at: &str| {
        scene.verify_with(&["chain.json", "--trust", "new.jwks", "--historical", "history.jwt", "--at", at])
    };
    history(json!({}));
    refused(
        &scene.verify_with(&["chain.json", "--trust", "new.jwks", "--at", AT]),
        "verify.untrusted",
        ANCHOR,
    );
    assert_eq!(good(&verify(AT))["historical"], true);
    refused(&verify("2026-11-24T00:00:00Z"), "verify.untrusted", ANCHOR);
    history(json!({"revoked": {"revoked_at": 1_795_300_000, "reason": "compromised"}}));
    refused(&verify(AT), "verify.untrusted", ANCHOR);
    history(json!({"revoked": {"revoked_at": 1_795_399_999, "reason": "superseded"}}));
    assert_eq!(good(&verify(AT))["historical"], true);
    history(json!({"revoked": {"reason": "compromised"}}));
    refused(&verify(AT), "openid.history", "[openid.history.revoked]");
    // The old key does not vouch for itself, and another entity not for the anchor.
    let mut claims = json!({"iss": ANCHOR, "iat": IAT, "keys": scene.keys.jwks(ANCHOR)["keys"]});
    claims["keys"][0]["exp"] = json!(EXP);
    scene.put("history.jwt", &scene.keys.sign("jwk-set+jwt", &claims));
    refused(&verify(AT), "openid.history", "not signed by a trusted key");
    claims["iss"] = json!(MIDDLE);
    scene.put("history.jwt", &sign(scene.keys.other.as_ref(), "new", "jwk-set+jwt", &claims));
    refused(&verify(AT), "openid.history", "they are the keys of https://int.example.org");
    scene.put("history.jwt", &fs::read_to_string(scene.folder.path("anchor.jwt")).unwrap());
    refused(&verify(AT), "openid.history", "entity-configuration");
}

#[test]
fn files_that_hold_no_statement_are_refused() {
    let scene = scene();
    scene.write();
    for (text, code, says) in [
        ("", "jws.malformed", "bad: "),
        ("{}", "jws.malformed", "compact"),
        ("[1]", "json.malformed", "array of strings"),
        ("[\"x\"]", "jws.malformed", "[0]"),
        ("[\"x\",]", "json.malformed", "bad: "),
        ("\u{1b}[2J", "jws.malformed", "bad: "),
    ] {
        scene.put("bad", text);
        refused(&scene.verify_with(&["bad", "--trust", "anchor.jwks", "--at", AT]), code, says);
        assert_ne!(scene.verify_with(&["chain.json", "--trust", "bad", "--at", AT]).code, 0, "{text}");
    }
    let saml = scene.folder.fedroot(&["verify", "saml", "a", "b", "--trust", "anchor.jwks", "--json"]);
    refused(&saml, "usage", "2 documents of the kind saml");
}

#[test]
fn chains_of_others_are_verified() {
    let Some(corpus) = corpus("a chain that others made, and the one that the standard prints") else {
        return;
    };
    let folder = Folder::empty();
    let load = |name: &str| -> Value {
        serde_json::from_slice(&fs::read(corpus.join("jose").join(name)).unwrap()).unwrap()
    };
    let valid = corpus.join("jose/made/valid");
    let path = |name: &str| valid.join(name).display().to_string();
    let files = ["int-ec.jwt", "ta-ec.jwt", "op-ec.jwt", "ta-ss-int.jwt", "int-ss-op.jwt"].map(path);
    let keys = corpus.join("jose/made/rustcrypto/ta.jwks").display().to_string();
    let arguments: Vec<&str> = ["verify", "entity-statement", "--json", "--at", AT, "--trust", &keys]
        .into_iter()
        .chain(files.iter().map(String::as_str))
        .collect();
    let told = good(&folder.fedroot(&arguments));
    assert_eq!(told["metadata"], load("made/valid/expected-resolved-metadata.json"));
    assert_eq!(told["trust_marks"][0]["verified"], true);
    let printed = load("oidf-spec/jwts-in-spec.json");
    let chain: Vec<&Value> = printed.as_array().unwrap().iter().take(4).map(|one| &one["jwt"]).collect();
    fs::write(folder.path("printed.json"), json!(chain).to_string()).unwrap();
    fs::write(folder.path("printed.jwks"), printed[3]["claims"]["jwks"].to_string()).unwrap();
    let verify = |at: &str| {
        folder.fedroot(&[
            "verify",
            "entity-statement",
            "printed.json",
            "--trust",
            "printed.jwks",
            "--json",
            "--at",
            at,
        ])
    };
    let told = good(&verify("2026-01-07T00:00:00Z"));
    assert_eq!(told["entities"].as_array().unwrap().len(), 3);
    refused(&verify("2026-01-11T00:00:00Z"), "openid.statement", "[openid.exp.past]");
}
