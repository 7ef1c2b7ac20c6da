//! `subordinate-statement`: what a superior says of its subordinate (OpenID Federation 1.0, section 3). The subject's own
//! configuration comes in beside it and is judged first.

use std::cell::OnceCell;

use serde::Deserialize;
use serde_json::json;

use super::draft::Draft;
use super::{Decision, configuration_of, known, subject, superiors};
use crate::artefact::Terms;
use crate::artefact::openid::checks::metadata_keys;
use crate::artefact::openid::constraints;
use crate::artefact::openid::identifier;
use crate::artefact::openid::metadata_policy::OPERATORS;
use crate::artefact::openid::statement::date;
use crate::artefact::openid::{Form, Statement};
use crate::base::bytes::{Digest, hex};
use crate::base::fault::Fault;
use crate::format::jose::thumbprint_of;
use crate::format::json::{Map, Value};

/// What the operator decides.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SubordinateStatement {
    /// The file with the subject's configuration.
    configuration: String,
    /// What stands in it, once somebody asked.
    #[serde(skip)]
    statement: OnceCell<Statement>,
    /// The file with a configuration that one of its old keys signed, when its keys change.
    proof: Option<String>,
    /// Files with the statements of superiors, the highest first, and its configuration before them; the last one is about us.
    #[serde(default)]
    superiors: Vec<String>,
    metadata: Option<Value>,
    metadata_policy: Option<Value>,
    metadata_policy_crit: Option<Value>,
    constraints: Option<Value>,
    source_endpoint: Option<String>,
    crit: Option<Value>,
    #[serde(default)]
    claims: Map<String, Value>,
    valid_for: Option<String>,
}

impl Decision for SubordinateStatement {
    const FORM: Form = Form::SubordinateStatement;
    const ABOUT: &'static str = "a statement about a subordinate in OpenID Federation";
    const COMPANIONS: &'static [&'static str] = &["configuration", "proof", "superiors"];

    fn subject(&self) -> Result<String, Fault> {
        Ok(self.statement()?.sub().to_owned())
    }

    fn draft<'t>(mut self, terms: &'t Terms<'t>) -> Result<Draft<'t>, Fault> {
        let read = || configuration_of("configuration", &self.configuration);
        let configuration = self.statement.take().map_or_else(read, Ok)?;
        let sub = configuration.sub().to_owned();
        let mut draft = Draft::new(Self::FORM, terms, Some(&sub))?;
        draft.valid_for(draft.limits().subordinate, self.valid_for.as_deref())?;
        let keys = known::keys_of(configuration.get("jwks")).to_vec();
        alike(&mut draft, &sub)?;
        judge(&mut draft, &configuration)?;
        younger(&mut draft, &configuration);
        change_of_keys(&mut draft, &configuration, self.proof.as_deref(), &keys)?;
        end_with_keys(&mut draft, &keys);
        draft.claim("jwks", Some(json!({ "keys": keys })));
        let endpoint = self.source_endpoint.clone();
        let own: [(&str, Option<Value>); 6] = [
            ("metadata", self.metadata),
            ("metadata_policy", self.metadata_policy),
            ("metadata_policy_crit", self.metadata_policy_crit),
            ("constraints", self.constraints),
            ("source_endpoint", self.source_endpoint.map(Value::from)),
            ("crit", self.crit),
        ];
        let said: Map<String, Value> =
            own.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
        for (place, claims) in [
            ("metadata", configuration.get("metadata")),
            ("metadata", said.get("metadata")),
            ("metadata_policy", said.get("metadata_policy")),
        ] {
            let names = metadata_keys(claims).into_iter().filter_map(|(_, key)| thumbprint_of(&key).ok());
            draft.protocols.extend(names);
            for taken in subject::reused(terms, &sub, (place, claims), &[])? {
                draft.breach("openid.subject.key-taken", taken);
            }
        }
        source_endpoint(&mut draft, endpoint.as_deref())?;
        operators(&mut draft, said.get("metadata_policy"));
        constrained(&mut draft, said.get("constraints"));
        outcome(&mut draft, &configuration, &said, &self.superiors)?;
        for (name, value) in said {
            draft.claim(&name, Some(value));
        }
        draft.others(self.claims)?;
        Ok(draft)
    }
}

impl SubordinateStatement {
    /// The subject's configuration.
    fn statement(&self) -> Result<&Statement, Fault> {
        if let Some(statement) = self.statement.get() {
            return Ok(statement);
        }
        let statement = configuration_of("configuration", &self.configuration)?;
        Ok(self.statement.get_or_init(|| statement))
    }
}

