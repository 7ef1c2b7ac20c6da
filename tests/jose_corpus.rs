//! The vectors of Wycheproof and of RFCs 7515, 7517, 7520, 7638, 7797 and 8037, and the known answers of Kubernetes.

use std::fs;
use std::path::Path;

use fedroot::base::bytes::{base64url, from_hex};
use fedroot::format::jose::{self, Jwk, JwkSet, Jws, kubernetes_kid, thumbprint_of};
use fedroot::format::json::Value;
use fedroot::key::{PublicKey, Signature};

use crate::support::{corpus, files};

fn load(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))).unwrap()
}

fn array(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

fn hex(value: &Value) -> Vec<u8> {
    from_hex(value.as_str().unwrap()).unwrap()
}

/// Every vector of a file: the JOSE name of its algorithm, its signature as JOSE has it, and how many there were.
fn signatures(
    file: &str,
    alg: impl Fn(&Value) -> Option<String>,
    convert: impl Fn(Vec<u8>) -> Vec<u8>,
) -> Option<usize> {
    let corpus = corpus(&format!("wycheproof {file}"))?;
    let vectors = load(&corpus.join("jose/wycheproof").join(file));
    let mut count = 0;
    for group in array(&vectors["testGroups"]) {
        let Some(alg) = alg(group) else { continue };
        let key = PublicKey::from_spki(&hex(&group["publicKeyDer"])).unwrap();
        let scheme = key.jose_scheme(&alg).unwrap();
        let (algorithm, readied) = (key.algorithm(), key.algorithm().ready(key.spki()));
        for test in array(&group["tests"]) {
            let (signature, octets) = (Signature::from_bytes(convert(hex(&test["sig"]))), hex(&test["msg"]));
            let good = algorithm.verify(key.spki(), scheme, &octets, &signature);
            assert_eq!(good, test["result"] == "valid", "{file} {test}");
            let again = readied.as_ref().map_or(good, |readied| readied.verify(&octets, &signature));
            assert_eq!(good, again, "a readied key says otherwise: {file} {test}");
            count += 1;
        }
    }
    Some(count)
}

fn hash_of(group: &Value) -> String {
    group["sha"].as_str().unwrap().trim_start_matches("SHA-").to_owned()
}

#[test]
fn wycheproof_p384_both_ways_of_writing() {
    let es384 = |_: &Value| Some("ES384".to_owned());
    let Some(raw) = signatures("ecdsa_secp384r1_sha384_p1363_test.json", es384, |sig| sig) else { return };
    // What cannot be read as DER is no signature.
    let from_der =
        |sig: Vec<u8>| p384::ecdsa::Signature::from_der(&sig).map_or(vec![], |sig| sig.to_bytes().to_vec());
    let der = signatures("ecdsa_secp384r1_sha384_test.json", es384, from_der).unwrap();
    assert_eq!((raw, der), (280, 504));
}

#[test]
fn wycheproof_rsa_with_both_paddings() {
    let mut count = 0;
    for file in ["2048_sha256", "4096_sha256", "4096_sha384", "4096_sha512"] {
        let pkcs1 = |group: &Value| Some(format!("RS{}", hash_of(group)));
        let Some(tried) = signatures(&format!("rsa_signature_{file}_test.json"), pkcs1, |sig| sig) else {
            return;
        };
        count += tried;
    }
    for file in ["2048_sha384_mgf1_48", "4096_sha256_mgf1_32", "4096_sha384_mgf1_48", "4096_sha512_mgf1_64"] {
        let pss = |group: &Value| Some(format!("PS{}", hash_of(group)));
        count += signatures(&format!("rsa_pss_{file}_test.json"), pss, |sig| sig).unwrap();
    }
    assert_eq!(count, 1604);
}

/// Salts and hashes of other lengths than JOSE has them: whatever is said to be valid there is not PS256.
#[test]
fn wycheproof_odd_pss_parameters_are_not_jose() {
    let Some(corpus) = corpus("wycheproof rsa_pss_misc_test.json") else { return };
    let vectors = load(&corpus.join("jose/wycheproof/rsa_pss_misc_test.json"));
    let (mut odd, mut plain) = (0, 0);
    for group in array(&vectors["testGroups"]) {
        let Ok(key) = PublicKey::from_spki(&hex(&group["publicKeyDer"])) else { continue };
        let fits =
            |hash: &str, salt: u64| group["sha"] == hash && group["mgfSha"] == hash && group["sLen"] == salt;
        for test in array(&group["tests"]) {
            let signature = Signature::from_bytes(hex(&test["sig"]));
            for (alg, hash, salt) in
                [("PS256", "SHA-256", 32), ("PS384", "SHA-384", 48), ("PS512", "SHA-512", 64)]
            {
                let good = key.verify(key.jose_scheme(alg).unwrap(), &hex(&test["msg"]), &signature);
                let expected = fits(hash, salt) && test["result"] == "valid";
                assert_eq!(good, expected, "{alg} {} {test}", group["sLen"]);
                *(if expected { &mut plain } else { &mut odd }) += 1;
            }
        }
    }
    assert!(odd > 300 && plain > 0, "{odd} {plain}");
}

/// A key or key set, and a JWS, as a careful recipient takes them: `None` when the vector's key is refused before.
fn accepts(public: &Value, text: &str) -> bool {
    let keys = public
        .get("keys")
        .map_or_else(|| JwkSet::read_keys(std::slice::from_ref(public)), |_| JwkSet::read(public));
    let (Ok(keys), Ok(jws)) = (keys, Jws::read(text, &[])) else { return false };
    let named = jws.header().kid().is_some() && keys.keys.iter().any(|key| key.kid().is_some());
    let mut tried = keys.keys.iter().filter(|key| !named || key.kid() == jws.header().kid());
    tried.any(|key| jws.verify(key).is_ok())
}

/// Valid according to Wycheproof and refused here, each with its reason.
fn stricter(group: &Value, test: &Value) -> Option<&'static str> {
    let key = group.get("public").unwrap_or(&group["private"]);
    let first = key["keys"].get(0).unwrap_or(key);
    let head = test["jws"].as_str().and_then(|jws| jws.split('.').next());
    let head = head.and_then(fedroot::base::bytes::from_base64url).unwrap_or_default();
    let alg = serde_json::from_slice::<Value>(&head).map_or(Value::Null, |head| head["alg"].clone());
    if first["kty"] == "oct" {
        return Some("symmetric");
    }
    (first["alg"].is_string() && first["alg"] != alg).then_some("the key is bound to another alg")
}

