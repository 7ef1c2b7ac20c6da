//! What is trusted: the keys of an anchor, from a file got over another channel, and the keys it used before.

use super::chain::verify_by_kid;
use super::statement::{Form, Statement, date};
use super::{HISTORY, STATEMENT};
use crate::base::clock::Instant;
use crate::base::fault::Fault;
use crate::format::jose::{Jwk, JwkSet, jwk};
use crate::format::json::{self, Limits, Numbers, Value};
use crate::key::PublicKey;
use crate::policy::{RULES, Severity};

/// A key of the anchor.
#[derive(Clone, Debug)]
pub(super) struct Key {
    /// The key as its owner describes it.
    pub(super) jwk: Jwk,
    /// Whether it comes from the historical keys.
    pub(super) is_historical: bool,
}

/// The keys of an anchor.
#[derive(Default)]
pub struct Anchor {
    keys: Vec<Jwk>,
    /// Who the anchor is, when the file that was trusted says so.
    entity: Option<String>,
    history: Option<Statement>,
}

impl Anchor {
    /// Takes what a file holds: a JWK set, or the anchor's own configuration, whose signature is verified.
    ///
    /// # Errors
    ///
    /// Those of the readers, `openid.statement` for another document, `jws.signature`.
    pub fn trust(&mut self, text: &str) -> Result<(), Fault> {
        let text = text.trim_ascii();
        if text.starts_with('{') {
            let set = json::read(text.as_bytes(), Numbers::Any, &Limits::default())?;
            self.keys.extend(JwkSet::read(&set)?.keys);
            return Ok(());
        }
        let statement = Statement::read(text)?;
        if statement.form() != Form::EntityConfiguration {
            return Err(STATEMENT
                .fault(format!("it is a {}, not an anchor's configuration", statement.form().name())));
        }
        let keys = statement.keys()?;
        if let Some(jws) = statement.jws() {
            verify_by_kid(jws, &keys)?;
        }
        self.entity = Some(statement.iss().to_owned());
        self.keys.extend(keys.keys);
        Ok(())
    }

    /// Takes keys of which nothing else is known.
    ///
    /// # Errors
    ///
    /// Those of [`Jwk::read`].
    pub fn trust_keys(&mut self, keys: &[PublicKey]) -> Result<(), Fault> {
        for key in keys {
            self.keys.push(Jwk::read(&jwk(key))?);
        }
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

    /// The keys that spoke for this anchor at a time.
    pub(super) fn keys_of(&self, entity: &str, at: Instant) -> Result<Vec<Key>, Fault> {
        if self.entity.as_deref().is_some_and(|own| own != entity) {
            let own = self.entity.as_deref().unwrap_or_default();
            return Err(
                super::CHAIN.fault(format!("the chain ends at {entity}, and what is trusted is {own}"))
            );
        }
        let now = |jwk: &Jwk| Key { jwk: jwk.clone(), is_historical: false };
        let mut keys: Vec<Key> = self.keys.iter().filter(|jwk| was_good(jwk, at)).map(now).collect();
        if let Some(history) = &self.history {
            keys.extend(self.historical(history, entity, at)?);
        }
        Ok(keys)
    }

    fn historical(&self, history: &Statement, entity: &str, at: Instant) -> Result<Vec<Key>, Fault> {
        if history.iss() != entity {
            return Err(
                HISTORY.fault(format!("they are the keys of {}, and the anchor is {entity}", history.iss()))
            );
        }
        let jws = history.jws().filter(|jws| self.keys.iter().any(|jwk| jws.verify(jwk).is_ok()));
        if jws.is_none() {
            return Err(HISTORY.fault("they are not signed by a trusted key of the anchor"));
        }
        // What they say of keys is as of when they were made, which is later than the time that is asked for.
        let made = history.date("iat").unwrap_or(at).max(at);
        let breach = history
            .check(made)
            .into_iter()
            .find(|found| RULES.iter().any(|rule| rule.id == found.rule && rule.severity == Severity::Block));
        if let Some(found) = breach {
            return Err(HISTORY.fault(found.to_string()));
        }
        let keys = history.keys()?.keys.into_iter().filter(|jwk| was_good(jwk, at));
        Ok(keys.map(|jwk| Key { jwk, is_historical: true }).collect())
    }
}

/// Whether a key had begun, had not ended and was not revoked at a time.
fn was_good(jwk: &Jwk, at: Instant) -> bool {
    let when = |value: Option<&Value>| value.and_then(date);
    let begins = ["nbf", "iat"].iter().filter_map(|name| when(jwk.member(name))).max();
    let revoked = jwk.member("revoked").map(|revoked| when(revoked.get("revoked_at")));
    begins.is_none_or(|begins| begins <= at)
        && when(jwk.member("exp")).is_none_or(|ends| at < ends)
        && revoked.is_none_or(|when| when.is_some_and(|when| at < when))
}
