//! Software statements (RFC 7591, section 2.3): what a federation vouches for when software registers itself as a client.

use std::io::Write;
use std::path::Path;

use rand_core::CryptoRng;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::compose;
use super::grant::{self, Breach};
use super::jwt::{self, Dates, Jwt, Shape};
use super::keyset::KeyInput;
use super::openid::identifier::not_a_url;
use super::{COMPOSED, Kind, Prepared, Terms, Verified};
use crate::base::disk::Document;
use crate::base::fault::Fault;
use crate::format::jose::JwkSet;
use crate::key::PublicKey;
use crate::policy::Profile;

pub(super) struct SoftwareStatement;

/// RFC 7591 names no `typ`; RFC 8725, section 3.11, wants one, so that no statement passes for another kind of JWT.
static SHAPE: Shape = Shape {
    kind: "software-statement",
    typ: "software-statement+jwt",
    groups: &["software-statement", "client-key"],
};

const REQUIRED: [&str; 4] = ["iss", "iat", "exp", "jti"];

/// Client metadata that is registered (IANA's OAuth Dynamic Client Registration Metadata: RFC 7591, section 2; OpenID Connect
/// Registration 1.0, section 2, and its ways to log out; RFC 8705, section 2.1.2; RFC 9449, section 5.2; RFC 9101, 9126, 9396
/// and 9701), but for `jwks`, which comes from [[keys]].
const KNOWN: [&str; 50] = [
    "redirect_uris",
    "token_endpoint_auth_method",
    "token_endpoint_auth_signing_alg",
    "grant_types",
    "response_types",
    "client_name",
    "client_uri",
    "logo_uri",
    "scope",
    "contacts",
    "tos_uri",
    "policy_uri",
    "jwks_uri",
    "software_id",
    "software_version",
    "application_type",
    "sector_identifier_uri",
    "subject_type",
    "id_token_signed_response_alg",
    "id_token_encrypted_response_alg",
    "id_token_encrypted_response_enc",
    "userinfo_signed_response_alg",
    "userinfo_encrypted_response_alg",
    "userinfo_encrypted_response_enc",
    "request_object_signing_alg",
    "request_object_encryption_alg",
    "request_object_encryption_enc",
    "default_max_age",
    "require_auth_time",
    "default_acr_values",
    "initiate_login_uri",
    "request_uris",
    "post_logout_redirect_uris",
    "frontchannel_logout_uri",
    "frontchannel_logout_session_required",
    "backchannel_logout_uri",
    "backchannel_logout_session_required",
    "tls_client_auth_subject_dn",
    "tls_client_auth_san_dns",
    "tls_client_auth_san_uri",
    "tls_client_auth_san_ip",
    "tls_client_auth_san_email",
    "tls_client_certificate_bound_access_tokens",
    "dpop_bound_access_tokens",
    "require_signed_request_object",
    "require_pushed_authorization_requests",
    "authorization_details_types",
    "introspection_signed_response_alg",
    "introspection_encrypted_response_alg",
    "introspection_encrypted_response_enc",
];

/// Those of them that people read: behind `#` they may carry a language (RFC 7591, section 2.2), and no others may.
const READ: [&str; 5] = ["client_name", "client_uri", "logo_uri", "tos_uri", "policy_uri"];

/// How algorithms begin that take the client's secret for their key (OpenID Connect Core 1.0, sections 10.1 and 10.2; RFC 7518,
/// section 4.1), or none.
const SECRET: [&str; 6] = ["HS", "A1", "A2", "PBES2", "DIR", "NONE"];

/// What a server assigns, what this program sets, and what has a place of its own in the document.
const ASSIGNED: [&str; 16] = [
    "client_id",
    "client_secret",
    "client_id_issued_at",
    "client_secret_expires_at",
    "registration_access_token",
    "registration_client_uri",
    "software_statement",
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "jwks",
    "cnf",
];

/// What the operator decides.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    /// The authorization server, where the statement is for one alone.
    audience: Option<Value>,
    /// How long it counts, as `P180D`.
    valid_for: Option<String>,
    /// The client metadata that is vouched for.
    metadata: Map<String, Value>,
    #[serde(default)]
    keys: Vec<KeyInput>,
}