/// Two names of one place: one of them publishes the configuration of the other. Those within a batch are compared there.
fn alike(draft: &mut Draft<'_>, sub: &str) -> Result<(), Fault> {
    let place = identifier::place(sub);
    let is_same = |other: &str| other != sub && identifier::place(other) == place;
    let own = draft.limits().entity_id.clone();
    draft.when(is_same(&own), "openid.subject.alike", || {
        format!("{own} signs about it, and is the same place")
    });
    if draft.terms.vault.configuration().is_some() {
        return Ok(());
    }
    let here = &draft.terms.key.line;
    for (line, facts) in draft.terms.vault.signed(Form::SubordinateStatement.name())?.iter() {
        let is_here = (line.tenant(), line.environment()) == (here.tenant(), here.environment());
        let other = facts.value("sub").unwrap_or_default();
        draft.when(is_here && is_same(other), "openid.subject.alike", || {
            format!("{line} signed about {other}, which is the same place")
        });
    }
    Ok(())
}

/// The configuration is the subject's own, keeps the rules, names us above it, and its keys are nobody else's.
fn judge(draft: &mut Draft<'_>, configuration: &Statement) -> Result<(), Fault> {
    draft.adopt("the configuration", configuration);
    if let Some(why) = subject::not_self_signed(configuration) {
        draft.breach(
            "openid.subject.signature",
            format!("the configuration is not signed by its own keys: {why}"),
        );
    }
    let own = draft.limits().entity_id.clone();
    let hints = configuration.get("authority_hints").and_then(Value::as_array);
    let is_ours = hints.into_iter().flatten().any(|hint| *hint == own);
    draft.when(!is_ours, "openid.subject.hints", || format!("its authority_hints do not name {own}"));
    // A set that cannot be read is a breach of its own, told above.
    let Ok(keys) = configuration.keys() else { return Ok(()) };
    for taken in subject::owners(draft.terms, configuration.sub(), &keys)? {
        draft.breach("openid.subject.key-taken", taken);
    }
    Ok(())
}

/// A configuration that was replaced does not come back, whoever sends it.
fn younger(draft: &mut Draft<'_>, configuration: &Statement) {
    let Some(made) = configuration.date("iat") else { return };
    let before = draft.terms.last.and_then(|last| known::time(last.facts(), "configuration"));
    if let Some(before) = before.filter(|before| *before > made) {
        let detail = format!("its configuration was made at {made}; the one before at {before}");
        draft.breach("openid.subject.older", detail);
    }
    draft.show().add_with("configuration", made.to_string(), "when it was made");
}

/// Keys change only with the consent of whoever holds an old one.
fn change_of_keys(
    draft: &mut Draft<'_>,
    configuration: &Statement,
    proof: Option<&str>,
    keys: &[Value],
) -> Result<(), Fault> {
    let Some(last) = draft.terms.last else { return without_past(draft, configuration.sub()) };
    let old = known::keys(last.facts(), "jwks")?;
    let (before, now) = (known::thumbprints(&old), known::thumbprints(keys));
    if before == now || subject::is_proven(configuration, proof, (&old, keys), draft.terms)? {
        return Ok(());
    }
    let missing = |from: &[String], these: &[String]| -> String {
        let gone: Vec<&str> = from.iter().filter(|key| !these.contains(key)).map(String::as_str).collect();
        if gone.is_empty() { "none".into() } else { gone.join(", ") }
    };
    draft.breach(
        "openid.subject.key-proof",
        format!(
            "its keys are others than those signed last (gone: {}; new: {}), and none of the old ones proves it",
            missing(&before, &now),
            missing(&now, &before)
        ),
    );
    Ok(())
}

/// Without a record nobody knows its old keys. Where there was one, its loss is explained by somebody, or met like a change of
/// keys without a proof.
fn without_past(draft: &mut Draft<'_>, sub: &str) -> Result<(), Fault> {
    let (terms, form) = (draft.terms, Form::SubordinateStatement);
    let is_lost = terms.vault.has_signed(&terms.key.line, form.name(), sub)?;
    let lost = "a statement about it was signed before, and the record of that is gone";
    match terms.released {
        None if is_lost => draft.breach(
            "openid.subject.key-proof",
            format!(
                "{lost}, signed/{}/{}-{}.last: nobody knows whether these are the keys of before; put it back from a backup, or \
                 explain with --release-brake why it is gone, or that the statement never came out",
                terms.key.line,
                form.name(),
                hex(Digest::of(sub.as_bytes()).as_bytes())
            ),
        ),
        Some(_) if is_lost => draft.breach("openid.subject.new", lost),
        _ => draft.breach("openid.subject.new", "nothing is known to have been signed about it before"),
    }
    Ok(())
}

