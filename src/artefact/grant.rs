//! What grants have in common: one audience, scopes, lifetimes that the environment limits, and public keys of a client.

use std::fmt::Display;

use serde_json::{Map, Value};

use super::keyset::KeyInput;
use super::openid::identifier::not_a_url;
use super::openid::signing;
use super::{ALTERED, COMPOSED, Terms};
use crate::base::clock::Span;
use crate::base::disk::Document;
use crate::base::fault::Fault;
use crate::format::jose::{self, Jwk};
use crate::key::{Environment, Parts};
use crate::policy::PROFILE;

/// A rule that is broken, and how.
pub(super) type Breach = (&'static str, String);

/// The longest life of a token in an environment, whatever a profile says.
pub(super) const fn lifetime_max(environment: Environment) -> Span {
    match environment {
        Environment::Prod => Span::of_seconds(3_600),
        Environment::Staging | Environment::Sandbox => Span::of_days(1),
    }
}

/// A length of time that the document states, or the profile's.
pub(super) fn span(stated: Option<&str>, usual: Span) -> Result<Span, Fault> {
    stated.map_or(Ok(usual), Span::parse)
}

/// The one who signs, by the line's profile.
pub(super) fn issuer<'a>(section: &str, issuer: &'a str, terms: &Terms<'_>) -> Result<&'a str, Fault> {
    let wrong = |why: &str| {
        PROFILE
            .fault(format!("the profile of {}: [{section}] {why}", terms.key.line))
            .hint("the line signs in one name only: write it into its profile")
    };
    if issuer.is_empty() {
        return Err(wrong("does not say who signs"));
    }
    match not_a_url(issuer) {
        Some(why) => Err(wrong(&format!("says who signs, and {why}"))),
        None => Ok(issuer),
    }
}

/// A text that has to say something.
pub(super) fn stated<'a>(name: &str, text: &'a str) -> Result<&'a str, Fault> {
    if text.trim().is_empty() || text.chars().any(char::is_control) {
        return Err(COMPOSED.fault(format!("{name} is empty, or holds a control character")));
    }
    Ok(text)
}

/// The one audience of a JWT, or why it is none.
pub(super) fn audience(value: &Value) -> Result<&str, String> {
    let Value::String(text) = value else { return Err("the audience is not one text".into()) };
    match not_a_url(text) {
        Some(why) => Err(format!("the audience is {text}: {why}")),
        None if text.contains('*') => Err(format!("the audience is {text}: it has a wildcard")),
        None => Ok(text),
    }
}

/// Refuses a JWT whose signature is good, for what its claims say.
pub(super) fn refuse(why: impl Display, document: &Document) -> Fault {
    ALTERED
        .fault(format!("{}: the signature is good, but {why}", document.name()))
        .hint("have it signed anew: nobody can use it as it is")
}

/// Refuses a JWT that is for more than one audience, or for a wildcard.
pub(super) fn demand_audience(claims: &Map<String, Value>, document: &Document) -> Result<(), Fault> {
    match claims.get("aud").map(audience) {
        Some(Err(why)) => Err(refuse(why, document)),
        _ => Ok(()),
    }
}

/// Refuses a JWT whose claim `scope`, where it has one, is no list of scopes (RFC 6749, section 3.3; RFC 8693, section 4.2).
pub(super) fn demand_scopes(claims: &Map<String, Value>, document: &Document) -> Result<(), Fault> {
    let is_scope = |scope: &str| {
        !scope.is_empty() && scope.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"\\".contains(&byte))
    };
    match claims.get("scope") {
        Some(Value::String(text)) if !text.split(' ').all(is_scope) => {
            Err(refuse(format!("its scope is '{text}', and scopes stand between single spaces"), document))
        }
        None | Some(Value::String(_)) => Ok(()),
        Some(_) => Err(refuse("its scope is no text of scopes between spaces", document)),
    }
}

