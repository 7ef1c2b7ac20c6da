//! Public keys as JSON Web Keys (RFC 7517) and their thumbprints (RFC 7638).

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::base::bytes::base64url;
use crate::key::{Parts, PublicKey};

/// The key as a JWK for signatures. Its `kid` is its thumbprint.
pub fn jwk(key: &PublicKey) -> Value {
    let mut jwk = required(key);
    if let Value::Object(members) = &mut jwk {
        members.insert("kid".into(), thumbprint(key).into());
        members.insert("use".into(), "sig".into());
        if let [scheme] = key.algorithm().schemes() {
            members.insert("alg".into(), scheme.jose.into());
        }
    }
    jwk
}

/// The SHA-256 thumbprint of the key (RFC 7638), in base64url.
pub fn thumbprint(key: &PublicKey) -> String {
    base64url(&Sha256::digest(required(key).to_string()))
}

/// The members a thumbprint covers, in the order of RFC 7638, section 3.2.
fn required(key: &PublicKey) -> Value {
    match key.parts() {
        Parts::Rsa { n, e } => json!({"e": base64url(e), "kty": "RSA", "n": base64url(n)}),
        Parts::Ec { curve, x, y, .. } => {
            json!({"crv": curve, "kty": "EC", "x": base64url(x), "y": base64url(y)})
        }
    }
}
