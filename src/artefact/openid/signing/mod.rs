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
mod superiors;
mod trust_mark;

use std::io::Write;
use std::marker::PhantomData;
use std::path::Path;

use rand_core::CryptoRng;
use serde::de::DeserializeOwned;

use self::draft::Draft;
pub(super) use self::draft::LIFETIME;
use super::{Form, STATEMENT, Statement};
use crate::artefact::jwt;
use crate::artefact::{ALTERED, Kind, Prepared, Terms, Verified, compose};
use crate::base::clock::Instant;
use crate::base::disk::Document;
use crate::base::fault::Fault;
use crate::format::jose::Jwk;
use crate::key::PublicKey;
use crate::policy::{Openid, Profile};

use self::configuration::EntityConfiguration;
use self::delegation::TrustMarkDelegation;
use self::historical::HistoricalKeys;
use self::jwk_set::SignedJwkSet;
use self::subordinate::SubordinateStatement;
use self::trust_mark::TrustMark;

pub(in crate::artefact) const ENTITY_CONFIGURATION: &dyn Kind = &Of::<EntityConfiguration>(PhantomData);
pub(in crate::artefact) const TRUST_MARK_DELEGATION: &dyn Kind = &Of::<TrustMarkDelegation>(PhantomData);
pub(in crate::artefact) const HISTORICAL_KEYS: &dyn Kind = &Of::<HistoricalKeys>(PhantomData);
pub(in crate::artefact) const SIGNED_JWK_SET: &dyn Kind = &Of::<SignedJwkSet>(PhantomData);
pub(in crate::artefact) const SUBORDINATE_STATEMENT: &dyn Kind = &Of::<SubordinateStatement>(PhantomData);
pub(in crate::artefact) const TRUST_MARK: &dyn Kind = &Of::<TrustMark>(PhantomData);

/// What an operator decides about a document of one form. Everything else is the same for all of them: [`Of`].
trait Decision: DeserializeOwned + 'static {
    /// The form.
    const FORM: Form;
    /// What it is, in a few words.
    const ABOUT: &'static str;
    /// The members that name files.
    const COMPANIONS: &'static [&'static str];

    /// Whom the document is about, where a line has several of the form.
    fn subject(&self) -> Result<String, Fault> {
        Ok(String::new())
    }

    /// What the document would say.
    fn draft<'t>(self, terms: &'t Terms<'t>) -> Result<Draft<'t>, Fault>;
}

/// What an operator decided about a document, of whatever form.
pub(super) trait Decided {
    /// What [`Kind::subject`] says.
    fn subject(&self) -> Result<String, Fault>;

    /// What [`Kind::prepare`] makes of the document, and the thumbprints of the keys that serve the protocols of its subject.
    fn prepare(
        self: Box<Self>,
        document: &Document,
        terms: &Terms<'_>,
        record: Option<&mut dyn Write>,
    ) -> Result<(Box<dyn Prepared>, Vec<String>), Fault>;
}

impl<D: Decision> Decided for D {
    fn subject(&self) -> Result<String, Fault> {
        Decision::subject(self)
    }

    fn prepare(
        self: Box<Self>,
        document: &Document,
        terms: &Terms<'_>,
        record: Option<&mut dyn Write>,
    ) -> Result<(Box<dyn Prepared>, Vec<String>), Fault> {
        let mut draft = self.draft(terms)?;
        let protocols = std::mem::take(&mut draft.protocols);
        Ok((draft.finish(document, record)?, protocols))
    }
}

/// Reads what an operator decided about a document of this form.
pub(super) fn decided(form: Form, document: &Document) -> Result<Box<dyn Decided>, Fault> {
    fn read<D: Decision>(document: &Document) -> Result<Box<dyn Decided>, Fault> {
        Ok(Box::new(jwt::input::<D>(document)?))
    }
    match form {
        Form::EntityConfiguration => read::<EntityConfiguration>(document),
        Form::TrustMark => read::<TrustMark>(document),
        Form::HistoricalKeys => read::<HistoricalKeys>(document),
        Form::SignedJwkSet => read::<SignedJwkSet>(document),
        _ => read::<SubordinateStatement>(document),
    }
}

/// The kind of document that such decisions lead to.
struct Of<D>(PhantomData<fn() -> D>);

impl<D: Decision> Kind for Of<D> {
    fn name(&self) -> &'static str {
        D::FORM.name()
    }

    fn about(&self) -> &'static str {
        D::ABOUT
    }

    fn wants(&self, profile: &Profile) -> Option<&'static str> {
        profile.openid.entity_id.is_empty().then_some(Openid::ENTITY)
    }

    fn open(&self, path: &Path) -> Result<Document, Fault> {
        compose::open_with(path, D::COMPANIONS)
    }

    fn subject(&self, document: &Document) -> Result<String, Fault> {
        Decision::subject(&jwt::input::<D>(document)?)
    }

    fn prepare<'d>(
        &self,
        document: &'d Document,
        terms: &Terms<'_>,
        _random: &mut dyn CryptoRng,
        record: Option<&mut dyn Write>,
    ) -> Result<Box<dyn Prepared + 'd>, Fault> {
        jwt::input::<D>(document)?.draft(terms)?.finish(document, record)
    }

    fn verify(&self, document: &Document, trust: &[PublicKey]) -> Result<Verified, Fault> {
        verify(D::FORM, document, trust)
    }
}

/// The thumbprints of the keys that a document of this line lists, in a claim of either name, as its facts tell them.
pub(super) fn thumbprints(facts: &crate::policy::Facts) -> Result<Vec<String>, Fault> {
    let (jwks, keys) = (known::keys(facts, "jwks")?, known::keys(facts, "keys")?);
    Ok(known::thumbprints(&[jwks, keys].concat()))
}

/// The keys of a subordinate, as facts of a statement about it tell them.
///
/// # Errors
///
/// `review.last` when one cannot be read.
pub fn subordinate_keys(facts: &crate::policy::Facts) -> Result<Vec<serde_json::Value>, Fault> {
    known::keys(facts, "jwks")
}

/// Which subordinates have this key for their federation, as lines of the vault signed it. Foreign text.
///
/// # Errors
///
/// Those of reading the vault.
pub(in crate::artefact) fn holders(terms: &Terms<'_>, jwk: &Jwk) -> Result<Vec<String>, Fault> {
    subject::subordinates(terms, "", jwk)
}

/// A document of another party that stands beside the input.
fn companion(place: &str, text: &str) -> Result<Statement, Fault> {
    Statement::read(text.trim_ascii()).map_err(|fault| fault.at(place))
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

/// Verifies a signed document of this form: a trusted key, the form's `typ`, and every rule that it can break by itself.
/// Dates are judged by the caller, who knows the time.
pub(super) fn verify(form: Form, document: &Document, trust: &[PublicKey]) -> Result<Verified, Fault> {
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
        !["openid.exp.past", "openid.nbf.future"].contains(&found.rule)
            && rule.is_none_or(|rule| rule.severity == crate::policy::Severity::Block)
    };
    if let Some(found) = statement.check(made).into_iter().find(blocking) {
        return Err(STATEMENT.fault(format!("{}: the signature is good, but {found}", document.name())));
    }
    let kid = statement.header().and_then(|header| header.kid()).unwrap_or_default();
    verified.facts = known::facts(form, &[("alg", verified.scheme.jose), ("kid", kid)], None, &claims);
    Ok(verified)
}
