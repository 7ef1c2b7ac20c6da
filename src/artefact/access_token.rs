//! Access tokens as JWTs (RFC 9068): short, for one audience, bound to a key where the client has one. For sandboxes and broken
//! glass; whoever can take a signed key takes a provisioning authorisation instead.

use std::io::Write;
use std::path::Path;

use rand_core::CryptoRng;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::compose;
use super::grant::{self, Breach};
use super::jwt::{self, Dates, Jwt, Shape};
use super::keyset::KeyInput;
use super::{COMPOSED, Kind, Prepared, Terms, Verified};
use crate::base::disk::Document;
use crate::base::fault::Fault;
use crate::key::PublicKey;
use crate::policy::Profile;

pub(super) struct AccessToken;

/// RFC 9068, section 2.1.
static SHAPE: Shape = Shape { kind: "access-token", typ: "at+jwt", groups: &["access-token", "client-key"] };

/// RFC 9068, section 2.2.
const REQUIRED: [&str; 7] = ["iss", "exp", "aud", "sub", "client_id", "iat", "jti"];

/// What the operator decides.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Whom the token is about: the claim `sub`.
    subject: String,
    /// Who uses it.
    client_id: String,
    /// The service it is for.
    audience: Value,
    #[serde(default)]
    scopes: Vec<String>,
    /// How long it lives, as `PT10M`; the profile says, when it is not there.
    valid_for: Option<String>,
    /// The key that the client proves to hold (RFC 9449): none, or one.
    #[serde(default)]
    keys: Vec<KeyInput>,
}

impl Kind for AccessToken {
    fn name(&self) -> &'static str {
        SHAPE.kind
    }

    fn about(&self) -> &'static str {
        "a short access token (RFC 9068), a secret: where the service can take a signed key, sign that instead (provisioning-authorisation)"
    }

    fn is_secret(&self) -> bool {
        true
    }

    fn wants(&self, profile: &Profile) -> Option<&'static str> {
        profile.access_token.issuer.is_empty().then_some("access_token.issuer")
    }

    fn open(&self, path: &Path) -> Result<Document, Fault> {
        compose::open(path)
    }

    fn subject(&self, document: &Document) -> Result<String, Fault> {
        let input: Input = jwt::input(document)?;
        Ok([input.client_id, input.subject, input.audience.to_string()].join("\n"))
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
        let (profile, line) = (&terms.profile.access_token, &terms.key.line);
        let mut breaches: Vec<Breach> = Vec::new();
        let names = ["access-token.aud.not-single", "access-token.aud.unlisted"];
        grant::judge_audience(&input.audience, &profile.audiences, names, &mut breaches);
        let names =
            ["access-token.scope.malformed", "access-token.scope.none", "access-token.scope.unlisted"];
        let scope = grant::judge_scopes(&input.scopes, &profile.scopes, names, &mut breaches);
        let valid_for = grant::span(input.valid_for.as_deref(), profile.valid_for).map_err(at)?;
        let most = grant::lifetime_max(line.environment()).min(profile.valid_for_max);
        if valid_for > most {
            breaches.push((
                "access-token.exp.too-far",
                format!("it would live {valid_for}, and {most} is the most"),
            ));
        }
        let keys = grant::client_keys(&input.keys, terms, &mut breaches).map_err(at)?;
        let thumbprints = grant::thumbprints(&keys)?;
        let confirmed = match thumbprints.as_slice() {
            [] => {
                breaches.push(("access-token.cnf.none", "whoever has the token can use it".into()));
                None
            }
            [one] => Some(one.as_str()),
            _ => return Err(at(COMPOSED.fault("a token is bound to one key at most"))),
        };
        let mut claims = Map::new();
        let issuer = grant::issuer("access_token", &profile.issuer, terms)?;
        claims.insert("iss".into(), issuer.into());
        claims.insert("sub".into(), grant::stated("subject", &input.subject).map_err(at)?.into());
        claims.insert("aud".into(), input.audience.clone());
        claims.insert("client_id".into(), grant::stated("client_id", &input.client_id).map_err(at)?.into());
        claims.insert("tenant".into(), line.tenant().into());
        claims.insert("env".into(), line.environment().name().into());
        if !scope.is_empty() {
            claims.insert("scope".into(), scope.into());
        }
        Dates::from(terms.now, valid_for)?.put(&mut claims);
        claims.insert("jti".into(), jwt::unique(random).into());
        if let Some(thumbprint) = confirmed {
            claims.insert("cnf".into(), json!({ "jkt": thumbprint }));
        }
        let scheme = jwt::scheme(terms.public, &profile.alg)?;
        Ok(Box::new(Jwt::new(&SHAPE, document, terms, scheme, claims, &breaches, record)?))
    }

    fn verify(&self, document: &Document, trust: &[PublicKey]) -> Result<Verified, Fault> {
        let (claims, verified) = jwt::verify(document, SHAPE.typ, trust)?;
        jwt::demand(&claims, &REQUIRED, document)?;
        grant::demand_audience(&claims, document)?;
        grant::demand_scopes(&claims, document)?;
        if let (Some(environment), Some(lives)) = (claims.get("env"), lifetime(&verified)) {
            grant::demand_lifetime("it lives", lives, environment, document)?;
        }
        match claims.get("cnf").map(Value::as_object) {
            Some(bound) if bound.is_none_or(Map::is_empty) => Err(grant::refuse(
                "its cnf names no key that it is bound to (RFC 7800, section 3.1)",
                document,
            )),
            _ => Ok(verified),
        }
    }
}

/// How many seconds a token lives.
fn lifetime(verified: &Verified) -> Option<i64> {
    Some(verified.valid_until?.seconds_since(verified.valid_from?))
}
