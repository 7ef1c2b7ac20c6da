//! What is trusted: the keys of anchors, from files got over another channel, and the keys that an anchor used before.

use std::fmt::Display;

use super::chain::{Link, signer};
use super::checks::SKEW_SECONDS;
use super::statement::{Form, Statement, date};
use super::{CHAIN, HISTORY, STATEMENT};
use crate::base::clock::Instant;
use crate::base::fault::Fault;
use crate::format::jose::{Jwk, JwkSet, Jws, jwk};
use crate::format::json::{self, Limits, Numbers, Value};
use crate::key::PublicKey;
use crate::policy::{RULES, Severity};

/// Why a historical key was revoked, when what it signed before still counts (section 8.7.4). Whoever has one that was revoked
/// for anything else, in whatever words, can sign with any date.
const HARMLESS: [&str; 2] = ["unspecified", "superseded"];

/// A key that spoke for the anchor.
#[derive(Clone, Debug)]
pub(super) struct Key {
    /// The key as its owner describes it. One from PEM has no `kid`.
    pub(super) jwk: Jwk,
    /// Whether it comes from the historical keys.
    pub(super) is_historical: bool,
    /// When it was revoked later, and why. Foreign text.
    pub(super) revoked: Option<String>,
}

/// The keys of an anchor at a time.
pub(super) struct Keys {
    /// Those that spoke for it.
    pub(super) speaking: Vec<Key>,
    /// Those that its historical keys take back, and why they say nothing.
    pub(super) silenced: Vec<(Jwk, String)>,
}

/// What one file holds: keys, and the anchor's configuration where they come from one.
struct Trusted {
    keys: Vec<Jwk>,
    configuration: Option<Link>,
}

/// What is trusted. Keys from a configuration speak for its entity and for no other; keys that came without a name speak for
/// whichever anchor a chain ends at, unless its own configuration is trusted, too.
#[derive(Default)]
pub struct Anchor {
    trusted: Vec<Trusted>,
    history: Option<Statement>,
}

impl Anchor {
    /// Takes what a file holds: a JWK, a JWK set, or an anchor's own configuration, whose signature is verified.
    ///
    /// # Errors
    ///
    /// Those of the readers, `openid.statement` for another document, `jws.signature`; the file is named by `place`.
    pub fn trust(&mut self, place: impl Display, text: &str) -> Result<(), Fault> {
        let trusted = Self::read(&place.to_string(), text.trim_ascii());
        self.trusted.push(trusted.map_err(|fault| fault.at(place))?);
        Ok(())
    }

    fn read(place: &str, text: &str) -> Result<Trusted, Fault> {
        if text.starts_with('{') {
            let value = json::read(text.as_bytes(), Numbers::Any, &Limits::default())?;
            let is_set = value.get("keys").is_some();
            let keys = if is_set { JwkSet::read(&value)?.keys } else { vec![Jwk::read(&value)?] };
            return Ok(Trusted { keys, configuration: None });
        }
        let statement = Statement::read(text)?;
        if statement.form() != Form::EntityConfiguration {
            return Err(STATEMENT
                .fault(format!("it is a {}, not an anchor's configuration", statement.form().name())));
        }
        let keys = statement.keys()?;
        if let Some(jws) = statement.jws() {
            signer(jws, &keys)?;
        }
        Ok(Trusted { keys: keys.keys, configuration: Some(Link { place: place.to_owned(), statement }) })
    }

    /// Takes keys of which nothing else is known.
    ///
    /// # Errors
    ///
    /// Those of [`Jwk::read`].
    pub fn trust_keys(&mut self, keys: &[PublicKey]) -> Result<(), Fault> {
        let nameless = |key: &PublicKey| {
            let mut written = jwk(key);
            written.as_object_mut().map(|members| members.shift_remove("kid"));
            Jwk::read(&written)
        };
        let keys = keys.iter().map(nameless).collect::<Result<_, Fault>>()?;
        self.trusted.push(Trusted { keys, configuration: None });
        Ok(())
    }

    /// Takes the anchor's historical keys (section 8.7). They are verified with the trusted keys when they are used.
    ///
    /// # Errors
    ///
    /// Those of [`Statement::read`], and `openid.history` for another document.
    pub fn history(&mut self, text: &str) -> Result<(), Fault> {
        let statement = Statement::read(text)?;
        if statement.form() != Form::HistoricalKeys {
            return Err(
                HISTORY.fault(format!("it is a {}, not the historical keys", statement.form().name()))
            );
        }
        self.history = Some(statement);
        Ok(())
    }

    /// The configurations of an entity that are trusted.
    pub(super) fn configurations(&self, entity: &str) -> impl Iterator<Item = &Link> {
        let all = self.trusted.iter().filter_map(|file| file.configuration.as_ref());
        all.filter(move |link| link.statement.iss() == entity)
    }

