//! Documents of a federation that a key line signs. The operator decides what they say; who says it, when, until when and
//! with which keys comes from the key line and its profile.

mod configuration;
mod delegation;
mod draft;
mod historical;
mod history;
mod jwk_set;
mod known;
mod subject;
mod subordinate;
mod trust_mark;

use serde::de::DeserializeOwned;

use super::{Form, STATEMENT, Statement};
use crate::artefact::jwt;
use crate::artefact::{ALTERED, Verified};
use crate::base::clock::Instant;
use crate::base::disk::Document;
use crate::base::fault::Fault;
use crate::format::jose::refuse_private;
use crate::key::PublicKey;

pub(in crate::artefact) use self::configuration::EntityConfiguration;
pub(in crate::artefact) use self::delegation::TrustMarkDelegation;
pub(in crate::artefact) use self::historical::HistoricalKeys;
pub(in crate::artefact) use self::jwk_set::SignedJwkSet;
pub(in crate::artefact) use self::subordinate::SubordinateStatement;
pub(in crate::artefact) use self::trust_mark::TrustMark;

/// The thumbprints of the keys that a document of this line lists, as its facts tell them.
pub(super) fn thumbprints(facts: &crate::policy::Facts) -> Result<Vec<String>, Fault> {
    Ok(known::thumbprints(&known::keys(facts, "jwks")?))
}

/// A document of another party that stands beside the input. What it says is shown, so it holds no private key.
fn companion(place: &str, text: &str) -> Result<Statement, Fault> {
    let at = |fault: Fault| fault.at(place);
    let statement = Statement::read(text.trim_ascii()).map_err(at)?;
    statement.claims().values().try_for_each(refuse_private).map_err(at)?;
    Ok(statement)
}

/// A configuration of another party: of that form, and signed by one of its own keys.
fn configuration_of(place: &str, text: &str) -> Result<Statement, Fault> {
    let statement = companion(place, text)?;
    if statement.form() != Form::EntityConfiguration {
        return Err(STATEMENT
            .fault(format!("{place}: it is no entity configuration: its iss is not its sub"))
            .hint("take what the entity publishes under .well-known/openid-federation"));
    }
    Ok(statement)
}

/// Why the key that the header names did not sign the document, when it is to be one of these.
fn not_signed_by(statement: &Statement, keys: &crate::format::jose::JwkSet) -> Option<String> {
    let kid = statement.header().and_then(|header| header.kid()).unwrap_or_default();
    let Some(jwk) = keys.find(kid) else { return Some(format!("the key '{kid}' is none of those")) };
    statement.jws()?.verify(jwk).err().map(|fault| fault.to_string())
}

/// Reads what the operator decided.
fn input<T: DeserializeOwned>(document: &Document) -> Result<T, Fault> {
    jwt::input(document)
}

/// Verifies a signed document of this form: a trusted key, the form's `typ`, and every rule that it can break by itself.
/// Dates are judged by the caller, who knows the time.
fn verify(form: Form, document: &Document, trust: &[PublicKey]) -> Result<Verified, Fault> {
    let (claims, mut verified) = jwt::verify(document, form.typ(), trust)?;
    let text = jwt::text(document)?;
    let statement = companion(document.name(), &text)?;
    if statement.form() != form {
        return Err(ALTERED
            .fault(format!("the signature is good, but the document is a {}", statement.form().name()))
            .hint(format!("fedroot verify {} {}", statement.form().name(), document.name())));
    }
    let made = statement.date("iat").or_else(|| statement.date("exp")).map_or(Instant::from_unix(0), Ok)?;
    let blocking = |found: &super::Found| {
        let rule = crate::policy::RULES.iter().find(|rule| rule.id == found.rule);
        found.rule != "openid.exp.past"
            && rule.is_none_or(|rule| rule.severity == crate::policy::Severity::Block)
    };
    if let Some(found) = statement.check(made).into_iter().find(blocking) {
        return Err(STATEMENT.fault(format!("{}: the signature is good, but {found}", document.name())));
    }
    verified.facts = known::facts(form, None, &claims);
    verified.facts.add("kid", statement.header().and_then(|header| header.kid()).unwrap_or_default());
    Ok(verified)
}