impl Kind for SoftwareStatement {
    fn name(&self) -> &'static str {
        SHAPE.kind
    }

    fn about(&self) -> &'static str {
        "client metadata that is vouched for at dynamic registration (RFC 7591)"
    }

    fn wants(&self, profile: &Profile) -> Option<&'static str> {
        profile.software_statement.issuer.is_empty().then_some("software_statement.issuer")
    }

    fn open(&self, path: &Path) -> Result<Document, Fault> {
        compose::open(path)
    }

    fn subject(&self, document: &Document) -> Result<String, Fault> {
        let metadata = jwt::input::<Input>(document)?.metadata;
        let names = ["software_id", "client_name"];
        let name = names.iter().find_map(|name| metadata.get(*name).and_then(Value::as_str));
        Ok(name.unwrap_or_default().to_owned())
    }

    fn prepare<'d>(
        &self,
        document: &'d Document,
        terms: &Terms<'_>,
        random: &mut dyn CryptoRng,
        record: Option<&mut dyn Write>,
    ) -> Result<Box<dyn Prepared + 'd>, Fault> {
        let input: Input = jwt::input(document)?;
        let at = |fault: Fault| fault.at(document.name());
        let profile = &terms.profile.software_statement;
        let mut breaches: Vec<Breach> = Vec::new();
        let mut claims = Map::new();
        claims.insert("iss".into(), grant::issuer("software_statement", &profile.issuer, terms)?.into());
        if let Some(audience) = &input.audience {
            if let Err(why) = grant::audience(audience) {
                breaches.push(("software-statement.aud.not-single", why));
            }
            claims.insert("aud".into(), audience.clone());
        }
        let valid_for = grant::span(input.valid_for.as_deref(), profile.valid_for).map_err(at)?;
        if valid_for > profile.valid_for_max {
            let detail = format!("it would count {valid_for}, and {} is the most", profile.valid_for_max);
            breaches.push(("software-statement.exp.too-far", detail));
        }
        Dates::from(terms.now, valid_for)?.put(&mut claims);
        claims.insert("jti".into(), jwt::unique(random).into());
        let keys = grant::client_keys(&input.keys, terms, &mut breaches).map_err(at)?;
        judge(&input.metadata, !keys.is_empty(), &mut breaches).map_err(at)?;
        for (name, value) in input.metadata {
            claims.entry(name).or_insert(value);
        }
        if !keys.is_empty() {
            claims.insert("jwks".into(), JwkSet::written(&keys));
        }
        let scheme = jwt::scheme(terms.public, &profile.alg)?;
        Ok(Box::new(Jwt::new(&SHAPE, document, terms, scheme, claims, &breaches, record)?))
    }

    fn verify(&self, document: &Document, trust: &[PublicKey]) -> Result<Verified, Fault> {
        let (claims, verified) = jwt::verify(document, SHAPE.typ, trust)?;
        jwt::demand(&claims, &REQUIRED, document)?;
        grant::demand_audience(&claims, document)?;
        Ok(verified)
    }
}

fn judge(metadata: &Map<String, Value>, has_keys: bool, breaches: &mut Vec<Breach>) -> Result<(), Fault> {
    for name in metadata.keys() {
        let (plain, is_of_language) =
            name.split_once('#').map_or((&**name, false), |(plain, _)| (plain, true));
        if ASSIGNED.contains(&plain) {
            breaches.push(("software-statement.member.assigned", format!("{name} is there")));
        } else if !KNOWN.contains(&plain) || is_of_language && !READ.contains(&plain) {
            breaches.push(("software-statement.member.unknown", format!("{name} is not registered")));
        }
    }
    if metadata.get("software_id").and_then(Value::as_str).is_none_or(str::is_empty) {
        breaches.push(("software-statement.id.none", "there is no software_id".into()));
    }
    judge_authentication(metadata, has_keys, breaches)?;
    judge_flows(metadata, breaches)?;
    for (name, value) in metadata.iter().filter(|(name, _)| is_page(name)) {
        let why = value.as_str().map_or(Some("it is no text"), not_a_url);
        if let Some(why) = why {
            breaches.push(("software-statement.uri.malformed", format!("{name}: {why}")));
        }
    }
    Ok(())
}

fn is_page(name: &str) -> bool {
    let plain = name.split('#').next().unwrap_or_default();
    plain.ends_with("_uri")
}

fn judge_authentication(
    metadata: &Map<String, Value>,
    has_keys: bool,
    breaches: &mut Vec<Breach>,
) -> Result<(), Fault> {
    let has_uri = metadata.contains_key("jwks_uri");
    if has_uri && has_keys {
        breaches.push(("software-statement.jwks.both", "jwks_uri and [[keys]] are there".into()));
    }
    // What registers without a method authenticates with a secret (RFC 7591, section 2).
    let said = text(metadata, "token_endpoint_auth_method")?;
    let method = said.unwrap_or("client_secret_basic");
    if method.to_ascii_lowercase().contains("secret") {
        let silent = if said.is_none() { "token_endpoint_auth_method is not given: " } else { "" };
        breaches.push(("software-statement.auth.shared-secret", format!("{silent}the method is {method}")));
    }
    if ["private_key_jwt", "self_signed_tls_client_auth"].contains(&method) && !has_keys && !has_uri {
        breaches.push(("software-statement.auth.no-keys", format!("the method is {method}")));
    }
    for name in metadata.keys().filter(|name| name.ends_with("_alg")) {
        let alg = text(metadata, name)?.unwrap_or_default().to_ascii_uppercase();
        if SECRET.iter().any(|secret| alg.starts_with(secret)) {
            breaches.push(("software-statement.auth.shared-secret", format!("{name} is {alg}")));
        }
    }
    Ok(())
}

