//! JSON Web Keys and Signatures: what others made is read and verified, what is broken is refused for its reason.

use std::fs;

use fedroot::base::bytes::{base64url, from_base64url};
use fedroot::base::fault::{Code, Fault};
use fedroot::base::random;
use fedroot::format::jose::{
    self, Draft, Jwk, JwkSet, Jws, jwk, jwk_as, kubernetes_kid, thumbprint, thumbprint_of,
};
use fedroot::format::json::{self, Limits, Numbers, Value};
use fedroot::format::private;
use fedroot::key::{PrivateKey, PublicKey, algorithm, private_key};
use serde_json::json;

use crate::support::root;

fn read_key(name: &str) -> Box<dyn PrivateKey> {
    let pem = fs::read_to_string(root().join("tests/keys").join(format!("{name}.pem"))).unwrap();
    let (_, der) = der::SecretDocument::from_pem(&pem).unwrap();
    private_key(der.as_bytes()).unwrap()
}

fn signed() -> Vec<Value> {
    let text = fs::read(root().join("tests/vectors/jose/signed.json")).unwrap();
    let vectors = json::read(&text, Numbers::Whole, &Limits::default()).unwrap();
    vectors.as_array().unwrap().clone()
}

fn vector(alg: &str) -> Value {
    signed().into_iter().find(|vector| vector["alg"] == alg).unwrap()
}

#[track_caller]
fn refused<T>(result: Result<T, Fault>, code: &Code) {
    let fault = result.err().unwrap_or_else(|| panic!("it was not refused, as {} should be", code.name));
    assert_eq!(fault.code(), code, "{fault}");
}

fn with(jwk: &Value, changes: &Value) -> Value {
    let mut jwk = jwk.clone();
    for (name, value) in changes.as_object().unwrap() {
        jwk[name] = value.clone();
    }
    jwk
}

