//! Provisioning authorisations: a signed statement that a client may use a SCIM interface (RFC 7644) with keys of its own, for
//! one tenant and environment, within limits that the service enforces. The root signs keys, not tokens.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use rand_core::CryptoRng;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::compose;
use super::grant::{self, Breach};
use super::jwt::{self, Dates, Jwt, Shape};
use super::keyset::KeyInput;
use super::network;
use super::openid::identifier::not_an_identifier;
use super::{COMPOSED, Kind, Prepared, Terms, Verified};
use crate::base::clock::{Instant, Span};
use crate::base::disk::Document;
use crate::base::fault::Fault;
use crate::format::jose::{Jwk, JwkSet};
use crate::key::PublicKey;
use crate::policy::{Facts, Last, Profile};

pub(super) struct Provisioning;

static SHAPE: Shape = Shape {
    kind: "provisioning-authorisation",
    typ: "provisioning-authorization+jwt",
    groups: &["provisioning", "client-key"],
};

const REQUIRED: [&str; 11] =
    ["iss", "sub", "aud", "tenant", "env", "jwks", "scope", "max_token_ttl", "iat", "exp", "jti"];

/// Under this path the facts tell the client's keys, for the next review and for those of others.
const THUMBPRINT: &str = "client key";

/// Under this path they tell keys with which an earlier authorisation of the client lets it in still: `THUMBPRINT until TIME`.
const EARLIER: &str = "earlier client key";

/// The methods of SCIM (RFC 7644, section 3.2).
const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/// What the operator decides.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Whose identities are provisioned; the tenant of the line.
    tenant: String,
    /// The environment of the line.
    environment: String,
    /// The client: the issuer identifier of the identity provider.
    client: String,
    /// The base URL of the SCIM service.
    audience: Value,
    #[serde(default)]
    scopes: Vec<String>,
    /// The HTTP methods that the client may use; all of SCIM's, when it is not there.
    #[serde(default)]
    methods: Vec<String>,
    /// From when on it counts.
    not_before: Option<String>,
    /// How long it counts from then on, as `P90D`.
    valid_for: Option<String>,
    /// How long the tokens live that the client makes or obtains with its key.
    token_lifetime: Option<String>,
    /// Where the client's requests come from.
    #[serde(default)]
    networks: Vec<String>,
    rate: Option<Rate>,
    #[serde(default)]
    require_dpop: bool,
    #[serde(default)]
    require_mtls: bool,
    #[serde(default)]
    keys: Vec<KeyInput>,
}

/// How many requests in how long.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rate {
    requests: u64,
    per: String,
}