/// Refuses a JWT that lets tokens live longer than the environment it names allows.
pub(super) fn demand_lifetime(
    what: &str,
    seconds: i64,
    environment: &Value,
    document: &Document,
) -> Result<(), Fault> {
    let name = environment.as_str().unwrap_or_default();
    let environment: Environment =
        name.parse().map_err(|fault| refuse(format!("its env is no environment: {fault}"), document))?;
    let most = lifetime_max(environment);
    if seconds > most.seconds() {
        let lifetime = Span::of_seconds(seconds);
        return Err(refuse(format!("{what} {lifetime}, and in {environment} {most} is the most"), document));
    }
    Ok(())
}

/// Judges the audience of a document by the profile's list.
pub(super) fn judge_audience(
    value: &Value,
    listed: &[String],
    [not_single, unlisted]: [&'static str; 2],
    breaches: &mut Vec<Breach>,
) {
    match audience(value) {
        Err(why) => breaches.push((not_single, why)),
        Ok(one) if !listed.iter().any(|own| own == one) => {
            breaches.push((unlisted, format!("the profile does not list {one}")));
        }
        Ok(_) => {}
    }
}

/// Judges scopes by the profile's list; yields the claim `scope` (RFC 8693, section 4.2).
pub(super) fn judge_scopes(
    scopes: &[String],
    listed: &[String],
    [malformed, none, unlisted]: [&'static str; 3],
    breaches: &mut Vec<Breach>,
) -> String {
    let is_plain = |c: char| c.is_ascii_graphic() && !"\"\\*".contains(c);
    for (number, scope) in scopes.iter().enumerate() {
        if scope.is_empty() || !scope.chars().all(is_plain) {
            breaches.push((malformed, format!("'{scope}' is no single scope")));
        } else if scopes.iter().take(number).any(|before| before == scope) {
            breaches.push((malformed, format!("'{scope}' stands there twice")));
        } else if !listed.contains(scope) {
            breaches.push((unlisted, format!("the profile does not list '{scope}'")));
        }
    }
    if scopes.is_empty() {
        breaches.push((none, "no scope is named".into()));
    }
    scopes.join(" ")
}

/// Reads the keys of a client as JWKs for signatures, and judges them: none of this vault, none of a subordinate's federation,
/// none twice, none weak.
pub(super) fn client_keys(
    keys: &[KeyInput],
    terms: &Terms<'_>,
    breaches: &mut Vec<Breach>,
) -> Result<Vec<Value>, Fault> {
    let mut jwks: Vec<Value> = Vec::new();
    let mut seen = Vec::new();
    for (number, input) in keys.iter().enumerate() {
        let at = |fault: Fault| fault.at(format_args!("key {}", number + 1));
        let jwk = input.key(terms).and_then(|key| key.signing()).map_err(at)?;
        let key = Jwk::read(&jwk).map_err(at)?;
        let thumbprint = key.thumbprint();
        for kept in terms.vault.keys()?.iter().filter(|kept| kept.public == *key.key()) {
            breaches.push(("client-key.kept", format!("key {thumbprint} is {} of this vault", kept.id)));
        }
        for owner in signing::holders(terms, &key)? {
            breaches.push(("client-key.other", owner));
        }
        if let Parts::Rsa { n, .. } = key.key().parts()
            && n.len() < 384
        {
            breaches.push(("client-key.weak", format!("key {thumbprint} is {}", key.key().title())));
        }
        let kid = key.kid().unwrap_or_default().to_owned();
        if seen.iter().any(|(other, name)| *other == thumbprint || *name == kid) {
            breaches.push(("client-key.twice", format!("key {thumbprint}, or its kid, stands there before")));
        }
        seen.push((thumbprint, kid));
        jwks.push(jwk);
    }
    Ok(jwks)
}

/// The thumbprints (RFC 7638) of these JWKs.
pub(super) fn thumbprints(jwks: &[Value]) -> Result<Vec<String>, Fault> {
    jwks.iter().map(jose::thumbprint_of).collect()
}