    /// The keys that spoke for this anchor at a time.
    pub(super) fn keys_of(&self, entity: &str, at: Instant) -> Result<Keys, Fault> {
        let own: Vec<&Jwk> = self.own_keys(entity)?;
        let mut keys = Keys { speaking: vec![], silenced: vec![] };
        if let Some(history) = &self.history {
            keys = historical(history, &own, entity, at)?;
        }
        // What the anchor says of a key that it gave up counts, whichever file lists the key still.
        let is_told = |jwk: &Jwk, keys: &Keys| {
            keys.speaking
                .iter()
                .map(|key| &key.jwk)
                .chain(keys.silenced.iter().map(|(jwk, _)| jwk))
                .any(|told| told.key() == jwk.key())
        };
        for jwk in own.into_iter().filter(|jwk| silence(jwk, at).is_none()) {
            if !is_told(jwk, &keys) {
                keys.speaking.push(Key { jwk: jwk.clone(), is_historical: false, revoked: None });
            }
        }
        Ok(keys)
    }

    /// The trusted keys of an entity: those of its configurations, or where there is none those without a name.
    fn own_keys(&self, entity: &str) -> Result<Vec<&Jwk>, Fault> {
        let names = |file: &Trusted| file.configuration.as_ref().map(|link| link.statement.iss().to_owned());
        let keys_of = |name: Option<&str>| -> Vec<&Jwk> {
            let files = self.trusted.iter().filter(|file| names(file).as_deref() == name);
            files.flat_map(|file| &file.keys).collect()
        };
        if self.configurations(entity).next().is_some() {
            return Ok(keys_of(Some(entity)));
        }
        if self.trusted.iter().any(|file| file.configuration.is_none()) {
            return Ok(keys_of(None));
        }
        let others: Vec<String> = self.trusted.iter().filter_map(names).collect();
        Err(CHAIN
            .fault(format!("the chain ends at {entity}, and what is trusted is {}", others.join(" and "))))
    }
}

/// What the historical keys of an anchor say, signed by one of its trusted keys.
fn historical(history: &Statement, own: &[&Jwk], entity: &str, at: Instant) -> Result<Keys, Fault> {
    if history.iss() != entity {
        return Err(
            HISTORY.fault(format!("they are the keys of {}, and the anchor is {entity}", history.iss()))
        );
    }
    // What they say of keys is as of when they were made, which is later than the time that is asked for.
    let listed = history.date("iat").unwrap_or(at);
    let made = listed.max(at);
    let is_by = |jws: &Jws, jwk: &Jwk| {
        jwk.kid().is_none_or(|kid| jws.header().kid() == Some(kid))
            && silence(jwk, made).is_none()
            && jws.verify(jwk).is_ok()
    };
    if !history.jws().is_some_and(|jws| own.iter().any(|jwk| is_by(jws, jwk))) {
        return Err(HISTORY.fault("they are not signed by a trusted key of the anchor"));
    }
    let breach = history
        .check(made)
        .into_iter()
        .find(|found| RULES.iter().any(|rule| rule.id == found.rule && rule.severity == Severity::Block));
    if let Some(found) = breach {
        return Err(HISTORY.fault(found.to_string()));
    }
    let mut keys = Keys { speaking: vec![], silenced: vec![] };
    for jwk in history.keys()?.keys {
        let revoked = jwk.member("revoked");
        let is_harmless = |revoked: &Value| {
            revoked.get("reason").is_none_or(|reason| HARMLESS.iter().any(|known| reason == known))
        };
        // An entity does not use a key any more that it lists here, whatever its end was to be.
        let unused = (listed <= at).then(|| format!("it was not used any more at {listed}"));
        match (silence(&jwk, at).or(unused), revoked) {
            (Some(why), _) => keys.silenced.push((jwk, why)),
            (None, Some(own)) if !is_harmless(own) => {
                let why = format!("{}: whoever has it can sign with any date", revocation(own));
                keys.silenced.push((jwk, why));
            }
            (None, revoked) => {
                let revoked = revoked.map(revocation);
                keys.speaking.push(Key { jwk, is_historical: true, revoked });
            }
        }
    }
    Ok(keys)
}

/// When and why a key was revoked, in words.
fn revocation(revoked: &Value) -> String {
    let when = revoked
        .get("revoked_at")
        .and_then(date)
        .map_or("at a time unknown".into(), |when| format!("at {when}"));
    match revoked.get("reason").and_then(Value::as_str) {
        Some(reason) => format!("it was revoked {when} as {reason}"),
        None => format!("it was revoked {when}"),
    }
}

/// Why a key says nothing at a time: it had not begun, had ended or was revoked.
pub(super) fn silence(jwk: &Jwk, at: Instant) -> Option<String> {
    let when = |name: &str| jwk.member(name).and_then(date);
    if let Some(begins) = ["nbf", "iat"]
        .into_iter()
        .filter_map(when)
        .max()
        .filter(|begins| begins.seconds_since(at) > SKEW_SECONDS)
    {
        return Some(format!("it begins at {begins}"));
    }
    if let Some(ends) = when("exp").filter(|ends| *ends <= at) {
        return Some(format!("it ended at {ends}"));
    }
    let revoked = jwk.member("revoked")?;
    let is_later = revoked.get("revoked_at").and_then(date).is_some_and(|when| at < when);
    (!is_later).then(|| revocation(revoked))
}
