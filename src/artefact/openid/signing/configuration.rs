//! `entity-configuration`: what an entity says of itself (OpenID Federation 1.0, section 3).

use serde::Deserialize;
use serde_json::json;

use super::draft::{Draft, SIGNED};
use super::{Decision, companion, configuration_of, known, not_signed_by, subject};
use crate::artefact::Terms;
use crate::artefact::openid::{Form, Statement};
use crate::base::fault::Fault;
use crate::format::jose::JwkSet;
use crate::format::json::{Map, Value};

/// What the operator decides.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EntityConfiguration {
    metadata: Map<String, Value>,
    authority_hints: Option<Value>,
    trust_anchor_hints: Option<Value>,
    /// Files with trust marks of this entity.
    #[serde(default)]
    trust_marks: Vec<String>,
    /// Files with the configurations of those who issued them.
    #[serde(default)]
    issuers: Vec<String>,
    trust_mark_issuers: Option<Value>,
    trust_mark_owners: Option<Value>,
    crit: Option<Value>,
    #[serde(default)]
    claims: Map<String, Value>,
    valid_for: Option<String>,
}

impl Decision for EntityConfiguration {
    const FORM: Form = Form::EntityConfiguration;
    const ABOUT: &'static str = "an entity's own configuration in OpenID Federation";
    const COMPANIONS: &'static [&'static str] = &["trust_marks", "issuers"];

    fn draft<'t>(self, terms: &'t Terms<'t>) -> Result<Draft<'t>, Fault> {
        let sub = terms.profile.openid.entity_id.clone();
        let mut draft = Draft::new(Self::FORM, terms, Some(&sub))?;
        draft.valid_for(draft.limits().configuration, self.valid_for.as_deref())?;
        let keys = draft.own_keys()?;
        removed_keys(&mut draft, &keys)?;
        let metadata = Value::Object(self.metadata);
        let told = known::thumbprints(&keys);
        for taken in subject::reused(terms, &sub, ("metadata", Some(&metadata)), &told)? {
            draft.breach("openid.subject.key-taken", taken);
        }
        draft.claim("jwks", Some(json!({ "keys": keys })));
        hints(&mut draft, self.authority_hints.as_ref());
        draft.claim("metadata", Some(metadata));
        draft.claim("authority_hints", self.authority_hints);
        draft.claim("trust_anchor_hints", self.trust_anchor_hints);
        let marks = self.trust_marks.iter().map(|text| companion("trust_marks", text));
        let marks = marks.collect::<Result<Vec<_>, Fault>>()?;
        signed_marks(&mut draft, &marks, &self.issuers, &keys)?;
        let shown = marks.iter().zip(&self.trust_marks).map(|(mark, text)| {
            json!({ "trust_mark_type": mark.text("trust_mark_type"), "trust_mark": text.trim_ascii() })
        });
        draft.claim("trust_marks", Some(shown.collect::<Vec<_>>()).filter(|marks| !marks.is_empty()));
        draft.claim("trust_mark_issuers", self.trust_mark_issuers);
        draft.claim("trust_mark_owners", self.trust_mark_owners);
        draft.claim("crit", self.crit);
        draft.others(self.claims)?;
        Ok(draft)
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

/// A mark is worth as much as its signature: that of whoever issued it, with a key of its own configuration.
fn signed_marks(
    draft: &mut Draft<'_>,
    marks: &[Statement],
    issuers: &[String],
    own: &[Value],
) -> Result<(), Fault> {
    let rule = "openid.trust-mark.signature";
    let issuers = issuers.iter().map(|text| configuration_of("issuers", text));
    let issuers = issuers.collect::<Result<Vec<_>, Fault>>()?;
    for issuer in &issuers {
        draft.adopt("the issuer's configuration", issuer);
        if let Some(why) = subject::not_self_signed(issuer) {
            draft.breach(
                rule,
                format!("the configuration of {} is not signed by itself: {why}", issuer.iss()),
            );
        }
    }
    for mark in marks {
        let (kind, iss) = (mark.text("trust_mark_type"), mark.iss());
        let keys = match issuers.iter().find(|issuer| issuer.iss() == iss) {
            // whatever configuration of ours somebody brings
            _ if iss == draft.limits().entity_id => JwkSet::read_keys(own),
            Some(issuer) => issuer.keys(),
            None => {
                draft.breach(
                    "openid.trust-mark.unverified",
                    format!("{kind} is of {iss}, whose keys are not known"),
                );
                continue;
            }
        };
        let why = keys.map_or_else(|fault| Some(fault.to_string()), |keys| not_signed_by(mark, &keys));
        if let Some(why) = why {
            draft.breach(rule, format!("{kind} is not signed by {iss}: {why}"));
        }
    }
    Ok(())
}

/// A key goes only after everything that it signed. One that is revoked goes at once: nobody is to trust it any longer.
fn removed_keys(draft: &mut Draft<'_>, keys: &[Value]) -> Result<(), Fault> {
    let Some(last) = draft.own_configuration()? else { return Ok(()) };
    let now = known::thumbprints(keys);
    let revoked = draft.revoked()?;
    let gone: Vec<String> = known::thumbprints(&known::keys(&last, "jwks")?)
        .into_iter()
        .filter(|before| !now.contains(before) && !revoked.contains(before))
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