impl Kind for Provisioning {
    fn name(&self) -> &'static str {
        SHAPE.kind
    }

    fn about(&self) -> &'static str {
        "a client's keys and limits for a SCIM service, instead of a token"
    }

    fn wants(&self, profile: &Profile) -> Option<&'static str> {
        profile.provisioning.issuer.is_empty().then_some("provisioning.issuer")
    }

    fn open(&self, path: &Path) -> Result<Document, Fault> {
        compose::open(path)
    }

    fn subject(&self, document: &Document) -> Result<String, Fault> {
        let input: Input = jwt::input(document)?;
        Ok([input.client, input.audience.to_string()].join("\n"))
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
        let profile = &terms.profile.provisioning;
        let mut breaches: Vec<Breach> = Vec::new();
        judge_line(&input, terms, &mut breaches);
        let names = ["provisioning.aud.not-single", "provisioning.aud.unlisted"];
        grant::judge_audience(&input.audience, &profile.audiences, names, &mut breaches);
        let names =
            ["provisioning.scope.malformed", "provisioning.scope.none", "provisioning.scope.unlisted"];
        let scope = grant::judge_scopes(&input.scopes, &profile.scopes, names, &mut breaches);
        judge_methods(&input.methods, &mut breaches);
        let dates = dates(&input, terms, &mut breaches).map_err(at)?;
        let token_lifetime = token_lifetime(&input, terms, &mut breaches).map_err(at)?;
        let keys = grant::client_keys(&input.keys, terms, &mut breaches).map_err(at)?;
        let thumbprints = grant::thumbprints(&keys)?;
        judge_keys(&input, &thumbprints, terms, &mut breaches)?;
        let policy = policy(&input, terms, &mut breaches).map_err(at)?;

        let issuer = grant::issuer("provisioning", &profile.issuer, terms)?;
        judge_client(&input.client, issuer, &mut breaches);
        let mut claims = Map::new();
        claims.insert("iss".into(), issuer.into());
        claims.insert("sub".into(), input.client.as_str().into());
        claims.insert("aud".into(), input.audience.clone());
        claims.insert("tenant".into(), terms.key.line.tenant().into());
        claims.insert("env".into(), terms.key.line.environment().name().into());
        claims.insert("jwks".into(), JwkSet::written(&keys));
        claims.insert("scope".into(), scope.into());
        let methods =
            if input.methods.is_empty() { METHODS.map(str::to_owned).to_vec() } else { input.methods };
        claims.insert("methods".into(), methods.into());
        claims.insert("max_token_ttl".into(), token_lifetime.seconds().into());
        claims.insert("policy".into(), policy);
        dates.put(&mut claims);
        claims.insert("jti".into(), jwt::unique(random).into());
        let scheme = jwt::scheme(terms.public, &profile.alg)?;
        let mut facts = jwt::facts(SHAPE.typ, scheme.jose, &claims);
        for thumbprint in &thumbprints {
            facts.add(THUMBPRINT, thumbprint);
        }
        for (earlier, until) in earlier(terms) {
            if !thumbprints.contains(&earlier) || until > dates.exp {
                facts.add(EARLIER, format!("{earlier} until {until}"));
            }
        }
        let breaches = breaches.into_iter().map(|(rule, detail)| (rule, String::new(), detail)).collect();
        Ok(Box::new(Jwt::with(&SHAPE, document, terms, scheme, claims, (facts, breaches), record)?))
    }

    fn verify(&self, document: &Document, trust: &[PublicKey]) -> Result<Verified, Fault> {
        let (claims, verified) = jwt::verify(document, SHAPE.typ, trust)?;
        jwt::demand(&claims, &REQUIRED, document)?;
        grant::demand_audience(&claims, document)?;
        grant::demand_scopes(&claims, document)?;
        demand_keys(&claims, document)?;
        demand_limits(&claims, document)?;
        Ok(verified)
    }
}

/// Refuses an authorisation with which no key lets anybody in.
fn demand_keys(claims: &Map<String, Value>, document: &Document) -> Result<(), Fault> {
    let set = JwkSet::read(claims.get("jwks").unwrap_or(&Value::Null))
        .map_err(|fault| fault.at(document.name()))?;
    let signs = |jwk: &&Jwk| jwk.member("use").is_none_or(|purpose| purpose == "sig");
    if set.keys.iter().any(|jwk| signs(&jwk)) {
        return Ok(());
    }
    let others = set.keys.len() + set.unused.len();
    let why = match set.unused.first() {
        Some(unused) => format!("none of its {others} keys can be used: {}", unused.why),
        None if others > 0 => "none of its keys is for signatures".into(),
        None => "its jwks has no key".into(),
    };
    Err(grant::refuse(why, document))
}

/// Refuses limits that nobody can enforce, and those beyond what the environment allows.
fn demand_limits(claims: &Map<String, Value>, document: &Document) -> Result<(), Fault> {
    let of = |name: &str| claims.get(name).unwrap_or(&Value::Null);
    let seconds = of("max_token_ttl").as_i64().filter(|seconds| *seconds > 0);
    let seconds = seconds.ok_or_else(|| {
        grant::refuse(
            format!("its max_token_ttl is {}, no whole number of seconds from 1", of("max_token_ttl")),
            document,
        )
    })?;
    grant::demand_lifetime("it lets tokens live", seconds, of("env"), document)?;
    if let Some(methods) = claims.get("methods") {
        let all = methods.as_array().filter(|all| !all.is_empty());
        if !all.is_some_and(|all| all.iter().all(|one| METHODS.iter().any(|own| one == own))) {
            return Err(grant::refuse(format!("its methods are {methods}, no list of SCIM's"), document));
        }
    }
    let Some(networks) = claims.get("policy").and_then(|policy| policy.get("source_cidrs")) else {
        return Ok(());
    };
    let all = networks.as_array().filter(|all| !all.is_empty());
    let is_network = |one: &Value| one.as_str().is_some_and(|text| network::read(text).is_ok());
    if all.is_some_and(|all| all.iter().all(is_network)) {
        return Ok(());
    }
    Err(grant::refuse(format!("its source_cidrs are {networks}, no list of networks"), document))
}

