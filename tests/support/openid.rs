//! A federation of three entities for tests: its statements, a trust mark, and what the program says of them.

use std::fs;

use fedroot::base::random;
use fedroot::format::jose::{Draft, jwk_as};
use fedroot::format::json::Value;
use fedroot::key::{PrivateKey, private_key};
use serde_json::json;

use super::{Folder, Ran, root};

pub(crate) const ANCHOR: &str = "https://ta.example.org";
pub(crate) const MIDDLE: &str = "https://int.example.org";
pub(crate) const SUBJECT: &str = "https://op.example.org";
pub(crate) const OWNER: &str = "https://owner.example.net";
pub(crate) const MARK: &str = "https://marks.example.org/good";
pub(crate) const AT: &str = "2026-11-22T12:00:00Z";
pub(crate) const IAT: i64 = 1_795_000_000;
pub(crate) const EXP: i64 = 1_800_000_000;

/// The keys of the parties; reading the RSA key is slow, so there are two P-384 keys for four parties.
pub(crate) struct Keys {
    pub(crate) anchor: Box<dyn PrivateKey>,
    pub(crate) other: Box<dyn PrivateKey>,
}

/// Reads a fixed key of the tests.
pub(crate) fn read_key(name: &str) -> Box<dyn PrivateKey> {
    let pem = fs::read_to_string(root().join("tests/keys").join(format!("{name}.pem"))).unwrap();
    let (_, der) = der::SecretDocument::from_pem(&pem).unwrap();
    private_key(der.as_bytes()).unwrap()
}

impl Keys {
    fn new() -> Self {
        Self { anchor: read_key("p384"), other: read_key("p384-other") }
    }

    fn of(&self, entity: &str) -> &dyn PrivateKey {
        if [ANCHOR, SUBJECT].contains(&entity) { self.anchor.as_ref() } else { self.other.as_ref() }
    }

    /// The keys of an entity as it publishes them, each entity with a kid of its own.
    pub(crate) fn jwks(&self, entity: &str) -> Value {
        let public = self.of(entity).public().unwrap();
        json!({"keys": [jwk_as(&public, entity, public.jose_scheme("ES384").unwrap())]})
    }

    pub(crate) fn sign(&self, typ: &str, claims: &Value) -> String {
        let issuer = claims["iss"].as_str().unwrap();
        sign(self.of(issuer), issuer, typ, claims)
    }
}

pub(crate) fn sign(key: &dyn PrivateKey, kid: &str, typ: &str, claims: &Value) -> String {
    let scheme = key.public().unwrap().jose_scheme("ES384").unwrap();
    let draft = Draft::new(scheme, typ, kid, claims.to_string().as_bytes());
    draft.finish(&key.sign(scheme, draft.octets(), &mut random::system()).unwrap())
}

/// A chain of three entities, and what else is said; tests change its claims before it is signed.
pub(crate) struct Scene {
    pub(crate) folder: Folder,
    pub(crate) keys: Keys,
    pub(crate) subject: Value,
    pub(crate) below: Value,
    pub(crate) above: Value,
    pub(crate) anchor: Value,
    pub(crate) mark: Value,
    pub(crate) delegation: Value,
}

pub(crate) fn scene() -> Scene {
    let keys = Keys::new();
    let claims = |iss: &str, sub: &str| json!({"iss": iss, "sub": sub, "iat": IAT, "exp": EXP, "jwks": keys.jwks(sub)});
    let mut subject = claims(SUBJECT, SUBJECT);
    subject["authority_hints"] = json!([MIDDLE]);
    subject["metadata"] = json!({
        "openid_provider": {"issuer": SUBJECT, "scopes_supported": ["openid", "email", "phone"]},
        "oauth_client": {"client_name": "x"},
    });
    let mut below = claims(MIDDLE, SUBJECT);
    below["metadata"] = json!({"openid_provider": {"op_policy_uri": "https://int.example.org/policy"}});
    below["metadata_policy"] =
        json!({"openid_provider": {"scopes_supported": {"subset_of": ["openid", "email"]}}});
    let mut above = claims(ANCHOR, MIDDLE);
    above["metadata_policy"] = json!({"openid_provider": {"contacts": {"default": ["soc@ta.example.org"]}}});
    above["constraints"] = json!({
        "max_path_length": 1,
        "naming_constraints": {"permitted": [".example.org"], "excluded": ["bad.example.org"]},
        "allowed_entity_types": ["openid_provider"],
    });
    let mut anchor = claims(ANCHOR, ANCHOR);
    anchor["metadata"] = json!({"federation_entity": {
        "federation_fetch_endpoint": "https://ta.example.org/fetch",
        "federation_list_endpoint": "https://ta.example.org/list",
        "organization_name": "An anchor",
    }});
    anchor["trust_mark_issuers"] = json!({ MARK: [ANCHOR] });
    anchor["trust_mark_owners"] = json!({ MARK: {"sub": OWNER, "jwks": keys.jwks(OWNER)} });
    let mut mark = json!({"iss": ANCHOR, "sub": SUBJECT, "iat": IAT, "exp": EXP, "trust_mark_type": MARK});
    mark["delegation"] = Value::Null;
    let delegation = json!({"iss": OWNER, "sub": ANCHOR, "iat": IAT, "exp": EXP, "trust_mark_type": MARK});
    Scene { folder: Folder::empty(), keys, subject, below, above, anchor, mark, delegation }
}