fn judge_flows(metadata: &Map<String, Value>, breaches: &mut Vec<Breach>) -> Result<(), Fault> {
    // The defaults of RFC 7591, section 2.
    let grants = texts(metadata, "grant_types")?.unwrap_or_else(|| vec!["authorization_code"]);
    let is_plain = !grants.contains(&"authorization_code");
    let responses =
        texts(metadata, "response_types")?.unwrap_or_else(|| if is_plain { vec![] } else { vec!["code"] });
    let is_weak =
        |grant: &&&str| ["implicit", "password"].iter().any(|weak| grant.eq_ignore_ascii_case(weak));
    for weak in grants.iter().filter(is_weak) {
        breaches.push(("software-statement.grant.weak", format!("{weak} is among the grant_types")));
    }
    let has_code = responses.iter().any(|one| one.split(' ').any(|part| part == "code"));
    let has_token =
        responses.iter().any(|one| one.split(' ').any(|part| ["token", "id_token"].contains(&part)));
    let redirects = texts(metadata, "redirect_uris")?.unwrap_or_default();
    for (is_wrong, why) in [
        (has_code == is_plain, "the grant authorization_code and the response code belong together"),
        (
            has_token && !grants.contains(&"implicit"),
            "a token or id_token is answered without the implicit grant",
        ),
        (!responses.is_empty() && redirects.is_empty(), "there is no redirect URI to answer to"),
    ] {
        if is_wrong {
            breaches.push(("software-statement.response.mismatch", why.into()));
        }
    }
    let is_native = text(metadata, "application_type")? == Some("native");
    for uri in redirects.into_iter().chain(texts(metadata, "post_logout_redirect_uris")?.unwrap_or_default())
    {
        if let Some(why) = not_a_redirect(uri, is_native) {
            breaches.push(("software-statement.redirect.malformed", format!("{uri}: {why}")));
        }
    }
    // Its fragment is the digest of what stands there (OpenID Connect Core 1.0, section 6.2).
    for uri in texts(metadata, "request_uris")?.unwrap_or_default() {
        if let Some(why) = not_a_url(uri.split('#').next().unwrap_or_default()) {
            breaches.push(("software-statement.uri.malformed", format!("request_uris: {uri}: {why}")));
        }
    }
    Ok(())
}

/// Why a text is no redirect URI of such software.
fn not_a_redirect(uri: &str, is_native: bool) -> Option<&'static str> {
    if uri.contains('*') {
        return Some("it has a wildcard");
    }
    if uri.contains('#') {
        return Some("it has a fragment");
    }
    if is_native {
        let loopback = ["127.0.0.1", "[::1]"].iter().find_map(|host| {
            let rest = uri.strip_prefix("http://")?.strip_prefix(host)?;
            (rest.is_empty() || rest.starts_with([':', '/', '?'])).then(|| format!("https://{host}{rest}"))
        });
        // But for its scheme it is a URL like others: what looks like a port may be a user, and another host behind it.
        if let Some(url) = loopback {
            return not_a_url(&url);
        }
        // A scheme of its own is a domain turned round (RFC 8252, section 7.1).
        let scheme = uri.split(':').next().unwrap_or_default();
        let is_scheme = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
        if scheme.contains('.') && scheme.chars().all(is_scheme) && uri.chars().all(|c| c.is_ascii_graphic())
        {
            return None;
        }
    }
    not_a_url(uri)
}

fn text<'a>(metadata: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, Fault> {
    match metadata.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(COMPOSED.fault(format!("metadata.{name} is not one text"))),
    }
}