/// The document says for whom it was written, so that one for a sandbox is not signed by the line of production.
fn judge_line(input: &Input, terms: &Terms<'_>, breaches: &mut Vec<Breach>) {
    let line = &terms.key.line;
    if input.tenant != line.tenant() || input.environment != line.environment().name() {
        breaches.push((
            "provisioning.line",
            format!("it is for {}/{}, and the line is {line}", input.tenant, input.environment),
        ));
    }
}

fn judge_client(client: &str, issuer: &str, breaches: &mut Vec<Breach>) {
    let why = not_an_identifier(client).or((client == issuer).then_some("it is the issuer"));
    if let Some(why) = why {
        breaches.push(("provisioning.client.malformed", format!("the client is '{client}': {why}")));
    }
}

fn judge_methods(methods: &[String], breaches: &mut Vec<Breach>) {
    for (number, method) in methods.iter().enumerate() {
        if !METHODS.contains(&method.as_str()) || methods.iter().take(number).any(|before| before == method) {
            breaches.push(("provisioning.method.unknown", format!("'{method}' is unknown, or there twice")));
        }
    }
}

fn dates(input: &Input, terms: &Terms<'_>, breaches: &mut Vec<Breach>) -> Result<Dates, Fault> {
    let profile = &terms.profile.provisioning;
    let valid_for = grant::span(input.valid_for.as_deref(), profile.valid_for)?;
    let nbf = input.not_before.as_deref().map(Instant::parse).transpose()?;
    if let Some(past) = nbf.filter(|nbf| *nbf < terms.now) {
        return Err(COMPOSED
            .fault(format!("not_before is {past}, and it is {}", terms.now))
            .hint("leave it out: the authorisation counts from its signature on"));
    }
    let exp = nbf.unwrap_or(terms.now).after(valid_for)?;
    // A beginning far away counts too: what is signed today is forgotten by then.
    if exp.seconds_since(terms.now) > profile.valid_for_max.seconds() {
        let most = profile.valid_for_max;
        breaches.push(("provisioning.exp.too-far", format!("it would end at {exp}, and {most} is the most")));
    }
    Ok(Dates { iat: terms.now, nbf, exp })
}

fn token_lifetime(input: &Input, terms: &Terms<'_>, breaches: &mut Vec<Breach>) -> Result<Span, Fault> {
    let profile = &terms.profile.provisioning;
    let most = grant::lifetime_max(terms.key.line.environment()).min(profile.token_lifetime_max);
    let lifetime = grant::span(input.token_lifetime.as_deref(), profile.token_lifetime)?;
    if lifetime > most {
        let detail = format!("tokens would live {lifetime}, and {most} is the most");
        breaches.push(("provisioning.token-lifetime.too-long", detail));
    }
    Ok(lifetime)
}

/// The keys of the client's authorisations before this one, as long as these count.
fn earlier(terms: &Terms<'_>) -> BTreeMap<String, Instant> {
    let mut keys = BTreeMap::new();
    let Some(facts) = terms.last.map(Last::facts) else { return keys };
    let end = facts.value("exp").and_then(|end| Instant::parse(end).ok());
    let last = facts.values(THUMBPRINT).filter_map(|key| Some((key, end?)));
    for (key, until) in carried(facts).chain(last).filter(|(_, until)| *until > terms.now) {
        let latest = keys.entry(key.to_owned()).or_insert(until);
        *latest = until.max(*latest);
    }
    keys
}

/// The keys of earlier authorisations in a record, and until when these count.
fn carried(facts: &Facts) -> impl Iterator<Item = (&str, Instant)> {
    facts.values(EARLIER).filter_map(|value| {
        let (key, until) = value.split_once(" until ")?;
        Some((key, Instant::parse(until).ok()?))
    })
}

