//! Private and symmetric keys in what comes in: whatever holds one is refused as a whole, before anything else is said of it.
//!
//! Every JSON text passes here when it is read, the header and the claims of every JWS among them, and so do the TOML that
//! operators write and the PEM that they name. No message repeats a value.

use serde_json::Value;

use super::jose::PRIVATE;
use crate::base::bytes::from_base64url;
use crate::base::fault::Fault;
use crate::base::text::holds_private_key;

/// The members of private and symmetric keys (RFC 7518, section 6; RFC 9964 for `priv`).
const SECRET: [&str; 9] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"];
/// Of these a key has two at least, whatever it leaves out (RFC 7517, section 4; RFC 7518, section 6).
const USUAL: [&str; 9] = ["kid", "alg", "use", "key_ops", "x", "y", "n", "e", "x5c"];
/// How a key without a `kty` of its own is known.
const USUAL_MIN: usize = 2;

const PUBLISHED: &str = "take it out; if it was ever published, its owner has to replace the key";

/// Refuses a value that holds a private or symmetric key at any depth: as a JWK, in PEM, or in a text that is JSON or a JWS.
///
/// # Errors
///
/// `jwk.private`.
pub fn refuse(value: &Value) -> Result<(), Fault> {
    seek(value, false)
}

/// Refuses a text that holds one: PEM, an age identity, JSON, or a JWS with one in its header or payload.
///
/// # Errors
///
/// `jwk.private`.
pub fn refuse_text(text: &str) -> Result<(), Fault> {
    if holds_private_key(text) {
        return Err(PRIVATE
            .fault("it holds a private key in PEM, or an age identity")
            .hint("`openssl pkey -pubout -in KEY` writes the public half; if it was published, its owner has to replace it"));
    }
    let text = text.trim();
    if text.starts_with(['{', '[', '"']) {
        return serde_json::from_str(text).map_or(Ok(()), |value| refuse(&value));
    }
    // A JWS, or a part of one: an object in base64url begins with an 'e'.
    for part in text.split('.').filter(|part| part.starts_with('e')) {
        let decoded = from_base64url(part).and_then(|bytes| String::from_utf8(bytes).ok());
        if let Some(inner) = decoded.filter(|inner| inner.trim_start().starts_with('{')) {
            refuse_text(&inner)?;
        }
    }
    Ok(())
}

/// Elements of an array `keys` are keys, whatever else they say.
fn seek(value: &Value, is_key_set: bool) -> Result<(), Fault> {
    match value {
        Value::Array(values) => values.iter().try_for_each(|value| {
            if is_key_set {
                refuse_members(value)?;
            }
            seek(value, false)
        }),
        Value::Object(members) => {
            let has = |name: &&str| members.contains_key(*name);
            if has(&"kty") || has(&"crv") || USUAL.iter().filter(|name| has(name)).count() >= USUAL_MIN {
                refuse_members(value)?;
            }
            members.iter().try_for_each(|(name, inner)| {
                refuse_text(name)?;
                seek(inner, name == "keys")
            })
        }
        Value::String(text) => refuse_text(text),
        _ => Ok(()),
    }
}

fn refuse_members(key: &Value) -> Result<(), Fault> {
    if key.get("kty").and_then(Value::as_str).is_some_and(|kty| kty.eq_ignore_ascii_case("oct")) {
        return Err(PRIVATE.fault("a symmetric key (kty oct) stands there").hint(PUBLISHED));
    }
    match SECRET.iter().find(|name| key.get(name).is_some()) {
        None => Ok(()),
        Some(name) => {
            Err(PRIVATE.fault(format!("a JSON Web Key has the private member '{name}'")).hint(PUBLISHED))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::base::bytes::base64url;

    const PEM: &str = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";

    fn jws(header: &Value, payload: &Value) -> String {
        let part = |value: &Value| base64url(value.to_string().as_bytes());
        format!("{}.{}.AAAA", part(header), part(payload))
    }

    #[test]
    fn a_private_key_is_found_however_it_is_written() {
        let key = json!({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "d": "SECRET"});
        let set = json!({"keys": [key]});
        let header = json!({"alg": "ES256", "jwk": key});
        let nested = jws(&json!({"alg": "ES256"}), &json!({"delegation": jws(&header, &json!({}))}));
        for bad in [
            key.clone(),
            json!({"keys": [{"kid": "a", "k": "SECRET"}]}),
            json!({"keys": [{"k": "SECRET"}]}),
            json!({"kid": "a", "alg": "HS256", "k": "SECRET"}),
            json!({"x": "AA", "y": "AA", "d": "SECRET"}),
            json!({"n": "AA", "e": "AQAB", "p": "SECRET"}),
            json!({"kty": "OCT", "kid": "a"}),
            json!({"jwks": set.to_string()}),
            json!({"jwks": json!(set.to_string()).to_string()}),
            json!({"name": format!("see\n{PEM}")}),
            json!({"name": PEM.replace("PRIVATE", "ENCRYPTED PRIVATE")}),
            json!({"name": "-----BEGIN PGP PRIVATE KEY BLOCK-----"}),
            json!({"name": "age-secret-key-1QQQ"}),
            json!({PEM: 1}),
            json!([jws(&header, &json!({}))]),
            json!([jws(&json!({"alg": "ES256"}), &set)]),
            json!([nested]),
            json!({"protected": base64url(header.to_string().as_bytes())}),
        ] {
            let fault = refuse(&bad).expect_err(&bad.to_string());
            assert_eq!(fault.code(), &PRIVATE, "{bad}");
            assert!(!format!("{fault:?}").contains("SECRET"), "{fault:?}");
        }
    }

    #[test]
    fn what_only_looks_like_one_is_left_alone() {
        let public = json!({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": "d"});
        for good in [
            public.clone(),
            json!({"keys": {"d": public, "k": public}}),
            json!({"keys": ["d", 1, null]}),
            json!({"claims": {"k": 1, "d": "x", "p": null}}),
            json!({"text": "{\"d\":", "other": "e.e.e", "more": "PRIVATE KEY", "pem": "-----BEGIN PUBLIC KEY-----"}),
            json!([jws(&json!({"alg": "ES256", "jwk": public}), &json!({"keys": [public]}))]),
        ] {
            refuse(&good).unwrap();
        }
    }
}
