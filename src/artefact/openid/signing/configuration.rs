//! `entity-configuration`: what an entity says of itself (OpenID Federation 1.0, section 3).

use std::io::Write;
use std::path::Path;

use rand_core::CryptoRng;
use serde::Deserialize;
use serde_json::json;

use super::draft::{Draft, SIGNED};
use super::{companion, input, known, verify};
use crate::artefact::openid::Form;
use crate::artefact::{Kind, Prepared, Terms, Verified, compose};
use crate::base::disk::Document;
use crate::base::fault::Fault;
use crate::format::json::{Map, Value};
use crate::key::PublicKey;

pub(in crate::artefact) struct EntityConfiguration;

/// What the operator decides.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    metadata: Map<String, Value>,
    authority_hints: Option<Value>,
    trust_anchor_hints: Option<Value>,
    /// Files with trust marks of this entity.
    #[serde(default)]
    trust_marks: Vec<String>,
    trust_mark_issuers: Option<Value>,
    trust_mark_owners: Option<Value>,
    crit: Option<Value>,
    #[serde(default)]
    claims: Map<String, Value>,
    valid_for: Option<String>,
}

impl Kind for EntityConfiguration {
    fn name(&self) -> &'static str {
        Form::EntityConfiguration.name()
    }

    fn about(&self) -> &'static str {
        "an entity's own configuration in OpenID Federation"
    }

    fn open(&self, path: &Path) -> Result<Document, Fault> {
        compose::open_with(path, &["trust_marks"])
    }

    fn prepare<'d>(
        &self,
        document: &'d Document,
        terms: &Terms<'_>,
        _random: &mut dyn CryptoRng,
        record: Option<&mut dyn Write>,
    ) -> Result<Box<dyn Prepared + 'd>, Fault> {
        let input: Input = input(document)?;
        let sub = terms.profile.openid.entity_id.clone();
        let mut draft = Draft::new(Form::EntityConfiguration, terms, Some(&sub))?;
        draft.valid_for(draft.limits().configuration, input.valid_for.as_deref())?;
        let keys = draft.own_keys()?;
        removed_keys(&mut draft, &keys)?;
        draft.claim("jwks", Some(json!({ "keys": keys })));
        hints(&mut draft, input.authority_hints.as_ref());
        draft.claim("metadata", Some(input.metadata));
        draft.claim("authority_hints", input.authority_hints);
        draft.claim("trust_anchor_hints", input.trust_anchor_hints);
        let marks = input.trust_marks.iter().map(|text| {
            let mark = companion("trust_marks", text)?;
            let kind = mark.text("trust_mark_type");
            Ok(json!({ "trust_mark_type": kind, "trust_mark": text.trim_ascii() }))
        });
        let marks = marks.collect::<Result<Vec<_>, Fault>>()?;
        draft.claim("trust_marks", Some(marks).filter(|marks| !marks.is_empty()));
        draft.claim("trust_mark_issuers", input.trust_mark_issuers);
        draft.claim("trust_mark_owners", input.trust_mark_owners);
        draft.claim("crit", input.crit);
        draft.others(input.claims)?;
        draft.finish(document, record)
    }

    fn verify(&self, document: &Document, trust: &[PublicKey]) -> Result<Verified, Fault> {
        verify(Form::EntityConfiguration, document, trust)
    }
}

/// The superiors it names are those of the profile.
fn hints(draft: &mut Draft<'_>, hints: Option<&Value>) {
    let allowed = &draft.limits().authority_hints;
    for hint in hints.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
        draft.when(!allowed.iter().any(|own| own == hint), "openid.hints.profile", || {
            format!("{hint} is none of openid.authority_hints in the profile")
        });
    }
    draft.when(hints.is_none() && !allowed.is_empty(), "openid.hints.profile", || {
        "the profile names superiors, and the configuration none".into()
    });
}

/// A key goes only after everything that it signed.
fn removed_keys(draft: &mut Draft<'_>, keys: &[Value]) -> Result<(), Fault> {
    let Some(last) = draft.own_configuration()? else { return Ok(()) };
    let now = known::thumbprints(keys);
    let gone: Vec<String> = known::thumbprints(&known::keys(&last, "jwks")?)
        .into_iter()
        .filter(|before| !now.contains(before))
        .collect();
    for form in SIGNED.into_iter().filter(|_| !gone.is_empty()) {
        for (line, facts) in draft.terms.vault.signed(form.name())?.iter() {
            let kid = facts.value("kid").unwrap_or_default();
            let is_ours = *line == draft.terms.key.line && gone.iter().any(|gone| gone == kid);
            let end = known::time(facts, "exp");
            let is_live = form != Form::HistoricalKeys && end.is_none_or(|end| end > draft.terms.now);
            draft.when(is_ours && is_live, "openid.key.dropped", || {
                let about = facts.value("sub").unwrap_or_default();
                let end = end.map_or("for ever".into(), |end| format!("until {end}"));
                format!(
                    "the key {kid} is gone, and a {} about {about} that it signed is valid {end}",
                    form.name()
                )
            });
        }
    }
    Ok(())
}