/// Whether a client is let in with a key, by its last authorisation or by one before it that counts still.
fn lets_in(facts: &Facts, thumbprint: &str, now: Instant) -> bool {
    let live = carried(facts).filter(|(_, until)| *until > now).map(|(own, _)| own);
    facts.values(THUMBPRINT).chain(live).any(|own| own == thumbprint)
}

/// Which clients lines of the vault authorised with a key. Foreign text.
///
/// # Errors
///
/// Those of reading the vault.
pub(super) fn clients(terms: &Terms<'_>, jwk: &Jwk) -> Result<Vec<String>, Fault> {
    let (mut found, thumbprint) = (Vec::new(), jwk.thumbprint());
    for (line, facts) in terms.vault.signed(SHAPE.kind)?.iter() {
        if lets_in(facts, &thumbprint, terms.now) {
            let (kid, client) = (jwk.kid().unwrap_or_default(), facts.value("sub").unwrap_or_default());
            found.push(format!("the key '{kid}' is the one of {client}, as {line} authorised it"));
        }
    }
    Ok(found)
}

/// Holds the client's keys against its last authorisation and against those of others, the last one of each and those before
/// it that count still.
fn judge_keys(
    input: &Input,
    thumbprints: &[String],
    terms: &Terms<'_>,
    breaches: &mut Vec<Breach>,
) -> Result<(), Fault> {
    if thumbprints.is_empty() {
        breaches.push(("provisioning.keys.none", "[[keys]] is empty".into()));
    }
    if let Some(last) = terms.last {
        let is_new = |key: &&String| !last.facts().values(THUMBPRINT).any(|before| before == *key);
        for new in thumbprints.iter().filter(is_new) {
            breaches.push(("provisioning.keys.changed", format!("key {new} is new")));
        }
    }
    for (line, facts) in terms.vault.signed(SHAPE.kind)?.iter() {
        let is_same = facts.value("sub") == Some(&input.client)
            && line.tenant() == terms.key.line.tenant()
            && line.environment() == terms.key.line.environment();
        for key in thumbprints.iter().filter(|key| !is_same && lets_in(facts, key, terms.now)) {
            let other = facts.value("sub").unwrap_or_default();
            breaches.push(("client-key.other", format!("key {key} is the one of {other} in {line}")));
        }
    }
    Ok(())
}

/// What the service is to enforce.
fn policy(input: &Input, terms: &Terms<'_>, breaches: &mut Vec<Breach>) -> Result<Value, Fault> {
    let mut policy = Map::new();
    for text in &input.networks {
        match network::read(text) {
            Err(why) => breaches.push(("provisioning.network.malformed", format!("'{text}': {why}"))),
            Ok(read) if read.is_wide() => {
                breaches
                    .push(("provisioning.network.wide", format!("{text} is most of a provider, or more")));
            }
            Ok(_) => {}
        }
    }
    if input.networks.is_empty() {
        breaches.push(("provisioning.network.none", "requests may come from anywhere".into()));
    } else {
        policy.insert("source_cidrs".into(), input.networks.clone().into());
    }
    match &input.rate {
        None => breaches.push(("provisioning.rate.none", "the client may send as much as it can".into())),
        Some(rate) => {
            let per = Span::parse(&rate.per)?;
            let most = terms.profile.provisioning.requests_per_minute_max;
            // Requests in a minute, without losing what a division would round away.
            if rate.requests == 0
                || u128::from(rate.requests) * 60
                    > u128::from(most) * u128::from(per.seconds().unsigned_abs())
            {
                let detail =
                    format!("{} requests in {per}; the profile allows {most} in a minute", rate.requests);
                breaches.push(("provisioning.rate.too-high", detail));
            }
            policy.insert("rate".into(), json!({"requests": rate.requests, "seconds": per.seconds()}));
        }
    }
    if !input.require_dpop && !input.require_mtls {
        let detail = "neither require_dpop nor require_mtls is set".into();
        breaches.push(("provisioning.proof.none", detail));
    }
    policy.insert("require_dpop".into(), input.require_dpop.into());
    policy.insert("require_mtls".into(), input.require_mtls.into());
    Ok(Value::Object(policy))
}