#[test]
fn wycheproof_whole_jws_and_key_sets() {
    let Some(corpus) = corpus("wycheproof json_web_*") else { return };
    let (mut total, mut accepted, mut symmetric, mut bound) = (0, 0, 0, 0);
    for file in ["json_web_signature_test.json", "json_web_key_test.json", "json_web_crypto_test.json"] {
        let vectors = load(&corpus.join("jose/wycheproof").join(file));
        for group in array(&vectors["testGroups"]) {
            let public = group.get("public").unwrap_or(&group["private"]);
            for test in array(&group["tests"]).iter().filter(|test| test.get("jws").is_some()) {
                let text = test["jws"].as_str().map_or_else(|| test["jws"].to_string(), str::to_owned);
                let good = accepts(public, &text);
                let reason = stricter(group, test);
                assert_eq!(good, test["result"] == "valid" && reason.is_none(), "{file} {test} {public}");
                total += 1;
                accepted += usize::from(good);
                symmetric += usize::from(reason == Some("symmetric"));
                bound +=
                    usize::from(test["result"] == "valid" && reason.is_some_and(|why| why != "symmetric"));
            }
        }
    }
    assert!(total > 400 && accepted > 20 && symmetric > 50, "{total} {accepted} {symmetric}");
    // PS384 under a key for PS256, and ES512 under a key for "ES521".
    assert_eq!(bound, 4);
}

/// The public half of a key that a document prints with its private one.
fn public_half(jwk: &Value) -> Value {
    let mut public = jwk.clone();
    for name in ["d", "p", "q", "dp", "dq", "qi"] {
        public.as_object_mut().unwrap().remove(name);
    }
    public
}

