//! Claims of tokens that a trusted key signed and that are wrong all the same.

use fedroot::artefact::kind;
use fedroot::base::disk::Document;
use serde_json::{Value, json};

use crate::support::openid::{read_key, sign};

/// Whatever a trusted key signed: a token without a name of its own, or about nobody, is none.
#[test]
fn claims_that_are_names_are_texts() {
    let key = read_key("p384");
    let verify = |name: &str, value: Value| {
        let mut claims = json!({
            "iss": "https://as.example.org", "sub": "x", "aud": "https://a.example", "client_id": "c",
            "iat": 1_795_000_000, "exp": 1_795_000_500, "jti": "1",
        });
        claims[name] = value;
        let token = sign(key.as_ref(), "k", "at+jwt", &claims);
        let document = Document::from_bytes("token", token.into_bytes());
        kind("access-token").unwrap().verify(&document, &[key.public().unwrap()])
    };
    verify("jti", "1".into()).unwrap();
    for name in ["iss", "sub", "client_id", "jti"] {
        for value in [Value::Null, 5.into(), "".into(), vec!["x"].into()] {
            let fault = verify(name, value.clone()).unwrap_err();
            assert_eq!(fault.code().name, "verify.altered", "{name} {value}");
            assert!(fault.message().ends_with(&format!("the claim '{name}' is no text")), "{fault}");
        }
    }
}
