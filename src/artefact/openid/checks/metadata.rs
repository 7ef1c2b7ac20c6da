//! The keys that stand in metadata, wherever they stand there and however they are written: whoever reads them need not be as
//! strict as we are.

use serde_json::json;

use crate::base::bytes::{base64url, from_careless_base64};
use crate::base::text::percent_decoded;
use crate::format::jose::{Jwk, jwk, thumbprint_of};
use crate::format::json::{Map, Value};
use crate::format::x509;
use crate::key::PublicKey;

/// Texts within texts are looked into so many times.
const DEPTH_MAX: usize = 8;

/// The keys that stand in metadata, and the type of entity they are of: objects with a `kty` as they stand, and what careless
/// readers take for a key, as a JWK (see [`meant`]). They stand anywhere, in texts that are JSON, a JWS, PEM, DER in base64,
/// or a `data:` URL of one of these, too.
pub(in super::super) fn metadata_keys(metadata: Option<&Value>) -> Vec<(&str, Value)> {
    let mut found = Vec::new();
    for (entity_type, own) in metadata.and_then(Value::as_object).into_iter().flatten() {
        let mut keys = Vec::new();
        seek(own, DEPTH_MAX, &mut keys);
        found.extend(keys.into_iter().map(|key| (entity_type.as_str(), key)));
    }
    found
}

fn seek(value: &Value, depth: usize, keys: &mut Vec<Value>) {
    match value {
        Value::Array(all) => all.iter().for_each(|one| seek(one, depth, keys)),
        Value::Object(members) => {
            let is_key = members.get("kty").is_some_and(Value::is_string);
            if is_key {
                keys.push(value.clone());
            }
            let own = is_key.then(|| thumbprint_of(value).ok()).flatten();
            keys.extend(meant(members).filter(|meant| thumbprint_of(meant).ok() != own));
            members.values().for_each(|one| seek(one, depth, keys));
        }
        Value::String(text) => seek_text(text.trim_ascii(), depth, keys),
        _ => {}
    }
}

fn seek_text(text: &str, depth: usize, keys: &mut Vec<Value>) {
    let Some(depth) = depth.checked_sub(1) else { return };
    if text.starts_with(['{', '[', '"']) {
        if let Ok(inner) = serde_json::from_str(text) {
            seek(&inner, depth, keys);
        }
    } else if let Some((head, data)) =
        text.get(..5).filter(|scheme| scheme.eq_ignore_ascii_case("data:")).and_then(|_| text.split_once(','))
    {
        let data = percent_decoded(data);
        let is_base64 = head.trim_end().to_ascii_lowercase().ends_with("base64");
        let inner = if is_base64 {
            from_careless_base64(&data).and_then(|bytes| String::from_utf8(bytes).ok())
        } else {
            None
        };
        seek_text(inner.as_deref().unwrap_or(&data).trim_ascii(), depth, keys);
    } else if text.contains("-----BEGIN ") {
        text.split("-----").for_each(|piece| seek_encoded(piece, depth, keys));
    } else if let [_, payload, _] = text.split('.').collect::<Vec<_>>()[..] {
        seek_encoded(payload, depth, keys);
    } else {
        seek_encoded(text, depth, keys);
    }
}

/// Looks into base64: of JSON, such as the payload of a JWS, and of DER.
fn seek_encoded(text: &str, depth: usize, keys: &mut Vec<Value>) {
    if text.len() < ENCODED_BYTES_MIN {
        return;
    }
    let Some(bytes) = from_careless_base64(text) else { return };
    if bytes.first() == Some(&0x30) {
        let key = x509::public_key_der(&bytes).or_else(|_| PublicKey::from_spki(&bytes));
        keys.extend(key.ok().map(|key| jwk(&key)));
    } else if let Some(json) =
        str::from_utf8(&bytes).ok().map(str::trim_ascii).filter(|text| text.starts_with(['{', '[']))
    {
        seek_text(json, depth, keys);
    }
}

/// No key is shorter: that on Ed25519 has 32 bytes.
const ENCODED_BYTES_MIN: usize = 43;

/// The key that careless readers take an object for, as a JWK: by its numbers, whatever they are written in and whatever it
/// says of itself. Nothing where no such key can be used.
fn meant(members: &Map<String, Value>) -> Option<Value> {
    let number = |name: &str| {
        let bytes = from_careless_base64(members.get(name)?.as_str()?)?;
        let start = bytes.iter().position(|byte| *byte != 0)?;
        bytes.get(start..).map(<[u8]>::to_vec)
    };
    let padded = |bytes: &[u8], size: usize| {
        let zeros = vec![0; size.saturating_sub(bytes.len())];
        base64url(&[&zeros, bytes].concat())
    };
    let key = if let (Some(n), Some(e)) = (number("n"), number("e")) {
        json!({"kty": "RSA", "n": base64url(&n), "e": base64url(&e)})
    } else {
        let x = number("x")?;
        match number("y") {
            Some(y) => {
                let length = x.len().max(y.len());
                let (curve, size) = CURVES.into_iter().find(|(_, size)| length <= *size)?;
                json!({"kty": "EC", "crv": curve, "x": padded(&x, size), "y": padded(&y, size)})
            }
            None => json!({"kty": "OKP", "crv": "Ed25519", "x": padded(&x, 32)}),
        }
    };
    Jwk::read(&key).is_ok().then_some(key)
}

/// Curves, and how many bytes a coordinate has.
const CURVES: [(&str, usize); 3] = [("P-256", 32), ("P-384", 48), ("P-521", 66)];