#[test]
fn what_another_implementation_signed_is_verified_with_each_algorithm() {
    let mut algs = Vec::new();
    for vector in signed() {
        let alg = vector["alg"].as_str().unwrap();
        let jwk = Jwk::read(&vector["jwk"]).unwrap();
        let text = vector["jws"].as_str().unwrap();
        let jws = Jws::read(text, &[]).unwrap();
        assert_eq!(jws.payload(), br#"{"fed":"root"}"#);
        assert_eq!(jws.verify(&jwk).unwrap().jose, alg);
        assert_eq!(jws.verify_with(jwk.key()).unwrap().jose, alg);
        if let Some(bits) = jwk.key().rsa_bits() {
            assert!([2048, 2049, 8192].contains(&bits) && jwk.key().title() == format!("RSA {bits}"));
        }
        assert_eq!(vector["thumbprint"], jwk.thumbprint());
        assert_eq!(vector["thumbprint"], thumbprint_of(&vector["jwk"]).unwrap());
        assert_eq!(vector["kubernetes"], kubernetes_kid(jwk.key()));
        // Every other octet of what is signed, and of the signature.
        let (head, rest) = text.split_once('.').unwrap();
        let (payload, signature) = rest.split_once('.').unwrap();
        for changed in [b"{\"fed\":\"Root\"}".as_slice(), b""] {
            let other = format!("{head}.{}.{signature}", base64url(changed));
            refused(Jws::read(&other, &[]).unwrap().verify(&jwk), &jose::SIGNATURE);
        }
        let good = from_base64url(signature).unwrap();
        let edges = [0, good.len() / 2 - 1, good.len() / 2, good.len() - 1];
        for at in edges {
            let mut bad = good.clone();
            bad[at] ^= 1;
            let other = format!("{head}.{payload}.{}", base64url(&bad));
            refused(Jws::read(&other, &[]).unwrap().verify(&jwk), &jose::SIGNATURE);
        }
        for bad in [
            &good[1..],
            &[&[0], good.as_slice()].concat(),
            &[&good, &[0_u8][..]].concat(),
            &vec![0; good.len()],
        ] {
            let other = format!("{head}.{payload}.{}", base64url(bad));
            refused(Jws::read(&other, &[]).unwrap().verify(&jwk), &jose::SIGNATURE);
        }
        algs.push(alg.to_owned());
    }
    algs.sort();
    algs.dedup();
    assert_eq!(algs.len(), 10, "{algs:?}");
}

#[test]
fn a_key_is_for_what_its_owner_says() {
    let rs256 = vector("RS256");
    let jws = Jws::read(rs256["jws"].as_str().unwrap(), &[]).unwrap();
    let key = |changes: Value| Jwk::read(&with(&rs256["jwk"], &changes));
    for fits in [
        json!({"alg": "RS256", "use": "sig"}),
        json!({"key_ops": ["verify"]}),
        json!({"use": "sig", "key_ops": ["verify", "sign"]}),
    ] {
        assert!(jws.verify(&key(fits.clone()).unwrap()).is_ok(), "{fits}");
    }
    for other in [
        json!({"alg": "PS256"}),
        json!({"alg": "RS384"}),
        json!({"alg": "RSA-OAEP-256", "use": "enc"}),
        json!({"use": "enc"}),
        json!({"key_ops": ["encrypt"]}),
    ] {
        refused(jws.verify(&key(other).unwrap()), &jose::MISUSED);
    }
    for contradiction in [
        json!({"alg": "ES256"}),
        json!({"alg": "HS256"}),
        json!({"alg": "none"}),
        json!({"use": "sig", "key_ops": ["encrypt"]}),
        json!({"use": "enc", "key_ops": ["verify"]}),
    ] {
        refused(key(contradiction), &jose::MISUSED);
    }
    for wrong in [
        json!({"alg": 1}),
        json!({"use": []}),
        json!({"kid": ""}),
        json!({"kid": 5}),
        json!({"key_ops": "verify"}),
        json!({"key_ops": ["verify", "verify"]}),
        json!({"x5c": []}),
        json!({"x5c": ["AA=="]}),
    ] {
        refused(key(wrong), &jose::JWK);
    }
    // The verifier's key decides, never the header: a P-384 key does not verify an RSA signature.
    let other = Jwk::read(&vector("ES384")["jwk"]).unwrap();
    refused(jws.verify(&other), &jose::MISUSED);
    refused(jws.verify_with(other.key()), &jose::SIGNATURE);
}

#[test]
fn a_certificate_beside_a_key_holds_the_key() {
    let key = read_key("p384").public().unwrap();
    let folder = crate::support::Folder::with_one_line();
    let pem = folder
        .good(&["key", "export", crate::support::LINE, "--format", "certificate", "--vault", "V"])
        .stdout;
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let own = with(&jwk(&key), &json!({"x5c": [body]}));
    assert_eq!(Jwk::read(&own).unwrap().key(), &key);
    refused(Jwk::read(&with(&own, &json!({"x5t#S256": "AAAA"}))), &jose::MISUSED);
    let other = jwk(&read_key("p384-other").public().unwrap());
    refused(Jwk::read(&with(&other, &json!({"x5c": [body]}))), &jose::MISUSED);
}

#[test]
fn private_and_symmetric_members_are_refused_and_never_repeated() {
    let secret = base64url(b"this is a secret");
    for name in ["d", "p", "q", "dp", "dq", "qi", "k", "priv"] {
        for alg in ["ES256", "RS256", "EdDSA"] {
            let bad = with(&vector(alg)["jwk"], &json!({ name: secret }));
            let deep = json!({"metadata": {"x": [{"jwks": {"keys": [bad]}}]}});
            for fault in [
                Jwk::read(&bad).unwrap_err(),
                JwkSet::read(&json!({"keys": [bad]})).unwrap_err(),
                private::refuse(&deep).unwrap_err(),
                thumbprint_of(&bad).unwrap_err(),
            ] {
                assert_eq!(fault.code(), &jose::PRIVATE);
                let told = format!("{fault} {fault:?} {:?}", fault.way_out());
                assert!(!told.contains(&secret) && told.contains(&format!("'{name}'")), "{told}");
            }
        }
    }
    refused(Jwk::read(&json!({"kty": "RSA", "oth": [{"r": "AA"}]})), &jose::PRIVATE);
    refused(Jwk::read(&json!({"kty": "oct", "kid": "x"})), &jose::PRIVATE);
    refused(private::refuse(&json!([{"n": "AQAB", "e": "AQAB", "d": ""}])), &jose::PRIVATE);
    // The same letters outside of a key are nobody's secret.
    assert!(private::refuse(&json!({"claims": {"k": 1, "d": "x", "p": null}})).is_ok());
}

#[test]
fn numbers_are_strict_and_points_lie_on_their_curve() {
    let ec = vector("ES256")["jwk"].clone();
    let x = ec["x"].as_str().unwrap();
    let short = base64url(&from_base64url(x).unwrap()[1..]);
    let long = base64url(&[&[0], from_base64url(x).unwrap().as_slice()].concat());
    for bad in [
        json!({"x": format!("{x}=")}),
        json!({"x": format!("{x}\n")}),
        json!({"x": short}),
        json!({"x": long}),
        json!({"x": ""}),
        json!({"x": 5}),
        json!({"x": ec["y"]}),
        json!({"crv": "P-384"}),
        json!({"crv": 1}),
        json!({"x": base64url(&[0; 32]), "y": base64url(&[0; 32])}),
        json!({"x": base64url(&[255; 32])}),
        json!({"kty": 1}),
        json!({"kty": "RSA"}),
    ] {
        refused(Jwk::read(&with(&ec, &bad)), &jose::JWK);
    }
    for absent in ["kty", "crv", "x", "y"] {
        let mut lacking = ec.clone();
        lacking.as_object_mut().unwrap().remove(absent);
        refused(Jwk::read(&lacking), &jose::JWK);
    }
    let rsa = vector("RS256")["jwk"].clone();
    let n = from_base64url(rsa["n"].as_str().unwrap()).unwrap();
    for bad in [
        json!({"n": base64url(&[&[0], n.as_slice()].concat())}),
        json!({"e": "AAEAAQ"}),
        json!({"e": "AQ"}),
        json!({"e": "Ag"}),
        json!({"e": ""}),
        json!({"e": rsa["n"]}),
        json!({"n": format!("{}!", rsa["n"])}),
    ] {
        refused(Jwk::read(&with(&rsa, &bad)), &jose::JWK);
    }
    refused(Jwk::read(&with(&rsa, &json!({"n": base64url(&n[..255])}))), &jose::WEAK);
    let okp = vector("EdDSA")["jwk"].clone();
    let mut small = [0; 32];
    small[0] = 1;
    for bad in [json!({"x": "AAAA"}), json!({"x": base64url(&small)}), json!({"x": base64url(&[0; 32])})] {
        refused(Jwk::read(&with(&okp, &bad)), &jose::JWK);
    }
    for other in [
        json!({"crv": "Ed448"}),
        json!({"crv": "X25519"}),
        json!({"kty": "AKP"}),
        json!({"kty": "EC", "crv": "secp256k1", "y": "AA"}),
    ] {
        refused(Jwk::read(&with(&okp, &other)), &jose::UNSUPPORTED);
    }
}

#[test]
fn a_set_ignores_kinds_it_does_not_know_and_refuses_two_keys_of_one_name() {
    let named = |alg: &str, kid: &str| with(&vector(alg)["jwk"], &json!({ "kid": kid }));
    let unknown = json!({"kty": "AKP", "alg": "ML-DSA-65", "pub": "AA", "kid": "c"});
    let set = JwkSet::read(&json!({"keys": [named("RS256", "a"), unknown, named("ES256", "b")]})).unwrap();
    assert_eq!((set.keys.len(), set.unused.len()), (2, 1));
    assert_eq!(set.find("b").unwrap().key().title(), "P-256");
    assert!(set.find("c").is_none() && set.kids().any(|kid| kid == "c"));
    for twice in [named("ES256", "a"), with(&unknown, &json!({"kid": "a"}))] {
        refused(JwkSet::read(&json!({"keys": [named("RS256", "a"), twice]})), &jose::KIDS);
    }
    for wrong in [json!({}), json!({"keys": {}}), json!([]), json!({"keys": [1]})] {
        refused(JwkSet::read(&wrong), &jose::JWK);
    }
}

fn jws(header: &Value) -> Result<Jws, Fault> {
    Jws::read(&format!("{}.e30.AAAA", base64url(header.to_string().as_bytes())), &["ext"])
}

#[test]
fn algorithms_that_prove_nothing_are_refused_by_name() {
    for alg in [
        "none",
        "None",
        "NONE",
        "HS256",
        "HS384",
        "HS512",
        "dir",
        "A128KW",
        "A256GCMKW",
        "PBES2-HS256+A128KW",
        "RS1",
        "ES256K",
        "es384",
        "",
        "ECDH-ES",
    ] {
        let fault = jws(&json!({ "alg": alg })).unwrap_err();
        assert_eq!(fault.code(), &jose::ALGORITHM, "{alg}");
        assert!(fault.message().contains(&format!("'{alg}'")), "{fault}");
    }
    for wrong in [
        json!({}),
        json!({"alg": ["RS256"]}),
        json!({"alg": "RS256", "kid": 1}),
        json!({"alg": "RS256", "typ": null}),
    ] {
        refused(jws(&wrong), &jose::JWS);
    }
}

#[test]
fn critical_parameters_are_understood_or_refused() {
    let es = |more: Value| jws(&with(&json!({"alg": "ES384"}), &more));
    assert!(es(json!({"crit": ["ext"], "ext": 1})).is_ok());
    for bad in [
        json!({"crit": []}),
        json!({"crit": "ext", "ext": 1}),
        json!({"crit": [1]}),
        json!({"crit": null}),
        json!({"crit": ["ext", "ext"], "ext": 1}),
        json!({"crit": ["ext"]}),
        json!({"crit": ["alg"]}),
        json!({"crit": ["kid"], "kid": "x"}),
        json!({"crit": ["other"], "other": 1}),
        json!({"b64": false}),
        json!({"b64": true}),
        json!({"b64": false, "crit": ["ext"], "ext": 1}),
        json!({"b64": "false", "crit": ["b64"]}),
    ] {
        refused(es(bad), &jose::CRITICAL);
    }
    refused(es(json!({"b64": false, "crit": ["b64"]})), &jose::JWS);
}

#[test]
fn texts_that_are_no_compact_jws_are_refused() {
    let good = vector("ES384")["jws"].as_str().unwrap().to_owned();
    let (head, rest) = good.split_once('.').unwrap();
    let (payload, signature) = rest.split_once('.').unwrap();
    for bad in [
        String::new(),
        ".".into(),
        "a.b".into(),
        format!("{good}."),
        format!("{good}\n"),
        format!(" {good}"),
        format!("{head}.{payload}."),
        format!("{head}=.{payload}.{signature}"),
        format!("{head}.{payload}=.{signature}"),
        format!("{head}.{payload}.{signature}="),
        format!("{head}.{payload}\u{a0}.{signature}"),
        json!({"protected": head, "payload": payload, "signature": signature}).to_string(),
    ] {
        refused(Jws::read(&bad, &[]), &jose::JWS);
    }
    for headless in ["..".to_owned(), format!(".{payload}.{signature}")] {
        refused(Jws::read(&headless, &[]), &json::MALFORMED);
    }
    let twice = base64url(br#"{"alg":"ES384","alg":"none"}"#);
    refused(Jws::read(&format!("{twice}.{payload}.{signature}"), &[]), &json::DUPLICATE);
    refused(
        Jws::read(&format!("{}.{payload}.{signature}", base64url(b"{\"alg\":\"ES384\"}x")), &[]),
        &json::MALFORMED,
    );
}

#[test]
fn what_is_written_is_verified_and_has_the_header_of_the_tool() {
    let payload = br#"{"iss":"https://ta.example"}"#;
    for (name, algs) in
        [("p384", &["ES384"][..]), ("rsa4096", &["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"])]
    {
        let key = read_key(name);
        let public = key.public().unwrap();
        for alg in algs {
            let scheme = public.jose_scheme(alg).unwrap();
            let jwk = Jwk::read(&jwk_as(&public, "ä kid", scheme)).unwrap();
            assert_eq!((jwk.alg(), jwk.kid()), (Some(*alg), Some("ä kid")));
            let draft = Draft::new(scheme, "entity-statement+jwt", "ä kid", payload);
            let signature = key.sign(scheme, draft.octets(), &mut random::system()).unwrap();
            let text = draft.finish(&signature);
            let jws = Jws::read(&text, &[]).unwrap();
            assert_eq!(jws.verify(&jwk).unwrap(), scheme);
            let head = from_base64url(text.split('.').next().unwrap()).unwrap();
            let expected = format!(r#"{{"alg":"{alg}","typ":"entity-statement+jwt","kid":"ä kid"}}"#);
            assert_eq!(String::from_utf8(head).unwrap(), expected);
            assert_eq!(jws.payload(), payload);
            // The same octets under another algorithm of the same key are another statement.
            for other in algs.iter().filter(|other| *other != alg) {
                let other = public.jose_scheme(other).unwrap();
                assert!(!public.verify(other, draft.octets(), &signature), "{} for {alg}", other.jose);
            }
            let detached = Draft::detached(scheme, "bundle", "ä kid", b"\0.\xff raw");
            let signature = key.sign(scheme, detached.octets(), &mut random::system()).unwrap();
            let text = detached.finish(&signature);
            assert!(text.contains("..") && detached.octets().ends_with(b".\0.\xff raw"));
            assert!(Jws::read_detached(&text, b"\0.\xff raw", &[]).unwrap().verify(&jwk).is_ok());
            refused(Jws::read_detached(&text, b"\0.\xff raw ", &[]).unwrap().verify(&jwk), &jose::SIGNATURE);
            refused(Jws::read(&text, &[]), &jose::JWS);
        }
    }
}

#[test]
fn a_detached_payload_may_be_encoded() {
    let vector = vector("ES256");
    let (text, jwk) = (vector["jws"].as_str().unwrap(), Jwk::read(&vector["jwk"]).unwrap());
    let parts: Vec<_> = text.split('.').collect();
    let detached = format!("{}..{}", parts[0], parts[2]);
    assert!(Jws::read_detached(&detached, br#"{"fed":"root"}"#, &[]).unwrap().verify(&jwk).is_ok());
    refused(Jws::read_detached(&detached, b"{}", &[]).unwrap().verify(&jwk), &jose::SIGNATURE);
    refused(Jws::read_detached(text, b"{}", &[]), &jose::JWS);
}

#[test]
fn no_key_line_is_made_of_an_algorithm_that_only_verifies() {
    for name in ["p256", "P-256", "p521", "P-521", "ed25519"] {
        assert!(algorithm(name).is_err(), "{name}");
    }
    for alg in ["ES256", "ES512", "EdDSA"] {
        let key = Jwk::read(&vector(alg)["jwk"]).unwrap().key().clone();
        assert!(algorithm(key.algorithm().name()).is_err(), "{alg}");
        assert_eq!(PublicKey::from_spki(key.spki()).unwrap(), key);
        assert_eq!(PublicKey::from_pem(&key.to_pem().unwrap()).unwrap(), key);
        assert_eq!(thumbprint(&key), vector(alg)["thumbprint"].as_str().unwrap());
    }
}