/// A statement ends before the first of the keys that it vouches for.
fn end_with_keys(draft: &mut Draft<'_>, keys: &[Value]) {
    for key in keys {
        let Some(end) = key.get("exp").and_then(date) else { continue };
        let kid = key.get("kid").and_then(Value::as_str).unwrap_or_default();
        let now = draft.terms.now;
        draft.when(end <= now, "openid.subject.key-expired", || format!("the key '{kid}' ended at {end}"));
        if end > now {
            draft.end_by(end, "the subject's key ends then");
        }
    }
}

fn source_endpoint(draft: &mut Draft<'_>, endpoint: Option<&str>) -> Result<(), Fault> {
    let (Some(endpoint), Some(own)) = (endpoint, draft.own_configuration()?) else { return Ok(()) };
    let published = own.value("metadata.federation_entity.federation_fetch_endpoint").unwrap_or_default();
    draft.when(endpoint != published, "openid.source-endpoint.other", || {
        format!("source_endpoint is {endpoint}; the configuration signed last says {published}")
    });
    Ok(())
}

/// What consumers pass over is no policy. What the federation defines itself is shown as such: nobody here applies it.
fn operators(draft: &mut Draft<'_>, policy: Option<&Value>) {
    let members = |value: &Value| value.as_object().cloned().unwrap_or_default();
    for (entity_type, parameters) in policy.map(members).unwrap_or_default() {
        for (parameter, operators) in members(&parameters) {
            for (operator, _) in members(&operators) {
                if OPERATORS.contains(&operator.as_str()) {
                    continue;
                }
                let place = format!("metadata_policy.{entity_type}.{parameter}.{operator}");
                if draft.limits().operators.contains(&operator) {
                    draft.show().add_with("not applied", place, "an operator of the federation's own");
                } else {
                    draft.breach(
                        "openid.policy.operator",
                        format!("{place} is no operator of the standard, and none of the profile's openid.operators"),
                    );
                }
            }
        }
    }
}

/// What consumers pass over constrains nobody (section 6.2).
fn constrained(draft: &mut Draft<'_>, constraints: Option<&Value>) {
    let known = ["max_path_length", "naming_constraints", "allowed_entity_types"];
    let names = constraints.and_then(|own| own.get("naming_constraints"));
    for (place, value, known) in [
        ("constraints", constraints, &known[..]),
        ("constraints.naming_constraints", names, &["permitted", "excluded"]),
    ] {
        for (name, _) in value.and_then(Value::as_object).into_iter().flatten() {
            draft.when(!known.contains(&name.as_str()), "openid.constraints.unknown", || {
                format!("{place} has '{name}', and the standard knows {}", known.join(", "))
            });
        }
    }
}

/// What the federation makes of the subject under this statement and those of superiors.
fn outcome(
    draft: &mut Draft<'_>,
    configuration: &Statement,
    said: &Map<String, Value>,
    superiors: &[String],
) -> Result<(), Fault> {
    let own = draft.limits().entity_id.clone();
    let mut first = said.clone();
    first.insert("iss".into(), own.as_str().into());
    let mut chain = vec![Statement::new(Form::SubordinateStatement, first)];
    let mut entities = vec![configuration.sub().to_owned(), own.clone()];
    for above in superiors::judged(draft, superiors)?.into_iter().rev() {
        draft.show().add("superior", format!("{} about {}", above.iss(), above.sub()));
        let below = entities.last().map_or("", String::as_str);
        draft.when(above.sub() != below, "openid.superiors.chain", || {
            format!("a superior's statement is about {}, and {below} stands below it", above.sub())
        });
        entities.push(above.iss().to_owned());
        chain.push(above);
    }
    let chain: Vec<&Statement> = chain.iter().collect();
    let entities: Vec<&str> = entities.iter().map(String::as_str).collect();
    if let Err(fault) = constraints::check(&chain, &entities) {
        draft.breach("openid.subject.constraints", fault.to_string());
    }
    let types = |claims: &Map<String, Value>| {
        claims.get("metadata").and_then(Value::as_object).cloned().unwrap_or_default()
    };
    let known = types(configuration.claims());
    for (name, _) in types(said).iter().filter(|(name, _)| !known.contains_key(*name)) {
        draft.breach("openid.subject.types", format!("it has no metadata of the type {name}"));
    }
    match constraints::resolve(configuration, &chain) {
        Ok((metadata, _)) => draft.show().add_json("resolved", &Value::Object(metadata)),
        Err(fault) => draft.breach("openid.subject.policy", fault.to_string()),
    }
    Ok(())
}
