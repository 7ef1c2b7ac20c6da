//! `jwk-set`: the keys of an entity's protocols, signed, behind `signed_jwks_uri` (OpenID Federation 1.0, section 5.2.1).

use serde::Deserialize;

use super::draft::Draft;
use super::{Decision, configuration_of, known};
use crate::artefact::openid::Form;
use crate::artefact::{Terms, keyset};
use crate::base::fault::Fault;
use crate::format::jose::Jwk;
use crate::format::json::{Map, Value};

/// What the operator decides.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SignedJwkSet {
    keys: Vec<keyset::KeyInput>,
    /// The file with the entity's configuration, to compare with the `jwks` in its metadata.
    configuration: Option<String>,
    #[serde(default)]
    claims: Map<String, Value>,
    valid_for: Option<String>,
}

impl Decision for SignedJwkSet {
    const FORM: Form = Form::SignedJwkSet;
    const ABOUT: &'static str = "the signed keys of an entity's protocols in OpenID Federation";
    const COMPANIONS: &'static [&'static str] = &["configuration"];

    fn draft<'t>(self, terms: &'t Terms<'t>) -> Result<Draft<'t>, Fault> {
        let own = terms.profile.openid.entity_id.clone();
        let mut draft = Draft::new(Self::FORM, terms, Some(&own))?;
        draft.valid_for(draft.limits().jwk_set, self.valid_for.as_deref())?;
        let mut keys = Vec::new();
        for key in &self.keys {
            let key = key.key(terms)?;
            keys.push(key.named(key.purpose())?);
        }
        federation_keys(&mut draft, &keys)?;
        if let Some(text) = &self.configuration {
            same(&mut draft, &keys, text)?;
        }
        draft.claim("keys", Some(keys));
        draft.others(self.claims)?;
        Ok(draft)
    }
}

/// Keys of the federation serve no protocol (section 3.1.1).
fn federation_keys(draft: &mut Draft<'_>, keys: &[Value]) -> Result<(), Fault> {
    for jwk in keys.iter().filter_map(|key| Jwk::read(key).ok()) {
        let vault = draft.terms.vault.keys()?;
        let owner = vault.iter().find(|own| own.public == *jwk.key()).map(|own| own.id.to_string());
        let owner = owner.or_else(|| (jwk.key() == draft.terms.public).then(|| draft.terms.key.to_string()));
        let kid = jwk.kid().unwrap_or_default();
        for (_, facts) in draft.terms.vault.holders(jwk.number(), (&draft.terms.key.line, ""))? {
            let sub = facts.value("sub").unwrap_or_default();
            if known::holds(&known::keys(&facts, "jwks")?, &jwk) {
                let detail =
                    format!("the key '{kid}' is one of {sub}, which signs for the federation with it");
                draft.breach("openid.jwk-set.federation", detail);
            }
        }
        for (line, facts) in draft.terms.vault.signed(Form::HistoricalKeys.name())?.iter() {
            if known::holds(&known::keys(facts, "keys")?, &jwk) {
                let detail = format!("the key '{kid}' stands in the historical-keys of {line}, too");
                draft.breach("openid.jwk-set.federation", detail);
            }
        }
        if let Some(owner) = owner {
            draft.breach(
                "openid.jwk-set.federation",
                format!("the key '{kid}' is {owner}, which signs for the federation"),
            );
        }
    }
    Ok(())
}

/// The set is the one in the metadata, where there is one (section 5.2.1.1).
fn same(draft: &mut Draft<'_>, keys: &[Value], text: &str) -> Result<(), Fault> {
    let configuration = configuration_of("configuration", text)?;
    let types = configuration.get("metadata").and_then(Value::as_object);
    for (name, metadata) in types.into_iter().flatten() {
        let Some(listed) = metadata.get("jwks") else { continue };
        let is_same = known::thumbprints(known::keys_of(Some(listed))) == known::thumbprints(keys);
        draft.when(!is_same, "openid.jwk-set.same", || format!("metadata.{name}.jwks has other keys"));
    }
    Ok(())
}