impl Scene {
    /// Signs everything, with a trust mark in the subject's configuration, and writes one file for each statement.
    pub(crate) fn write(&self) {
        let mut mark = self.mark.clone();
        if mark.get("delegation").is_some() {
            mark["delegation"] = self.keys.sign("trust-mark-delegation+jwt", &self.delegation).into();
        }
        let mark = self.keys.sign("trust-mark+jwt", &mark);
        let mut subject = self.subject.clone();
        subject["trust_marks"] = json!([{"trust_mark_type": MARK, "trust_mark": mark}]);
        let statement = |claims: &Value| self.keys.sign("entity-statement+jwt", claims);
        let all =
            [statement(&subject), statement(&self.below), statement(&self.above), statement(&self.anchor)];
        for (name, text) in ["subject", "below", "above", "anchor"].iter().zip(&all) {
            self.put(&format!("{name}.jwt"), text);
        }
        self.put("chain.json", &json!(all).to_string());
        self.put("anchor.jwks", &self.keys.jwks(ANCHOR).to_string());
    }

    pub(crate) fn put(&self, name: &str, text: &str) {
        fs::write(self.folder.path(name), text).unwrap();
    }

    pub(crate) fn verify_with(&self, arguments: &[&str]) -> Ran {
        self.folder.fedroot(&[&["verify", "entity-statement", "--json"], arguments].concat())
    }

    pub(crate) fn verify(&self) -> Ran {
        let files =
            ["anchor.jwt", "subject.jwt", "above.jwt", "below.jwt", "--trust", "anchor.jwks", "--at", AT];
        self.verify_with(&files)
    }

    /// The chain as it is now is refused with this code, and the message says this.
    #[track_caller]
    pub(crate) fn refused(&self, code: &str, says: &str) {
        self.write();
        refused(&self.verify(), code, says);
    }
}

#[track_caller]
pub(crate) fn refused(ran: &Ran, code: &str, says: &str) {
    let told: Value =
        serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{} {}", ran.stdout, ran.stderr));
    assert_eq!((told["ok"].as_bool(), told["code"].as_str()), (Some(false), Some(code)), "{told}");
    assert!(told["message"].as_str().unwrap().contains(says), "{told}");
    assert_ne!(ran.code, 0);
}

#[track_caller]
pub(crate) fn good(ran: &Ran) -> Value {
    assert_eq!(ran.code, 0, "{} {}", ran.stdout, ran.stderr);
    serde_json::from_str(&ran.stdout).unwrap()
}

/// Writes a new key of the anchor and the historical keys it signs, which say this of the old one.
pub(crate) fn write_history(scene: &Scene, changes: &Value) {
    let new = scene.keys.other.public().unwrap();
    let new = jwk_as(&new, "new", new.jose_scheme("ES384").unwrap());
    scene.put("new.jwks", &json!({ "keys": [new] }).to_string());
    let mut old = scene.keys.jwks(ANCHOR)["keys"][0].clone();
    for (name, value) in changes.as_object().unwrap() {
        old[name] = value.clone();
    }
    let claims = json!({"iss": ANCHOR, "iat": 1_795_500_000, "keys": [old]});
    scene.put("history.jwt", &sign(scene.keys.other.as_ref(), "new", "jwk-set+jwt", &claims));
}