#[test]
fn the_examples_of_the_standards_are_verified() {
    let Some(corpus) = corpus("RFC 7515, 7520, 7797 and 8037") else { return };
    for example in array(&load(&corpus.join("jose/rfc/rfc7515-appendix-A.json"))) {
        assert!(Jwk::read(&example["jwk"]).is_err_and(|fault| fault.code() == &jose::PRIVATE));
        let key = Jwk::read(&public_half(&example["jwk"])).unwrap();
        let text = example
            .as_object()
            .unwrap()
            .values()
            .filter_map(Value::as_str)
            .find(|text| text.contains('.') && text.starts_with("ey"));
        let jws = Jws::read(text.unwrap(), &[]).unwrap();
        assert_eq!(jws.verify(&key).unwrap().jose, example["alg"].as_str().unwrap());
    }
    let (mut verified, mut symmetric) = (0, 0);
    for path in files(&corpus.join("jose/cookbook"), ".json") {
        let example = load(&path);
        let keys = match &example["input"]["key"] {
            Value::Array(keys) => keys.clone(),
            Value::Null => continue,
            key => vec![key.clone()],
        };
        let signings = match &example["signing"] {
            Value::Array(all) => all.clone(),
            one => vec![one.clone()],
        };
        let payload = example["input"]["payload"].as_str().unwrap();
        for (key, signing) in keys.iter().zip(signings) {
            // Without a protected header there is no compact serialisation.
            let Some(head) = signing["protected_b64u"].as_str() else { continue };
            let text = format!("{head}..{}", signing["sig"].as_str().unwrap());
            let read = Jws::read_detached(&text, payload.as_bytes(), &[]);
            if key["kty"] == "oct" {
                assert!(read.is_err(), "{}", path.display());
                symmetric += 1;
            } else if let Ok(jws) = read {
                assert!(jws.verify(&Jwk::read(&public_half(key)).unwrap()).is_ok(), "{}", path.display());
                verified += 1;
            } else {
                // RFC 7520, section 4.8: the algorithm of one signature is not protected.
                assert!(path.to_str().unwrap().contains("4_8"), "{}", path.display());
            }
        }
    }
    assert!(verified >= 5 && symmetric >= 4, "{verified} {symmetric}");
}

#[test]
fn keys_have_the_names_that_the_standards_and_kubernetes_give_them() {
    let Some(corpus) = corpus("RFC 7638 and Kubernetes kids") else { return };
    for item in array(&load(&corpus.join("jose/rfc/rfc7638-thumbprint.json"))["items"]) {
        assert_eq!(item["thumbprint_sha256"], thumbprint_of(&item["jwk"]).unwrap());
        assert_eq!(item["thumbprint_sha256"], Jwk::read(&item["jwk"]).unwrap().thumbprint());
    }
    let known = load(&corpus.join("jose/k8s/kid-known-answers.json"));
    for item in array(&known["items"]) {
        let key = PublicKey::from_pem(item["pem"].as_str().unwrap()).unwrap();
        assert_eq!(item["kid"], kubernetes_kid(&key));
        assert!(key.jose_scheme(item["alg"].as_str().unwrap()).is_some());
    }
    for path in files(&corpus.join("jose/cookbook/jwk"), ".json") {
        let (name, value) = (path.display().to_string(), load(&path));
        assert_eq!(Jwk::read(&value).is_ok(), name.contains("public"), "{name}");
    }
}

#[test]
fn a_detached_jws_that_others_verify_is_verified() {
    let Some(corpus) = corpus("a detached JWS") else { return };
    let made = corpus.join("jose/made");
    let pem = fs::read_to_string(made.join("keys/ta-p384.pub.pem")).unwrap();
    let key = PublicKey::from_pem(&pem).unwrap();
    let text = fs::read_to_string(made.join("detached/detached-es384.jws")).unwrap();
    let payload = fs::read(made.join("detached/payload.bin")).unwrap();
    assert!(Jws::read_detached(text.trim_end(), &payload, &[]).unwrap().verify_with(&key).is_ok());
    let more = [payload.as_slice(), b"\n"].concat();
    assert!(Jws::read_detached(text.trim_end(), &more, &[]).unwrap().verify_with(&key).is_err());
    let set = JwkSet::read(&load(&made.join("rustcrypto/ta.jwks"))).unwrap();
    for name in ["es384", "ps384", "rs256"] {
        let text = fs::read_to_string(made.join(format!("rustcrypto/{name}.jwt"))).unwrap();
        let jws = Jws::read(text.trim_end(), &[]).unwrap();
        assert!(set.keys.iter().any(|key| jws.verify_with(key.key()).is_ok()), "{name}");
    }
    assert_eq!(base64url(b""), "");
}
