//! Claims of tokens that a trusted key signed and that are wrong all the same.

use fedroot::artefact::kind;
use fedroot::base::disk::Document;
use fedroot::base::fault::Fault;
use fedroot::format::jose::jwk;
use serde_json::{Value, json};

use crate::support::openid::{read_key, sign};

/// What is said of claims that a trusted key signed as this kind, with these changes.
fn verify(kind_name: &str, typ: &str, mut claims: Value, changes: &Value) -> Result<(), Fault> {
    let key = read_key("p384");
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    let document = Document::from_bytes("token", sign(key.as_ref(), "k", typ, &claims).into_bytes());
    kind(kind_name).unwrap().verify(&document, &[key.public().unwrap()]).map(|_| ())
}

fn token(changes: &Value) -> Result<(), Fault> {
    let claims = json!({
        "iss": "https://as.example.org", "sub": "x", "aud": "https://a.example", "client_id": "c",
        "iat": 1_795_000_000, "exp": 1_795_000_500, "jti": "1",
    });
    verify("access-token", "at+jwt", claims, changes)
}

fn authorisation(changes: &Value) -> Result<(), Fault> {
    let key = jwk(&read_key("p384-other").public().unwrap());
    let claims = json!({
        "iss": "https://root.example.org", "sub": "https://idp.example.org", "aud": "https://a.example",
        "tenant": "example.org", "env": "prod", "jwks": {"keys": [key]}, "scope": "scim", "max_token_ttl": 3_600,
        "iat": 1_795_000_000, "exp": 1_795_900_000, "jti": "1",
    });
    verify("provisioning-authorisation", "provisioning-authorization+jwt", claims, changes)
}

#[track_caller]
fn refused(found: Result<(), Fault>, says: &str) {
    let fault = found.expect_err(says);
    assert_eq!(fault.code().name, "verify.altered", "{fault}");
    assert!(fault.message().contains(says), "{says}: {fault}");
}

/// Whatever a trusted key signed: a token without a name of its own, or about nobody, is none.
#[test]
fn claims_that_are_names_are_texts() {
    token(&json!({})).unwrap();
    for name in ["iss", "sub", "client_id", "jti"] {
        for value in [Value::Null, 5.into(), "".into(), vec!["x"].into()] {
            refused(token(&json!({ name: value })), &format!("the claim '{name}' is no text"));
        }
    }
}

#[test]
fn an_authorisation_that_lets_nobody_in_or_limits_nothing_is_refused() {
    let key = jwk(&read_key("p384-other").public().unwrap());
    let with = |purpose: &str| {
        let mut key = key.clone();
        key["use"] = purpose.into();
        key
    };
    let unknown = json!({"kty": "ZZ", "kid": "z"});
    for good in [
        json!({}),
        json!({"max_token_ttl": 1, "methods": ["GET"], "policy": {"source_cidrs": ["192.0.2.0/24"]}}),
        json!({"env": "sandbox", "max_token_ttl": 86_400, "scope": "scim https://a.example/b*"}),
        json!({"jwks": {"keys": [unknown, with("sig")]}}),
    ] {
        authorisation(&good).unwrap_or_else(|fault| panic!("{good}: {fault}"));
    }
    for (changes, says) in [
        (json!({"jwks": {"keys": []}}), "its jwks has no key"),
        (json!({"jwks": {"keys": [unknown]}}), "none of its 1 keys can be used"),
        (json!({"jwks": {"keys": [with("enc")]}}), "none of its keys is for signatures"),
        (json!({"max_token_ttl": "x"}), "its max_token_ttl is \"x\", no whole number"),
        (json!({"max_token_ttl": 0}), "its max_token_ttl is 0"),
        (json!({"max_token_ttl": 0.5}), "its max_token_ttl is 0.5"),
        (json!({"max_token_ttl": 3_601}), "and in prod PT1H is the most"),
        (json!({"max_token_ttl": 315_360_000}), "it lets tokens live"),
        (json!({"env": "sandbox", "max_token_ttl": 86_401}), "and in sandbox P1D is the most"),
        (json!({"env": "production"}), "its env is no environment"),
        (json!({"scope": "a  b"}), "scopes stand between single spaces"),
        (json!({"scope": "a\"b"}), "scopes stand between single spaces"),
        (json!({"methods": []}), "its methods are []"),
        (json!({"methods": "GET"}), "its methods are \"GET\""),
        (json!({"methods": ["TRACE"]}), "no list of SCIM's"),
        (json!({"policy": {"source_cidrs": []}}), "its source_cidrs are []"),
        (json!({"policy": {"source_cidrs": ["192.0.2.0"]}}), "no list of networks"),
        (json!({"policy": {"source_cidrs": "192.0.2.0/24"}}), "no list of networks"),
    ] {
        refused(authorisation(&changes), says);
    }
    assert_eq!(authorisation(&json!({"jwks": []})).unwrap_err().code().name, "jwk.malformed");
}

#[test]
fn a_token_that_a_service_cannot_read_as_one_is_refused() {
    for good in [
        json!({"scope": "a b", "cnf": {"jkt": "x"}, "env": "prod"}),
        json!({"env": "prod", "exp": 1_795_003_600}),
        json!({"exp": 1_795_900_000}),
    ] {
        token(&good).unwrap_or_else(|fault| panic!("{good}: {fault}"));
    }
    for (changes, says) in [
        (json!({"scope": ["a"]}), "its scope is no text of scopes"),
        (json!({"scope": null}), "its scope is no text of scopes"),
        (json!({"scope": ""}), "scopes stand between single spaces"),
        (json!({"scope": "a\u{e9}"}), "scopes stand between single spaces"),
        (json!({"cnf": "x"}), "its cnf names no key"),
        (json!({"cnf": {}}), "its cnf names no key"),
        (json!({"env": "prod", "exp": 1_795_003_601}), "and in prod PT1H is the most"),
        (json!({"env": 1}), "its env is no environment"),
    ] {
        refused(token(&changes), says);
    }
}