fn texts<'a>(metadata: &'a Map<String, Value>, name: &str) -> Result<Option<Vec<&'a str>>, Fault> {
    let Some(value) = metadata.get(name) else { return Ok(None) };
    let texts = value.as_array().and_then(|all| all.iter().map(Value::as_str).collect::<Option<Vec<_>>>());
    texts.map(Some).ok_or_else(|| COMPOSED.fault(format!("metadata.{name} is not a list of texts")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The rules that client metadata with these members breaks.
    fn broken(more: &Value) -> Vec<&'static str> {
        let mut metadata = json!({
            "software_id": "x",
            "token_endpoint_auth_method": "private_key_jwt",
            "redirect_uris": ["https://a.example/cb"],
        });
        let members = metadata.as_object_mut().unwrap();
        members.extend(more.as_object().unwrap().clone());
        let mut breaches = Vec::new();
        judge(members, true, &mut breaches).unwrap();
        breaches.into_iter().map(|(rule, _)| rule).collect()
    }

    #[test]
    fn a_redirect_leads_to_the_software_and_nowhere_else() {
        let native = |uri: &str| broken(&json!({"application_type": "native", "redirect_uris": [uri]}));
        for good in [
            "http://127.0.0.1",
            "http://127.0.0.1/cb",
            "http://127.0.0.1:8080/cb?x=1",
            "http://[::1]:80",
            "https://a.example/cb",
            "org.example.app:/cb",
        ] {
            assert_eq!(native(good), [""; 0], "{good}");
        }
        for bad in [
            "http://127.0.0.1:80@evil.example/",
            "http://127.0.0.1:x.evil/",
            "http://127.0.0.1:@evil.example/",
            "http://127.0.0.1:80\\@evil.example/",
            "http://127.0.0.1:+80/",
            "http://127.0.0.1:/",
            "http://127.0.0.1.evil.example/",
            "http://[::1]:80@evil.example/",
            "http://localhost/",
            "evil.example/x:/cb",
        ] {
            assert_eq!(native(bad), ["software-statement.redirect.malformed"], "{bad}");
        }
        let logout = json!({"post_logout_redirect_uris": ["http://evil.example/"]});
        assert_eq!(broken(&logout), ["software-statement.redirect.malformed"]);
        assert_eq!(
            broken(&json!({"request_uris": ["http://evil.example/"]})),
            ["software-statement.uri.malformed"]
        );
        assert_eq!(broken(&json!({"request_uris": ["https://a.example/r#digest"]})), [""; 0]);
    }

    #[test]
    fn what_is_registered_is_known_and_its_addresses_are_judged() {
        for good in [
            json!({"id_token_encrypted_response_alg": "ECDH-ES", "id_token_encrypted_response_enc": "A256GCM"}),
            json!({"userinfo_signed_response_alg": "ES384", "userinfo_encrypted_response_alg": "ECDH-ES"}),
            json!({"request_object_signing_alg": "ES384", "request_object_encryption_alg": "ECDH-ES"}),
            json!({"backchannel_logout_uri": "https://a.example/out", "backchannel_logout_session_required": true}),
            json!({"frontchannel_logout_uri": "https://a.example/out"}),
            json!({"default_acr_values": ["1"], "require_pushed_authorization_requests": true}),
        ] {
            assert_eq!(broken(&good), [""; 0], "{good}");
        }
        for (bad, rule) in [
            (json!({"backchannel_logout_uris": []}), "software-statement.member.unknown"),
            (json!({"backchannel_logout_uri": "http://a.example/"}), "software-statement.uri.malformed"),
            (json!({"frontchannel_logout_uri": "https://u@a.example/"}), "software-statement.uri.malformed"),
        ] {
            assert_eq!(broken(&bad), [rule], "{bad}");
        }
    }

    #[test]
    fn a_shared_secret_or_none_is_found_in_algorithms_and_in_other_letters() {
        let secret = "software-statement.auth.shared-secret";
        for bad in [
            json!({"token_endpoint_auth_signing_alg": "HS256"}),
            json!({"token_endpoint_auth_signing_alg": "none"}),
            json!({"id_token_signed_response_alg": "none"}),
            json!({"id_token_signed_response_alg": "hs512"}),
            json!({"token_endpoint_auth_method": "Client_Secret_Basic"}),
            json!({"token_endpoint_auth_method": " client_secret_jwt"}),
        ] {
            assert_eq!(broken(&bad), [secret], "{bad}");
        }
        for alg in ["dir", "A128KW", "A256GCMKW", "PBES2-HS256+A128KW"] {
            let bad = json!({ "id_token_encrypted_response_alg": alg });
            assert_eq!(broken(&bad), [secret], "{bad}");
        }
        assert_eq!(broken(&json!({"id_token_signed_response_alg": "ES384"})), [""; 0]);
        let weak = json!({"grant_types": ["authorization_code", "Implicit"]});
        assert_eq!(broken(&weak), ["software-statement.grant.weak"]);
        let password = json!({"grant_types": ["authorization_code", "PASSWORD"]});
        assert_eq!(broken(&password), ["software-statement.grant.weak"]);
        // A language makes another name of it, which no judge looks at and some servers take for the same.
        for name in ["redirect_uris#de", "token_endpoint_auth_method#de", "id_token_signed_response_alg#"] {
            assert_eq!(broken(&json!({ name: "x" })), ["software-statement.member.unknown"], "{name}");
        }
        assert_eq!(broken(&json!({"client_name#de": "Beispiel"})), [""; 0]);
        assert_eq!(broken(&json!({"token_endpoint_auth_method": "none"})), [""; 0], "a public client");
    }
}
