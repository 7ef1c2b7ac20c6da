//! What the keys of a set are for: one thing each, in words that whoever reads the set knows, with an algorithm of that use.

use std::collections::BTreeSet;

use fedroot::artefact::{Prepared, kind};
use fedroot::base::disk::Document;
use fedroot::format::jose::jwk;
use serde_json::{Value, json};

use crate::kinds::{key as own_key, prepared, rsa as own_rsa, rules_of, try_prepared};

/// The rules that a finished set of this kind breaks under this section of a profile.
fn found(kind_name: &str, section: &str, document: &Value) -> BTreeSet<&'static str> {
    let (kind, document) = (kind(kind_name).unwrap(), document.to_string().into_bytes());
    let profile = format!("version = 1\nkinds = [{kind_name:?}]\npolicy_ref = \"x\"\n{section}");
    let document = Document::from_bytes("set.json", document);
    prepared(kind, &document, (&profile, None), |prepared| rules_of(prepared.examined()))
}

fn rsa() -> Value {
    jwk(&own_rsa().public().unwrap())
}

fn ec() -> Value {
    jwk(&own_key().public().unwrap())
}

/// A key with these members; `null` takes one out.
fn key(base: &Value, changes: &Value) -> Value {
    let mut key = base.clone();
    for (name, value) in changes.as_object().unwrap() {
        key[name] = value.clone();
    }
    key.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    key
}

/// A key is for one thing, says for what, and says it in words that whoever reads the set knows.
#[test]
fn a_key_of_a_set_has_one_use_and_an_algorithm_of_it() {
    let (rsa, ec) = (rsa(), ec());
    let sig = |base: &Value, alg: &str, kid: &str| key(base, &json!({"use": "sig", "alg": alg, "kid": kid}));
    let enc = |base: &Value, alg: Value| key(base, &json!({"use": "enc", "alg": alg, "kid": "e"}));
    let all = "[jwks]\nconsumers = [\"aws\", \"azure\", \"gcp\", \"kubernetes\"]\n";
    let set = |keys: &[Value]| found("jwks", "", &json!({ "keys": keys }));
    let agreement = json!({"kty": "OKP", "crv": "X25519", "x": "A".repeat(43), "kid": "x"});
    let good =
        set(&[sig(&rsa, "RS256", "a"), key(&ec, &json!({"use": "enc", "alg": "ECDH-ES", "kid": "e"}))]);
    assert!(good.is_empty(), "{good:?}");
    for (keys, rule) in [
        // One key for two uses, under whatever names.
        (vec![sig(&rsa, "RS256", "a"), enc(&rsa, json!("RSA-OAEP-256"))], "jwks.key.twice"),
        (vec![sig(&rsa, "RS256", "a"), enc(&rsa, Value::Null)], "jwks.key.twice"),
        (vec![sig(&ec, "ES384", "a"), key(&ec, &json!({"kid": "b", "use": null}))], "jwks.key.twice"),
        (vec![sig(&rsa, "RS256", "a"), sig(&rsa, "PS384", "b")], "jwks.key.twice"),
        // Uses that key_ops tells, and a curve for key agreement only.
        (
            vec![key(&rsa, &json!({"kid": "a", "use": null, "alg": null, "key_ops": ["verify", "encrypt"]}))],
            "jwks.alg.use",
        ),
        (vec![key(&rsa, &json!({"kid": "a", "alg": "RS256", "key_ops": ["sign"]}))], "jwks.alg.use"),
        (vec![key(&agreement, &json!({"use": "sig", "alg": "EdDSA"}))], "jwks.alg.use"),
        // An algorithm of another use, or of another type of key.
        (vec![sig(&ec, "ECDH-ES", "a")], "jwks.alg.use"),
        (vec![sig(&ec, "ECDH-ES+A256KW", "a")], "jwks.alg.use"),
        (vec![sig(&ec, "RSA-OAEP", "a")], "jwks.alg.use"),
        (vec![sig(&rsa, "RSA-OAEP-256", "a")], "jwks.alg.use"),
        (vec![enc(&rsa, json!("RS256"))], "jwks.alg.use"),
        (vec![enc(&ec, json!("RSA-OAEP"))], "jwks.alg.use"),
        // A use that nobody knows.
        (vec![key(&rsa, &json!({"use": "encryption", "alg": "RS256"}))], "jwks.use.missing"),
        (vec![key(&rsa, &json!({"use": "", "alg": "RS256"}))], "jwks.use.missing"),
        (vec![key(&rsa, &json!({"use": "SIG", "alg": "RS256"}))], "jwks.use.missing"),
        (vec![key(&rsa, &json!({"use": null}))], "jwks.use.missing"),
    ] {
        let found = set(&keys);
        assert!(found.contains(rule), "{rule} {keys:?}: {found:?}");
    }
    // No use takes a key out of what consumers look at.
    let hidden = json!({"keys": [key(&ec, &json!({"use": "x509-svid", "alg": null, "kid": null}))]});
    let found_hidden = found("jwks", all, &hidden);
    for rule in
        ["kid.missing", "alg.missing", "use.missing", "aws.alg", "azure.alg", "gcp.alg", "kubernetes.alg"]
    {
        assert!(found_hidden.contains(format!("jwks.{rule}").as_str()), "{rule}: {found_hidden:?}");
    }
}

