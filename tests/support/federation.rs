//! A small federation as a folder: an anchor, and subordinates that each have a key of their own.

use std::fs;
use std::path::Path;

use fedroot::base::random;
use fedroot::format::jose::{self, Draft};
use fedroot::key::{PrivateKey, private_key};
use pkcs8::EncodePrivateKey;
use serde_json::{Value, json};

/// The anchor's profile.
pub(crate) const PROFILE: &str = "version = 1
kinds = [\"federation\", \"entity-configuration\", \"subordinate-statement\", \"trust-mark\", \"historical-keys\", \"jwk-set\"]
policy_ref = \"tests\"

[openid]
entity_id = \"https://anchor.example.org\"
";

const CONFIGURATION: &str = "
[metadata.federation_entity]
organization_name = \"Example federation\"
federation_fetch_endpoint = \"https://anchor.example.org/fetch\"
federation_list_endpoint = \"https://anchor.example.org/list\"
federation_trust_mark_endpoint = \"https://anchor.example.org/mark\"
federation_historical_keys_endpoint = \"https://anchor.example.org/historical\"
";

/// 2026-01-01 and 2100-01-01.
const DATES: (i64, i64) = (1_767_225_600, 4_102_444_800);

/// Who has this number.
pub(crate) fn id(number: u32) -> String {
    format!("https://op{number}.example.org")
}

/// A fixed key.
pub(crate) fn key(number: u32) -> Box<dyn PrivateKey> {
    let mut secret = [1; 48];
    secret[40..44].copy_from_slice(&number.to_be_bytes());
    private_key(p384::SecretKey::from_slice(&secret).unwrap().to_pkcs8_der().unwrap().as_bytes()).unwrap()
}

/// The JWK of a fixed key.
pub(crate) fn jwk(number: u32) -> Value {
    jose::jwk(&key(number).public().unwrap())
}

/// The configuration of a provider, which its key signs, and which lists these keys.
pub(crate) fn configuration(id: &str, signer: u32, listed: &[u32]) -> String {
    listing(id, signer, &listed.iter().map(|number| jwk(*number)).collect::<Vec<_>>())
}

/// The same of keys as they are told; the first is the one that signs.
pub(crate) fn listing(id: &str, signer: u32, jwks: &[Value]) -> String {
    let claims = json!({
        "iss": id, "sub": id, "iat": DATES.0, "exp": DATES.1,
        "jwks": {"keys": jwks},
        "authority_hints": ["https://anchor.example.org"],
        "metadata": {"openid_provider": {
            "issuer": id,
            "scopes_supported": ["openid", "email"],
            "client_registration_types_supported": ["automatic"],
        }},
    });
    let signer = key(signer);
    let public = signer.public().unwrap();
    let scheme = public.jose_scheme("ES384").unwrap();
    let text = claims.to_string();
    let kid = jwks.first().and_then(|jwk| jwk["kid"].as_str()).unwrap();
    let draft = Draft::new(scheme, "entity-statement+jwt", kid, text.as_bytes());
    draft.finish(&signer.sign(scheme, draft.octets(), &mut random::system()).unwrap())
}

/// What the anchor says of it.
pub(crate) fn statement(number: u32) -> String {
    format!(
        "configuration = \"{number}.jwt\"\n\n[metadata_policy.openid_provider]\nscopes_supported = {{ superset_of = [\"openid\"] }}\n"
    )
}

/// Writes one subordinate.
pub(crate) fn subordinate(folder: &Path, number: u32) {
    let file = |ending: &str| folder.join(format!("subordinates/{number}.{ending}"));
    fs::write(file("jwt"), configuration(&id(number), number, &[number])).unwrap();
    fs::write(file("toml"), statement(number)).unwrap();
}

/// Writes an anchor with subordinates.
pub(crate) fn write(folder: &Path, count: u32) {
    fs::create_dir_all(folder.join("subordinates")).unwrap();
    fs::write(folder.join("anchor.toml"), CONFIGURATION).unwrap();
    for number in 1..=count {
        subordinate(folder, number);
    }
}
