//! `trust-mark`: a mark that its issuer gives an entity (OpenID Federation 1.0, section 7.1).

use serde::Deserialize;

use super::draft::Draft;
use super::{Decision, companion, configuration_of, known, not_signed_by, subject};
use crate::artefact::openid::{Form, Statement};
use crate::artefact::{COMPOSED, Terms};
use crate::base::clock::Instant;
use crate::base::fault::Fault;
use crate::format::jose::JwkSet;
use crate::format::json::{Map, Value};

/// What the operator decides.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "members are called as the claims are")]
pub(super) struct TrustMark {
    trust_mark_type: String,
    /// Who gets it.
    sub: String,
    /// The file with the configuration of the trust anchor, which says who may issue it. In a federation that is signed as a
    /// whole, the anchor's own where none is named.
    anchor: Option<String>,
    /// The file with the leave of the mark's owner.
    delegation: Option<String>,
    logo_uri: Option<String>,
    #[serde(rename = "ref")]
    reference: Option<String>,
    #[serde(default)]
    claims: Map<String, Value>,
    valid_for: Option<String>,
}

impl Decision for TrustMark {
    const FORM: Form = Form::TrustMark;
    const ABOUT: &'static str = "a trust mark of OpenID Federation";
    const COMPANIONS: &'static [&'static str] = &["anchor", "delegation"];

    fn subject(&self) -> Result<String, Fault> {
        Ok(format!("{} {}", self.trust_mark_type, self.sub))
    }

    fn draft<'t>(self, terms: &'t Terms<'t>) -> Result<Draft<'t>, Fault> {
        let mut draft = Draft::new(Self::FORM, terms, Some(&self.sub))?;
        draft.valid_for(draft.limits().trust_mark, self.valid_for.as_deref())?;
        let anchor = anchor(&mut draft, self.anchor.as_deref())?;
        issuer(&mut draft, &anchor, &self.trust_mark_type);
        delegated(&mut draft, &anchor, &self)?;
        is_known(&mut draft, &self.sub)?;
        draft.claim("trust_mark_type", Some(self.trust_mark_type));
        draft.claim("logo_uri", self.logo_uri);
        draft.claim("ref", self.reference);
        draft.claim("delegation", self.delegation.map(|text| text.trim_ascii().to_owned()));
        draft.others(self.claims)?;
        Ok(draft)
    }
}

/// The configuration of the trust anchor: signed by itself. When it is ours, the one that is signed in the same batch, or the
/// last one that this line signed.
pub(super) fn anchor(draft: &mut Draft<'_>, text: Option<&str>) -> Result<Statement, Fault> {
    let here = draft.terms.vault.configuration();
    let anchor = text.map(|text| configuration_of("anchor", text)).transpose()?;
    let is_ours = |anchor: &Statement| anchor.iss() == draft.limits().entity_id;
    if let Some(own) = here.filter(|_| anchor.as_ref().is_none_or(is_ours)) {
        draft.show().add("anchor", "the configuration that is signed with it");
        return Ok(Statement::new(Form::EntityConfiguration, own.clone()));
    }
    let anchor = anchor.ok_or_else(|| {
        COMPOSED
            .fault("anchor: the file with the configuration of the trust anchor is not named")
            .hint("name what the anchor publishes under .well-known/openid-federation")
    })?;
    draft.adopt("the anchor's configuration", &anchor);
    let keys = known::thumbprints(known::keys_of(anchor.get("jwks")));
    draft.show().add("anchor", format!("{} with the keys {}", anchor.iss(), keys.join(", ")));
    if let Some(why) = subject::not_self_signed(&anchor) {
        draft.breach(
            "openid.anchor.signature",
            format!("the anchor's configuration is not signed by itself: {why}"),
        );
    }
    if anchor.iss() == draft.limits().entity_id {
        ours(draft, &anchor)?;
    }
    Ok(anchor)
}

/// A configuration that speaks for our entity.
fn ours(draft: &mut Draft<'_>, anchor: &Statement) -> Result<(), Fault> {
    // whoever forges it lists our keys beside his own
    let own = JwkSet::read_keys(&draft.own_keys()?)?;
    if let Some(why) = not_signed_by(anchor, &own) {
        draft.breach(
            "openid.anchor.signature",
            format!(
                "the anchor's configuration speaks for our entity, and is not signed by this line: {why}"
            ),
        );
    }
    let here = &draft.terms.key.line;
    let signed = draft.terms.vault.signed(Form::EntityConfiguration.name())?;
    let last =
        signed.iter().filter(|(line, _)| line == here).filter_map(|(_, said)| known::time(said, "iat"));
    let (last, made) = (last.max(), anchor.date("iat"));
    if let Some(last) = last.filter(|last| made.is_none_or(|made| made < *last)) {
        draft.breach(
            "openid.anchor.older",
            format!("the anchor's configuration is our own of {}; {last} it was signed anew", told(made)),
        );
    }
    Ok(())
}

fn told(made: Option<Instant>) -> String {
    made.map_or_else(|| "no time that it says".to_owned(), |made| made.to_string())
}

/// Anybody may issue a mark whose list of issuers is empty (section 7.3).
fn issuer(draft: &mut Draft<'_>, anchor: &Statement, mark: &str) {
    let own = draft.limits().entity_id.clone();
    let issuers = anchor.get("trust_mark_issuers").and_then(|all| all.get(mark)).and_then(Value::as_array);
    match issuers {
        None => {
            draft.breach("openid.trust-mark.issuer", format!("{} lists no issuers of {mark}", anchor.iss()));
        }
        Some(all) => draft.when(
            !all.is_empty() && !all.iter().any(|one| *one == own),
            "openid.trust-mark.issuer",
            || format!("{} does not list {own} among the issuers of {mark}", anchor.iss()),
        ),
    }
}

/// A mark that somebody owns is issued with the owner's leave (section 7.2).
fn delegated(draft: &mut Draft<'_>, anchor: &Statement, input: &TrustMark) -> Result<(), Fault> {
    let mark = &input.trust_mark_type;
    let Some(owner) = anchor.get("trust_mark_owners").and_then(|all| all.get(mark)) else { return Ok(()) };
    let rule = "openid.trust-mark.owner";
    let Some(text) = &input.delegation else {
        draft.breach(rule, format!("{mark} has an owner, and there is no delegation"));
        return Ok(());
    };
    let delegation = companion("delegation", text)?;
    let name = owner.get("sub").and_then(Value::as_str).unwrap_or_default();
    draft.when(delegation.iss() != name, rule, || {
        format!("the delegation is from {}, and the owner is {name}", delegation.iss())
    });
    match JwkSet::read(owner.get("jwks").unwrap_or(&Value::Null)) {
        Ok(keys) => {
            if let Some(why) = not_signed_by(&delegation, &keys) {
                draft.breach(rule, format!("the delegation is not signed by the owner: {why}"));
            }
        }
        Err(fault) => draft.breach(rule, format!("the owner's keys: {fault}")),
    }
    if let Some(end) = delegation.date("exp").filter(|end| *end > draft.terms.now) {
        draft.end_by(end, "the delegation ends then");
    }
    Ok(())
}

/// Marks are for entities that some line of the vault has a statement about, or for our own.
fn is_known(draft: &mut Draft<'_>, sub: &str) -> Result<(), Fault> {
    let is_known = draft.terms.vault.is_subordinate(&draft.terms.key.line, sub)?;
    draft.when(!is_known && draft.limits().entity_id != sub, "openid.trust-mark.unknown", || {
        format!("no statement about {sub} was signed here")
    });
    Ok(())
}