#[test]
fn a_key_of_a_bundle_signs_tokens_as_the_standard_has_it() {
    let ec = ec();
    let bundle = |keys: &[Value]| {
        let bundle = json!({"spiffe_sequence": 1, "spiffe_refresh_hint": 3_600, "keys": keys});
        found("spiffe-bundle", "[spiffe]\ntrust_domain = \"example.org\"\n", &bundle)
    };
    let svid = |base: &Value, alg: &str| key(base, &json!({"use": "jwt-svid", "alg": alg, "kid": "a"}));
    assert!(!bundle(&[svid(&ec, "ES384")]).contains("spiffe-bundle.jwt.alg"));
    let point = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
    let koblitz = json!({"kty": "EC", "crv": "secp256k1", "x": point, "y": point});
    // RFC 8037, appendix A.2.
    let edwards = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
    for (own, alg) in [(&edwards, "EdDSA"), (&edwards, "Ed25519"), (&koblitz, "ES256K"), (&ec, "ECDH-ES")] {
        let found = bundle(&[svid(&ec, "ES384"), key(&svid(own, alg), &json!({"kid": "b"}))]);
        assert!(found.contains("spiffe-bundle.jwt.alg"), "{alg}: {found:?}");
    }
    let unknown = json!({"kty": "AKP", "kid": "a", "use": "jwt-svid", "alg": "ML-DSA-65", "pub": "AAAA"});
    assert!(bundle(&[unknown]).contains("jwks.keys.none"));
}

/// A use that is none is written into no set, and no key for encryption gets an algorithm for signatures.
#[test]
fn what_a_composed_key_is_for_is_a_use_and_has_its_algorithm() {
    let profile = "version = 1\nkinds = [\"jwks\"]\npolicy_ref = \"x\"\n";
    let set = |more: &str| {
        let pem = own_rsa().public().unwrap().to_pem().unwrap();
        let text = format!("[[keys]]\npem = {pem:?}\n{more}");
        let document = Document::from_bytes("set.toml", text.into_bytes());
        let with = |ready: &dyn Prepared| {
            let facts = ready.facts();
            ["keys[0].alg", "keys[0].use"].map(|path| {
                facts.iter().find(|fact| fact.path.ends_with(&path[7..])).map(|fact| fact.value.clone())
            })
        };
        try_prepared(kind("jwks").unwrap(), &document, (profile, None), None, with)
    };
    let own = |text: &str| Some(text.to_owned());
    assert_eq!(set("").unwrap(), [own("RS256"), own("sig")]);
    assert_eq!(set("use = \"enc\"\n").unwrap(), [None, own("enc")]);
    assert_eq!(set("use = \"enc\"\nalg = \"RSA-OAEP-256\"\n").unwrap(), [own("RSA-OAEP-256"), own("enc")]);
    for (more, says) in [
        ("use = \"enc\"\nalg = \"RS256\"\n", "nobody encrypts to a RSA"),
        ("use = \"enc\"\nalg = \"RSA1_5\"\n", "nobody encrypts to a RSA"),
        ("use = \"enc\"\nalg = \"ECDH-ES\"\n", "nobody encrypts to a RSA"),
        ("alg = \"RSA-OAEP\"\n", "does not sign with the algorithm 'RSA-OAEP'"),
        ("use = \"encryption\"\n", "the use of the key is 'encryption', which names none"),
        ("use = \"\"\n", "the use of the key is '', which names none"),
    ] {
        let fault = set(more).unwrap_err();
        assert!(fault.message().contains(says), "{more}: {fault}");
    }
    for purpose in ["encryption", ""] {
        let change = json!({"input": {"keys": [{"jwk": "@jwk:k6", "use": purpose}]}});
        let fault = crate::openid_signing::found("jwk-set", &change).unwrap_err();
        assert!(fault.message().contains("which names none"), "{fault}");
    }
}
